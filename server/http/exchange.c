/*
 * One request from its first byte to its answer: the callbacks of the library.
 *
 * The library calls exchange_step once when the head is there, then for each piece of the body, then once more. What is
 * wrong with a request is answered at the first call, before its body, and the connection ends: only then and at the
 * last call may an answer be queued. A body is collected (JSON) or handed on in pieces (upload); a request that is
 * complete is suspended and given to an executor thread. All bytes that are offered are always taken: what is left over
 * would be offered again without end.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/problem.h"
#include "server/clock.h"
#include "server/http/internal.h"
#include "server/http/waiters.h"
#include "server/log.h"
#include "server/monitor.h"

#define PIECE_BYTES         ((size_t)256 * 1024)          /* of an upload, given to the handler at once */
#define BODY_ROOM_FIRST     ((size_t)4 * 1024)            /* a JSON body's first buffer */
#define BODY_MEMORY_MAX     ((uint64_t)256 * 1024 * 1024) /* of all bodies at once */
#define DISCARD_BYTES       ((uint64_t)1024 * 1024)       /* of a body that is too large */
#define DISCARD_MS          2000
#define CONNECTION_REQUESTS 10000 /* then the connection ends, so that none lives for ever */

/* 20 of [a-z0-9], unlike any other: the boot's random number and a counter, mixed (splitmix64's finaliser). */
static void make_id(struct http *http, char id[REQUEST_ID_TEXT])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint64_t count = atomic_fetch_add(&http->request_count, 1);
    memcpy(id, "req_", 4);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t word = http->boot + (2 * count + i) * 0x9e3779b97f4a7c15u;
        word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
        word = (word ^ word >> 27) * 0x94d049bb133111ebu;
        word ^= word >> 31;
        for (unsigned digit = 0; digit < 10; digit++, word /= 36)
            id[4 + 10 * i + digit] = digits[word % 36];
    }
    id[REQUEST_ID_TEXT - 1] = '\0';
}

void exchange_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        monitor_add(MONITOR_HTTP_CONNECTIONS, 1);
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = info != NULL ? watchdog_open(http->watchdog, info->connect_fd) : NULL;
        return;
    }
    monitor_subtract(MONITOR_HTTP_CONNECTIONS, 1);
    if (*context != NULL)
        watchdog_close(http->watchdog, *context);
    *context = NULL;
}

void *exchange_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct http *http = cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct peer *peer = info != NULL ? info->socket_context : NULL;
    size_t size = strlen(uri);
    struct request *request = peer != NULL ? calloc(1, sizeof(*request) + size + 1) : NULL;
    if (request == NULL)
        return NULL;
    request->http = http;
    request->connection = connection;
    request->peer = peer;
    request->began = clock_monotonic_ns();
    memcpy(request->target, uri, size + 1);
    make_id(http, request->id);
    watchdog_phase(http->watchdog, peer, PEER_HEAD);
    return request;
}

static enum MHD_Result keep_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
                                   size_t value_size)
{
    struct head *head = cls;
    (void)kind;
    (void)name_size;
    (void)value_size;
    if (head->header_count < HEAD_HEADERS_MAX)
        head->headers[head->header_count] = (struct head_header){name, value != NULL ? value : ""};
    head->header_count++;
    return MHD_YES;
}

/* The connection's own address: what a client that came by number has put into Host. */
static void local_host(struct request *request)
{
    const char *fixed = request->http->local;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct address address = {.size = sizeof(address.storage)};
    if (fixed[0] != '\0')
        snprintf(request->local, sizeof(request->local), "%s", fixed);
    else if (info != NULL && getsockname(info->connect_fd, (struct sockaddr *)&address.storage, &address.size) == 0)
        address_host(&address, request->local);
}

static void collect_head(struct request *request, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    local_host(request);
    request->head.method = method;
    request->head.version = version;
    request->head.target = request->target;
    request->head.client = info->client_addr;
    request->head.local = request->local;
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, keep_header, &request->head);
}

/* Gives the request to an executor thread; suspended first, so that an answer that comes at once finds it so. */
static enum MHD_Result hand_over(struct request *request, void (*run)(struct task *task))
{
    if (!request_suspend(request))
        return MHD_NO;
    request->phase = PHASE_HANDED;
    watchdog_phase(request->http->watchdog, request->peer, PEER_WORK);
    request->task.run = run;
    executor_submit(request->http->executor, &request->task);
    return MHD_YES;
}

static void run_handler(struct task *task)
{
    struct request *request = request_of_task(task);
    const struct http_app *app = &request->http->app;
    if (request->parked != 0) {
        request->waited += clock_monotonic_ns() - request->parked;
        request->parked = 0;
    }
    app->handle(app->context, request);
}

