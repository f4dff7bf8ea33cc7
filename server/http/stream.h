/*
 * Streams: answers that go on for as long as there is something to follow.
 *
 * A handler sets the request's state and answers with response_stream. From then on its fill function is asked for one
 * piece after the other, on executor threads and never twice at once; the polling threads only copy a piece's bytes. A
 * stream that waits holds its connection and nothing else: it is parked in the waiting room under its key, and goes on when
 * somebody calls waiters_wake(key). One that has had nothing to say for a while says `beat`, so that clients and proxies
 * know that it lives, and so that the server notices a client that does not.
 *
 * The connection ends with its stream. A draining server ends its streams as if they were through; clients that know how
 * far they are come back to the next one.
 */
#ifndef DESCENT_SERVER_HTTP_STREAM_H
#define DESCENT_SERVER_HTTP_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct request;

/* What follows when a piece has been sent. */
enum stream_then {
    STREAM_END,
    STREAM_GO_ON, /* the next piece is asked for at once */
    STREAM_WAIT,  /* ... when the key is woken after `ticket` was taken, and now and then besides */
};

struct stream_piece {
    const void *bytes; /* [size], borrowed until release(context): once, from any thread; release may be NULL */
    size_t size;       /* 0 only with STREAM_END or STREAM_WAIT: nothing to send */
    void (*release)(void *context);
    void *context;
    enum stream_then then;
    uint64_t ticket; /* STREAM_WAIT: request_ticket(request, key), taken before the look at what there is */
};

struct stream_source {
    const char *key;  /* borrowed for as long as the request lives: a parameter of its path */
    const char *beat; /* static text */
    /* Fills *piece, which is zero: the end. May use the request as a handler does, but for answering it. */
    void (*fill)(struct request *request, struct stream_piece *piece);
};

/* How long the client took over the piece before, ms: how long it left bytes with the server. For fill. */
int64_t stream_taken_ms(const struct request *request);

#endif
