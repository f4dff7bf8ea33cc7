/* One running job: loads it, trains it, stores what clients see of it, ends it. It has a thread for itself meanwhile. */
#ifndef DESCENT_SERVER_JOBS_RUNNER_H
#define DESCENT_SERVER_JOBS_RUNNER_H

#include "server/jobs/scheduler.h"

/* It has got a thread after it waited for its turn, or (the stronger claim) starved. */
enum favour { FAVOUR_NONE, FAVOUR_TURN, FAVOUR_STARVED };

struct runner {
    struct runner *next; /* the scheduler's */
    struct job_ticket job;
    struct store *store;
    struct checkpoint_writer *checkpoints;
    struct scheduler *scheduler;
    struct runner_control control;
    /* the scheduler's, under its lock */
    uint64_t number;                                        /* of arrival */
    int asked, admitted, resting, leaving, again, finished; /* again: its job is queued once more */
    int ending;                                             /* it waits for its end to be stored */
    uint64_t told;                                          /* the version of the job that it was told of last */
    int64_t asked_at;                                       /* ms */
    uint32_t wanted;                                        /* threads */
    uint32_t held, target;                                  /* threads that it has, and that it is to have */
    uint32_t taken;                                         /* of those held: it works with them */
    double used, spent;                                     /* thread-seconds: on the scale of fairness; in all */
    int64_t charged_at, waits_since;                        /* ms; waits_since 0: it has threads */
    enum favour favour;                                     /* for what it ... */
    int64_t favoured_until;                                 /* ... keeps its thread until then, ms */
    uint64_t bytes;
    int exact;
    struct profile_counts profile; /* steps 0: none yet */
};

/* What the runner's thread does. Returns when the job has ended, or is not to run for now. */
void runner_run(struct runner *runner);

#endif
