/*
 * A transport with a small app behind it, on a free loopback port, and a client that sends raw bytes. For the tests of
 * server/http alone: each includes it, so everything is static.
 *
 * The app answers by route: GET /v1 with {"name":"fake"}; GET /v1/jobs later, from another thread; GET /v1/jobs/{id} by
 * long polling, or at once; GET .../events with a stream that `fill` makes, if there is one; POST /v1/jobs with the body's
 * size; DELETE /v1/jobs/{id} with 204; GET .../export from a file; uploads are counted, refused at a byte '!'.
 */
#ifndef DESCENT_TESTS_SERVER_HTTP_FAKE_SERVER_H
#define DESCENT_TESTS_SERVER_HTTP_FAKE_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/problem.h"
#include "api/routes.h"
#include "server/config.h"
#include "server/http/http.h"
#include "server/http/watchdog.h"
#include "server/tokens.h"

#define UNUSED __attribute__((unused))

#define ANSWER_MAX ((size_t)1 << 20)

/* What the app has seen; counters are read by the tests. */
struct fake {
    struct http *http;
    struct tokens *tokens;
    struct config config;
    int port;
    atomic_uint handled, runs, begun, ended, aborted, released;
    atomic_ullong uploaded;
    atomic_uint version; /* of the only job */
    atomic_int gate;     /* 1: POST /v1/jobs waits until it is 0 */
    atomic_int at_hand;  /* 1: GET /v1/jobs/{id} is answered at once */
    void (*fill)(struct request *request, struct stream_piece *piece);
    pthread_t later;
    atomic_int has_later;
};

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* 1 when the counter gets to `wanted` within 5 seconds. */
UNUSED static int reaches(atomic_uint *counter, unsigned wanted)
{
    for (int i = 0; i < 1000 && atomic_load(counter) < wanted; i++)
        pause_ms(5);
    return atomic_load(counter) == wanted;
}

static void answer_text(struct request *request, unsigned status, const char *text)
{
    struct response response;
    response_text(&response, status, MEDIA_JSON, strdup(text), strlen(text));
    request_respond(request, &response);
}

static void *answer_later(void *argument)
{
    pause_ms(30);
    answer_text(argument, 200, "{\"later\":true}");
    return NULL;
}

static void count_release(void *context)
{
    atomic_fetch_add(&((struct fake *)context)->released, 1);
}

static void answer_job(struct fake *fake, struct request *request)
{
    const char *id = request_parameter(request, 0);
    atomic_fetch_add(&fake->runs, 1);
    uint64_t ticket = request_ticket(request, id);
    unsigned version = atomic_load(&fake->version);
    const struct query *query = request_query(request);
    int64_t wait_ms = (int64_t)(query_number(query, PARAMETER_WAIT) * 1000);
    if (wait_ms > 0 && version == 0 && !request_wait_is_over(request)) {
        if (request_state(request) == NULL)
            request_set_state(request, fake, count_release);
        request_wait(request, id, ticket, wait_ms);
        return;
    }
    char text[64];
    snprintf(text, sizeof(text), "{\"version\":%u}", version);
    answer_text(request, 200, text);
}

static void answer_file(struct request *request)
{
    struct response response;
    FILE *file = tmpfile();
    fputs("0123456789", file);
    fflush(file);
    response_file(&response, MEDIA_SAFETENSORS, dup(fileno(file)), 10);
    fclose(file);
    response_header(&response, "ETag", "\"tag\"");
    request_respond(request, &response);
}

/* `fill` finds a zero of its own in the request's state. */
static void answer_stream(struct fake *fake, struct request *request)
{
    struct response response;
    struct stream_source source = {.key = request_parameter(request, 0), .beat = "beat\n", .fill = fake->fill};
    request_set_state(request, calloc(1, sizeof(unsigned)), free);
    response_stream(&response, MEDIA_EVENT_STREAM, &source);
    request_respond(request, &response);
}

static void fake_handle(void *context, struct request *request)
{
    struct fake *fake = context;
    struct error error = {.status = STATUS_OK};
    size_t size;
    char text[96];
    atomic_fetch_add(&fake->handled, 1);
    switch (request_route(request)->id) {
    case ROUTE_HEALTH:
        answer_text(request, 200, "{\"status\":\"ok\"}");
        break;
    case ROUTE_INFO:
        answer_text(request, 200, "{\"name\":\"fake\"}");
        break;
    case ROUTE_LIST_JOBS:
        if (!atomic_exchange(&fake->has_later, 1))
            pthread_create(&fake->later, NULL, answer_later, request);
        else
            answer_text(request, 200, "{\"later\":false}");
        break;
    case ROUTE_GET_JOB:
        answer_job(fake, request);
        break;
    case ROUTE_CREATE_JOB:
        while (atomic_load(&fake->gate))
            pause_ms(1);
        request_body(request, &size);
        snprintf(text, sizeof(text), "{\"size\":%zu,\"media\":\"%s\",\"token\":\"%s\"}", size,
                 media_word(request_body_media(request)), request_token(request));
        answer_text(request, 201, text);
        break;
    case ROUTE_DELETE_JOB: {
        struct response response;
        response_empty(&response, 204);
        request_respond(request, &response);
        break;
    }
    case ROUTE_LIST_EVENTS:
        answer_stream(fake, request);
        break;
    case ROUTE_EXPORT:
        answer_file(request);
        break;
    default:
        error_set(&error, STATUS_NOT_FOUND, "the fake has no handler for this");
        request_respond_error(request, &error);
    }
}

