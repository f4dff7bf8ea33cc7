/*
 * Requests that wait for something to happen to a key (a job's id).
 *
 * Whoever changes a key calls waiters_wake after the change can be seen; every request parked under it is then run
 * again. A wake between a handler's look and its park is not lost, because the park compares a ticket taken before the
 * look. The lock is a leaf: nothing is called while it is held. Handlers use request_wait (request.h).
 */
#ifndef DESCENT_SERVER_HTTP_WAITERS_H
#define DESCENT_SERVER_HTTP_WAITERS_H

#include <stdint.h>

#include "core/base/status.h"
#include "server/http/executor.h"

struct waiters;

/* Runs every request parked under `key` again. From any thread; never blocks long. */
void waiters_wake(struct waiters *waiters, const char *key);

/* What follows is for the transport. */

#define WAITER_KEY_TEXT 64

/* A place in the waiting room; part of what waits. */
struct waiter {
    struct waiter *next, **link; /* in its bucket; link NULL: not parked */
    char key[WAITER_KEY_TEXT];
    int64_t deadline; /* ms of the monotonic clock */
    struct task *task;
};

/* Borrows the executor, where woken tasks are submitted. */
MUST_CHECK enum status waiters_new(struct executor *executor, struct waiters **waiters, struct error *error);

/* How often `key` (or one that shares its bucket) was woken so far. */
uint64_t waiters_ticket(struct waiters *waiters, const char *key);

/* Parks; the task is submitted at a wake, at the deadline, or at once if `ticket` is no longer the newest. */
void waiters_park(struct waiters *waiters, struct waiter *waiter, const char *key, uint64_t ticket);

/* Submits those whose deadline is not after `now`. */
void waiters_expire(struct waiters *waiters, int64_t now);

/* Submits all, now and whenever one parks from now on. */
void waiters_drain(struct waiters *waiters);
int waiters_draining(struct waiters *waiters);

/* Nothing may be parked any more. NULL is fine. */
void waiters_free(struct waiters *waiters);

#endif
