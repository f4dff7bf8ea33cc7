/*
 * A request without a transport: what handlers ask of one is answered from a struct, what they answer is kept in it.
 * To be included by one file of a test program: it stands in for server/http/request.c.
 */
#ifndef DESCENT_TESTS_SERVER_HANDLERS_FAKE_REQUEST_H
#define DESCENT_TESTS_SERVER_HANDLERS_FAKE_REQUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "api/problem.h"
#include "api/query.h"
#include "api/routes.h"
#include "server/http/request.h"

struct request {
    enum route_id route;
    const char *target;                                              /* "/v1/jobs?limit=2" */
    const char *if_none_match, *if_match, *accept, *idempotency_key; /* NULL: not sent */
    const char *token;                                               /* NULL: none */
    const char *parameter;                                           /* of the path */
    const char *body;                                                /* NULL: none */
    enum media body_media;
    struct query query; /* of the target, after fake_request_decode */
    struct response answer;
    int answers; /* how often it was answered */
};

/* Reads the target's query as the route has it. */
static inline void fake_request_decode(struct request *request)
{
    const char *query = strchr(request->target, '?');
    struct problem problem;

    problem_init(&problem);
    query = query == NULL ? "" : query + 1;
    assert_int_equal(query_decode(&request->query, route_get(request->route), query, strlen(query), &problem), STATUS_OK);
    problem_release(&problem);
}

static inline const char *fake_request_answer_header(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->answer.header_count; i++) {
        if (strcasecmp(request->answer.headers[i].name, name) == 0) {
            return request->answer.headers[i].value;
        }
    }
    return NULL;
}

/* The answer has this status, and its body has this text in it. */
static inline void fake_request_expect(const struct request *request, unsigned status, const char *text)
{
    assert_int_equal(request->answers, 1);
    assert_int_equal(request->answer.status, status);
    assert_non_null(memmem(request->answer.body, (size_t)request->answer.size, text, strlen(text)));
}

static inline void fake_request_release(struct request *request)
{
    response_release(&request->answer);
}

/* ---- what request.h promises ---- */

const struct route *request_route(const struct request *request)
{
    return route_get(request->route);
}

const char *request_id(const struct request *request)
{
    (void)request;
    return "req_00000000000000000000";
}

const struct query *request_query(const struct request *request)
{
    return &request->query;
}

const char *request_target(const struct request *request)
{
    return request->target;
}

const char *request_header(const struct request *request, const char *name)
{
    const struct {
        const char *name, *value;
    } sent[] = {{"Accept", request->accept},
                {"If-Match", request->if_match},
                {"If-None-Match", request->if_none_match},
                {"Idempotency-Key", request->idempotency_key}};

    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        if (strcasecmp(name, sent[i].name) == 0) {
            return sent[i].value;
        }
    }
    return NULL;
}

const char *request_token(const struct request *request)
{
    return request->token == NULL ? "" : request->token;
}

const char *request_parameter(const struct request *request, size_t index)
{
    assert_int_equal(index, 0);
    return request->parameter;
}

enum media request_body_media(const struct request *request)
{
    return request->body_media;
}

const char *request_body(const struct request *request, size_t *size)
{
    const char *body = request->body == NULL ? "" : request->body;

    *size = strlen(body);
    return body;
}

void request_respond(struct request *request, struct response *response)
{
    request->answer = *response;
    request->answers++;
}

void request_respond_problem(struct request *request, const struct problem *problem)
{
    response_problem(&request->answer, problem, request_id(request));
    request->answers++;
}

void request_respond_error(struct request *request, const struct error *error)
{
    response_error(&request->answer, error, request_id(request));
    request->answers++;
}

#endif
