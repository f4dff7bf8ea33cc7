/*
 * A strict reading of RFC 8259, before any parser sees the text: grammar, UTF-8, sizes. What passes here cannot surprise
 * a laxer parser behind it, and cannot make it use more memory or time than a small multiple of the limits.
 *
 * Arrays that are known to be large ("bulk") are checked as strictly, but their numbers, strings and inner arrays are not
 * counted; their place is noted instead, so that they can be read as a stream (json_rows.h).
 */
#ifndef DESCENT_API_JSON_VALIDATOR_H
#define DESCENT_API_JSON_VALIDATOR_H

#include <stddef.h>

#include "core/base/status.h"

#define JSON_MAX_DEPTH  32
#define JSON_MAX_NODES  20000 /* values, those in bulk arrays not counted */
#define JSON_MAX_KEYS   256   /* in one object */
#define JSON_MAX_NUMBER 64    /* characters */
#define JSON_MAX_BULK   8

/* One array as it stands in the text, '[' and ']' included. Borrows the text. */
struct json_span {
    const char *text; /* NULL: there is no such array */
    size_t size;
    size_t count; /* of its elements */
};

/*
 * Checks all of text [size] (need not be NUL-terminated). bulk [bulk_count]: pointers of bulk arrays, "/dataset/x", whose
 * segments are plain keys; spans [bulk_count] are written.
 * Errors carry the byte offset: STATUS_JSON_*, STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status json_validate(const char *text, size_t size, const char *const *bulk, size_t bulk_count,
                                     struct json_span *spans, struct error *error);

#endif
