/*
 * A recursive descent whose depth is limited. Keys of the objects that are open stand on one stack, as hashes with their
 * places, so that an object's keys are compared without copying them.
 */
#include "json_validator.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_character.h"

struct key {
    uint64_t hash; /* of what it means, whatever escapes it is written with */
    size_t at;     /* behind its opening quote */
};

struct validator {
    const char *text;
    size_t size, at;
    size_t nodes;
    struct key *keys; /* of all objects that are open, the innermost last */
    size_t key_count, key_capacity;
    const char *const *bulk;
    size_t bulk_count;
    struct json_span *spans;
    struct error *error;
};

/* Where a value stands. */
struct place {
    unsigned depth;  /* containers around it */
    unsigned on_way; /* bit i: bulk pointer i begins with the keys that led here */
    int in_bulk;     /* inside a bulk array */
};

#define FAIL(v, status, ...) error_set_offset((v)->error, status, (int64_t)(v)->at, __VA_ARGS__)

static enum status check_value(struct validator *v, struct place place);

static int peek(const struct validator *v)
{
    return v->at < v->size ? (unsigned char)v->text[v->at] : -1;
}

static void skip_blanks(struct validator *v)
{
    while (v->at < v->size && v->text[v->at] != '\0' && strchr(" \t\r\n", v->text[v->at]) != NULL) {
        v->at++;
    }
}

/* Takes the given character behind blanks. */
static int take(struct validator *v, int wanted)
{
    skip_blanks(v);
    if (peek(v) != wanted) {
        return 0;
    }
    v->at++;
    return 1;
}

static enum status fail_unexpected(struct validator *v, const char *wanted)
{
    int found = peek(v);

    if (found < 0) {
        return FAIL(v, STATUS_JSON_INVALID, "the text ends where %s should stand", wanted);
    }
    if (found > 0x20 && found < 0x7F) {
        return FAIL(v, STATUS_JSON_INVALID, "'%c' where %s should stand", found, wanted);
    }
    return FAIL(v, STATUS_JSON_INVALID, "byte 0x%02x where %s should stand", (unsigned)found, wanted);
}

static enum status fail_string(struct validator *v, enum status status)
{
    switch (status) {
    case STATUS_JSON_NUL_IN_STRING:
        return FAIL(v, status, "a string has the character NUL");
    case STATUS_JSON_BAD_UTF8:
        return FAIL(v, status, "a string is not UTF-8 here");
    default:
        return v->at == v->size ? FAIL(v, status, "a string has no end")
                                : FAIL(v, status, "a string has a control character or an unknown escape here");
    }
}

/* A string whose opening quote is taken. *hash (FNV-1a) is of what it means. */
static enum status check_string(struct validator *v, uint64_t *hash)
{
    struct json_character character;

    *hash = UINT64_C(14695981039346656037);
    do {
        enum status status = json_character_read(v->text, v->size, &v->at, &character);

        if (status != STATUS_OK) {
            return fail_string(v, status);
        }
        for (size_t i = 0; i < character.length; i++) {
            *hash = (*hash ^ (unsigned char)character.bytes[i]) * UINT64_C(1099511628211);
        }
    } while (character.length > 0);
    return STATUS_OK;
}

/* Whether two checked strings mean the same. */
static int same_string(const struct validator *v, size_t a, size_t b)
{
    struct json_character x, y;

    do {
        enum status status = json_character_read(v->text, v->size, &a, &x);

        status = status == STATUS_OK ? json_character_read(v->text, v->size, &b, &y) : status;
        assert(status == STATUS_OK);
        if (status != STATUS_OK || x.length != y.length || memcmp(x.bytes, y.bytes, x.length) != 0) {
            return 0;
        }
    } while (x.length > 0);
    return 1;
}

/* Whether a checked string means word [size]. */
static int string_is(const struct validator *v, size_t at, const char *word, size_t size)
{
    struct json_character character;

    for (;;) {
        if (json_character_read(v->text, v->size, &at, &character) != STATUS_OK || character.length > size ||
            memcmp(character.bytes, word, character.length) != 0) {
            return 0;
        }
        if (character.length == 0) {
            return size == 0;
        }
        word += character.length;
        size -= character.length;
    }
}

