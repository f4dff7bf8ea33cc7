/*
 * The small pool of threads that handlers run on: one queue, first come first served.
 *
 * A task is part of what it works on, so that submitting never fails and never allocates. The queue is bounded by the
 * number of connections: a request has at most one task.
 */
#ifndef DESCENT_SERVER_HTTP_EXECUTOR_H
#define DESCENT_SERVER_HTTP_EXECUTOR_H

#include "core/base/status.h"

struct executor;

/* run(task) may free the task's owner: the pool does not look at it afterwards. */
struct task {
    struct task *next;
    void (*run)(struct task *task);
};

/* STATUS_SYSTEM_ERROR when a thread cannot be made. */
MUST_CHECK enum status executor_new(unsigned threads, struct executor **executor, struct error *error);

/* From any thread; not after executor_free began. */
void executor_submit(struct executor *executor, struct task *task);

/* Runs what was submitted, then joins the threads. NULL is fine. */
void executor_free(struct executor *executor);

#endif
