/* Errors are collected here and written once; the place of each is told in the words of its sort. */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"

static const int HTTP_STATUS[] = {
    [KIND_NONE] = 200,        [KIND_MALFORMED] = 400,    [KIND_UNAUTHENTICATED] = 401, [KIND_FORBIDDEN] = 403,
    [KIND_NOT_FOUND] = 404,   [KIND_METHOD] = 405,       [KIND_NOT_ACCEPTABLE] = 406,  [KIND_CONFLICT] = 409,
    [KIND_GONE] = 410,        [KIND_PRECONDITION] = 412, [KIND_TOO_LARGE] = 413,       [KIND_MEDIA_TYPE] = 415,
    [KIND_RANGE] = 416,       [KIND_EXPECTATION] = 417,  [KIND_MISDIRECTED] = 421,     [KIND_INVALID] = 422,
    [KIND_RATE] = 429,        [KIND_HEADERS] = 431,      [KIND_INTERNAL] = 500,        [KIND_UNSUPPORTED] = 501,
    [KIND_UNAVAILABLE] = 503, [KIND_TIMEOUT] = 504,      [KIND_STORAGE_FULL] = 507,
};

void problem_init(struct problem *problem)
{
    *problem = (struct problem){0};
}

void problem_release(struct problem *problem)
{
    free(problem->fields);
    problem->fields = NULL;
    problem->field_count = 0;
}

/* The place of one more field's error, or NULL. */
static struct problem_field *new_field(struct problem *problem)
{
    problem->field_total++;
    if (problem->status == STATUS_OK) {
        problem->status = STATUS_VALIDATION_FAILED;
    }
    if (problem->fields == NULL) {
        problem->fields = calloc(PROBLEM_MAX_ERRORS, sizeof *problem->fields);
    }
    return problem->fields != NULL && problem->field_count < PROBLEM_MAX_ERRORS ? &problem->fields[problem->field_count++]
                                                                                : NULL;
}

void problem_add_field(struct problem *problem, enum status status, const char *pointer, const char *extra,
                       const char *format, ...)
{
    struct problem_field *field = new_field(problem);
    va_list arguments;

    if (field == NULL) {
        return;
    }
    field->status = status;
    field->has_pointer = pointer != NULL;
    snprintf(field->pointer, sizeof field->pointer, "%s", pointer != NULL ? pointer : "");
    va_start(arguments, format);
    vsnprintf(field->detail, sizeof field->detail, format, arguments);
    va_end(arguments);
    if (extra != NULL && strlen(extra) < sizeof field->extra) {
        memcpy(field->extra, extra, strlen(extra) + 1);
    }
}

void problem_add(struct problem *problem, const struct error *error)
{
    if (error->status == STATUS_OK) {
        return;
    }
    if (error->pointer[0] != '\0' && status_kind(error->status) == KIND_INVALID) {
        problem_add_field(problem, error->status, error->pointer, NULL, "%s", error->message);
    } else if (problem->whole.status == STATUS_OK) {
        problem->whole = *error;
        problem->status = error->status;
    }
}

void problem_add_member(struct problem *problem, const char *key, const char *json)
{
    size_t used = strlen(problem->extra), room = sizeof problem->extra - used;
    int size = snprintf(problem->extra + used, room, "%s\"%s\":%s", used > 0 ? "," : "", key, json);

    if (size < 0 || (size_t)size >= room) {
        problem->extra[used] = '\0';
    }
}

int status_http(enum status status)
{
    return HTTP_STATUS[status_kind(status)];
}

int problem_http_status(const struct problem *problem)
{
    return status_http(problem->status);
}

/* Members that stand in `extra` already as text. */
static void write_extra(struct json_writer *writer, const char *extra)
{
    if (extra[0] != '\0') {
        text_put(&writer->text, ",", 1);
        text_string(&writer->text, extra);
    }
}

static void write_field(struct json_writer *writer, const struct problem_field *field)
{
    json_begin_object(writer);
    if (field->has_pointer) {
        json_member_string(writer, "pointer", field->pointer);
    }
    json_member_string(writer, "code", status_code(field->status));
    json_member_string(writer, "detail", field->detail);
    write_extra(writer, field->extra);
    json_end_object(writer);
}

static void write_detail(struct json_writer *writer, const struct problem *problem)
{
    char text[64];

    if (problem->whole.status != STATUS_OK) {
        json_member_string(writer, "detail", problem->whole.message);
        return;
    }
    snprintf(text, sizeof text, "%zu problem%s", problem->field_total, problem->field_total == 1 ? "" : "s");
    json_member_string(writer, "detail", text);
}

static void write_place(struct json_writer *writer, const struct error *error)
{
    if (error->pointer[0] != '\0') {
        json_member_string(writer, "pointer", error->pointer);
    }
    if (error->line > 0) {
        json_member_int(writer, "line", error->line);
    }
    if (error->column > 0) {
        json_member_int(writer, "column", error->column);
    }
    if (error->has_offset) {
        json_member_int(writer, "offset", error->offset);
    }
}

/* What is wrong with what was sent stands in errors[], whatever its form. */
static int is_of_content(const struct error *error)
{
    return status_kind(error->status) == KIND_INVALID || (status_kind(error->status) == KIND_MALFORMED && error->has_offset);
}

static void write_whole(struct json_writer *writer, const struct error *error)
{
    json_begin_object(writer);
    json_member_string(writer, "code", status_code(error->status));
    json_member_string(writer, "detail", error->message);
    write_place(writer, error);
    json_end_object(writer);
}

char *problem_encode(const struct problem *problem, const char *request_id, size_t *size)
{
    struct json_writer writer = {0};
    struct error ignored = {0}; /* the only failure is that there is no memory, which NULL says */
    char type[128], *text = NULL;

    snprintf(type, sizeof type, "https://descentd.example/problems/%s", status_code(problem->status));
    json_begin_object(&writer);
    json_member_string(&writer, "type", type);
    json_member_string(&writer, "title", status_title(problem->status));
    json_member_int(&writer, "status", problem_http_status(problem));
    json_member_string(&writer, "code", status_code(problem->status));
    write_detail(&writer, problem);
    if (request_id != NULL) {
        json_member_string(&writer, "request_id", request_id);
    }
    write_place(&writer, &problem->whole);
    write_extra(&writer, problem->extra);
    if (problem->field_count > 0 || is_of_content(&problem->whole)) {
        json_key(&writer, "errors");
        json_begin_array(&writer);
        if (is_of_content(&problem->whole)) {
            write_whole(&writer, &problem->whole);
        }
        for (size_t i = 0; i < problem->field_count; i++) {
            write_field(&writer, &problem->fields[i]);
        }
        json_end_array(&writer);
    }
    json_end_object(&writer);
    if (json_writer_take(&writer, &text, size, &ignored) != STATUS_OK) {
        json_writer_release(&writer);
        return NULL;
    }
    return text;
}
