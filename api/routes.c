/*
 * The router: a linear walk over the table. There are some thirty rows; a tree would be longer than what it saves.
 * That no two rows match the same request is a test's business (tests/api/test_routes.c).
 */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#define NO_BODY                                                                                                             \
    {                                                                                                                       \
        BODY_NONE, 0, 0, NULL,                                                                                              \
        {                                                                                                                   \
            MEDIA_NONE                                                                                                      \
        }                                                                                                                   \
    }
#define NO_QUERY                                                                                                            \
    {                                                                                                                       \
        PARAMETER_NONE                                                                                                      \
    }
#define NO_PROBLEMS                                                                                                         \
    {                                                                                                                       \
        STATUS_OK                                                                                                           \
    }

#define BODY(kind, limit, schema, ...)                                                                                      \
    {                                                                                                                       \
        BODY_##kind, 0, limit, schema,                                                                                      \
        {                                                                                                                   \
            __VA_ARGS__                                                                                                     \
        }                                                                                                                   \
    }
/* One that may be left out. */
#define OPTIONAL_BODY(kind, limit, schema, ...)                                                                             \
    {                                                                                                                       \
        BODY_##kind, 1, limit, schema,                                                                                      \
        {                                                                                                                   \
            __VA_ARGS__                                                                                                     \
        }                                                                                                                   \
    }
#define QUERY(...)                                                                                                          \
    {                                                                                                                       \
        __VA_ARGS__                                                                                                         \
    }
#define ANSWERS(...)                                                                                                        \
    {                                                                                                                       \
        __VA_ARGS__                                                                                                         \
    }
#define PROBLEMS(...)                                                                                                       \
    {                                                                                                                       \
        __VA_ARGS__                                                                                                         \
    }

static const struct route routes[ROUTE_COUNT] = {
#define ROUTE(NAME, operation, method, path, scope, tag, summary, description, body, query, answers, problems)              \
    {ROUTE_##NAME, #operation, METHOD_##method, path,    SCOPE_##scope, tag, summary,                                       \
     description,  body,       query,           answers, problems},
#include "api/routes.def"
#undef ROUTE
};

/* Traits of a route that bring failures with them. */
enum trait {
    TRAIT_ANY,        /* every route */
    TRAIT_TOKEN,      /* needs a token where tokens are used */
    TRAIT_UNSAFE,     /* not a GET */
    TRAIT_PARAMETERS, /* takes query parameters */
    TRAIT_ID,         /* names a thing in its path */
    TRAIT_BODY,
    TRAIT_NO_BODY,
    TRAIT_JSON, /* reads JSON */
    TRAIT_UPLOAD,
    TRAIT_MEDIA, /* answers with a body */
};

/* Codes, or all codes that begin so ("json_"), and the trait that brings them. */
static const struct {
    enum trait trait;
    const char *code;
} shared_problems[] = {
    {TRAIT_ANY, "bad_target"},
    {TRAIT_ANY, "query_unknown"},
    {TRAIT_ANY, "query_duplicate"},
    {TRAIT_ANY, "token_in_query"},
    {TRAIT_ANY, "host_"},
    {TRAIT_ANY, "misdirected_host"},
    {TRAIT_ANY, "bad_header_name"},
    {TRAIT_ANY, "too_many_headers"},
    {TRAIT_ANY, "ambiguous_framing"},
    {TRAIT_ANY, "transfer_encoding_unsupported"},
    {TRAIT_ANY, "expectation_failed"},
    {TRAIT_ANY, "internal"},
    {TRAIT_ANY, "out_of_memory"},
    {TRAIT_ANY, "overloaded"},
    {TRAIT_TOKEN, "auth_"},
    {TRAIT_TOKEN, "ambiguous_auth"},
    {TRAIT_TOKEN, "invalid_token"},
    {TRAIT_TOKEN, "token_expired"},
    {TRAIT_TOKEN, "scope_insufficient"},
    {TRAIT_TOKEN, "storage_error"},
    {TRAIT_UNSAFE, "origin_forbidden"},
    {TRAIT_PARAMETERS, "query_invalid"},
    {TRAIT_ID, "not_found"},
    {TRAIT_ID, "deleted"},
    {TRAIT_BODY, "body_required"},
    {TRAIT_BODY, "body_too_large"},
    {TRAIT_BODY, "content_"},
    {TRAIT_BODY, "charset_unsupported"},
    {TRAIT_NO_BODY, "body_not_allowed"},
    {TRAIT_JSON, "json_"},
    {TRAIT_JSON, "validation_failed"},
    {TRAIT_UPLOAD, "dataset_empty"},
    {TRAIT_UPLOAD, "dataset_too_large"},
    {TRAIT_UPLOAD, "csv_"},
    {TRAIT_UPLOAD, "idx_"},
    {TRAIT_UPLOAD, "label"},
    {TRAIT_UPLOAD, "soft_label_"},
    {TRAIT_UPLOAD, "path_"},
    {TRAIT_UPLOAD, "gzip_"},
    {TRAIT_UPLOAD, "compression_ratio"},
    {TRAIT_UPLOAD, "checksum_mismatch"},
    {TRAIT_UPLOAD, "format_mismatch"},
    {TRAIT_UPLOAD, "non_finite_value"},
    {TRAIT_UPLOAD, "dims_overflow"},
    {TRAIT_UPLOAD, "too_many_c"},
    {TRAIT_UPLOAD, "row_count_mismatch"},
    {TRAIT_MEDIA, "not_acceptable"},
};

