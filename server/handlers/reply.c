#include "server/handlers/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_states.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/routes.h"

enum status reply_negotiate(const struct request *request, enum query_id format, enum media *media, struct error *error)
{
    const struct query *query = request_query(request);
    const char *word = query_given(query, format) ? query_text(query, format) : NULL;

    return route_negotiate(request_route(request), word, request_header(request, "Accept"), media, error);
}

/* ---- texts ---- */

void reply_text_response(struct response *response, const struct request *request, unsigned status, enum media media,
                         struct json_writer *writer)
{
    struct error error = {.status = STATUS_OK};
    char *text;
    size_t size;

    if (json_writer_take(writer, &text, &size, &error) == STATUS_OK) {
        response_text(response, status, media, text, size);
    } else {
        response_error(response, &error, request_id(request));
    }
}

void reply_json_response(struct response *response, const struct request *request, unsigned status,
                         struct json_writer *writer)
{
    reply_text_response(response, request, status, MEDIA_JSON, writer);
}

void reply_text(struct request *request, unsigned status, enum media media, struct json_writer *writer)
{
    struct response response;

    reply_text_response(&response, request, status, media, writer);
    request_respond(request, &response);
}

void reply_json(struct request *request, unsigned status, struct json_writer *writer)
{
    reply_text(request, status, MEDIA_JSON, writer);
}

void reply_created(struct request *request, unsigned status, const char *collection, const char *id,
                   struct json_writer *writer)
{
    struct response response;

    reply_json_response(&response, request, status, writer);
    response_header(&response, "Location", "%s/%s", collection, id);
    request_respond(request, &response);
}

void reply_empty(struct request *request, unsigned status)
{
    struct response response;

    response_empty(&response, status);
    request_respond(request, &response);
}

void reply_error(struct request *request, enum status status, const char *format, ...)
{
    struct error error = {.status = STATUS_OK};
    char message[sizeof(error.message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    (void)error_set(&error, status, "%s", message);
    request_respond_error(request, &error);
}

/* ---- entity tags ---- */

void reply_state_conflict(struct request *request, enum job_status status)
{
    char actions[JOB_ACTIONS_TEXT];
    struct error error = {0};
    struct problem problem;

    problem_init(&problem);
    error_set(&error, STATUS_STATE_CONFLICT, "the job is %s", job_status_name(status));
    problem_add(&problem, &error);
    job_allowed_actions(status, actions);
    problem_add_member(&problem, "allowed_actions", actions);
    request_respond_problem(request, &problem);
    problem_release(&problem);
}

void reply_tag(char tag[REPLY_TAG_TEXT], const char *format, ...)
{
    char text[REPLY_TAG_TEXT - 2];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(tag, REPLY_TAG_TEXT, "\"%s\"", text);
}

/*
 * Is the tag, or "*", in the field's list? Weak tags count for `weakly` alone (RFC 9110, 8.8.3.2). A field that is no list
 * of tags matches nothing from there on.
 */
static int lists_tag(const char *field, const char *tag, int weakly)
{
    const char *at = field + strspn(field, " \t");
    size_t size = strlen(tag);

    if (strcmp(at, "*") == 0) {
        return 1;
    }
    for (;;) {
        at += strspn(at, ", \t");
        int is_weak = strncmp(at, "W/", 2) == 0;
        at += is_weak ? 2 : 0;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (end == NULL) {
            return 0;
        }
        if ((size_t)(end + 1 - at) == size && memcmp(at, tag, size) == 0 && (weakly || !is_weak)) {
            return 1;
        }
        at = end + 1;
    }
}

int reply_tag_matches(const char *if_none_match, const char *tag)
{
    return if_none_match != NULL && lists_tag(if_none_match, tag, 1);
}

int reply_may_change(const char *if_match, const char *tag)
{
    return if_match == NULL || lists_tag(if_match, tag, 0);
}

void reply_add_tag(struct response *response, const char *tag)
{
    response_header(response, "ETag", "%s", tag);
}

int reply_not_modified(struct request *request, const char *tag)
{
    struct response response;

    if (!reply_tag_matches(request_header(request, "If-None-Match"), tag)) {
        return 0;
    }
    response_empty(&response, 304);
    reply_add_tag(&response, tag);
    request_respond(request, &response);
    return 1;
}

/* ---- pages ---- */

struct page_query reply_page_query(const struct request *request)
{
    const struct query *query = request_query(request);

    return (struct page_query){
        .after = query_text(query, PARAMETER_AFTER),
        .limit = (uint32_t)query_integer(query, PARAMETER_LIMIT),
        .descending = query_integer(query, PARAMETER_ORDER) == 1,
    };
}

void reply_page_error(struct request *request, const struct error *error)
{
    struct problem problem;

    problem_init(&problem);
    problem_add(&problem, error);
    if (error->status == STATUS_QUERY_INVALID) {
        problem_add_field(&problem, error->status, NULL, "\"parameter\":\"after\"", "%s", error->message);
    }
    request_respond_problem(request, &problem);
    problem_release(&problem);
}

/* A link that does not fit is left out: last_id says the same. */
static void add_next_link(struct response *response, const struct request *request, const char *last_id)
{
    const char *target = request_target(request), *query;
    char link[2 * QUERY_TEXT_MAX];
    size_t path_size, query_size;

    if (target_split(target, &path_size, &query, &query_size, NULL) == STATUS_OK &&
        query_next_link(link, sizeof(link), target, path_size, query, query_size, last_id) > 0) {
        response_header(response, "Link", "%s", link);
    }
}

void reply_page(struct request *request, struct json_writer *writer, const char *last_id, int has_more)
{
    struct response response;

    reply_json_response(&response, request, 200, writer);
    if (has_more && last_id != NULL) {
        add_next_link(&response, request, last_id);
    }
    request_respond(request, &response);
}

void reply_in_use(struct request *request, const struct job_users *users, const struct error *error)
{
    struct json_writer writer = {.depth = 0};
    struct problem problem;
    char *jobs;
    size_t size;

    json_begin_array(&writer);
    for (uint32_t i = 0; i < users->count; i++) {
        json_string(&writer, users->ids[i]);
    }
    json_end_array(&writer);
    problem_init(&problem);
    problem_add(&problem, error);
    if (json_writer_take(&writer, &jobs, &size, NULL) == STATUS_OK) {
        problem_add_member(&problem, "jobs", jobs);
        free(jobs);
    }
    request_respond_problem(request, &problem);
    problem_release(&problem);
}