/* Segment `index` of a pointer, without its slash; NULL past the last one. */
static const char *segment(const char *pointer, unsigned index, size_t *size)
{
    while (*pointer == '/') {
        pointer++;
        *size = strcspn(pointer, "/");
        if (index-- == 0) {
            return pointer;
        }
        pointer += *size;
    }
    return NULL;
}

/* The bulk pointers that a member's key leaves on the way. */
static unsigned follow_key(const struct validator *v, struct place object, size_t key)
{
    unsigned on_way = 0;

    for (size_t i = 0; i < v->bulk_count; i++) {
        size_t size;
        const char *word = object.on_way & (1u << i) ? segment(v->bulk[i], object.depth, &size) : NULL;

        if (word != NULL && string_is(v, key, word, size)) {
            on_way |= 1u << i;
        }
    }
    return on_way;
}

/* The span of the bulk array that stands here, or NULL. */
static struct json_span *bulk_span(const struct validator *v, struct place place)
{
    for (size_t i = 0; i < v->bulk_count; i++) {
        size_t size;

        if (place.on_way & (1u << i) && segment(v->bulk[i], place.depth, &size) == NULL) {
            return &v->spans[i];
        }
    }
    return NULL;
}

static enum status check_array(struct validator *v, struct place place)
{
    struct json_span *span = bulk_span(v, place);
    struct place inner = {.depth = place.depth + 1, .in_bulk = place.in_bulk || span != NULL};
    size_t start = v->at - 1, count = 0;

    if (!take(v, ']')) {
        do {
            enum status status = check_value(v, inner);

            if (status != STATUS_OK) {
                return status;
            }
            count++;
        } while (take(v, ','));
        if (!take(v, ']')) {
            return fail_unexpected(v, "',' or ']'");
        }
    }
    if (span != NULL) {
        *span = (struct json_span){.text = v->text + start, .size = v->at - start, .count = count};
    }
    return STATUS_OK;
}

/* Remembers a key of the object whose keys begin at `first`. */
static enum status add_key(struct validator *v, size_t first, struct key key)
{
    size_t end = v->at;

    v->at = key.at - 1; /* where errors of a key are */
    if (v->key_count - first == JSON_MAX_KEYS) {
        return FAIL(v, STATUS_JSON_TOO_MANY_KEYS, "an object has more than %d keys", JSON_MAX_KEYS);
    }
    for (size_t i = first; i < v->key_count; i++) {
        if (v->keys[i].hash == key.hash && same_string(v, v->keys[i].at, key.at)) {
            return FAIL(v, STATUS_JSON_DUPLICATE_KEY, "the key stands here for the second time");
        }
    }
    if (v->key_count == v->key_capacity) {
        size_t capacity = v->key_capacity == 0 ? 64 : 2 * v->key_capacity;
        struct key *keys = realloc(v->keys, capacity * sizeof *keys);

        if (keys == NULL) {
            return error_set(v->error, STATUS_OUT_OF_MEMORY, "no memory for the keys of the JSON text");
        }
        v->keys = keys;
        v->key_capacity = capacity;
    }
    v->keys[v->key_count++] = key;
    v->at = end;
    return STATUS_OK;
}

static enum status check_member(struct validator *v, struct place object, size_t first_key)
{
    struct place inner = {.depth = object.depth + 1};
    struct key key;
    enum status status;

    if (!take(v, '"')) {
        return fail_unexpected(v, "a key");
    }
    key.at = v->at;
    status = check_string(v, &key.hash);
    if (status == STATUS_OK) {
        status = add_key(v, first_key, key);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (!take(v, ':')) {
        return fail_unexpected(v, "':'");
    }
    inner.on_way = follow_key(v, object, key.at);
    return check_value(v, inner);
}

static enum status check_object(struct validator *v, struct place place)
{
    size_t first_key = v->key_count;