static int has_trait(const struct route *route, enum trait trait)
{
    switch (trait) {
    case TRAIT_ANY:
        return 1;
    case TRAIT_TOKEN:
        return route->scope != SCOPE_NONE;
    case TRAIT_UNSAFE:
        return route->method != METHOD_GET;
    case TRAIT_PARAMETERS:
        return route->query[0] != PARAMETER_NONE;
    case TRAIT_ID:
        return strchr(route->path, '{') != NULL;
    case TRAIT_BODY:
        return route->body.kind != BODY_NONE;
    case TRAIT_NO_BODY:
        return route->body.kind == BODY_NONE;
    case TRAIT_JSON:
        return memchr(route->body.media, MEDIA_JSON, ROUTE_MEDIA_MAX) != NULL;
    case TRAIT_UPLOAD:
        return route->body.kind == BODY_UPLOAD;
    case TRAIT_MEDIA:
        return route->answers[0].media[0] != MEDIA_NONE;
    }
    return 0;
}

int route_can_give(const struct route *route, enum status status)
{
    const char *code = status_code(status);

    for (size_t i = 0; i < ROUTE_PROBLEMS_MAX && route->problems[i] != STATUS_OK; i++) {
        if (route->problems[i] == status) {
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof shared_problems / sizeof *shared_problems; i++) {
        if (strncmp(code, shared_problems[i].code, strlen(shared_problems[i].code)) == 0 &&
            has_trait(route, shared_problems[i].trait)) {
            return 1;
        }
    }
    return 0;
}

static const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",   [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",         [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
    [METHOD_OPTIONS] = "OPTIONS", [METHOD_TRACE] = "TRACE", [METHOD_CONNECT] = "CONNECT",
};

const struct route *route_get(enum route_id id)
{
    return &routes[id];
}

const char *method_name(enum method method)
{
    return method_names[method];
}

const char *scope_name(enum scope scope)
{
    return scope == SCOPE_NONE ? "none" : scope == SCOPE_READ ? "read" : scope == SCOPE_WRITE ? "write" : "admin";
}

static int is_segment_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* Takes "/segment" off the front: its size, 0 at the end, -1 when it is not a valid segment. */
static int take_segment(const char **at, const char *end, const char **segment)
{
    if (*at == end) {
        return 0;
    }
    if (**at != '/') {
        return -1;
    }
    const char *start = ++*at;
    while (*at < end && is_segment_character(**at)) {
        (*at)++;
    }
    size_t size = (size_t)(*at - start);
    int dots = (size == 1 && start[0] == '.') || (size == 2 && start[0] == '.' && start[1] == '.');
    *segment = start;
    return size == 0 || size >= ROUTE_SEGMENT_TEXT || dots || (*at < end && **at != '/') ? -1 : (int)size;
}

static enum status check_path(const char *path, size_t size, struct error *error)
{
    const char *at = path, *segment;
    int taken = 1;

    while (taken > 0 && !(size == 1 && path[0] == '/')) {
        taken = take_segment(&at, path + size, &segment);
    }
    if (taken < 0 || size == 0) {
        return error_set_offset(error, STATUS_BAD_TARGET, at - path,
                                "a path is made of segments of 1 to %d characters of A-Z a-z 0-9 . _ -",
                                ROUTE_SEGMENT_TEXT - 1);
    }
    return STATUS_OK;
}

/* Whether a valid path fits the pattern; {parameters} are copied out. */
static int match_path(const char *pattern, const char *path, size_t size, struct route_match *match)
{
    const char *at = path, *end = path + size, *segment, *wanted;
    const char *pattern_end = pattern + strlen(pattern);
    size_t parameters = 0;

    while (pattern < pattern_end) {
        int got = take_segment(&at, end, &segment);

        wanted = ++pattern;
        pattern += strcspn(pattern, "/");
        if (got <= 0) {
            return 0;
        }
        if (*wanted == '{') {
            memcpy(match->parameter[parameters], segment, (size_t)got);
            match->parameter[parameters++][got] = '\0';
        } else if (got != pattern - wanted || memcmp(segment, wanted, (size_t)got) != 0) {
            return 0;
        }
    }
    return at == end;
}

/* `methods` (bits of enum method), with those that come with them. */
static void write_allow(char allow[ROUTE_ALLOW_TEXT], unsigned methods)
{
    size_t used = 0;

    methods |= (methods >> METHOD_GET & 1u) << METHOD_HEAD | 1u << METHOD_OPTIONS;
    for (unsigned m = 0; m < METHOD_COUNT; m++) {
        if (methods >> m & 1u) {
            used += (size_t)snprintf(allow + used, ROUTE_ALLOW_TEXT - used, "%s%s", used > 0 ? ", " : "", method_names[m]);
        }
    }
}

void route_allow_all(struct route_match *match)
{
    unsigned methods = 0;

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        methods |= 1u << routes[i].method;
    }
    write_allow(match->allow, methods);
}

