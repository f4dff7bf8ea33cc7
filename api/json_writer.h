/*
 * Writing JSON: commas and nesting are the writer's business, numbers round-trip, strings are always valid UTF-8.
 *
 * Writing never fails halfway: once the memory or the limit (text.h) has run out, the rest is dropped and
 * json_writer_take says so. Our own, because cJSON's printing loses digits of one double in six.
 */
#ifndef DESCENT_API_JSON_WRITER_H
#define DESCENT_API_JSON_WRITER_H

#include <stdint.h>

#include "api/text.h"

#define JSON_WRITER_MAX_DEPTH 32

/* Zero-initialise; free with json_writer_release or give away with json_writer_take. */
struct json_writer {
    struct text text; /* tables and charts, which are not JSON, write into it directly */
    uint32_t depth;
    uint32_t has_items; /* bit d: the container at depth d has an item already */
    int after_key;
};

void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
/* The next value's name, in an object. */
void json_key(struct json_writer *writer, const char *key);

void json_string(struct json_writer *writer, const char *value); /* NULL: null; broken UTF-8 becomes U+FFFD */
void json_string_n(struct json_writer *writer, const char *value, size_t size);
void json_int(struct json_writer *writer, int64_t value);
void json_uint(struct json_writer *writer, uint64_t value);
void json_number(struct json_writer *writer, double value); /* shortest that reads back equal; not finite: null */
void json_float(struct json_writer *writer, float value);   /* the same for float32 */
void json_bool(struct json_writer *writer, int value);
void json_null(struct json_writer *writer);
void json_raw(struct json_writer *writer, const char *json); /* one value as JSON text; NULL: null */

/* json_key and a value. */
void json_member_string(struct json_writer *writer, const char *key, const char *value);
void json_member_int(struct json_writer *writer, const char *key, int64_t value);
void json_member_uint(struct json_writer *writer, const char *key, uint64_t value);
void json_member_number(struct json_writer *writer, const char *key, double value);
void json_member_float(struct json_writer *writer, const char *key, float value);
void json_member_bool(struct json_writer *writer, const char *key, int value);
void json_member_null(struct json_writer *writer, const char *key);
void json_member_raw(struct json_writer *writer, const char *key, const char *json);
/* All members of an object that is JSON text already, "{...}" without blanks around it. */
void json_members_raw(struct json_writer *writer, const char *object);

/* Gives the text (malloc'ed, NUL-terminated, `size` without the NUL) to the caller. STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status json_writer_take(struct json_writer *writer, char **text, size_t *size, struct error *error);
/* The same, NULL where there was no memory: nothing is left to release. */
char *json_writer_text(struct json_writer *writer);
void json_writer_release(struct json_writer *writer);

#endif
