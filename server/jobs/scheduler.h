/*
 * Which job runs, and with how many threads: first come first served within a priority, as many side by side as there
 * are cores and memory for. A running job that can use more threads than it got is given those that become free.
 *
 * One thread decides. Runners (runner.h) do the work, one thread each; a runner loads its job first and then asks to be
 * admitted with what the job needs, so that nothing slow happens here.
 */
#ifndef DESCENT_SERVER_JOBS_SCHEDULER_H
#define DESCENT_SERVER_JOBS_SCHEDULER_H

#include <stdatomic.h>

#include "api/views.h"
#include "server/store/store.h"

struct scheduler;
struct runner;

struct scheduler_setup {
    struct store *store;   /* borrowed */
    uint32_t threads;      /* for training, all jobs together */
    uint64_t memory_bytes; /* likewise */
    uint32_t max_queued_jobs;
};

/* Takes up the queue that the store holds. STATUS_SYSTEM_ERROR. */
MUST_CHECK enum status scheduler_new(struct scheduler **scheduler, const struct scheduler_setup *setup, struct error *error);
/* After scheduler_drain. NULL is fine. */
void scheduler_free(struct scheduler *scheduler);

/* Room for one more job, kept for a submission under way: STATUS_QUEUE_FULL. Give it back with one of the next two. */
MUST_CHECK enum status scheduler_reserve(struct scheduler *scheduler, struct error *error);
void scheduler_release(struct scheduler *scheduler);
/* The job is stored; from any thread, never blocks. */
void scheduler_enqueue(struct scheduler *scheduler, const char *id, int32_t priority);

/* A job was cancelled in the store: a waiting one leaves the queue, a running one ends within a step. */
void scheduler_cancel(struct scheduler *scheduler, const char *id);

/*
 * Starts nothing more; running jobs go back to the queue at their next step. Waits at most `wait_ms` for them; 1: none
 * runs any more.
 */
int scheduler_drain(struct scheduler *scheduler, int64_t wait_ms);

/* How things stand now. Any thread; holds the scheduler's lock for a few instructions. */
struct scheduler_figures {
    uint32_t threads, busy_threads;    /* for training; given to jobs */
    uint64_t memory_bytes, used_bytes; /* likewise */
    uint32_t queued, running;          /* jobs that wait for a runner, and that have one */
};
void scheduler_figures(struct scheduler *scheduler, struct scheduler_figures *figures);

/* Threads for training, all jobs together. */
uint32_t scheduler_threads(const struct scheduler *scheduler);

/* For runners. */

/* What a runner is told at step boundaries. */
enum runner_order { RUNNER_GO_ON, RUNNER_CANCEL, RUNNER_DRAIN };
struct runner_control {
    atomic_int order;    /* enum runner_order */
    atomic_uint threads; /* to be used from the next step on */
};

/*
 * Asks for `bytes` of memory and up to `threads` threads, waiting for the memory and for at least one thread. 0: the job
 * is not to run (cancelled, draining). exact: all of the threads or none, counted as at most all there are.
 */
uint32_t scheduler_admit(struct scheduler *scheduler, struct runner *runner, uint64_t bytes, uint32_t threads, int exact);

/* Waits for `ms`, or until the runner is told something else than before. 0: the server is draining. */
int scheduler_pause(struct scheduler *scheduler, const struct runner *runner, int64_t ms);

#endif