/* Every method that some route of this path takes; 0: none does. */
static int list_allowed(const char *path, size_t size, struct route_match *match)
{
    unsigned methods = 0;

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (match_path(routes[i].path, path, size, match)) {
            methods |= 1u << routes[i].method;
        }
    }
    if (methods != 0) {
        write_allow(match->allow, methods);
    }
    return methods != 0;
}

enum status route_find(struct route_match *match, const char *method, const char *path, size_t size, struct error *error)
{
    unsigned asked = 0;

    *match = (struct route_match){.route = NULL};
    while (asked < METHOD_COUNT && strcmp(method, method_names[asked]) != 0) {
        asked++;
    }
    if (asked == METHOD_COUNT) {
        return error_set(error, STATUS_METHOD_UNKNOWN, "no route takes this method");
    }
    match->method = (enum method)asked;
    if (asked == METHOD_TRACE || asked == METHOD_CONNECT) {
        route_allow_all(match);
        return error_set(error, STATUS_METHOD_NOT_ALLOWED, "%s is taken by no route", method);
    }
    enum status status = check_path(path, size, error);
    if (status != STATUS_OK) {
        return status;
    }
    enum method wanted = asked == METHOD_HEAD ? METHOD_GET : match->method;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (routes[i].method == wanted && match_path(routes[i].path, path, size, match)) {
            match->route = &routes[i];
            return STATUS_OK;
        }
    }
    if (!list_allowed(path, size, match)) {
        return error_set(error, STATUS_ROUTE_NOT_FOUND, "GET /v1/openapi.json lists all routes");
    }
    if (asked == METHOD_OPTIONS) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_METHOD_NOT_ALLOWED, "allowed here: %s", match->allow);
}

enum status target_split(const char *target, size_t *path_size, const char **query, size_t *query_size, struct error *error)
{
    size_t size = strlen(target);

    for (size_t i = 0; i < size; i++) {
        /* unreserved, reserved but '#', and '%' (RFC 3986); a fragment never belongs into a request */
        if (target[i] <= ' ' || target[i] > '~' || strchr("\"#<>\\^`{|}", target[i]) != NULL) {
            return error_set_offset(error, STATUS_BAD_TARGET, (int64_t)i,
                                    "the target holds a byte that must be percent-encoded");
        }
    }
    if (target[0] != '/') {
        return error_set_offset(error, STATUS_BAD_TARGET, 0, "the target must begin with /");
    }
    *path_size = strcspn(target, "?");
    *query = target + *path_size + (target[*path_size] == '?');
    *query_size = size - (size_t)(*query - target);
    return STATUS_OK;
}

enum status route_check_scope(const struct route *route, unsigned held, struct error *error)
{
    if (route->scope == SCOPE_NONE || (held & (unsigned)route->scope) != 0) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_SCOPE_INSUFFICIENT, "%s %s needs a token with the scope %s", method_names[route->method],
                     route->path, scope_name(route->scope));
}

enum status route_negotiate(const struct route *route, const char *format, const char *accept, enum media *media,
                            struct error *error)
{
    const uint8_t *offers = route->answers[0].media;

    if (offers[0] == MEDIA_NONE) {
        *media = MEDIA_NONE;
        return STATUS_OK;
    }
    if (format != NULL) {
        *media = media_by_word(format, offers, ROUTE_MEDIA_MAX);
        if (*media != MEDIA_NONE) {
            return STATUS_OK;
        }
    }
    return negotiate_accept(accept, offers, ROUTE_MEDIA_MAX, media, error);
}
