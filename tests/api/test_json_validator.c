#include "api/json_validator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text stands in a block of exactly its size, so that a sanitizer sees a read past it. */
static enum status check_bulk(const char *text, size_t size, const char *const *bulk, size_t bulk_count,
                              struct json_span *spans, struct error *error)
{
    char *exact = malloc(size > 0 ? size : 1);
    enum status status;

    assert_non_null(exact);
    memcpy(exact, text, size);
    *error = (struct error){.status = STATUS_OK};
    status = json_validate(exact, size, bulk, bulk_count, spans, error);
    for (size_t i = 0; i < bulk_count; i++) {
        if (spans[i].text != NULL) {
            spans[i].text = text + (spans[i].text - exact);
        }
    }
    free(exact);
    assert_int_equal(error->status, status);
    return status;
}

static enum status check(const char *text, struct error *error)
{
    return check_bulk(text, strlen(text), NULL, 0, NULL, error);
}

static void accepts(const char *text)
{
    struct error error;

    if (check(text, &error) != STATUS_OK) {
        fail_msg("%s: %s at %lld: %s", text, status_code(error.status), (long long)error.offset, error.message);
    }
}

static void refuses(const char *text, size_t size, enum status status, int64_t offset)
{
    struct error error;

    if (check_bulk(text, size, NULL, 0, NULL, &error) != status || !error.has_offset || error.offset != offset) {
        fail_msg("%s: got %s at %lld, wanted %s at %lld", text, status_code(error.status), (long long)error.offset,
                 status_code(status), (long long)offset);
    }
}

static void valid_texts_are_accepted(void **state)
{
    static const char *const TEXTS[] = {
        "{}",
        "[]",
        "0",
        "-0",
        "null",
        "true",
        "false",
        "\"\"",
        " \t\r\n[ 1 , 2 ] ",
        "{\"a\":{\"b\":[1.5e-3,-2E+10]}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
        "\"\xC3\xA9\xF0\x9F\x98\x80\x7F\"",
        "1e999",
        "1e-999",
        "[1,[2,[3]],{\"x\":null}]",
        "0.000",
        "1E5",
        "{\"a\":1,\"A\":2,\"\":3}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        accepts(TEXTS[i]);
    }
}

#define ROW(text, status, offset)                                                                                           \
    {                                                                                                                       \
        text, sizeof(text) - 1, STATUS_##status, offset                                                                     \
    }

static void what_is_no_json_is_refused_at_its_byte(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        enum status status;
        int64_t offset;
    } ROWS[] = {
        ROW("", JSON_INVALID, 0),
        ROW("   ", JSON_INVALID, 0),
        ROW("{} x", JSON_TRAILING_DATA, 3),
        ROW("{}{}", JSON_TRAILING_DATA, 2),
        ROW("truex", JSON_TRAILING_DATA, 4),
        ROW("{}\0", JSON_TRAILING_DATA, 2),
        ROW("NaN", JSON_INVALID, 0),
        ROW("[Infinity]", JSON_INVALID, 1),
        ROW("[-Infinity]", JSON_INVALID, 2),
        ROW("01", JSON_INVALID, 1),
        ROW("-01", JSON_INVALID, 2),
        ROW("[1.]", JSON_INVALID, 3),
        ROW("0x10", JSON_TRAILING_DATA, 1),
        ROW("[0x10]", JSON_INVALID, 2),
        ROW("[1e5.5]", JSON_INVALID, 4),
        ROW("+1", JSON_INVALID, 0),
        ROW("[.5]", JSON_INVALID, 1),
        ROW("[1e]", JSON_INVALID, 3),
        ROW("[1e+]", JSON_INVALID, 4),
        ROW("-", JSON_INVALID, 1),
        ROW("{'a':1}", JSON_INVALID, 1),
        ROW("{\"a\":1,}", JSON_INVALID, 7),
        ROW("[1,]", JSON_INVALID, 3),
        ROW("[1 2]", JSON_INVALID, 3),
        ROW("{\"a\" 1}", JSON_INVALID, 5),
        ROW("{\"a\":1/**/}", JSON_INVALID, 6),
        ROW("{\"a\":", JSON_INVALID, 5),
        ROW("[", JSON_INVALID, 1),
        ROW("{\"a", JSON_INVALID, 3),
        ROW("\"a\nb\"", JSON_INVALID, 2),
        ROW("\"a\0b\"", JSON_INVALID, 2),
        ROW("\"\\x\"", JSON_INVALID, 2),
        ROW("\"\\u12g4\"", JSON_INVALID, 3),
        ROW("\"\\u12", JSON_INVALID, 3),
        ROW("\"\\", JSON_INVALID, 2),
        ROW("{\0}", JSON_INVALID, 1),
        ROW("{\x0B}", JSON_INVALID, 1),
        ROW("[\xC2\xA0]", JSON_INVALID, 1),
        ROW("tru", JSON_INVALID, 0),
        ROW("[nul]", JSON_INVALID, 1),
        ROW("\xEF\xBB\xBF{}", JSON_BOM, 0),
        ROW("\"a\\u0000b\"", JSON_NUL_IN_STRING, 4),
        ROW("{\"a\\u0000\":1}", JSON_NUL_IN_STRING, 5),
        ROW("\"\xC0\xAF\"", JSON_BAD_UTF8, 1),
        ROW("\"\xFF\"", JSON_BAD_UTF8, 1),
        ROW("\"\xED\xA0\x80\"", JSON_BAD_UTF8, 1),
        ROW("\"\xE2\x82\"", JSON_BAD_UTF8, 1),
        ROW("\"\\ud800\"", JSON_BAD_UTF8, 3),
        ROW("\"\\udc00\"", JSON_BAD_UTF8, 3),
        ROW("\"\\ud800\\u0041\"", JSON_BAD_UTF8, 3),
        ROW("{\"a\":1,\"a\":2}", JSON_DUPLICATE_KEY, 7),
        ROW("{\"name\":1,\"n\\u0061me\":2}", JSON_DUPLICATE_KEY, 10),
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        refuses(ROWS[i].text, ROWS[i].size, ROWS[i].status, ROWS[i].offset);
    }
}