/*
 * What needs neither token nor file runs on the polling thread itself: health is told even if all executors are busy. So is
 * whatever the app has an answer to at hand: two changes of threads would cost more than all the rest of it.
 */
static int answer_here(struct request *request)
{
    const struct http_app *app = &request->http->app;
    request->phase = PHASE_HERE;
    if (request->admission.match.route->scope == SCOPE_NONE)
        app->handle(app->context, request);
    else if (app->answer_at_once != NULL)
        app->answer_at_once(app->context, request);
    return request->answered;
}

static void refuse(struct request *request, const struct problem *problem)
{
    response_problem(&request->answer, problem, request->id);
    request->answered = 1;
    request->close = 1;
}

/* Refuses in the middle of a body: nothing can be queued before its end. */
static void refuse_body(struct request *request, enum status status, const char *message, int64_t discard_ms)
{
    struct error error = {.status = STATUS_OK};
    struct problem problem;
    problem_init(&problem);
    error_set(&error, status, "%s", message);
    problem_add(&problem, &error);
    refuse(request, &problem);
    problem_release(&problem);
    request->phase = PHASE_DISCARD;
    request->discard_until = clock_monotonic_ms() + discard_ms;
}

/* Room for `size` more bytes and a NUL, at most `limit` altogether, within what all bodies may take. */
static int reserve(struct request *request, size_t size, size_t limit)
{
    size_t wanted = request->body_size + size + 1;
    if (wanted <= request->body_room)
        return 1;
    size_t room = request->body_room > 0 ? request->body_room : BODY_ROOM_FIRST;
    while (room < wanted)
        room *= 2;
    if (room > limit + 1)
        room = limit + 1;
    uint64_t more = room - request->body_room;
    if (atomic_fetch_add(&request->http->body_bytes, more) + more > BODY_MEMORY_MAX) {
        atomic_fetch_sub(&request->http->body_bytes, more);
        return 0;
    }
    char *body = realloc(request->body, room);
    if (body == NULL) {
        atomic_fetch_sub(&request->http->body_bytes, more);
        return 0;
    }
    request->body = body;
    request->body_room = room;
    return 1;
}

static int is_upload(const struct request *request)
{
    return request->admission.match.route->body.kind == BODY_UPLOAD;
}

/*
 * On an executor thread: what came in goes to the handler. A refusal is sent when the rest of the body is through:
 * it is worth waiting for a client that would otherwise not learn which line was wrong.
 */
static void run_upload(struct task *task)
{
    struct request *request = request_of_task(task);
    const struct http_app *app = &request->http->app;
    struct problem problem;
    problem_init(&problem);
    enum status status = STATUS_OK;
    if (request->upload == UPLOAD_NOT_BEGUN) {
        request->upload = UPLOAD_BEGUN;
        status = app->upload.begin(app->context, request, &request->upload_state, &problem);
    }
    if (status == STATUS_OK && request->body_size > 0)
        status = app->upload.chunk(request->upload_state, request->body, request->body_size, &problem);
    request->body_size = 0;
    if (status != STATUS_OK) {
        request->upload = UPLOAD_ENDED;
        app->upload.abort(request->upload_state);
        refuse(request, &problem);
    }
    problem_release(&problem);
    if (status == STATUS_OK && request->body_complete) {
        request->upload = UPLOAD_ENDED;
        app->upload.end(request->upload_state, request);
    } else {
        request_resume(request);
    }
}

/* On an executor thread: the client is gone in the middle of an upload. */
static void run_abort(struct task *task);

static enum MHD_Result take_body(struct request *request, const char *bytes, size_t size)
{
    watchdog_received(request->http->watchdog, request->peer, size);
    request->body_total += size;
    if (request->body_total > request->admission.body_limit) {
        refuse_body(request, STATUS_BODY_TOO_LARGE, "the body is longer than this route allows", DISCARD_MS);
        return MHD_YES;
    }
    int upload = is_upload(request);
    size_t limit = upload ? 2 * PIECE_BYTES : (size_t)request->admission.body_limit;
    if (!reserve(request, size, limit)) {
        refuse_body(request, STATUS_OVERLOADED, "there is no memory for the body at the moment", DISCARD_MS);
        return MHD_YES;
    }
    memcpy(request->body + request->body_size, bytes, size);
    request->body_size += size;
    request->body[request->body_size] = '\0';
    return upload && request->body_size >= PIECE_BYTES ? hand_over(request, run_upload) : MHD_YES;
}

static enum MHD_Result discard(struct request *request, size_t size)
{
    watchdog_received(request->http->watchdog, request->peer, size);
    request->discarded += size;
    int limited = request->discard_until != 0;
    if (limited && (request->discarded > DISCARD_BYTES || clock_monotonic_ms() > request->discard_until))
        return MHD_NO; /* closes the connection */
    return MHD_YES;
}

