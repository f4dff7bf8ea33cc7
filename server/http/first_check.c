#include "server/http/first_check.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/problem.h"
#include "server/http/hosts.h"

#define CHUNKED UINT64_MAX

/* What runs through the checks. */
struct checking {
    const struct first_check *check;
    const struct head *head;
    struct admission *admission;
    const char *query; /* of the target, raw [query_size] */
    size_t path_size, query_size;
    unsigned scopes; /* what the client may do */
    int64_t now_ms, now;
    struct error *error;
};

static unsigned kept(const struct head *head)
{
    return head->header_count < HEAD_HEADERS_MAX ? head->header_count : HEAD_HEADERS_MAX;
}

const char *head_header(const struct head *head, const char *name)
{
    for (unsigned i = 0; i < kept(head); i++) {
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    }
    return NULL;
}

static unsigned count_headers(const struct head *head, const char *name)
{
    unsigned count = 0;
    for (unsigned i = 0; i < kept(head); i++)
        count += strcasecmp(head->headers[i].name, name) == 0;
    return count;
}

/* Whether all headers of a name, if there are any, have this value. */
static int is_only(const struct head *head, const char *name, const char *value)
{
    for (unsigned i = 0; i < kept(head); i++) {
        if (strcasecmp(head->headers[i].name, name) == 0 && strcasecmp(head->headers[i].value, value) != 0)
            return 0;
    }
    return 1;
}

/* RFC 9110, 5.6.2; the first byte may be shown in a message when it is not printable. */
static int is_token(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL)
            return 0;
    }
    return name[0] != '\0';
}

static enum status check_headers(struct checking *c)
{
    const struct head *head = c->head;
    if (head->header_count > HEAD_HEADERS_MAX)
        return error_set(c->error, STATUS_TOO_MANY_HEADERS, "%u headers were sent, %d are allowed", head->header_count,
                         HEAD_HEADERS_MAX);
    for (unsigned i = 0; i < head->header_count; i++) {
        if (!is_token(head->headers[i].name))
            return error_set(c->error, STATUS_BAD_HEADER_NAME, "the name of header %u has a character that is not allowed",
                             i + 1);
    }
    return STATUS_OK;
}

/* "123" alone; anything that has another form is refused by the library already. */
static enum status parse_length(struct checking *c, const char *text)
{
    errno = 0;
    unsigned long long length = strtoull(text, NULL, 10);
    if (errno == ERANGE || length >= INT64_MAX)
        return error_set(c->error, STATUS_BODY_TOO_LARGE, "the body is said to be %.20s bytes long", text);
    c->admission->body_size = length;
    return STATUS_OK;
}

static enum status check_framing(struct checking *c)
{
    const struct head *head = c->head;
    unsigned lengths = count_headers(head, "Content-Length"), encodings = count_headers(head, "Transfer-Encoding");
    if (lengths + encodings > 1)
        return error_set(c->error, STATUS_AMBIGUOUS_FRAMING, "%u Content-Length and %u Transfer-Encoding headers were sent",
                         lengths, encodings);
    if (encodings == 1 && strcmp(head->version, "HTTP/1.0") == 0)
        return error_set(c->error, STATUS_AMBIGUOUS_FRAMING, "HTTP/1.0 has no Transfer-Encoding");
    if (!is_only(head, "Transfer-Encoding", "chunked"))
        return error_set(c->error, STATUS_TRANSFER_ENCODING_UNSUPPORTED, "the only transfer encoding known is chunked");
    if (!is_only(head, "Expect", "100-continue"))
        return error_set(c->error, STATUS_EXPECTATION_FAILED, "the only expectation known is 100-continue");
    if (!is_only(head, "Content-Encoding", "identity"))
        return error_set(c->error, STATUS_CONTENT_ENCODING_UNSUPPORTED,
                         "bodies are sent as they are, without Content-Encoding (IDX files may be gzip'ed themselves)");
    c->admission->body_size = encodings == 1 ? CHUNKED : 0;
    if (lengths == 1)
        return parse_length(c, head_header(head, "Content-Length"));
    return STATUS_OK;
}

