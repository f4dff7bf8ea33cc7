/*
 * The routes of the contract: one table (routes.def), from which come the router, the check of tokens' scopes, the
 * OpenAPI document and the reference in docs/.
 *
 * Handlers are attached in server/ by enum route_id. Matching never decodes: a path is made of segments of
 * [A-Za-z0-9._-]{1,64}, anything else (a '%', an empty segment, "..") is refused, so that there is one spelling of each.
 */
#ifndef DESCENT_API_ROUTES_H
#define DESCENT_API_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "api/negotiate.h"
#include "api/query.h"
#include "core/base/status.h"

enum route_id {
#define ROUTE(NAME, ...) ROUTE_##NAME,
#include "api/routes.def"
#undef ROUTE
    ROUTE_COUNT
};

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_CONNECT,
    METHOD_COUNT
};
const char *method_name(enum method method); /* "GET" */

/* What a token must allow. Bits: a token holds a set, in which the implied ones are included. */
enum scope { SCOPE_NONE = 0, SCOPE_READ = 1, SCOPE_WRITE = 2, SCOPE_ADMIN = 4 };
const char *scope_name(enum scope scope); /* "none", "read", "write", "admin" */

/*
 * none: a body is refused; json: read whole before the handler runs, at most `limit` bytes; upload: streamed to the
 * handler, its limit is configuration.
 */
enum body_kind { BODY_NONE, BODY_JSON, BODY_UPLOAD };

#define ROUTE_MEDIA_MAX    6
#define ROUTE_QUERY_MAX    12
#define ROUTE_ANSWERS_MAX  3
#define ROUTE_PROBLEMS_MAX 16

struct route_body {
    enum body_kind kind;
    int optional; /* an empty body is fine */
    uint64_t limit;
    const char *schema;             /* in schemas.def; NULL: bytes */
    uint8_t media[ROUTE_MEDIA_MAX]; /* enum media, ended by MEDIA_NONE if shorter */
};

/* What a success looks like. No media: no body. The first answer is the usual one. */
struct route_answer {
    int status;
    const char *schema; /* in schemas.def, of the JSON form; NULL: bytes or nothing */
    const char *help;
    uint8_t media[ROUTE_MEDIA_MAX];
};

struct route {
    enum route_id id;
    const char *operation; /* "create_job" */
    enum method method;
    const char *path; /* "/v1/jobs/{id}/cancel" */
    enum scope scope;
    const char *tag;
    const char *summary, *description;
    struct route_body body;
    uint8_t query[ROUTE_QUERY_MAX]; /* enum query_id, ended by PARAMETER_NONE if shorter */
    struct route_answer answers[ROUTE_ANSWERS_MAX];
    uint16_t problems[ROUTE_PROBLEMS_MAX]; /* enum status: those beside the ones that any route can give */
};

/* The row of a route; never NULL for a valid id. */
const struct route *route_get(enum route_id id);

#define ROUTE_SEGMENT_TEXT   65
#define ROUTE_PARAMETERS_MAX 2
#define ROUTE_ALLOW_TEXT     64

struct route_match {
    const struct route *route; /* NULL unless matched */
    enum method method;        /* as asked: HEAD matches a GET route */
    char parameter[ROUTE_PARAMETERS_MAX][ROUTE_SEGMENT_TEXT];
    char allow[ROUTE_ALLOW_TEXT]; /* "GET, HEAD, POST, OPTIONS": for 405, and for the answer to OPTIONS */
};

/*
 * Finds the route of a request. `path` [size] is the raw target up to the '?'.
 * STATUS_OK with route NULL: OPTIONS, to be answered with `allow`. STATUS_METHOD_UNKNOWN (501), STATUS_BAD_TARGET (400),
 * STATUS_ROUTE_NOT_FOUND (404), STATUS_METHOD_NOT_ALLOWED (405, `allow` filled).
 */
MUST_CHECK enum status route_find(struct route_match *match, const char *method, const char *path, size_t size,
                                  struct error *error);

/* What "OPTIONS *" is told: `allow` with every method that some route takes. */
void route_allow_all(struct route_match *match);

/* Whether a failure with this code can be the answer of a route: by its own list, or by what every route of its sort does.
 */
int route_can_give(const struct route *route, enum status status);

/*
 * Cuts a raw target ("/v1/jobs?limit=2") into path and query. STATUS_BAD_TARGET unless it begins with '/' and has only
 * characters that RFC 3986 allows in a target. *query points behind the '?', or at the end.
 */
MUST_CHECK enum status target_split(const char *target, size_t *path_size, const char **query, size_t *query_size,
                                    struct error *error);

/* STATUS_SCOPE_INSUFFICIENT unless `held` (bits of enum scope) is enough for the route. */
MUST_CHECK enum status route_check_scope(const struct route *route, unsigned held, struct error *error);

/* Of the answer that has media types: what the request asks for, by its format= (NULL: none given) or its Accept. */
MUST_CHECK enum status route_negotiate(const struct route *route, const char *format, const char *accept, enum media *media,
                                       struct error *error);

#endif
