/*
 * What the files of the scheduler share; private to them (scheduler.c: the queue, runners, memory; turns.c: threads;
 * scheduler_view.c: what is shown of it).
 */
#ifndef DESCENT_SERVER_JOBS_SCHEDULER_INTERNAL_H
#define DESCENT_SERVER_JOBS_SCHEDULER_INTERNAL_H

#include <pthread.h>

#include "server/jobs/crew.h"
#include "server/jobs/queue.h"
#include "server/jobs/runner.h"

#define SLICE_MS    100
#define RUNNERS_MAX 256

struct scheduler {
    struct scheduler_setup setup;
    pthread_t thread;
    pthread_mutex_t lock;   /* a leaf; guards what follows, and of runners what runner.h says */
    pthread_cond_t changed; /* anything that a runner may wait for */
    pthread_cond_t tick;    /* the thread is to look */
    int sleeps;             /* it does, until something comes that time decides */
    struct crew *crew;      /* of threads for runners */
    struct queue queue;
    uint32_t reserved;
    struct runner *runners;
    uint32_t runner_count;
    uint64_t arrivals;
    int64_t started_at;    /* the last runner, ms */
    int64_t refused_until; /* the system had no thread for one, ms */
    uint64_t free_bytes;
    int draining, closing;
};

static inline enum runner_order order_of(const struct runner *runner)
{
    return (enum runner_order)atomic_load(&runner->control.order);
}

/* Does it train, or take its last step? */
static inline int works(const struct runner *runner)
{
    enum runner_order order = order_of(runner);

    return order == RUNNER_GO_ON || order == RUNNER_STOP;
}

/* scheduler.c, under the lock: does what follows from a change, at the end of whatever has changed something. */
void scheduler_decide(struct scheduler *scheduler);

/* turns.c, all under the lock. */

/* Moves every runner towards the threads that it should have now, as far as that is possible. */
void turns_deal(struct scheduler *scheduler, int64_t now);
/* Is there a runner that would use more threads than it has? Then their turns must be looked at again and again. */
int turns_someone_waits(const struct scheduler *scheduler);
/* Threads that runners hold. */
uint32_t turns_held(const struct scheduler *scheduler);
/*
 * What counts as used for one that comes among those of its priority, or comes back: it goes before them by one slice,
 * without credit for the time when it was not there.
 */
double turns_newcomers_use(const struct scheduler *scheduler, const struct runner *newcomer);

#endif
