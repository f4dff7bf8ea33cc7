/* Each step reads on from where the last one ended; nothing is copied. See json_piece.h. */
#include "json_piece.h"

#include <assert.h>
#include <string.h>

#include "api/json_character.h"
#include "core/data/decimal.h"

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    return at;
}

/* Past the string that begins at the quote `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        at += *at == '\\';
    }
    return at < end ? at + 1 : end;
}

/* Past the list or object that begins at `at`. */
static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    do {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    } while (depth > 0 && at < end);
    return at;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"') {
        return skip_string(at, end);
    }
    if (at < end && (*at == '{' || *at == '[')) {
        return skip_container(at, end);
    }
    while (at < end && !is_blank(*at) && *at != ',' && *at != '}' && *at != ']') {
        at++;
    }
    return at;
}

static struct json_piece value_at(const char *at, const char *end)
{
    const char *start = skip_blanks(at, end);

    return (struct json_piece){start, (size_t)(skip_value(start, end) - start)};
}

struct json_piece json_piece_of(const char *text, size_t size)
{
    return value_at(text, text + size);
}

int json_piece_is_object(struct json_piece value)
{
    return value.text != NULL && value.text[0] == '{';
}

int json_piece_is_null(struct json_piece value)
{
    return value.text != NULL && value.text[0] == 'n';
}

struct json_pieces json_pieces_of(struct json_piece value)
{
    int is_container = value.text != NULL && (value.text[0] == '{' || value.text[0] == '[');

    return is_container ? (struct json_pieces){value.text + 1, value.text + value.size - 1, value.text[0] == '{'}
                        : (struct json_pieces){value.text, value.text, 0};
}

int json_pieces_next(struct json_pieces *pieces, struct json_piece *key, struct json_piece *value)
{
    const char *end = pieces->end, *at = skip_blanks(pieces->at, end);

    *key = (struct json_piece){NULL, 0};
    if (at == end) {
        return 0;
    }
    if (pieces->has_keys) {
        *key = value_at(at, end);
        at = skip_blanks(key->text + key->size, end) + 1; /* behind the ':' */
    }
    *value = value_at(at, end);
    at = skip_blanks(value->text + value->size, end);
    pieces->at = at < end ? at + 1 : end; /* behind the ',' */
    return 1;
}

int json_piece_same_key(struct json_piece a, struct json_piece b)
{
    struct json_character x, y;
    size_t i = 1, j = 1; /* behind the quotes */

    do {
        enum status status = json_character_read(a.text, a.size, &i, &x);

        status = status == STATUS_OK ? json_character_read(b.text, b.size, &j, &y) : status;
        assert(status == STATUS_OK);
        if (status != STATUS_OK || x.length != y.length || memcmp(x.bytes, y.bytes, x.length) != 0) {
            return 0;
        }
    } while (x.length > 0);
    return 1;
}

int json_piece_is_text(struct json_piece string, const char *text, size_t size)
{
    struct json_character x;
    size_t i = 1, at = 0;

    do {
        enum status status = json_character_read(string.text, string.size, &i, &x);

        assert(status == STATUS_OK);
        if (status != STATUS_OK || x.length > size - at || memcmp(x.bytes, text + at, x.length) != 0) {
            return 0;
        }
        at += x.length;
    } while (x.length > 0);
    return at == size;
}

struct json_piece json_piece_get(struct json_piece object, const char *name, size_t size)
{
    struct json_pieces members = json_pieces_of(object);
    struct json_piece key, value;

    while (json_piece_is_object(object) && json_pieces_next(&members, &key, &value)) {
        if (json_piece_is_text(key, name, size)) {
            return value;
        }
    }
    return (struct json_piece){NULL, 0};
}

int json_pointer_next(const char **pointer, char segment[POINTER_SEGMENT_TEXT], size_t *size)
{
    const char *at = *pointer;

    *size = 0;
    if (*at != '/') {
        return 0;
    }
    for (at++; *at != '\0' && *at != '/'; at++) {
        char c = *at;

        if (c == '~' && (at[1] == '0' || at[1] == '1')) {
            at++;
            c = *at == '0' ? '~' : '/';
        }
        if (*size < POINTER_SEGMENT_TEXT) {
            segment[(*size)++] = c;
        }
    }
    *pointer = at;
    return 1;
}

int json_pointer_is_valid(const char *pointer)
{
    if (pointer[0] != '/' && pointer[0] != '\0') {
        return 0;
    }
    for (; *pointer != '\0'; pointer++) {
        if (*pointer == '~' && pointer[1] != '0' && pointer[1] != '1') {
            return 0;
        }
    }
    return 1;
}

/* The element of a list that a segment names: decimal digits, no leading zeros. */
static struct json_piece element_at(struct json_piece list, const char *segment, size_t size)
{
    struct json_pieces elements = json_pieces_of(list);
    struct json_piece key, value;
    size_t index = 0;

    if (size == 0 || size > 9 || (size > 1 && segment[0] == '0')) {
        return (struct json_piece){NULL, 0};
    }
    for (size_t i = 0; i < size; i++) {
        if (segment[i] < '0' || segment[i] > '9') {
            return (struct json_piece){NULL, 0};
        }
        index = index * 10 + (size_t)(segment[i] - '0');
    }
    while (json_pieces_next(&elements, &key, &value)) {
        if (index-- == 0) {
            return value;
        }
    }
    return (struct json_piece){NULL, 0};
}

struct json_piece json_piece_at(struct json_piece value, const char *pointer)
{
    char segment[POINTER_SEGMENT_TEXT];
    size_t size;

    while (value.text != NULL && json_pointer_next(&pointer, segment, &size)) {
        if (value.text[0] == '[') {
            value = element_at(value, segment, size);
        } else {
            value = json_piece_get(value, segment, size);
        }
    }
    return value;
}

int json_piece_number(struct json_piece value, double *number)
{
    return value.text != NULL && decimal_f64(value.text, value.size, number) == DECIMAL_FINITE;
}

void json_piece_words(struct json_piece value, char *words, size_t room)
{
    struct json_character x = {.length = 0};
    int is_string = value.text[0] == '"';
    size_t used = 0, at = is_string ? 1 : 0;

    do {
        if (is_string) {
            enum status status = json_character_read(value.text, value.size, &at, &x);

            assert(status == STATUS_OK);
            x.length = status == STATUS_OK ? x.length : 0;
        } else { /* numbers, words, and lists of them: bytes will do, but for strings in them */
            x.length = at < value.size && (value.text[at] & 0x80) == 0;
            x.bytes[0] = x.length > 0 ? value.text[at++] : '\0';
        }
        if (x.length > 0 && used + x.length < room) {
            memcpy(words + used, x.bytes, x.length);
            used += x.length;
        } else {
            x.length = 0;
        }
    } while (x.length > 0);
    words[used] = '\0';
}
