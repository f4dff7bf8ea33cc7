/*
 * Requests that wait for something to happen to a key (a job's id).
 *
 * Whoever changes a key calls waiters_wake after the change can be seen; every request parked under it is then run
 * again. A wake between a handler's look and its park is not lost, because the park compares a ticket taken before the
 * look. The lock is a leaf: nothing is called while it is held. Handlers use request_wait (request.h).
 */
#ifndef DESCENT_SERVER_HTTP_WAITERS_H
#define DESCENT_SERVER_HTTP_WAITERS_H

struct waiters;

/* Runs every request parked under `key` again. From any thread; never blocks long. */
void waiters_wake(struct waiters *waiters, const char *key);

#endif
