/* The grammar is known to hold, so each step only looks at the character that decides. */
#include "json_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_character.h"
#include "core/data/dataset.h"
#include "core/data/decimal.h"

#define FIRST_CAPACITY 64u

/* The first character behind blanks and, inside an array, behind the comma; it is left where it is. */
static char skip(struct json_rows *rows, size_t *at)
{
    while (strchr(" \t\r\n,", rows->span.text[*at]) != NULL) {
        ++*at;
    }
    return rows->span.text[*at];
}

/* What a value is, by its first character. */
static const char *kind(char first)
{
    switch (first) {
    case '{':
        return "an object";
    case '[':
        return "a list";
    case '"':
        return "a string";
    case 't':
    case 'f':
        return "a boolean";
    case 'n':
        return "null";
    default:
        return "a number";
    }
}

static int begins_number(char first)
{
    return first == '-' || (first >= '0' && first <= '9');
}

/* Characters of the number that begins at `at`. */
static size_t number_size(const struct json_rows *rows, size_t at)
{
    return strspn(rows->span.text + at, "+-.0123456789eE");
}

/* Moves to the next element of the outer array; 0 at its end. */
static int next_element(struct json_rows *rows, char *first)
{
    if (rows->at == 0) {
        rows->at = 1; /* behind '[' */
    }
    *first = skip(rows, &rows->at);
    return *first != ']';
}

int json_rows_is_nested(const struct json_rows *rows)
{
    struct json_rows copy = *rows;
    char first;

    return next_element(&copy, &first) && first == '[';
}

static int grow(struct json_rows *rows)
{
    uint32_t capacity = rows->width > 0 ? rows->width : rows->capacity == 0 ? FIRST_CAPACITY : 2 * rows->capacity;
    float *row = realloc(rows->row, capacity * sizeof *row);

    if (row == NULL) {
        return 0;
    }
    rows->row = row;
    rows->capacity = capacity;
    return 1;
}

/* Value `column` of the row in hand, which begins with `first`. */
static enum status read_value(struct json_rows *rows, char first, uint32_t column, struct error *error)
{
    char pointer[192];
    size_t size;
    float value;

    if (rows->width == 0 && column >= rows->max_width) {
        snprintf(pointer, sizeof pointer, "%s/%llu", rows->pointer, (unsigned long long)rows->index);
        return error_set_pointer(error, STATUS_TOO_MANY_COLUMNS, pointer, "a row has more than %u values", rows->max_width);
    }
    snprintf(pointer, sizeof pointer, "%s/%llu/%u", rows->pointer, (unsigned long long)rows->index, column);
    if (!begins_number(first)) {
        return error_set_pointer(error, STATUS_TYPE_MISMATCH, pointer, "%s where a number is wanted", kind(first));
    }
    size = number_size(rows, rows->at);
    if (decimal_f32(rows->span.text + rows->at, size, &value) != DECIMAL_FINITE) {
        return error_set_pointer(error, STATUS_NUMBER_OUT_OF_RANGE, pointer, "%.*s is beyond the range of float32",
                                 (int)size, rows->span.text + rows->at);
    }
    rows->at += size;
    if (rows->width > 0 && column >= rows->width) {
        return STATUS_OK; /* only counted, for the message */
    }
    if (column >= rows->capacity && !grow(rows)) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a row of %u values", column + 1);
    }
    rows->row[column] = value;
    return STATUS_OK;
}

static enum status check_width(struct json_rows *rows, uint32_t found, struct error *error)
{
    char pointer[192];

    if (rows->width == 0) {
        rows->width = found;
    }
    if (found == rows->width && found > 0) {
        return STATUS_OK;
    }
    snprintf(pointer, sizeof pointer, "%s/%llu", rows->pointer, (unsigned long long)rows->index);
    if (found == 0) {
        return error_set_pointer(error, rows->width_error, pointer, "a row has no values");
    }
    return error_set_pointer(error, rows->width_error, pointer, "%u value%s, wanted are %u", found, found == 1 ? "" : "s",
                             rows->width);
}

enum status json_rows_next(struct json_rows *rows, const float **x, struct error *error)
{
    char first, pointer[192];
    uint32_t column = 0;
    enum status status;

    *x = NULL;
    if (!next_element(rows, &first)) {
        return STATUS_OK;
    }
    if (first != '[') {
        snprintf(pointer, sizeof pointer, "%s/%llu", rows->pointer, (unsigned long long)rows->index);
        return error_set_pointer(error, STATUS_TYPE_MISMATCH, pointer, "%s where a list of numbers is wanted", kind(first));
    }
    rows->at++;
    for (; (first = skip(rows, &rows->at)) != ']'; column++) {
        status = read_value(rows, first, column, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    rows->at++;
    status = check_width(rows, column, error);
    if (status == STATUS_OK) {
        rows->index++;
        *x = rows->row;
    }
    return status;
}

/* A string's characters, without escapes; not more than a class name may have. */
static enum status read_string_label(struct json_rows *rows, const char *pointer, struct error *error)
{
    struct json_character character = {.length = 1};

    rows->at++; /* the opening quote */
    for (;;) {
        enum status status = json_character_read(rows->span.text, rows->span.size, &rows->at, &character);

        if (status != STATUS_OK) {
            return error_set_pointer(error, status, pointer, "a label is not a string");
        }
        if (character.length == 0) {
            return STATUS_OK;
        }
        if (rows->label.size + character.length > DATASET_CLASS_NAME_MAX) {
            return error_set_pointer(error, STATUS_LABEL_INVALID, pointer, "a label has more than %d bytes",
                                     DATASET_CLASS_NAME_MAX);
        }
        text_put(&rows->label, character.bytes, character.length);
    }
}

static enum status read_number_label(struct json_rows *rows, const char *pointer, struct error *error)
{
    size_t size = number_size(rows, rows->at);
    double value;

    if (decimal_f64(rows->span.text + rows->at, size, &value) != DECIMAL_FINITE) {
        return error_set_pointer(error, STATUS_NUMBER_OUT_OF_RANGE, pointer, "%.*s is beyond the range of a double",
                                 (int)size, rows->span.text + rows->at);
    }
    text_number(&rows->label, value + 0.0); /* -0 is 0 */
    rows->at += size;
    return STATUS_OK;
}

enum status json_rows_next_label(struct json_rows *rows, const char **label, size_t *size, struct error *error)
{
    char first, pointer[192];
    enum status status;

    *label = NULL;
    *size = 0;
    if (!next_element(rows, &first)) {
        return STATUS_OK;
    }
    snprintf(pointer, sizeof pointer, "%s/%llu", rows->pointer, (unsigned long long)rows->index);
    if (first != '"' && !begins_number(first)) {
        return error_set_pointer(error, STATUS_TYPE_MISMATCH, pointer, "%s where a string or a number is wanted",
                                 kind(first));
    }
    rows->label.size = 0;
    text_string(&rows->label, ""); /* there is a text, even for an empty label */
    status = first == '"' ? read_string_label(rows, pointer, error) : read_number_label(rows, pointer, error);
    if (status == STATUS_OK && rows->label.failed) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a label");
    }
    if (status == STATUS_OK) {
        rows->index++;
        *label = rows->label.data;
        *size = rows->label.size;
    }
    return status;
}

void json_rows_release(struct json_rows *rows)
{
    free(rows->row);
    text_release(&rows->label);
    rows->row = NULL;
}