static enum status check_host(struct checking *c)
{
    unsigned count = count_headers(c->head, "Host");
    if (count == 0 && strcmp(c->head->version, "HTTP/1.0") != 0)
        return error_set(c->error, STATUS_HOST_REQUIRED, "HTTP/1.1 demands a Host header");
    if (count > 1)
        return error_set(c->error, STATUS_HOST_DUPLICATE, "%u Host headers were sent", count);
    if (count == 1 && !hosts_allow(&c->check->config->allow_hosts, c->head->local, head_header(c->head, "Host")))
        return error_set(c->error, STATUS_MISDIRECTED_HOST,
                         "this server is not reached by that name; --allow-host makes a name known to it");
    return STATUS_OK;
}

/* The token of an Authorization header ("Bearer ..."); NULL when it has another form. */
static const char *bearer_token(const char *value)
{
    size_t scheme = value != NULL ? strcspn(value, " ") : 0;
    return scheme == 6 && strncasecmp(value, "Bearer", 6) == 0 ? value + scheme + strspn(value + scheme, " ") : NULL;
}

/* A page may only change something if it was served by this server itself. */
static enum status check_origin(struct checking *c)
{
    const char *method = c->head->method;
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return STATUS_OK;
    const char *site = head_header(c->head, "Sec-Fetch-Site");
    if (site != NULL && strcasecmp(site, "cross-site") == 0)
        return error_set(c->error, STATUS_ORIGIN_FORBIDDEN, "the request comes from a page of another site");
    const char *origin = head_header(c->head, "Origin"), *host = head_header(c->head, "Host");
    if (origin == NULL)
        return STATUS_OK;
    const char *authority = strstr(origin, "://");
    int is_web = strncasecmp(origin, "http://", 7) == 0 || strncasecmp(origin, "https://", 8) == 0;
    if (host != NULL && is_web && count_headers(c->head, "Origin") == 1 && strcasecmp(authority + 3, host) == 0)
        return STATUS_OK;
    return error_set(c->error, STATUS_ORIGIN_FORBIDDEN, "the request comes from a page of another origin");
}

static enum status refuse_token(struct checking *c, enum status status)
{
    if (throttle_hit(c->check->throttle, c->head->client, c->now_ms))
        return error_set(c->error, STATUS_AUTH_RATE_LIMITED, "more than %d wrong tokens within a minute", THROTTLE_LIMIT);
    return error_set(c->error, status, "%s", status == STATUS_TOKEN_EXPIRED ? "ask for a new one" : "it is in no list here");
}

static enum status check_token(struct checking *c)
{
    c->scopes = SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN;
    if (c->check->tokens == NULL)
        return STATUS_OK;
    unsigned count = count_headers(c->head, "Authorization");
    if (count > 1)
        return error_set(c->error, STATUS_AMBIGUOUS_AUTH, "%u Authorization headers were sent", count);
    const char *value = head_header(c->head, "Authorization");
    if (value == NULL && query_has_token(c->query, c->query_size))
        return error_set(c->error, STATUS_TOKEN_IN_QUERY, "addresses end up in logs: send \"Authorization: Bearer\"");
    const char *token = bearer_token(value);
    if (token == NULL)
        return error_set(c->error, STATUS_AUTH_REQUIRED, "send \"Authorization: Bearer\" and a token of this server");
    enum status status = tokens_check(c->check->tokens, token, strlen(token), c->now, &c->scopes, c->admission->token);
    return status == STATUS_OK ? STATUS_OK : refuse_token(c, status);
}

static enum status check_media(struct checking *c, const struct query *query)
{
    const struct route_body *body = &c->admission->match.route->body;
    const char *type = head_header(c->head, "Content-Type");
    if (count_headers(c->head, "Content-Type") > 1)
        return error_set(c->error, STATUS_CONTENT_TYPE_UNSUPPORTED, "Content-Type stands twice");
    if (body->kind == BODY_UPLOAD && query_given(query, PARAMETER_DATASET_FORMAT)) {
        c->admission->media = media_by_word(query_text(query, PARAMETER_DATASET_FORMAT), body->media, ROUTE_MEDIA_MAX);
        return STATUS_OK;
    }
    return negotiate_content_type(type, body->media, ROUTE_MEDIA_MAX, &c->admission->media, c->error);
}