static void the_same_key_in_two_objects_is_fine(void **state)
{
    (void)state;
    accepts("{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
    accepts("[{\"a\":1},{\"a\":1}]");
}

/* `open` count times, `middle`, `close` count times; freed by the caller. */
static char *repeated(const char *open, size_t count, const char *middle, const char *close)
{
    size_t size = strlen(open) * count + strlen(middle) + strlen(close) * count + 1, at = 0;
    char *text = malloc(size);

    assert_non_null(text);
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s", open);
    }
    at += (size_t)snprintf(text + at, size - at, "%s", middle);
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s", close);
    }
    return text;
}

static void nesting_ends_at_32(void **state)
{
    static const size_t TOO_DEEP[] = {33, 1000, 100000};
    char *text = repeated("[", JSON_MAX_DEPTH, "", "]");

    (void)state;
    accepts(text);
    free(text);
    text = repeated("{\"a\":", JSON_MAX_DEPTH, "1", "}");
    accepts(text);
    free(text);
    for (size_t i = 0; i < sizeof TOO_DEEP / sizeof *TOO_DEEP; i++) {
        text = repeated("[", TOO_DEEP[i], "", "]");
        refuses(text, strlen(text), STATUS_JSON_TOO_DEEP, JSON_MAX_DEPTH);
        free(text);
    }
}

static void numbers_have_at_most_64_characters(void **state)
{
    char *text = repeated("1", 64, "", "");

    (void)state;
    accepts(text);
    free(text);
    text = repeated("1", 65, "", "");
    refuses(text, strlen(text), STATUS_JSON_NUMBER_TOO_LONG, 0);
    free(text);
    text = repeated("1", 1000, "", "");
    refuses(text, strlen(text), STATUS_JSON_NUMBER_TOO_LONG, 0);
    free(text);
}

static void there_are_at_most_20000_values(void **state)
{
    char *text = malloc(2 * 20001 + 16);

    (void)state;
    assert_non_null(text);
    for (size_t values = 19999; values <= 20000; values++) { /* and the list itself */
        size_t at = 0;

        text[at++] = '[';
        for (size_t i = 0; i < values; i++) {
            text[at++] = '0';
            text[at++] = ',';
        }
        text[at - 1] = ']';
        text[at] = '\0';
        if (values == 19999) {
            accepts(text);
        } else {
            refuses(text, at, STATUS_JSON_TOO_MANY_NODES, (int64_t)at - 2);
        }
    }
    free(text);
}

static void an_object_has_at_most_256_keys(void **state)
{
    static char text[16 * 60000];

    (void)state;
    for (int keys = 256; keys <= 60000; keys += 60000 - 256) {
        struct error error;
        size_t at = 0;

        for (int i = 0; i < keys; i++) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s\"k%d\":0", i == 0 ? "{" : ",", i);
        }
        (void)snprintf(text + at, sizeof text - at, "}");
        assert_int_equal(check(text, &error), keys == 256 ? STATUS_OK : STATUS_JSON_TOO_MANY_KEYS);
    }
}