    if (take(v, '}')) {
        return STATUS_OK;
    }
    do {
        enum status status = check_member(v, place, first_key);

        if (status != STATUS_OK) {
            return status;
        }
    } while (take(v, ','));
    v->key_count = first_key;
    return take(v, '}') ? STATUS_OK : fail_unexpected(v, "',' or '}'");
}

/* Takes digits; returns how many. */
static size_t take_digits(struct validator *v)
{
    size_t start = v->at;

    while (peek(v) >= '0' && peek(v) <= '9') {
        v->at++;
    }
    return v->at - start;
}

static enum status check_number(struct validator *v)
{
    size_t start = v->at;

    if (peek(v) == '-') {
        v->at++;
    }
    if (peek(v) == '0') {
        v->at++;
        if (peek(v) >= '0' && peek(v) <= '9') {
            return FAIL(v, STATUS_JSON_INVALID, "a number has a leading zero");
        }
    } else if (take_digits(v) == 0) {
        return fail_unexpected(v, "a digit");
    }
    if (peek(v) == '.') {
        v->at++;
        if (take_digits(v) == 0) {
            return fail_unexpected(v, "a digit");
        }
    }
    if (peek(v) == 'e' || peek(v) == 'E') {
        v->at++;
        if (peek(v) == '+' || peek(v) == '-') {
            v->at++;
        }
        if (take_digits(v) == 0) {
            return fail_unexpected(v, "a digit");
        }
    }
    if (v->at - start > JSON_MAX_NUMBER) {
        size_t length = v->at - start;

        v->at = start;
        return FAIL(v, STATUS_JSON_NUMBER_TOO_LONG, "a number has %zu characters, at most %d are allowed", length,
                    JSON_MAX_NUMBER);
    }
    return STATUS_OK;
}

static enum status check_word(struct validator *v)
{
    static const char *const WORDS[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t length = strlen(WORDS[i]);

        if (v->size - v->at >= length && memcmp(v->text + v->at, WORDS[i], length) == 0) {
            v->at += length;
            return STATUS_OK;
        }
    }
    return fail_unexpected(v, "a value");
}

static enum status check_container(struct validator *v, struct place place)
{
    if (place.depth == JSON_MAX_DEPTH) {
        return FAIL(v, STATUS_JSON_TOO_DEEP, "values are nested more than %d deep", JSON_MAX_DEPTH);
    }
    return v->text[v->at++] == '{' ? check_object(v, place) : check_array(v, place);
}

static enum status check_value(struct validator *v, struct place place)
{
    uint64_t ignored;

    skip_blanks(v);
    int first = peek(v);
    if (!place.in_bulk || first == '{') {
        if (v->nodes == JSON_MAX_NODES) {
            return FAIL(v, STATUS_JSON_TOO_MANY_NODES, "there are more than %d values", JSON_MAX_NODES);
        }
        v->nodes++;
    }
    switch (first) {
    case '{':
    case '[':
        return check_container(v, place);
    case '"':
        v->at++;
        return check_string(v, &ignored);
    case '-':
        return check_number(v);
    default:
        return first >= '0' && first <= '9' ? check_number(v) : check_word(v);
    }
}

static enum status check_text(struct validator *v)
{
    struct place root = {.on_way = (1u << v->bulk_count) - 1};
    enum status status;

    if (v->size >= 3 && memcmp(v->text, "\xEF\xBB\xBF", 3) == 0) {
        return FAIL(v, STATUS_JSON_BOM, "the text begins with a byte order mark");
    }
    skip_blanks(v);
    if (v->at == v->size) {
        v->at = 0;
        return FAIL(v, STATUS_JSON_INVALID, "there is no value");
    }
    status = check_value(v, root);
    if (status != STATUS_OK) {
        return status;
    }
    skip_blanks(v);
    return v->at == v->size ? STATUS_OK
                            : FAIL(v, STATUS_JSON_TRAILING_DATA, "something follows the value that ends before this");
}

enum status json_validate(const char *text, size_t size, const char *const *bulk, size_t bulk_count, struct json_span *spans,
                          struct error *error)
{
    struct validator v = {
        .text = text, .size = size, .bulk = bulk, .bulk_count = bulk_count, .spans = spans, .error = error};
    enum status status;

    assert(bulk_count <= JSON_MAX_BULK);
    for (size_t i = 0; i < bulk_count; i++) {
        spans[i] = (struct json_span){.text = NULL};
    }
    status = check_text(&v);
    free(v.keys);
    return status;
}
