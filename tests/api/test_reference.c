/*
 * docs/reference.md and docs/errors.md say what the tables of api/ say. Where they do not, the right text is left in
 * build/, to be looked at and copied.
 */
#include <stdio.h>

#include "api/descent_request.h"
#include "api/field_description.h"
#include "api/job_request_tables.h"
#include "api/problem.h"
#include "api/routes.h"
#include "tests/api/written.h"

/* Text within a table's cell. */
static void put_cell(struct text *out, const char *cell)
{
    for (; *cell != '\0'; cell++) {
        text_string(out, *cell == '|' ? "\\" : "");
        text_put(out, cell, 1);
    }
}

/* ---- routes ---- */

static void put_media(struct text *out, const uint8_t *media)
{
    for (size_t i = 0; i < ROUTE_MEDIA_MAX && media[i] != MEDIA_NONE; i++) {
        text_printf(out, "%s`%s`", i > 0 ? ", " : "", media_type((enum media)media[i]));
    }
}

static void put_route_row(struct text *out, const struct route *route)
{
    text_printf(out, "| `%s %s` | %s | ", method_name(route->method), route->path, scope_name(route->scope));
    for (size_t i = 0; i < ROUTE_ANSWERS_MAX && route->answers[i].status != 0; i++) {
        text_printf(out, "%s%d", i > 0 ? ", " : "", route->answers[i].status);
    }
    text_string(out, " | ");
    put_cell(out, route->summary);
    text_string(out, " |\n");
}

static void put_range(struct text *out, const struct query_parameter *parameter)
{
    switch (parameter->type) {
    case QUERY_BOOLEAN:
        text_string(out, "true, false");
        break;
    case QUERY_INTEGER:
    case QUERY_CLAMPED:
        text_printf(out, "integer, %.0f to %.0f", parameter->minimum, parameter->maximum);
        break;
    case QUERY_NUMBER:
        text_printf(out, "number, %g to below %g", parameter->minimum, parameter->maximum);
        break;
    case QUERY_SECONDS:
        text_printf(out, "number, %g to %g", parameter->minimum, parameter->maximum);
        break;
    case QUERY_CHOICE:
    case QUERY_LIST:
        for (const char *at = parameter->choices; *at != '\0'; at++) {
            text_string(out, *at == '|' ? ", " : "");
            text_put(out, at, *at != '|');
        }
        break;
    case QUERY_TEXT:
    case QUERY_PREFIX:
        text_printf(out, "text, up to %g bytes", parameter->maximum);
        break;
    }
}

static void put_parameters(struct text *out, const struct route *route)
{
    if (route->query[0] == PARAMETER_NONE) {
        return;
    }
    text_string(out, "\n| parameter | values | default | |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i] != PARAMETER_NONE; i++) {
        const struct query_parameter *parameter = query_parameter((enum query_id)route->query[i]);

        text_printf(out, "| `%s%s` | ", parameter->name, parameter->type == QUERY_PREFIX ? "…" : "");
        put_range(out, parameter);
        text_printf(out, " | %s | ", query_is_required(parameter) ? "must be given" : parameter->standard);
        put_cell(out, parameter->help);
        text_string(out, " |\n");
    }
}

static void put_route(struct text *out, const struct route *route)
{
    text_printf(out, "\n### `%s %s`\n\n", method_name(route->method), route->path);
    text_string(out, route->description);
    text_string(out, " ");
    if (route->body.kind != BODY_NONE) {
        text_string(out, "Body: ");
        put_media(out, route->body.media);
        if (route->body.limit > 0) {
            text_printf(out, ", at most %llu KiB", (unsigned long long)route->body.limit / 1024);
        }
        text_string(out, ". ");
    }
    text_string(out, "Answers: ");
    for (size_t i = 0; i < ROUTE_ANSWERS_MAX && route->answers[i].status != 0; i++) {
        text_printf(out, "%s%d", i > 0 ? "; " : "", route->answers[i].status);
        if (route->answers[i].media[0] != MEDIA_NONE) {
            text_string(out, " ");
            put_media(out, route->answers[i].media);
        }
    }
    text_string(out, ".\n");
    put_parameters(out, route);
}

/* ---- the job's request ---- */

/* A default as JSON; "" where there is no fixed one. */
static void put_default(struct text *out, const struct field *field)
{
    struct json_writer writer = {.depth = 0};

    if (field_has_default(field)) {
        field_write_default(field, &writer);
        text_printf(out, "`%s`", writer.text.data);
        json_writer_release(&writer);
    }
}

static void put_values(struct text *out, const struct field *field)
{
    const char *separator = "";

    if (field->kind == FIELD_NUMBER) {
        text_printf(out, "number, %s%g to %s%g", field->minimum_excluded ? "above " : "", field->minimum,
                    field->maximum_excluded ? "below " : "", field->maximum);
        separator = "; ";
    } else if (field->kind <= FIELD_INT32) {
        text_printf(out, "integer, %.0f to %.0f", field->minimum, field->maximum);
        separator = "; ";
    } else if (field->kind == FIELD_FLAG || field->kind == FIELD_FLAG_OR_CHOICE) {
        text_string(out, "true, false");
        separator = ", ";
    } else if (field->kind == FIELD_OTHER && field->choice_count == 0) {
        put_cell(out, field->json_type);
    } else if (field->kind == FIELD_NAME) {
        text_string(out, "up to 64 letters, digits, spaces, dots, dashes, underscores");
    } else if (field->kind == FIELD_PAIR) {
        text_printf(out, "integer or [height, width], %.0f to %.0f", field->minimum, field->maximum);
        separator = ", ";
    } else if (field->kind == FIELD_SEED) {
        text_string(out, "integer, or a string of decimal or 0x digits");
    }
    for (size_t c = field->kind == FIELD_FLAG_OR_CHOICE ? 1 : 0; c < field->choice_count; c++, separator = ", ") {
        text_printf(out, "%s`%s`", separator, field_choice(field, c));
    }
    if (field->word != NULL) {
        text_printf(out, "%s`%s`", separator, field->word);
    }
}

