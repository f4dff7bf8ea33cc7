/*
 * Deadlines of connections, and the clock of the transport.
 *
 * The library below only knows idle connections; one that sends a byte now and then would live for ever. A thread looks
 * at every connection ten times a second and shuts down those that are too slow in what they are doing, and those whose
 * client has left. It never closes a descriptor: the library does, after it has told watchdog_close, so that no number
 * is used twice.
 */
#ifndef DESCENT_SERVER_HTTP_WATCHDOG_H
#define DESCENT_SERVER_HTTP_WATCHDOG_H

#include <stdint.h>

#include "core/base/status.h"

enum peer_phase {
    PEER_HEAD,   /* handshake and a request's head: within head_ms */
    PEER_BODY,   /* a body: after grace_ms at least rate bytes a second, time at work not counted */
    PEER_WORK,   /* the server's turn: no deadline */
    PEER_ANSWER, /* an answer: every answer_ms at least rate bytes a second must be taken */
    PEER_STREAM, /* a stream: something of what is sent must be taken within stream_ms; the client must not leave */
    PEER_IDLE,   /* between two requests: the library's idle time, and no more than idle_ms */
};

struct watchdog_limits {
    int64_t head_ms, grace_ms, answer_ms, stream_ms, idle_ms;
    int64_t gone_ms; /* of silence, before a client is asked whether it has left */
    uint64_t rate;   /* bytes a second */
};

extern const struct watchdog_limits watchdog_defaults;

struct peer;
struct watchdog;

/*
 * Starts the thread; tick(context, now) is called ten times a second, without a lock. `limits` is borrowed.
 * STATUS_SYSTEM_ERROR, STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status watchdog_new(const struct watchdog_limits *limits, void (*tick)(void *context, int64_t now),
                                    void *context, struct watchdog **watchdog, struct error *error);

/* Stops the thread; no connection may be open any more. NULL is fine. */
void watchdog_free(struct watchdog *watchdog);

/* A connection was accepted; NULL when there is no memory to watch it. */
struct peer *watchdog_open(struct watchdog *watchdog, int fd);

/* Before `fd` is closed. */
void watchdog_close(struct watchdog *watchdog, struct peer *peer);

/* What the connection does from now on. */
void watchdog_phase(struct watchdog *watchdog, struct peer *peer, enum peer_phase phase);

/* `size` bytes of a body came in. */
void watchdog_received(struct watchdog *watchdog, struct peer *peer, uint64_t size);

/* How many requests have been answered on this connection. */
unsigned watchdog_requests(const struct peer *peer);

#endif
