/*
 * The OpenAPI document, written straight from the route table: what is not in a table is not in the document. Schemas:
 * openapi_schemas.c.
 */
#include "openapi.h"

#include <stdio.h>
#include <string.h>

#include "api/json_writer.h"
#include "api/openapi_schemas.h"
#include "api/problem.h"
#include "api/routes.h"

static const struct {
    const char *name, *description;
} tags[] = {
    {"server", "The server about itself."},
    {"datasets", "Data sets: uploaded once, named by their content."},
    {"jobs", "Training jobs, their progress, curves and results."},
    {"models", "Trained models: predictions, scores, downloads."},
    {"calculators", "What is computed from the request alone."},
    {"landscapes", "Functions of two variables: critical points, values, descents."},
};

static void write_info(const char *version, struct json_writer *writer)
{
    json_key(writer, "info");
    json_begin_object(writer);
    json_member_string(writer, "title", "descentd");
    json_member_string(writer, "version", version);
    json_member_string(writer, "summary", "Trains classifiers by gradient descent, over HTTP");
    json_member_string(
        writer, "description",
        "Send a data set and a job, watch the loss go down, ask the model for predictions. Unknown fields and "
        "parameters are refused; errors are problem documents (RFC 9457) with every mistake at once.");
    json_key(writer, "contact");
    json_begin_object(writer);
    json_member_string(writer, "name", "The descentd authors");
    json_end_object(writer);
    json_key(writer, "license");
    json_begin_object(writer);
    json_member_string(writer, "name", "MIT");
    json_member_string(writer, "identifier", "MIT");
    json_end_object(writer);
    json_end_object(writer);
    json_key(writer, "servers");
    json_begin_array(writer);
    json_begin_object(writer);
    json_member_string(writer, "url", "/");
    json_member_string(writer, "description", "The server that gave this document.");
    json_end_object(writer);
    json_end_array(writer);
    json_key(writer, "tags");
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        json_begin_object(writer);
        json_member_string(writer, "name", tags[i].name);
        json_member_string(writer, "description", tags[i].description);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* ---- parameters ---- */

/* The choices "a|b|c" as the enum of an open schema. */
static void write_enum(const char *choices, struct json_writer *writer)
{
    const char *choice;
    size_t size;

    json_member_string(writer, "type", "string");
    json_key(writer, "enum");
    json_begin_array(writer);
    for (size_t i = 0; (choice = query_choice(choices, i, &size)) != NULL; i++) {
        json_string_n(writer, choice, size);
    }
    json_end_array(writer);
}

static void write_limits(const struct query_parameter *parameter, struct json_writer *writer)
{
    json_member_number(writer, "minimum", parameter->minimum);
    if (parameter->type == QUERY_INTEGER) {
        json_member_number(writer, "maximum", parameter->maximum);
    } else if (parameter->type == QUERY_NUMBER) {
        json_member_number(writer, "exclusiveMaximum", parameter->maximum);
    }
}

static void write_query_schema(const struct query_parameter *parameter, struct json_writer *writer)
{
    json_begin_object(writer);
    switch (parameter->type) {
    case QUERY_BOOLEAN:
        json_member_string(writer, "type", "boolean");
        break;
    case QUERY_INTEGER:
    case QUERY_CLAMPED:
        json_member_string(writer, "type", "integer");
        write_limits(parameter, writer);
        break;
    case QUERY_NUMBER:
    case QUERY_SECONDS:
        json_member_string(writer, "type", "number");
        write_limits(parameter, writer);
        break;
    case QUERY_CHOICE:
        write_enum(parameter->choices, writer);
        break;
    case QUERY_LIST:
        json_member_string(writer, "type", "array");
        json_member_bool(writer, "uniqueItems", 1);
        json_key(writer, "items");
        json_begin_object(writer);
        write_enum(parameter->choices, writer);
        json_end_object(writer);
        break;
    case QUERY_TEXT:
        json_member_string(writer, "type", "string");
        json_member_number(writer, "minLength", parameter->minimum);
        json_member_number(writer, "maxLength", parameter->maximum);
        break;
    case QUERY_PREFIX:
        json_member_string(writer, "type", "object");
        json_member_raw(writer, "additionalProperties", "{\"type\":\"string\"}");
        break;
    }
    if (parameter->standard[0] != '\0' && !query_is_required(parameter)) {
        json_key(writer, "default");
        if (parameter->type == QUERY_CHOICE || parameter->type == QUERY_TEXT) {
            json_string(writer, parameter->standard);
        } else {
            json_raw(writer, parameter->standard);
        }
    }
    json_end_object(writer);
}

static void write_query_parameter(const struct query_parameter *parameter, struct json_writer *writer)
{
    char name[32];

    /* metadata.<key>=<value>: the members of an exploded object are parameters of their own */
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(parameter->name, "."), parameter->name);
    json_begin_object(writer);
    json_member_string(writer, "name", name);
    json_member_string(writer, "in", "query");
    if (parameter->type == QUERY_LIST) {
        json_member_string(writer, "style", "form");
        json_member_bool(writer, "explode", 0);
    } else if (parameter->type == QUERY_PREFIX) {
        json_member_string(writer, "style", "form");
        json_member_bool(writer, "explode", 1);
    }
    if (query_is_required(parameter)) {
        json_member_bool(writer, "required", 1);
    }
    json_member_string(writer, "description", parameter->help);
    json_key(writer, "schema");
    write_query_schema(parameter, writer);
    json_end_object(writer);
}

