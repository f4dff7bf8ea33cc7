/*
 * One run of a job, from loading to its end: what the files of the runner share. Private to them (runner.c: the life;
 * run_load.c: its beginning; run_progress.c: what is shown on the way; run_end.c: its end). All on the runner's thread.
 */
#ifndef DESCENT_SERVER_JOBS_RUN_H
#define DESCENT_SERVER_JOBS_RUN_H

#include "api/job_request.h"
#include "server/jobs/job_checkpoints.h"
#include "server/jobs/job_data.h"
#include "server/jobs/recorder.h"
#include "server/jobs/runner.h"

struct run {
    struct runner *runner;
    struct job_view job; /* as it was stored at the start */
    struct job_request request;
    struct job_data data;
    struct train_plan plan;
    struct trainer *trainer; /* NULL: the job did not get so far */
    struct recorder *recorder;
    struct job_checkpoints *checkpoints;
    uint32_t threads;
    uint64_t first_step;           /* of the checkpoint that this run goes on from; 0: from the beginning */
    double before;                 /* training seconds of earlier runs, by the checkpoint */
    double begin;                  /* monotonic seconds at this run's first step */
    double idle;                   /* seconds since then in which it had no thread, or no room on the disk */
    double seconds;                /* of training so far, as clients see them (recorder_clock) */
    struct job_progress progress;  /* as of the last step */
    struct profile_counts profile; /* of this run so far, but for the ticks, which run_profile fetches */
    double profile_due;            /* monotonic seconds: when it is to be shown next */
    unsigned proved;               /* checkpoints of this run that are durable */
    int keeps_last;                /* the last checkpoint is written, or was tried */
    enum job_status left_in;       /* by the run's last change; JOB_STATUS_KEEP: it was not made */
    int lost_row;                  /* a row found no place before an order came: the job must not go on from here */
};

static inline enum runner_order run_order(const struct run *run)
{
    return (enum runner_order)atomic_load_explicit(&run->runner->control.order, memory_order_relaxed);
}

/* Does the order leave the run something to do? */
static inline int run_has_work(const struct run *run)
{
    enum runner_order order = run_order(run);

    return order == RUNNER_GO_ON || order == RUNNER_STOP;
}

/* Is it the disk's fault, and may it pass? */
static inline int run_is_of_storage(enum status status)
{
    return status == STATUS_INSUFFICIENT_STORAGE || status == STATUS_STORAGE_ERROR;
}

/* Training seconds at the monotonic time `now`. */
static inline double run_elapsed(const struct run *run, double now)
{
    return run->before + (now - run->begin - run->idle);
}

/*
 * Loads the job, waits until it is admitted, makes its trainer and puts it where the newest good checkpoint stands. trainer
 * stays NULL where an order came first.
 */
MUST_CHECK enum status run_load(struct run *run, struct error *error);
void run_release(struct run *run);

/* Takes note of a logged point; the trainer's state, for whoever looks at the job. */
void run_note_point(struct run *run, const struct train_point *point);
void run_show_progress(struct run *run);
/* Counts a step from `begin` to `now` (monotonic seconds) that saw so many samples, and shows the profile now and then. */
void run_count_step(struct run *run, double begin, double now, uint64_t samples);
/* What was counted so far. */
const struct profile_counts *run_profile(struct run *run);

/* What becomes of the job after its training ended with `status` (and `reason`), waiting for room on the disk if need be. */
void run_end(struct run *run, enum status status, const struct error *reason);

#endif
