/* One running job: loads it, trains it, stores what clients see of it, ends it. A thread of its own. */
#ifndef DESCENT_SERVER_JOBS_RUNNER_H
#define DESCENT_SERVER_JOBS_RUNNER_H

#include <pthread.h>

#include "server/jobs/scheduler.h"

struct runner {
    struct runner *next; /* the scheduler's */
    pthread_t thread;
    char id[ID_TEXT];
    int32_t priority;
    struct store *store;
    struct scheduler *scheduler;
    struct runner_control control;
    /* the scheduler's, under its lock */
    int admitted, finished;
    uint32_t threads, wanted;
    uint64_t bytes;
    int exact;
};

/* The body of the runner's thread. Returns when the job has ended or is back in the queue. */
void runner_run(struct runner *runner);

#endif