static void bulk_arrays_are_noted_and_not_counted(void **state)
{
    static const char *const BULK[] = {"/instances", "/dataset/x", "/dataset/y"};
    static char text[400000];
    struct json_span spans[3];
    struct error error;
    size_t at = 0, begin;

    (void)state;
    at += (size_t)snprintf(text, sizeof text, "{\"dataset\":{\"y\":[\"a\",\"b\\n\"],\"\\u0078\": ");
    begin = at;
    for (int i = 0; i < 30000; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s[1,2]", i == 0 ? "[" : ",");
    }
    at += (size_t)snprintf(text + at, sizeof text - at, "]}}");
    assert_int_equal(check_bulk(text, at, BULK, 3, spans, &error), STATUS_OK);
    assert_null(spans[0].text);
    assert_ptr_equal(spans[1].text, text + begin);
    assert_int_equal(spans[1].size, at - 2 - begin);
    assert_int_equal(spans[1].count, 30000);
    assert_memory_equal(spans[2].text, "[\"a\",\"b\\n\"]", spans[2].size);
    assert_int_equal(spans[2].count, 2);
}

static void bulk_is_a_place_and_not_a_name(void **state)
{
    static const char *const BULK[] = {"/x"};
    struct json_span spans[1];
    struct error error;

    (void)state;
    for (int i = 0; i < 4; i++) {
        static const char *const TEXTS[] = {"[{\"x\":[1]}]", "{\"a\":{\"x\":[1]}}", "{\"x\":1}", "{\"xx\":[1],\"\":[2]}"};

        assert_int_equal(check_bulk(TEXTS[i], strlen(TEXTS[i]), BULK, 1, spans, &error), STATUS_OK);
        assert_null(spans[0].text);
    }
}

static void bulk_arrays_are_checked_as_strictly(void **state)
{
    static const char *const BULK[] = {"/x"};
    static const struct {
        const char *text;
        enum status status;
    } ROWS[] = {
        {"{\"x\":[1,]}", STATUS_JSON_INVALID},
        {"{\"x\":[[01]]}", STATUS_JSON_INVALID},
        {"{\"x\":[\"\\u0000\"]}", STATUS_JSON_NUL_IN_STRING},
        {"{\"x\":[{\"a\":1,\"a\":2}]}", STATUS_JSON_DUPLICATE_KEY},
    };
    struct json_span spans[1];
    struct error error;
    char *deep = repeated("[", 33, "", "]"), text[128];

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        assert_int_equal(check_bulk(ROWS[i].text, strlen(ROWS[i].text), BULK, 1, spans, &error), ROWS[i].status);
    }
    (void)snprintf(text, sizeof text, "{\"x\":%s}", deep);
    assert_int_equal(check_bulk(text, strlen(text), BULK, 1, spans, &error), STATUS_JSON_TOO_DEEP);
    free(deep);
}

/* Objects inside a bulk array cost what they cost elsewhere: comparing keys is not free. */
static void objects_in_bulk_arrays_are_counted(void **state)
{
    static const char *const BULK[] = {"/x"};
    struct json_span spans[1];
    struct error error;
    size_t count = 20001, at = 5;
    char *text = malloc(3 * count + 8);

    (void)state;
    assert_non_null(text);
    memcpy(text, "{\"x\":", 5);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + at, i == 0 ? "[{}" : ",{}", 3);
        at += 3;
    }
    memcpy(text + at, "]}", 2);
    assert_int_equal(check_bulk(text, at + 2, BULK, 1, spans, &error), STATUS_JSON_TOO_MANY_NODES);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_accepted),
        cmocka_unit_test(what_is_no_json_is_refused_at_its_byte),
        cmocka_unit_test(the_same_key_in_two_objects_is_fine),
        cmocka_unit_test(nesting_ends_at_32),
        cmocka_unit_test(numbers_have_at_most_64_characters),
        cmocka_unit_test(there_are_at_most_20000_values),
        cmocka_unit_test(an_object_has_at_most_256_keys),
        cmocka_unit_test(bulk_arrays_are_noted_and_not_counted),
        cmocka_unit_test(bulk_is_a_place_and_not_a_name),
        cmocka_unit_test(bulk_arrays_are_checked_as_strictly),
        cmocka_unit_test(objects_in_bulk_arrays_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
