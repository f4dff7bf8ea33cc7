/*
 * Threads that take up one task after the other: one that is done waits for the next, so that a thousand short tasks do not
 * cost a thousand threads. Some that have nothing to do are kept, more end.
 */
#ifndef DESCENT_SERVER_JOBS_CREW_H
#define DESCENT_SERVER_JOBS_CREW_H

#include <pthread.h>

#include "core/base/status.h"

struct crew;

struct crew_setup {
    const char *name;            /* of its threads; borrowed */
    pthread_mutex_t *lock;       /* the owner's; guards the crew, too */
    void (*run)(void *context);  /* a task, on its thread, without the lock */
    void (*done)(void *context); /* right after it, under the lock: may begin the next one, which this thread then does */
};

/* STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status crew_new(struct crew **crew, const struct crew_setup *setup, struct error *error);
/* Without the lock; waits until all tasks are done. NULL is fine. */
void crew_free(struct crew *crew);

/* Under the lock: has a thread do it. 0: the system has none now. */
MUST_CHECK int crew_begin(struct crew *crew, void *context);

#endif
