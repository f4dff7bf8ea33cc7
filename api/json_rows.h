/*
 * Bulk arrays of JSON, read as a stream: rows of numbers [[1, 2], ...], labels ["a", 7, ...]. Nothing but one row is held.
 *
 * The text must have been checked by json_validate. Errors carry the pointer of what is wrong, "/instances/3/17".
 */
#ifndef DESCENT_API_JSON_ROWS_H
#define DESCENT_API_JSON_ROWS_H

#include <stdint.h>

#include "api/json_validator.h"
#include "api/text.h"

/* Fill in the first part, the rest 0; free with json_rows_release. */
struct json_rows {
    const char *pointer;     /* of the array, borrowed */
    struct json_span span;   /* borrows its text */
    uint32_t width;          /* values a row must have; 0: as many as the first, which sets this */
    uint32_t max_width;      /* with width 0: more in the first row are STATUS_TOO_MANY_COLUMNS */
    enum status width_error; /* of a row with another number of values */

    size_t at;      /* behind what was read */
    uint64_t index; /* rows or labels read */
    float *row;
    uint32_t capacity;
    struct text label;
};

/* 1 if the next element, or the first, is an array. Reads nothing. */
int json_rows_is_nested(const struct json_rows *rows);

/*
 * The next row into *x [width], borrowed until the next call; *x NULL at the end. Values are rounded to float32.
 * STATUS_TYPE_MISMATCH, STATUS_NUMBER_OUT_OF_RANGE (beyond float32), width_error, STATUS_TOO_MANY_COLUMNS,
 * STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status json_rows_next(struct json_rows *rows, const float **x, struct error *error);

/*
 * The next label into *label [*size], borrowed until the next call; NULL at the end. A string is itself; a number is its
 * value in as few digits as it takes, so that 1, 1.0 and 1e0 are one class. STATUS_TYPE_MISMATCH,
 * STATUS_NUMBER_OUT_OF_RANGE (beyond a double), STATUS_LABEL_INVALID (longer than a class name may be),
 * STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status json_rows_next_label(struct json_rows *rows, const char **label, size_t *size, struct error *error);

void json_rows_release(struct json_rows *rows);

#endif
