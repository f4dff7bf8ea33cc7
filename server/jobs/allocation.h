/*
 * Who gets how many threads now: a pure function of who is there, so that it can be tested without a thread.
 *
 * A higher priority is served in full before a lower one. Within a priority each job gets one thread, those first that
 * have used the least so far; what is left is dealt out one by one to those that can use more. Where there are more jobs
 * than threads the last ones get none: asked again a time slice later, when the others have used more, it is their turn. A
 * job that starves goes before all others, whatever its priority.
 */
#ifndef DESCENT_SERVER_JOBS_ALLOCATION_H
#define DESCENT_SERVER_JOBS_ALLOCATION_H

#include <stddef.h>
#include <stdint.h>

/* One job that wants to run. */
struct share {
    int32_t priority;
    uint32_t wanted;     /* threads that it can use, at least 1 */
    int exact;           /* all of them (at most all there are) or none */
    uint64_t used;       /* time slices so far; whole ones, so that nobody loses its thread within one */
    int starves;         /* it has waited too long */
    int64_t waits_since; /* among equals who has threads (0) keeps them, then who has waited longest is next, ... */
    uint64_t number;     /* ... then who came first */
    void *owner;         /* the caller's */
    uint32_t threads;    /* out */
};

/* shares [count], put into the order in which they were served. */
void allocation_make(struct share *shares, size_t count, uint32_t threads);

#endif
