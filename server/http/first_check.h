/*
 * The one check before routing: everything that is wrong with a request and can be known from its head.
 *
 * Order: headers and framing, Host, Origin, token, route and method, scope, query, media type, size. Each route passes
 * here, so none can be forgotten. Pure: knows neither sockets nor the library underneath.
 */
#ifndef DESCENT_SERVER_HTTP_FIRST_CHECK_H
#define DESCENT_SERVER_HTTP_FIRST_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "api/routes.h"
#include "core/base/status.h"
#include "server/config.h"
#include "server/http/throttle.h"
#include "server/tokens.h"

#define HEAD_HEADERS_MAX 64

struct problem;

/* A request's head as it came; all borrowed. */
struct head {
    const char *method, *target, *version;
    unsigned header_count; /* those that came; at most HEAD_HEADERS_MAX are kept */
    struct head_header {
        const char *name, *value;
    } headers[HEAD_HEADERS_MAX];
    const struct sockaddr *client;
    const char *local; /* the connection's own address, "192.168.1.7" */
};

/* The value of the first header of this name, in any case; NULL: none. */
const char *head_header(const struct head *head, const char *name);

/* What requests are checked against; borrowed. */
struct first_check {
    const struct config *config;
    struct tokens *tokens; /* NULL: everybody may do everything */
    struct throttle *throttle;
};

/* What is known of a request that passed. */
struct admission {
    struct route_match match; /* route NULL: OPTIONS, to be answered with match.allow */
    char token[TOKEN_ID_TEXT];
    enum media media; /* of the body */
    int has_body;
    uint64_t body_limit; /* bytes that the body may have */
    uint64_t body_size;  /* as declared; UINT64_MAX: chunked */
};

/*
 * `now_ms` is monotonic, `now` is seconds since 1970. On failure *problem is filled and, for 405, admission->match.allow.
 * The query is decoded into *query, which must live as long as it is used.
 */
MUST_CHECK enum status first_check(const struct first_check *check, const struct head *head, int64_t now_ms, int64_t now,
                                   struct admission *admission, struct query *query, struct problem *problem);

/* Of a request that has passed: whether its token is still good for its route at `now` (seconds since 1970). */
int first_check_allows(const struct first_check *check, const struct head *head, const struct route *route, int64_t now);

#endif