static void write_text_parameter(const char *place, const char *name, const char *help, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "name", name);
    json_member_string(writer, "in", place);
    if (strcmp(place, "path") == 0) {
        json_member_bool(writer, "required", 1);
    }
    json_member_string(writer, "description", help);
    json_member_raw(writer, "schema", "{\"type\":\"string\"}");
    json_end_object(writer);
}

static int answers_with(const struct route *route, int status)
{
    for (size_t i = 0; i < ROUTE_ANSWERS_MAX; i++) {
        if (route->answers[i].status == status) {
            return 1;
        }
    }
    return 0;
}

static void write_parameters(const struct route *route, struct json_writer *writer)
{
    json_key(writer, "parameters");
    json_begin_array(writer);
    for (const char *at = strchr(route->path, '{'); at != NULL; at = strchr(at + 1, '{')) {
        char name[32];

        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        write_text_parameter("path", name, "Which one.", writer);
    }
    for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i] != PARAMETER_NONE; i++) {
        write_query_parameter(query_parameter((enum query_id)route->query[i]), writer);
    }
    if (answers_with(route, 304)) {
        write_text_parameter("header", "If-None-Match", "An ETag: answers 304 as long as it is the current one.", writer);
    }
    if (answers_with(route, 206)) {
        write_text_parameter("header", "Range", "One range of bytes.", writer);
    }
    if (memchr(route->answers[0].media, MEDIA_EVENT_STREAM, ROUTE_MEDIA_MAX) != NULL) {
        write_text_parameter("header", "Last-Event-ID", "A stream goes on after the event of this number.", writer);
    }
    json_end_array(writer);
}

/* ---- bodies and answers ---- */