/* The head is there. */
static enum MHD_Result begin(struct request *request, const char *method, const char *version)
{
    struct http *http = request->http;
    atomic_fetch_add(&http->open_requests, 1);
    monitor_add(MONITOR_HTTP_IN_FLIGHT, 1);
    collect_head(request, method, version);
    struct problem problem;
    problem_init(&problem);
    struct error no_memory = {.status = STATUS_OK};
    request->query = malloc(sizeof(*request->query));
    enum status status = STATUS_OUT_OF_MEMORY;
    if (request->query == NULL) {
        error_set(&no_memory, status, "no memory for the request");
        problem_add(&problem, &no_memory);
    } else {
        status = first_check(&http->check, &request->head, clock_monotonic_ms(), time(NULL), &request->admission,
                             request->query, &problem);
    }
    request->close |= watchdog_requests(request->peer) + 1 >= CONNECTION_REQUESTS;
    if (status != STATUS_OK) {
        refuse(request, &problem);
        if (status == STATUS_METHOD_NOT_ALLOWED)
            response_header(&request->answer, "Allow", "%s", request->admission.match.allow);
    } else if (request->admission.match.route == NULL) {
        response_empty(&request->answer, 204);
        response_header(&request->answer, "Allow", "%s", request->admission.match.allow);
        request->answered = 1;
        request->close |= request->admission.body_size > 0;
    }
    problem_release(&problem);
    if (request->answered)
        return send_answer(request);
    request->phase = PHASE_BODY;
    watchdog_phase(http->watchdog, request->peer, PEER_BODY);
    return MHD_YES;
}

/* The body is there. */
static enum MHD_Result complete(struct request *request)
{
    request->body_complete = 1;
    if (is_upload(request))
        return hand_over(request, run_upload);
    return answer_here(request) ? send_answer(request) : hand_over(request, run_handler);
}

enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload_data, size_t *upload_data_size, void **context)
{
    struct request *request = *context;
    (void)cls;
    (void)connection;
    (void)url;
    if (request == NULL)
        return MHD_NO; /* there was no memory for it */
    if (request->phase == PHASE_HEAD)
        return begin(request, method, version);
    if (request->phase == PHASE_HANDED) {
        /* Resumed. */
        request->phase = request->answered ? PHASE_DISCARD : PHASE_BODY;
        watchdog_phase(request->http->watchdog, request->peer, PEER_BODY);
    }
    size_t size = *upload_data_size;
    *upload_data_size = 0;
    if (size > 0)
        return request->phase == PHASE_DISCARD ? discard(request, size) : take_body(request, upload_data, size);
    return request->phase == PHASE_DISCARD ? send_answer(request) : complete(request);
}

static void free_request(struct request *request)
{
    stream_close(request);
    if (request->release_state != NULL)
        request->release_state(request->state);
    atomic_fetch_sub(&request->http->body_bytes, request->body_room);
    free(request->body);
    free(request->query);
    response_release(&request->answer);
    free(request);
}

static void run_abort(struct task *task)
{
    struct request *request = request_of_task(task);
    request->http->app.upload.abort(request->upload_state);
    free_request(request);
}

/* Tells the log and the monitor of a request that has ended. */
static void account(const struct request *request, enum MHD_RequestTerminationCode code)
{
    int64_t nanoseconds = clock_monotonic_ns() - request->began;
    unsigned status = code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? request->answer.status : 0;
    char path[256];
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(request->target, "?"), request->target);
    struct log_access access = {
        .request_id = request->id,
        .method = request->head.method,
        .path = path,
        .status = status,
        .ms = (double)nanoseconds / 1e6,
        .bytes = request->sent_bytes,
    };
    log_access(&access);
    monitor_request(&(struct monitor_request){.route = request->admission.match.route,
                                              .method = request->head.method,
                                              .status = status,
                                              .nanoseconds = nanoseconds - request->waited});
    monitor_subtract(MONITOR_HTTP_IN_FLIGHT, 1);
}

void exchange_completed(void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code)
{
    struct http *http = cls;
    struct request *request = *context;
    (void)connection;
    if (request == NULL)
        return;
    *context = NULL;
    /* Also right after a resume, when the client has left meanwhile: whoever had the request is done with it then. */
    watchdog_phase(http->watchdog, request->peer, PEER_IDLE);
    if (request->phase != PHASE_HEAD) {
        account(request, code);
        atomic_fetch_sub(&http->open_requests, 1);
    }
    if (request->upload == UPLOAD_BEGUN) {
        request->task.run = run_abort;
        executor_submit(http->executor, &request->task);
    } else {
        free_request(request);
    }
}