static void fake_answer_at_once(void *context, struct request *request)
{
    struct fake *fake = context;
    if (atomic_load(&fake->at_hand) && request_route(request)->id == ROUTE_GET_JOB)
        answer_text(request, 200, "{\"at_hand\":true}");
}

static enum status fake_begin(void *context, struct request *request, void **state, struct problem *problem)
{
    struct fake *fake = context;
    (void)request;
    (void)problem;
    *state = fake;
    atomic_fetch_add(&fake->begun, 1);
    return STATUS_OK;
}

static enum status fake_chunk(void *state, const void *data, size_t size, struct problem *problem)
{
    struct fake *fake = state;
    atomic_fetch_add(&fake->uploaded, size);
    if (memchr(data, '!', size) == NULL)
        return STATUS_OK;
    struct error error = {.status = STATUS_OK};
    enum status status = error_set_line(&error, STATUS_VALIDATION_FAILED, 3, 1, "line 3 shouts");
    problem_add(problem, &error);
    return status;
}

static void fake_end(void *state, struct request *request)
{
    struct fake *fake = state;
    atomic_fetch_add(&fake->ended, 1);
    char text[64];
    snprintf(text, sizeof(text), "{\"uploaded\":%llu}", atomic_load(&fake->uploaded));
    answer_text(request, 201, text);
}

static void fake_abort(void *state)
{
    atomic_fetch_add(&((struct fake *)state)->aborted, 1);
}

/* `options` are words of the command line, ended by NULL; NULL: none. */
static void fake_start(struct fake *fake, char *const options[])
{
    static const struct http_app model = {.handle = fake_handle,
                                          .answer_at_once = fake_answer_at_once,
                                          .upload = {fake_begin, fake_chunk, fake_end, fake_abort}};
    static char name[] = "fake", listen_option[] = "--listen", address[] = "127.0.0.1:0";
    char *argv[32] = {name, listen_option, address};
    int argc = 3;
    for (; options != NULL && options[argc - 3] != NULL; argc++)
        argv[argc] = options[argc - 3];
    struct error error = {.status = STATUS_OK};
    enum config_action action;
    memset(fake, 0, sizeof(*fake));
    if (config_parse(&fake->config, argc, argv, &action, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (fake->config.token_file != NULL && tokens_open(fake->config.token_file, &fake->tokens, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    struct http_app app = model;
    app.context = fake;
    if (http_new(&fake->config, fake->tokens, &fake->http, &error) != STATUS_OK ||
        http_start(fake->http, &app, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    fake->port = (int)strtol(strrchr(http_address(fake->http), ':') + 1, NULL, 10);
}

static void fake_stop(struct fake *fake)
{
    struct error error = {.status = STATUS_OK};
    if (http_stop(fake->http, 2000, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    http_free(fake->http);
    tokens_free(fake->tokens);
    if (atomic_load(&fake->has_later))
        pthread_join(fake->later, NULL);
}

static int fake_connect(const struct fake *fake)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)fake->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        fail_msg("cannot connect to port %d", fake->port);
    return fd;
}

/* What of `size` bytes the server takes; a server that closes early is no failure. */
static size_t fake_send(int fd, const void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t sent = send(fd, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    return done;
}

/* Reads until the server closes or nothing comes for `idle_ms`; *closed tells which. A string in static memory. */
static const char *fake_receive(int fd, int idle_ms, int *closed)
{
    static char answer[ANSWER_MAX];
    size_t size = 0;
    int end = 0;
    while (size < sizeof(answer) - 1) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, idle_ms) != 1)
            break;
        ssize_t got = recv(fd, answer + size, sizeof(answer) - 1 - size, 0);
        if (got <= 0) {
            end = 1;
            break;
        }
        size += (size_t)got;
    }
    answer[size] = '\0';
    if (closed != NULL)
        *closed = end;
    return answer;
}

/* One connection: sends, gives back all that comes until the close or 300 quiet ms. */
static const char *fake_raw(const struct fake *fake, const char *bytes, size_t size, int *closed)
{
    int fd = fake_connect(fake);
    fake_send(fd, bytes, size);
    const char *answer = fake_receive(fd, closed != NULL ? 3000 : 300, closed);
    close(fd);
    return answer;
}

/* A request by its text; the answer's status, 0 when there is none. */
UNUSED static int fake_status(const char *answer)
{
    int status = 0;
    return sscanf(answer, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

/* A whole answer to "METHOD target" with further header lines; the connection is closed after it. */
UNUSED static const char *fake_ask(const struct fake *fake, const char *line, const char *headers, const char *body)
{
    char *text = NULL;
    int closed;
    int size = asprintf(&text, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n%s", line, headers, body);
    assert_true(size > 0);
    const char *answer = fake_raw(fake, text, (size_t)size, &closed);
    free(text);
    return answer;
}

#define assert_has(answer, part)                                                                                            \
    do {                                                                                                                    \
        if (strstr(answer, part) == NULL)                                                                                   \
            fail_msg("\"%s\" is not in: %.600s", part, answer);                                                             \
    } while (0)

#define assert_lacks(answer, part)                                                                                          \
    do {                                                                                                                    \
        if (strstr(answer, part) != NULL)                                                                                   \
            fail_msg("\"%s\" is in: %.600s", part, answer);                                                                 \
    } while (0)

#endif
