/*
 * JSON texts: what the validator passes must parse, be written and be read again alike; bulk arrays must be readable rows,
 * labels or an error.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_rows.h"
#include "api/json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const BULK[] = {"/instances", "/dataset/x", "/dataset/y"};
#define BULK_COUNT (sizeof BULK / sizeof *BULK)

static void write_value(const struct json_value *value, struct json_writer *writer)
{
    switch (json_type(value)) {
    case JSON_NULL:
        json_null(writer);
        break;
    case JSON_BOOL:
        json_bool(writer, json_is_true(value));
        break;
    case JSON_NUMBER:
        json_number(writer, json_to_number(value));
        break;
    case JSON_STRING:
        json_string(writer, json_to_string(value));
        break;
    case JSON_ARRAY:
        json_begin_array(writer);
        for (const struct json_value *item = json_first(value); item != NULL; item = json_next(item)) {
            write_value(item, writer);
        }
        json_end_array(writer);
        break;
    case JSON_OBJECT:
        json_begin_object(writer);
        for (const struct json_value *item = json_first(value); item != NULL; item = json_next(item)) {
            json_key(writer, json_name(item));
            write_value(item, writer);
        }
        json_end_object(writer);
        break;
    }
}

static char *text_of(const struct json_document *document, size_t *size)
{
    struct json_writer writer = {0};
    struct error error = {.status = STATUS_OK};
    char *text = NULL;

    write_value(json_root(document), &writer);
    if (json_writer_take(&writer, &text, size, &error) != STATUS_OK) {
        abort();
    }
    return text;
}

/* What is written is JSON, and writing what was read of it changes nothing. */
static void check_round_trip(const struct json_document *document)
{
    struct json_document *again = NULL;
    struct error error = {.status = STATUS_OK};
    size_t size, second_size;
    char *text = text_of(document, &size), *second;

    if (json_parse(&again, text, size, NULL, 0, &error) != STATUS_OK) {
        abort();
    }
    second = text_of(again, &second_size);
    if (size != second_size || memcmp(text, second, size) != 0) {
        abort();
    }
    free(text);
    free(second);
    json_free(again);
}

static void read_bulk(const struct json_span *span, const char *pointer)
{
    struct json_rows rows = {
        .pointer = pointer, .span = *span, .max_width = 64, .width_error = STATUS_FEATURE_COUNT_MISMATCH};
    struct json_rows labels = rows;
    struct error error = {.status = STATUS_OK};
    const float *x = NULL;
    const char *label = NULL;
    size_t size;

    (void)json_rows_is_nested(&rows);
    while (json_rows_next(&rows, &x, &error) == STATUS_OK && x != NULL) {
    }
    if (error.status == STATUS_OK && rows.index != span->count) {
        abort();
    }
    error = (struct error){.status = STATUS_OK};
    while (json_rows_next_label(&labels, &label, &size, &error) == STATUS_OK && label != NULL) {
    }
    if (error.status == STATUS_OK && labels.index != span->count) {
        abort();
    }
    json_rows_release(&rows);
    json_rows_release(&labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    if (json_parse(&document, (const char *)data, size, BULK, BULK_COUNT, &error) != STATUS_OK) {
        return 0;
    }
    for (size_t i = 0; i < BULK_COUNT; i++) {
        if (json_bulk(document, i) != NULL) {
            read_bulk(json_bulk(document, i), BULK[i]);
        }
    }
    check_round_trip(document);
    json_free(document);
    return 0;
}
