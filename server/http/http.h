/*
 * The HTTP transport: libmicrohttpd with two polling threads, a small pool of executor threads, and a watchdog.
 *
 * Polling threads only move bytes and do the first check of a request; handlers run on the executor threads while the
 * connection is suspended. request.h tells what a handler sees.
 */
#ifndef DESCENT_SERVER_HTTP_HTTP_H
#define DESCENT_SERVER_HTTP_HTTP_H

#include <stdint.h>

#include "core/base/status.h"
#include "server/http/request.h"
#include "server/http/waiters.h"

struct config;
struct http;
struct tokens;

/* What the transport serves. */
struct http_app {
    void *context;
    void (*handle)(void *context, struct request *request);
    /*
     * On a polling thread, before a request that needs a token is handed over to `handle`: may answer it from memory,
     * without waiting for a lock that is held for long, or leave it. NULL: always leaves it.
     */
    void (*answer_at_once)(void *context, struct request *request);
    struct upload_ops upload; /* for routes with a streamed body */
};

/*
 * Binds the configured address and checks key and certificate, but accepts nobody yet, so that a server that cannot
 * listen fails before it touches anything else. Port 0 picks a free port. STATUS_CONFIG_INVALID with the reason.
 * Borrows `config` and `tokens` (NULL: no token is asked for) until http_free.
 */
MUST_CHECK enum status http_new(const struct config *config, struct tokens *tokens, struct http **http, struct error *error);

/* Reads certificate and key again, where there are some. After an error those from before are served. */
MUST_CHECK enum status http_reload(struct http *http, struct error *error);

struct waiters *http_waiters(struct http *http);

/* "127.0.0.1:8080", "[::1]:8080": where it listens, with the port that was really bound. */
const char *http_address(const struct http *http);

/* Serves `app`. After this returns clients are answered. */
MUST_CHECK enum status http_start(struct http *http, const struct http_app *app, struct error *error);

/* Stops accepting connections, answers every waiting request with what there is; the requests in hand go on. */
void http_drain(struct http *http);

/* Waits at most `wait_ms` for requests in hand, then ends all connections and threads. */
MUST_CHECK enum status http_stop(struct http *http, int64_t wait_ms, struct error *error);

/* Event streams that are open now. From any thread. */
unsigned http_open_streams(const struct http *http);

void http_free(struct http *http);

#endif
