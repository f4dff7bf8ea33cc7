/*
 * One answer: a status, headers, and a body that is memory, an open file, or a stream.
 *
 * A handler fills a response on its stack and gives it to request_respond, which takes all it owns. Every response_…
 * function below sets a whole, fresh answer; response_header adds to it. None of them fails: what could not be
 * allocated is answered as out_of_memory when it is sent. The transport itself adds X-Request-Id to every answer and
 * Cache-Control: no-store to errors.
 */
#ifndef DESCENT_SERVER_HTTP_RESPONSE_H
#define DESCENT_SERVER_HTTP_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

#include "api/negotiate.h"
#include "core/base/status.h"
#include "server/http/stream.h"

struct problem;

#define RESPONSE_HEADERS_MAX 8

enum response_body { RESPONSE_EMPTY, RESPONSE_HEAP, RESPONSE_BORROWED, RESPONSE_FILE, RESPONSE_STREAM };

struct response {
    unsigned status;  /* HTTP status */
    enum media media; /* MEDIA_NONE: no Content-Type */
    enum response_body kind;
    void *body;                     /* HEAP: freed after sending; BORROWED: release(release_context) after sending */
    uint64_t size;                  /* bytes */
    void (*release)(void *context); /* may be NULL: the body lives as long as the process */
    void *release_context;
    struct stream_source source; /* STREAM */
    int fd;                      /* FILE: closed after sending; size bytes from offset 0 */
    int ranges;                  /* a Range request header is honoured (206, 416) */
    int failed;                  /* something could not be allocated */
    unsigned header_count;
    struct {
        const char *name; /* static text */
        char *value;      /* owned */
    } headers[RESPONSE_HEADERS_MAX];
};

/* 204, 304, 202 without a body. */
void response_empty(struct response *response, unsigned status);

/* Takes `body` (malloc'ed; NULL means that its allocation failed), `size` bytes. */
void response_text(struct response *response, unsigned status, enum media media, char *body, size_t size);

/* Borrows `body` until release(context) is called, once, from any thread; release may be NULL for static data. */
void response_borrowed(struct response *response, unsigned status, enum media media, const void *body, size_t size,
                       void (*release)(void *context), void *context);

/* Takes `fd`, a regular file of `size` bytes, sent from its start. Answers Range requests. */
void response_file(struct response *response, enum media media, int fd, uint64_t size);

/*
 * 200 and what `source` (copied) gives, piece by piece; caches and proxies are told to pass it on as it comes. Answered
 * instead with too_many_streams when there are as many as there may be.
 */
void response_stream(struct response *response, enum media media, const struct stream_source *source);

/* The problem document with its status and the headers that belong to it (Retry-After …); borrows `problem`. */
void response_problem(struct response *response, const struct problem *problem, const char *request_id);

/* The same for one error. */
void response_error(struct response *response, const struct error *error, const char *request_id);

/* Adds a header; `name` is static text. A value must not hold CR or LF: ids, numbers and quoted tags only. */
void response_header(struct response *response, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

/* The value of a header that was added; NULL: none. */
const char *response_get_header(const struct response *response, const char *name);

/* Frees what a response owns; a released or zero-initialised one is fine. */
void response_release(struct response *response);

#endif
