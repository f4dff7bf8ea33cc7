#include "api/json_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"

/* What was written, to be freed. */
static char *taken(struct json_writer *writer)
{
    struct error error = {.status = STATUS_OK};
    char *text = NULL;
    size_t size;

    assert_int_equal(json_writer_take(writer, &text, &size, &error), STATUS_OK);
    assert_int_equal(strlen(text), size);
    return text;
}

static void writes(struct json_writer *writer, const char *wanted)
{
    char *text = taken(writer);

    assert_string_equal(text, wanted);
    free(text);
}

static void commas_stand_between_items_only(void **state)
{
    struct json_writer w = {0};

    (void)state;
    json_begin_object(&w);
    json_key(&w, "a");
    json_begin_array(&w);
    json_end_array(&w);
    json_key(&w, "b");
    json_begin_array(&w);
    json_int(&w, -1);
    json_begin_object(&w);
    json_end_object(&w);
    json_begin_array(&w);
    json_null(&w);
    json_end_array(&w);
    json_bool(&w, 1);
    json_end_array(&w);
    json_member_uint(&w, "c", UINT64_MAX);
    json_member_raw(&w, "d", "{\"e\":[1]}");
    json_member_string(&w, "f", NULL);
    json_end_object(&w);
    writes(&w, "{\"a\":[],\"b\":[-1,{},[null],true],\"c\":18446744073709551615,\"d\":{\"e\":[1]},\"f\":null}");
}

static void strings_are_escaped_and_always_utf8(void **state)
{
    struct json_writer w = {0};

    (void)state;
    json_begin_array(&w);
    json_string(&w, "a\"b\\c\b\f\n\r\t\x01\x7F/");
    json_string(&w, "\xC3\xA9\xF0\x9F\x98\x80");
    json_string(&w, "a\xFF"
                    "b\xC0\xAF\xED\xA0\x80\xE2\x82");
    json_string_n(&w, "x\0y", 3);
    json_string(&w, "");
    json_end_array(&w);
    writes(&w,
           "[\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u007f/\",\"\xC3\xA9\xF0\x9F\x98\x80\",\"a\xEF\xBF\xBD"
           "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\",\"x\\u0000y\",\"\"]");
}

static void numbers_are_short(void **state)
{
    struct json_writer w = {0};

    (void)state;
    json_begin_array(&w);
    json_number(&w, 0.1);
    json_number(&w, 1.0 / 3);
    json_number(&w, 1e300);
    json_number(&w, 5e-324);
    json_number(&w, 60000);
    json_float(&w, 0.1f);
    json_float(&w, 16777216.0f);
    json_end_array(&w);
    writes(&w, "[0.1,0.3333333333333333,1e+300,4.94065645841247e-324,60000,0.1,16777216]");
}

static void what_is_not_finite_is_null(void **state)
{
    struct json_writer w = {0};

    (void)state;
    json_begin_array(&w);
    json_number(&w, NAN);
    json_number(&w, -INFINITY);
    json_float(&w, (float)NAN);
    json_float(&w, (float)INFINITY);
    json_end_array(&w);
    writes(&w, "[null,null,null,null]");
}

/* Doubles and floats of all exponents, as bits. */
static void numbers_read_back_equal(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        struct json_writer w = {0};
        uint32_t bits[4];
        double wide, wide_back;
        float narrow, narrow_back;
        char *text;

        rng_block(99, RNG_GENERATOR, 0, i, bits);
        memcpy(&wide, bits, sizeof wide);
        memcpy(&narrow, bits + 2, sizeof narrow);
        if (!isfinite(wide) || !isfinite(narrow)) {
            continue;
        }
        json_number(&w, wide);
        text = taken(&w);
        wide_back = strtod(text, NULL);
        assert_memory_equal(&wide, &wide_back, sizeof wide);
        free(text);
        json_float(&w, narrow);
        text = taken(&w);
        narrow_back = strtof(text, NULL);
        assert_memory_equal(&narrow, &narrow_back, sizeof narrow);
        free(text);
    }
}

static void a_text_that_outgrows_its_limit_fails_once_at_the_end(void **state)
{
    struct json_writer w = {0};
    struct error error = {.status = STATUS_OK};
    char *piece = malloc(1 << 20), *text = NULL;
    size_t size = 0;

    (void)state;
    assert_non_null(piece);
    memset(piece, 'a', (1 << 20) - 1);
    piece[(1 << 20) - 1] = '\0';
    json_begin_array(&w);
    for (int i = 0; i < 70; i++) {
        json_string(&w, piece);
    }
    json_end_array(&w);
    assert_int_equal(json_writer_take(&w, &text, &size, &error), STATUS_OUT_OF_MEMORY);
    assert_null(text);
    json_writer_release(&w);
    free(piece);
}

static void members_of_an_object_go_into_another_one(void **state)
{
    struct json_writer w = {0};

    (void)state;
    json_begin_object(&w);
    json_member_uint(&w, "a", 1);
    json_members_raw(&w, "{\"b\":[2,{}],\"c\":\"}\"}");
    json_members_raw(&w, "{}");
    json_member_uint(&w, "d", 3);
    json_end_object(&w);
    writes(&w, "{\"a\":1,\"b\":[2,{}],\"c\":\"}\",\"d\":3}");
    json_begin_object(&w);
    json_members_raw(&w, "{\"b\":2}");
    json_end_object(&w);
    writes(&w, "{\"b\":2}");
    json_begin_object(&w);
    json_members_raw(&w, "{}");
    json_end_object(&w);
    writes(&w, "{}");
}

static void a_text_is_taken_or_there_is_none(void **state)
{
    struct json_writer w = {0}, full = {0};
    char *piece = malloc(1 << 20);

    (void)state;
    assert_non_null(piece);
    json_string(&w, "x");
    char *text = json_writer_text(&w);
    assert_string_equal(text, "\"x\"");
    free(text);
    memset(piece, 'x', (1 << 20) - 1);
    piece[(1 << 20) - 1] = '\0';
    json_begin_array(&full);
    for (int i = 0; i < 70; i++) {
        json_string(&full, piece);
    }
    json_end_array(&full);
    assert_null(json_writer_text(&full)); /* past its limit; nothing is left to release */
    free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_items_only),
        cmocka_unit_test(strings_are_escaped_and_always_utf8),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(what_is_not_finite_is_null),
        cmocka_unit_test(numbers_read_back_equal),
        cmocka_unit_test(members_of_an_object_go_into_another_one),
        cmocka_unit_test(a_text_is_taken_or_there_is_none),
        cmocka_unit_test(a_text_that_outgrows_its_limit_fails_once_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
