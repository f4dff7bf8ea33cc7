/*
 * One request, as handlers see it.
 *
 * Handlers run on executor threads, never on a polling thread; only routes that need no token (health) run directly on
 * the polling thread, and must neither wait nor touch a file, but answer before they return. By the time a handler runs, the
 * first check has passed (framing, Host, Origin, token and scope, route, method, media type, size), path parameters are
 * valid segments, and a JSON body is complete. The handler answers with request_respond, at once or later from any thread;
 * until then the request is its own, afterwards it must not be touched. Every request is answered exactly once.
 */
#ifndef DESCENT_SERVER_HTTP_REQUEST_H
#define DESCENT_SERVER_HTTP_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "server/http/response.h"

struct problem;
struct query;
struct request;
struct route;

/* The matched row of the route table. */
const struct route *request_route(const struct request *request);

/* "req_…", sent as X-Request-Id. */
const char *request_id(const struct request *request);

/* The i-th {parameter} of the path, e.g. "job_…"; valid characters, not yet known to exist. */
const char *request_parameter(const struct request *request, size_t index);

/* Which of the media types that the route accepts the body has; MEDIA_NONE without a body. */
enum media request_body_media(const struct request *request);

/* The decoded query: query_integer(request_query(request), PARAMETER_LIMIT) and the like (api/query.h). */
const struct query *request_query(const struct request *request);

/* The raw path and query as sent, "/v1/jobs?limit=2". */
const char *request_target(const struct request *request);

/* A header's value by its case-insensitive name, NULL: not sent. */
const char *request_header(const struct request *request, const char *name);

/* The complete body, followed by a NUL that is not counted; borrowed until the answer. "" and 0 without a body. */
const char *request_body(const struct request *request, size_t *size);

/* Id of the token that was presented, "" without a token file. */
const char *request_token(const struct request *request);

/*
 * Whether the client's token is still good for this route: an answer that goes on for long asks now and then. Tokens are
 * withdrawn by a reload of their file, and run out.
 */
int request_is_allowed(const struct request *request);

/*
 * A handler's own state, kept between runs (see request_wait). release(state) is called when the request ends, on
 * whichever thread that happens; it must not block.
 */
void request_set_state(struct request *request, void *state, void (*release)(void *state));
void *request_state(const struct request *request);

/* Takes the response's contents and sends them. Exactly once for each request, from any thread. */
void request_respond(struct request *request, struct response *response);

/* request_respond with the problem document of `problem`, or of one error; both are only borrowed. */
void request_respond_problem(struct request *request, const struct problem *problem);
void request_respond_error(struct request *request, const struct error *error);

/*
 * Long polling. A handler that finds nothing new parks its request under a key (a job's id); it is run again, from its
 * start and on an executor thread, when somebody calls waiters_wake(key), when `wait_ms` after the first park have
 * passed, or when the server drains. So that no wake is lost, take the ticket first, look at the state second, park
 * third:
 *
 *     uint64_t ticket = request_ticket(request, id);
 *     … read the job …
 *     if (job.version <= since && !request_wait_is_over(request)) {
 *         request_wait(request, id, ticket, wait_ms);
 *         return;
 *     }
 *     … answer with what there is …
 */
uint64_t request_ticket(const struct request *request, const char *key);
void request_wait(struct request *request, const char *key, uint64_t ticket, int64_t wait_ms);
int request_wait_is_over(const struct request *request);

/*
 * A streamed body. The functions run on executor threads, in order, never two at once for one request. begin and chunk
 * may refuse by returning a status and filling `problem`: the rest of the body is then discarded and the problem sent.
 *
 * begin  before the first byte; sets *state
 * chunk  `size` bytes, any division of the body (at most 256 KiB); `data` is borrowed for the call
 * end    the body is complete: the handler now owns `state` and must request_respond, at once or later
 * abort  instead of end, after a refusal or when the client is gone: frees state and removes temporary files.
 *        Only called after begin, also where begin refused; *state may be NULL then.
 */
struct upload_ops {
    enum status (*begin)(void *context, struct request *request, void **state, struct problem *problem);
    enum status (*chunk)(void *state, const void *data, size_t size, struct problem *problem);
    void (*end)(void *state, struct request *request);
    void (*abort)(void *state);
};

#endif