static enum status check_body(struct checking *c, const struct query *query)
{
    struct admission *admission = c->admission;
    const struct route_body *body = &admission->match.route->body;
    admission->has_body = admission->body_size > 0;
    if (body->kind == BODY_NONE)
        return !admission->has_body ? STATUS_OK : error_set(c->error, STATUS_BODY_NOT_ALLOWED, "this route takes no body");
    if (!admission->has_body && body->kind == BODY_JSON)
        return body->optional ? STATUS_OK : error_set(c->error, STATUS_BODY_REQUIRED, "this route needs a body");
    enum status status = check_media(c, query);
    if (status != STATUS_OK)
        return status;
    admission->body_limit = body->kind == BODY_UPLOAD ? c->check->config->max_dataset_bytes : body->limit;
    if (admission->body_size != CHUNKED && admission->body_size > admission->body_limit)
        return error_set(c->error, STATUS_BODY_TOO_LARGE, "the body is %llu bytes long, %llu are allowed",
                         (unsigned long long)admission->body_size, (unsigned long long)admission->body_limit);
    return STATUS_OK;
}

/* "OPTIONS *" asks about the server as a whole. */
static int is_server_wide(const struct head *head)
{
    return strcmp(head->method, "OPTIONS") == 0 && strcmp(head->target, "*") == 0;
}

/* Neither that nor "CONNECT host:port" has a path. */
static enum status check_target(struct checking *c)
{
    if (is_server_wide(c->head) || strcmp(c->head->method, "CONNECT") == 0)
        return STATUS_OK;
    return target_split(c->head->target, &c->path_size, &c->query, &c->query_size, c->error);
}

/* Where an answer has one form only; where there is a choice the handler makes it, with its format= parameter. */
static enum status check_accept(struct checking *c)
{
    const struct route *route = c->admission->match.route;
    const uint8_t *media = route->answers[0].media;
    enum media chosen;
    return media[0] == MEDIA_NONE || media[1] != MEDIA_NONE
               ? STATUS_OK
               : route_negotiate(route, NULL, head_header(c->head, "Accept"), &chosen, c->error);
}

static enum status check_all(struct checking *c, struct query *query, struct problem *problem)
{
    const struct head *head = c->head;
    struct route_match *match = &c->admission->match;
    enum status status = check_headers(c);
    if (status == STATUS_OK)
        status = check_framing(c);
    if (status == STATUS_OK)
        status = check_target(c);
    if (status == STATUS_OK)
        status = check_host(c);
    if (status == STATUS_OK)
        status = check_origin(c);
    if (status != STATUS_OK)
        return status;

    /* The route is looked up before the token is asked for, because health needs none, but told only afterwards. */
    struct error route_error = {.status = STATUS_OK};
    enum status found = STATUS_OK;
    if (is_server_wide(head))
        route_allow_all(match);
    else
        found = route_find(match, head->method, head->target, c->path_size, &route_error);
    if (found != STATUS_OK || match->route == NULL || match->route->scope != SCOPE_NONE)
        status = check_token(c);
    if (status != STATUS_OK)
        return status;
    if (found != STATUS_OK) {
        *c->error = route_error;
        return found;
    }
    if (match->route == NULL)
        return STATUS_OK;
    if (match->route->scope != SCOPE_NONE)
        status = route_check_scope(match->route, c->scopes, c->error);
    if (status == STATUS_OK)
        status = query_decode(query, match->route, c->query, c->query_size, problem);
    if (status == STATUS_OK)
        status = check_accept(c);
    if (status == STATUS_OK)
        status = check_body(c, query);
    return status;
}

enum status first_check(const struct first_check *check, const struct head *head, int64_t now_ms, int64_t now,
                        struct admission *admission, struct query *query, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct checking c = {
        .check = check, .head = head, .admission = admission, .query = "", .now_ms = now_ms, .now = now, .error = &error};
    memset(admission, 0, sizeof(*admission));
    enum status status = check_all(&c, query, problem);
    if (error.status != STATUS_OK)
        problem_add(problem, &error);
    return status;
}

int first_check_allows(const struct first_check *check, const struct head *head, const struct route *route, int64_t now)
{
    char id[TOKEN_ID_TEXT];
    unsigned scopes = 0;
    if (check->tokens == NULL)
        return 1;
    const char *token = bearer_token(head_header(head, "Authorization"));
    return token != NULL && tokens_check(check->tokens, token, strlen(token), now, &scopes, id) == STATUS_OK &&
           route_check_scope(route, scopes, NULL) == STATUS_OK;
}
