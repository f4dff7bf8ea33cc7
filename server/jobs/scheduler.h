/*
 * Which job runs, and with how many threads.
 *
 * Jobs leave the queue by priority, then age, and share the threads by time slices (allocation.h): more jobs than threads
 * take turns, fewer get more threads each, and what a job has can change at any of its steps. So a small job never waits
 * behind an hour's work. A job that has been taken up stays in memory until it ends; what does not fit there waits in the
 * queue.
 *
 * Runners (runner.h) do the work, one thread each (crew.h); a runner loads its job first and then asks to be
 * admitted with what the job needs, so that nothing slow happens here.
 */
#ifndef DESCENT_SERVER_JOBS_SCHEDULER_H
#define DESCENT_SERVER_JOBS_SCHEDULER_H

#include <stdatomic.h>

#include "api/profile.h"
#include "api/views.h"
#include "server/store/jobs.h"
#include "server/store/store.h"

struct checkpoint_writer;
struct scheduler;
struct runner;

struct scheduler_setup {
    struct store *store;                   /* borrowed */
    struct checkpoint_writer *checkpoints; /* borrowed */
    uint32_t threads;                      /* for training, all jobs together */
    uint64_t memory_bytes;                 /* likewise */
    uint32_t max_queued_jobs;
};

/* Takes up the queue that the store holds. STATUS_SYSTEM_ERROR. */
MUST_CHECK enum status scheduler_new(struct scheduler **scheduler, const struct scheduler_setup *setup, struct error *error);
/* After scheduler_drain. NULL is fine. */
void scheduler_free(struct scheduler *scheduler);

/*
 * Room for so many more jobs, for all or none, kept for a submission under way: STATUS_QUEUE_FULL. Give each place back with
 * one of the next two.
 */
MUST_CHECK enum status scheduler_reserve(struct scheduler *scheduler, uint32_t jobs, struct error *error);
void scheduler_release(struct scheduler *scheduler, uint32_t jobs);
/* The job is stored; from any thread, never blocks. */
void scheduler_enqueue(struct scheduler *scheduler, const struct job_ticket *job);
/* What a runner is told at step boundaries. */
enum runner_order { RUNNER_GO_ON, RUNNER_DRAIN, RUNNER_PAUSE, RUNNER_STOP, RUNNER_CANCEL };

/*
 * The job has this status and priority in the store, at this version. Its runner is told. Where it has none: one that needs
 * a runner (api/job_states.h) is queued, without a reservation; one that does not leaves the queue. What is older than what
 * was told before is passed over, so that two who tell at the same time need not agree on an order. Any thread, never
 * blocks.
 */
void scheduler_tell(struct scheduler *scheduler, const struct job_view *job);
/* Has the job's runner write a checkpoint at its next step; nothing where it has none. */
void scheduler_want_checkpoint(struct scheduler *scheduler, const char *id);

/*
 * Starts nothing more; running jobs keep their state and go back to the queue at their next step. Waits at most `wait_ms`
 * for them; 1: none runs any more.
 */
int scheduler_drain(struct scheduler *scheduler, int64_t wait_ms);

/* Threads for training, all jobs together. */
uint32_t scheduler_threads(const struct scheduler *scheduler);

/* ---- what is going on, for GET /v1/scheduler and GET /metrics ---- */

struct scheduler_figures {
    uint32_t threads, busy_threads;
    uint64_t memory_bytes, used_bytes;
    uint32_t queued, running; /* jobs that wait for a runner or for their memory; that have both */
};
void scheduler_figures(struct scheduler *scheduler, struct scheduler_figures *figures);

struct scheduler_running {
    char id[ID_TEXT];
    int32_t priority;
    uint32_t threads, wanted; /* threads 0: it waits for its turn */
    uint64_t bytes;
};
/* All jobs that run, in the order in which they were taken up; the next ones of the queue. */
struct scheduler_view {
    struct scheduler_figures figures;
    struct scheduler_running *running; /* [running_count], owned */
    size_t running_count;
    struct job_ticket *queue; /* [queue_count], owned */
    size_t queue_count;
};
/* limit: jobs of the queue, at most. */
MUST_CHECK enum status scheduler_look(struct scheduler *scheduler, size_t limit, struct scheduler_view *view,
                                      struct error *error);
void scheduler_view_release(struct scheduler_view *view);
/*
 * When the jobs of view->queue will start: starts [queue_count] in seconds from now, NaN: not known. remaining
 * [running_count]: seconds until each running job ends, NaN: not known. An estimate: nobody knows how long a job takes
 * that has not begun. STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status scheduler_estimate(const struct scheduler_view *view, const double *remaining, double *starts,
                                          struct error *error);

/* What the job's runner has counted of late; 0: it has none, or that has not made a step yet. */
int scheduler_profile(struct scheduler *scheduler, const char *id, struct profile_counts *counts);

/* ---- for runners ---- */

struct runner_control {
    atomic_int order;      /* enum runner_order */
    atomic_uint threads;   /* to be used from the next step on; 0: none, see scheduler_take_turn */
    atomic_int checkpoint; /* one is wanted now */
};

/*
 * Asks for `bytes` of memory and up to `threads` threads, waiting for the memory. 0: the job is not to run (an order came).
 * 1: it is admitted; its threads come by scheduler_take_turn. exact: all of the threads or none, counted as at most all
 * there are.
 */
int scheduler_admit(struct scheduler *scheduler, struct runner *runner, uint64_t bytes, uint32_t threads, int exact);

/*
 * Between two steps, when control.threads is another number than the runner uses: gives back what it is to do without, and
 * where that is all of it, waits for its turn. Returns the threads to use; 0: an order came meanwhile.
 */
uint32_t scheduler_take_turn(struct scheduler *scheduler, struct runner *runner);

/* The job has made a checkpoint: it is no suspect any more, others may run beside it. */
void scheduler_clear_suspect(struct scheduler *scheduler, struct runner *runner);

/* What its steps so far took, for whoever asks. */
void scheduler_show_profile(struct scheduler *scheduler, struct runner *runner, const struct profile_counts *counts);

/* Waits for `ms` without threads, or until the runner is told something else than before. 0: the server is draining. */
int scheduler_pause(struct scheduler *scheduler, struct runner *runner, int64_t ms);

/*
 * Training is over, and the rest is waiting for the store: gives back all threads, and another job may be taken up in its
 * place.
 */
void scheduler_let_go(struct scheduler *scheduler, struct runner *runner);

/*
 * From here on a job that is queued again gets another runner after this one. ended_at: the version at which the job ended
 * for good, and what is told of an older one is late; 0: it may go on.
 */
void scheduler_leave(struct scheduler *scheduler, struct runner *runner, uint64_t ended_at);

#endif