static void put_fields(struct text *out, const struct field_table *table)
{
    size_t shown = 0;

    for (size_t f = 0; f < table->count; f++) {
        const struct field *field = &table->fields[f];

        if (table->variant != NULL && strcmp(field->name, "type") == 0) {
            continue;
        }
        text_string(out, shown++ == 0 ? "\n| field | values | default | |\n| --- | --- | --- | --- |\n" : "");
        text_printf(out, "| `%s`%s | ", field->name, field->required ? " (required)" : "");
        put_values(out, field);
        text_string(out, " | ");
        put_default(out, field);
        text_string(out, " | ");
        put_cell(out, field->help);
        text_string(out, " |\n");
    }
}

static void put_table(struct text *out, enum job_table id, size_t variant)
{
    struct field_table table;

    job_table(id, variant, &table);
    text_printf(out, "\n### `%s`", table.name);
    if (table.variant != NULL) {
        text_printf(out, ": `%s`", table.variant);
    }
    text_string(out, "\n\n");
    put_cell(out, table.help);
    text_string(out, "\n");
    put_fields(out, &table);
}

/* ---- the request for descents ---- */

static void put_descents(struct text *out)
{
    struct field_table table = {.name = "descents", .count = descent_request_field_count};

    text_string(
        out,
        "\n## A request for descents\n\n"
        "The body of `POST /v1/landscapes/descents`; on a named landscape (`POST /v1/landscapes/{name}/descents`) there "
        "is no `f`.\n");
    memcpy(table.fields, descent_request_fields, table.count * sizeof *table.fields);
    put_fields(out, &table);
    text_string(out, "\nEach of `optimizers` is a job's [`optimizer`](#optimizer-sgd), and may have besides:\n");
    table.count = DESCENT_OPTIMIZER_FIELDS;
    memcpy(table.fields, descent_optimizer_fields, sizeof descent_optimizer_fields);
    put_fields(out, &table);
    text_printf(
        out,
        "\nAt most %d starts times optimizers, %d rows of paths, and %d operations (updates times twice the formula's "
        "operations);\nwhat is more is refused with the figures.\n",
        DESCENT_MAX_DESCENTS, DESCENT_MAX_ROWS, DESCENT_MAX_OPERATIONS);
}

static void write_reference(struct text *out)
{
    text_string(out,
                "# Reference\n\n"
                "Made from the tables that route and check requests (`tests/api/test_reference.c`); not edited by hand. The "
                "same as\nOpenAPI 3.1: `GET /v1/openapi.json`. Errors: [errors.md](errors.md).\n\n"
                "## Routes\n\n"
                "The second column is the scope that a token needs where the server has a token file.\n\n"
                "| route | scope | success | |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < ROUTE_COUNT; i++) {
        put_route_row(out, route_get((enum route_id)i));
    }
    for (int i = 0; i < ROUTE_COUNT; i++) {
        put_route(out, route_get((enum route_id)i));
    }
    text_string(out, "\n## A job's request\n\n"
                     "The body of `POST /v1/jobs`. Unknown fields are refused. An object with several forms is told by its "
                     "`type`.\n");
    for (int id = 0; id < JOB_TABLE_COUNT; id++) {
        for (size_t v = 0; v < job_table_variants((enum job_table)id); v++) {
            put_table(out, (enum job_table)id, v);
        }
    }
    put_descents(out);
}

/* ---- errors ---- */

static void write_errors(struct text *out)
{
    text_string(
        out, "# Errors\n\n"
             "Made from `core/base/status.def` (`tests/api/test_reference.c`); not edited by hand. Every failed request is "
             "answered with a problem\ndocument (RFC 9457); `code` tells failures apart and never changes. Mistakes in a "
             "document are told all at once in `errors`, each with\nits own code and place; where there are only such, the "
             "document's code is `validation_failed`.\n\n"
             "| code | HTTP | |\n| --- | --- | --- |\n");
    for (int s = STATUS_OK + 1; s < STATUS_COUNT; s++) {
        text_printf(out, "| `%s` | %d | ", status_code((enum status)s), status_http((enum status)s));
        put_cell(out, status_title((enum status)s));
        text_string(out, " |\n");
    }
}

/* ---- the check ---- */

/* Whether the file at `path` is exactly `text`. */
static int is_in_file(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "rb");
    char *found = malloc(text->size + 1);
    int same = file != NULL && found != NULL && fread(found, 1, text->size + 1, file) == text->size &&
               memcmp(found, text->data, text->size) == 0;

    if (file != NULL) {
        (void)fclose(file);
    }
    free(found);
    return same;
}

static void assert_document(const char *name, void (*write)(struct text *out))
{
    struct text text = {.data = NULL};
    char path[64];

    write(&text);
    assert_false(text.failed);
    (void)snprintf(path, sizeof path, "docs/%s", name);
    if (!is_in_file(path, &text)) {
        (void)snprintf(path, sizeof path, "build/%s", name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
        assert_int_equal(fclose(file), 0);
        text_release(&text);
        fail_msg("docs/%s is not what the tables say: look at %s and copy it", name, path);
    }
    text_release(&text);
}

static void the_reference_says_what_the_tables_say(void **state)
{
    (void)state;
    assert_document("reference.md", write_reference);
}

static void the_list_of_errors_is_complete(void **state)
{
    (void)state;
    assert_document("errors.md", write_errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_says_what_the_tables_say),
        cmocka_unit_test(the_list_of_errors_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
