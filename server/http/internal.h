/*
 * What the files of the transport share: the server, and one request on its way through it.
 *
 * Who may touch a request is decided by its phase: the connection's polling thread, until it hands the request over and
 * suspends the connection; then whoever works on it, until the connection is resumed. No lock is needed: suspending and
 * resuming go through the library's own.
 */
#ifndef DESCENT_SERVER_HTTP_INTERNAL_H
#define DESCENT_SERVER_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "api/query.h"
#include "server/http/address.h"
#include "server/http/executor.h"
#include "server/http/first_check.h"
#include "server/http/http.h"
#include "server/http/stream.h"
#include "server/http/watchdog.h"

#define REQUEST_ID_TEXT 25 /* "req_" + 20 characters and a NUL */

struct stream_limits {
    int64_t beat_ms; /* of silence, then a stream says that it lives */
};

extern const struct stream_limits stream_defaults;

struct http {
    const struct config *config;
    struct first_check check;
    struct throttle throttle;
    struct http_app app;
    struct executor *executor;
    struct waiters *waiters;
    const struct stream_limits *stream_limits;
    struct watchdog *watchdog;
    struct MHD_Daemon *daemon;
    int listen_fd;
    int draining; /* the thread that drains and stops knows it alone */
    char address[ADDRESS_TEXT];
    char local[ADDRESS_TEXT]; /* the host listened on; "" when that is any */
    uint64_t boot;            /* random, in every request id */
    atomic_uint_fast64_t request_count;
    atomic_uint_fast64_t body_bytes; /* memory that bodies take now */
    atomic_uint open_requests;       /* past their first call, not yet completed */
    atomic_uint open_streams;
    unsigned max_streams;
    atomic_int stopping;         /* no request is handed over any more */
    atomic_uint handed_requests; /* suspended: an executor thread, a writer or the waiting room has them */
};

enum request_phase {
    PHASE_HEAD,    /* nothing checked yet */
    PHASE_BODY,    /* body coming in */
    PHASE_DISCARD, /* refused: the rest of the body is thrown away, then the answer goes out */
    PHASE_HERE,    /* the polling thread itself looks for an answer */
    PHASE_HANDED,  /* suspended */
    PHASE_SENDING, /* the answer is queued */
};

/* A stream's place: what is being sent, and since when. Zero in a request that is none. */
struct stream {
    int is_open;
    struct stream_piece piece;
    size_t sent;      /* of the piece */
    int64_t offered;  /* ms, when the piece was there */
    int64_t taken_ms; /* how long the client took over the one before */
    int64_t beat_at;  /* ms */
};

struct request {
    struct http *http;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum request_phase phase;
    char id[REQUEST_ID_TEXT];
    int64_t began;  /* monotonic ns */
    int64_t parked; /* monotonic ns: when it last began to wait for news; 0: it does not */
    int64_t waited; /* ns in the waiting room, which are no work */
    char client_text[ADDRESS_TEXT];
    struct head head; /* strings are the library's, and live as long as the request */
    char local[ADDRESS_TEXT];
    struct admission admission;
    struct query *query; /* owned; after the first check */

    struct task task;
    struct waiter waiter;
    void *state;
    void (*release_state)(void *state);

    char *body; /* owned: a whole JSON body, or the next piece of an upload */
    size_t body_size, body_room;
    uint64_t body_total; /* of all pieces */
    int body_complete;

    void *upload_state;
    enum { UPLOAD_NOT_BEGUN, UPLOAD_BEGUN, UPLOAD_ENDED } upload;

    uint64_t discarded;
    int64_t discard_until; /* monotonic ms; 0: to the body's end */

    struct response answer;
    struct stream stream;
    int answered;
    int close;           /* the connection ends after the answer */
    uint64_t sent_bytes; /* of the answer's body, for the log */

    char target[]; /* as sent */
};

/* exchange.c: the callbacks of the library; cls is the struct http */
void *exchange_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload_data, size_t *upload_data_size, void **context);
void exchange_completed(void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code);
void exchange_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode code);

/*
 * request.c: the connection stands still, and the request is whoever's it is given to next. 0 when the server stops, and
 * nothing may be waited for any more.
 */
int request_suspend(struct request *request);

/* request.c: the connection goes on; the request must not be touched afterwards. */
void request_resume(struct request *request);

struct request *request_of_task(struct task *task);

/* send.c: queues request->answer. */
enum MHD_Result send_answer(struct request *request);

/* stream.c: the request's answer becomes an open stream; 0 when there are too many. On its polling thread. */
int stream_open(struct request *request);

/* The library's response that asks for the pieces; NULL: no memory. */
struct MHD_Response *stream_make(struct request *request);

/* When the request ends, whatever its answer was. */
void stream_close(struct request *request);

#endif