/* {"application/json":{"schema":…},…} */
static void write_content(const uint8_t *media, const char *schema, struct json_writer *writer)
{
    json_key(writer, "content");
    json_begin_object(writer);
    for (size_t i = 0; i < ROUTE_MEDIA_MAX && media[i] != MEDIA_NONE; i++) {
        json_key(writer, media_type((enum media)media[i]));
        json_begin_object(writer);
        if ((media[i] == MEDIA_JSON || media[i] == MEDIA_PROBLEM) && schema != NULL) {
            json_key(writer, "schema");
            openapi_write_reference(schema, writer);
        } else if (strncmp(media_type((enum media)media[i]), "text/", 5) == 0) {
            json_member_raw(writer, "schema", "{\"type\":\"string\"}");
        }
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_body(const struct route *route, struct json_writer *writer)
{
    if (route->body.kind != BODY_NONE) {
        json_key(writer, "requestBody");
        json_begin_object(writer);
        json_member_bool(writer, "required", !route->body.optional);
        write_content(route->body.media, route->body.schema, writer);
        json_end_object(writer);
    }
}

static void write_header(const char *name, const char *help, struct json_writer *writer)
{
    json_key(writer, name);
    json_begin_object(writer);
    json_member_string(writer, "description", help);
    json_member_raw(writer, "schema", "{\"type\":\"string\"}");
    json_end_object(writer);
}

static int takes_parameter(const struct route *route, enum query_id id)
{
    return memchr(route->query, (int)id, ROUTE_QUERY_MAX) != NULL;
}

static void write_headers(const struct route *route, const struct route_answer *answer, struct json_writer *writer)
{
    json_key(writer, "headers");
    json_begin_object(writer);
    write_header("X-Request-Id", "What the server's log calls this request.", writer);
    if (answer->status == 201) {
        write_header("Location", "The address of what was made.", writer);
    }
    if (answers_with(route, 304) || strcmp(route->answers[0].schema == NULL ? "" : route->answers[0].schema, "Job") == 0) {
        write_header("ETag", "The version, by media type and query.", writer);
    }
    if (takes_parameter(route, PARAMETER_AFTER) || takes_parameter(route, PARAMETER_EVENT_AFTER)) {
        write_header("Link", "rel=\"next\": the page after this one, where there is one.", writer);
    }
    json_end_object(writer);
}

static void write_answers(const struct route *route, struct json_writer *writer)
{
    char status[12];

    for (size_t i = 0; i < ROUTE_ANSWERS_MAX && route->answers[i].status != 0; i++) {
        const struct route_answer *answer = &route->answers[i];

        (void)snprintf(status, sizeof status, "%d", answer->status);
        json_key(writer, status);
        json_begin_object(writer);
        json_member_string(writer, "description", answer->help);
        write_headers(route, answer, writer);
        if (answer->media[0] != MEDIA_NONE) {
            write_content(answer->media, answer->schema, writer);
        }
        json_end_object(writer);
    }
}

/* The codes that one HTTP status can carry, as the description of its answer; 0 when there are none. */
static size_t list_codes(const struct route *route, int http, char *out, size_t capacity)
{
    size_t used = 0;

    for (int s = STATUS_OK + 1; s < STATUS_COUNT; s++) {
        if (status_http((enum status)s) == http && route_can_give(route, (enum status)s) && used < capacity) {
            used +=
                (size_t)snprintf(out + used, capacity - used, "%s%s", used == 0 ? "" : ", ", status_code((enum status)s));
        }
    }
    return used;
}

static void write_problems(const struct route *route, struct json_writer *writer)
{
    static const uint8_t problem[ROUTE_MEDIA_MAX] = {MEDIA_PROBLEM};
    char codes[2048], status[12];

    for (int http = 400; http < 600; http++) {
        if (list_codes(route, http, codes, sizeof codes) > 0) {
            (void)snprintf(status, sizeof status, "%d", http);
            json_key(writer, status);
            json_begin_object(writer);
            json_member_string(writer, "description", codes);
            write_content(problem, "Problem", writer);
            json_end_object(writer);
        }
    }
}

/* ---- operations ---- */

static void write_security(const struct route *route, struct json_writer *writer)
{
    json_key(writer, "security");
    json_begin_array(writer);
    if (route->scope != SCOPE_NONE) {
        json_begin_object(writer);
        json_key(writer, "token");
        json_begin_array(writer);
        json_end_array(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_string(writer, "x-scope", scope_name(route->scope));
}

static void write_operation(const struct route *route, struct json_writer *writer)
{
    char method[16];
    size_t size = 0;

    for (const char *name = method_name(route->method); name[size] != '\0' && size + 1 < sizeof method; size++) {
        method[size] = (char)(name[size] - 'A' + 'a');
    }
    method[size] = '\0';
    json_key(writer, method);
    json_begin_object(writer);
    json_member_string(writer, "operationId", route->operation);
    json_key(writer, "tags");
    json_begin_array(writer);
    json_string(writer, route->tag);
    json_end_array(writer);
    json_member_string(writer, "summary", route->summary);
    json_member_string(writer, "description", route->description);
    write_security(route, writer);
    write_parameters(route, writer);
    write_body(route, writer);
    json_key(writer, "responses");
    json_begin_object(writer);
    write_answers(route, writer);
    write_problems(route, writer);
    json_end_object(writer);
    json_end_object(writer);
}

static int is_first_of_its_path(int id)
{
    for (int before = 0; before < id; before++) {
        if (strcmp(route_get((enum route_id)before)->path, route_get((enum route_id)id)->path) == 0) {
            return 0;
        }
    }
    return 1;
}

static void write_paths(struct json_writer *writer)
{
    json_key(writer, "paths");
    json_begin_object(writer);
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const char *path = route_get((enum route_id)i)->path;

        if (is_first_of_its_path(i)) {
            json_key(writer, path);
            json_begin_object(writer);
            for (int j = i; j < ROUTE_COUNT; j++) {
                if (strcmp(route_get((enum route_id)j)->path, path) == 0) {
                    write_operation(route_get((enum route_id)j), writer);
                }
            }
            json_end_object(writer);
        }
    }
    json_end_object(writer);
}

void openapi_write(const char *version, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "openapi", "3.1.0");
    write_info(version, writer);
    write_paths(writer);
    json_key(writer, "components");
    json_begin_object(writer);
    json_key(writer, "schemas");
    openapi_write_schemas(writer);
    json_key(writer, "securitySchemes");
    json_begin_object(writer);
    json_key(writer, "token");
    json_begin_object(writer);
    json_member_string(writer, "type", "http");
    json_member_string(writer, "scheme", "bearer");
    json_member_string(writer, "description",
                       "Where the server has a token file. x-scope of an operation is what the token must allow.");
    json_end_object(writer);
    json_end_object(writer);
    json_end_object(writer);
    json_end_object(writer);
}
