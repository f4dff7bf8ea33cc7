/*
 * What handlers may ask of a request, and how they let go of it.
 *
 * A request that is being worked on is suspended in the library, which then neither reads, times out nor frees it. That
 * is what makes request_respond from any thread safe: nothing else can happen to the request before it.
 */
#include "server/http/request.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

#include "api/problem.h"
#include "server/clock.h"
#include "server/http/internal.h"
#include "server/http/waiters.h"
#include "server/monitor.h"

const struct route *request_route(const struct request *request)
{
    return request->admission.match.route;
}

const char *request_id(const struct request *request)
{
    return request->id;
}

const char *request_parameter(const struct request *request, size_t index)
{
    assert(index < ROUTE_PARAMETERS_MAX);
    return request->admission.match.parameter[index];
}

const struct query *request_query(const struct request *request)
{
    return request->query;
}

enum media request_body_media(const struct request *request)
{
    return request->admission.media;
}

const char *request_target(const struct request *request)
{
    return request->target;
}

const char *request_header(const struct request *request, const char *name)
{
    return head_header(&request->head, name);
}

const char *request_body(const struct request *request, size_t *size)
{
    *size = request->body_size;
    return request->body != NULL ? request->body : "";
}

const char *request_token(const struct request *request)
{
    return request->admission.token;
}

int request_is_allowed(const struct request *request)
{
    return first_check_allows(&request->http->check, &request->head, request->admission.match.route, time(NULL));
}

void request_set_state(struct request *request, void *state, void (*release)(void *state))
{
    request->state = state;
    request->release_state = release;
}

void *request_state(const struct request *request)
{
    return request->state;
}

struct request *request_of_task(struct task *task)
{
    return (struct request *)(void *)((char *)task - offsetof(struct request, task));
}

/* http_stop first forbids this and then waits for what was handed over, hence the count before the look. */
int request_suspend(struct request *request)
{
    struct http *http = request->http;
    atomic_fetch_add(&http->handed_requests, 1);
    if (atomic_load(&http->stopping)) {
        atomic_fetch_sub(&http->handed_requests, 1);
        return 0;
    }
    MHD_suspend_connection(request->connection);
    return 1;
}

void request_resume(struct request *request)
{
    struct http *http = request->http;
    MHD_resume_connection(request->connection);
    atomic_fetch_sub(&http->handed_requests, 1);
}

void request_respond(struct request *request, struct response *response)
{
    assert((request->phase == PHASE_HANDED || request->phase == PHASE_HERE) && !request->answered);
    request->answer = *response;
    *response = (struct response){.status = 0};
    request->answered = 1;
    if (request->phase == PHASE_HANDED)
        request_resume(request);
}

void request_respond_problem(struct request *request, const struct problem *problem)
{
    struct response response;
    response_problem(&response, problem, request->id);
    request_respond(request, &response);
}

void request_respond_error(struct request *request, const struct error *error)
{
    struct response response;
    response_error(&response, error, request->id);
    request_respond(request, &response);
}

uint64_t request_ticket(const struct request *request, const char *key)
{
    return waiters_ticket(request->http->waiters, key);
}

void request_wait(struct request *request, const char *key, uint64_t ticket, int64_t wait_ms)
{
    if (request->waiter.deadline == 0)
        request->waiter.deadline = clock_monotonic_ms() + wait_ms;
    request->waiter.task = &request->task;
    request->parked = clock_monotonic_ns();
    waiters_park(request->http->waiters, &request->waiter, key, ticket);
}

int request_wait_is_over(const struct request *request)
{
    int64_t deadline = request->waiter.deadline;
    return (deadline != 0 && clock_monotonic_ms() >= deadline) || waiters_draining(request->http->waiters);
}
