/* A bit per depth says whether a comma is due; that is all the state there is. */
#include "json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

/* Before every value and key: the comma, unless it is the first item or stands behind its key. */
static void separate(struct json_writer *writer)
{
    uint32_t bit = 1u << writer->depth;

    if (writer->after_key) {
        writer->after_key = 0;
        return;
    }
    if (writer->has_items & bit) {
        text_put(&writer->text, ",", 1);
    }
    writer->has_items |= bit;
}

static void begin(struct json_writer *writer, const char *bracket)
{
    separate(writer);
    text_put(&writer->text, bracket, 1);
    assert(writer->depth + 1 < JSON_WRITER_MAX_DEPTH);
    writer->depth++;
    writer->has_items &= ~(1u << writer->depth);
}

static void end(struct json_writer *writer, const char *bracket)
{
    assert(writer->depth > 0 && !writer->after_key);
    writer->depth--;
    text_put(&writer->text, bracket, 1);
}

void json_begin_object(struct json_writer *writer)
{
    begin(writer, "{");
}

void json_end_object(struct json_writer *writer)
{
    end(writer, "}");
}

void json_begin_array(struct json_writer *writer)
{
    begin(writer, "[");
}

void json_end_array(struct json_writer *writer)
{
    end(writer, "]");
}

static void put_escaped(struct text *text, unsigned char byte)
{
    static const char SHORT[] = "\bb\ff\nn\rr\tt\"\"\\\\"; /* pairs: byte, letter behind the backslash */

    for (size_t i = 0; i + 1 < sizeof SHORT; i += 2) {
        if ((unsigned char)SHORT[i] == byte) {
            text_put(text, (char[]){'\\', SHORT[i + 1]}, 2);
            return;
        }
    }
    text_printf(text, "\\u%04x", byte);
}

/* Runs of plain bytes at once, everything else by itself. */
static void put_string(struct text *text, const char *value, size_t size)
{
    size_t run = 0, i = 0;

    text_put(text, "\"", 1);
    while (i < size) {
        unsigned char byte = (unsigned char)value[i];
        size_t length = byte < 0x80 ? 1 : utf8_sequence(value + i, size - i);

        if (length > 0 && byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\') {
            i += length;
            continue;
        }
        text_put(text, value + run, i - run);
        if (length == 0) {
            text_string(text, "\xEF\xBF\xBD");
        } else {
            put_escaped(text, byte);
        }
        run = ++i;
    }
    text_put(text, value + run, size - run);
    text_put(text, "\"", 1);
}

void json_key(struct json_writer *writer, const char *key)
{
    separate(writer);
    put_string(&writer->text, key, strlen(key));
    text_put(&writer->text, ":", 1);
    writer->after_key = 1;
}

void json_string_n(struct json_writer *writer, const char *value, size_t size)
{
    separate(writer);
    put_string(&writer->text, value, size);
}

void json_string(struct json_writer *writer, const char *value)
{
    if (value == NULL) {
        json_null(writer);
    } else {
        json_string_n(writer, value, strlen(value));
    }
}

void json_int(struct json_writer *writer, int64_t value)
{
    separate(writer);
    text_printf(&writer->text, "%" PRId64, value);
}

void json_uint(struct json_writer *writer, uint64_t value)
{
    separate(writer);
    text_printf(&writer->text, "%" PRIu64, value);
}

void json_number(struct json_writer *writer, double value)
{
    separate(writer);
    if (isfinite(value)) {
        text_number(&writer->text, value);
    } else {
        text_string(&writer->text, "null");
    }
}

void json_float(struct json_writer *writer, float value)
{
    separate(writer);
    if (!isfinite(value)) {
        text_string(&writer->text, "null");
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        char number[32];

        snprintf(number, sizeof number, "%.*g", digits, (double)value);
        if (digits == 9 || strtof(number, NULL) == value) {
            text_string(&writer->text, number);
            return;
        }
    }
}

void json_bool(struct json_writer *writer, int value)
{
    separate(writer);
    text_string(&writer->text, value ? "true" : "false");
}

void json_null(struct json_writer *writer)
{
    separate(writer);
    text_string(&writer->text, "null");
}

void json_raw(struct json_writer *writer, const char *json)
{
    separate(writer);
    text_string(&writer->text, json != NULL ? json : "null");
}

void json_member_string(struct json_writer *writer, const char *key, const char *value)
{
    json_key(writer, key);
    json_string(writer, value);
}

void json_member_int(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_int(writer, value);
}

void json_member_uint(struct json_writer *writer, const char *key, uint64_t value)
{
    json_key(writer, key);
    json_uint(writer, value);
}

void json_member_number(struct json_writer *writer, const char *key, double value)
{
    json_key(writer, key);
    json_number(writer, value);
}

void json_member_float(struct json_writer *writer, const char *key, float value)
{
    json_key(writer, key);
    json_float(writer, value);
}

void json_member_bool(struct json_writer *writer, const char *key, int value)
{
    json_key(writer, key);
    json_bool(writer, value);
}

void json_member_null(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_null(writer);
}

void json_member_raw(struct json_writer *writer, const char *key, const char *json)
{
    json_key(writer, key);
    json_raw(writer, json);
}

void json_members_raw(struct json_writer *writer, const char *object)
{
    size_t size = strlen(object);

    assert(size >= 2 && object[0] == '{' && object[size - 1] == '}');
    if (size > 2) {
        separate(writer);
        text_put(&writer->text, object + 1, size - 2);
    }
}

enum status json_writer_take(struct json_writer *writer, char **text, size_t *size, struct error *error)
{
    assert(writer->depth == 0 && !writer->after_key);
    writer->has_items = 0;
    return text_take(&writer->text, text, size, error);
}

char *json_writer_text(struct json_writer *writer)
{
    struct error ignored = {.status = STATUS_OK}; /* NULL says it */
    char *text = NULL;
    size_t size;

    if (json_writer_take(writer, &text, &size, &ignored) != STATUS_OK) {
        json_writer_release(writer);
        return NULL;
    }
    return text;
}

void json_writer_release(struct json_writer *writer)
{
    text_release(&writer->text);
}
