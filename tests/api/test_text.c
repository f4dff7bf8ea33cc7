#include "api/text.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static void pieces_are_appended_and_given_away(void **state)
{
    struct text text = {.data = NULL};
    char *data;
    size_t size;

    (void)state;
    text_string(&text, "a");
    text_put(&text, "b\0c", 3);
    text_printf(&text, "%d-%s", 7, "x");
    assert_int_equal(text_take(&text, &data, &size, NULL), STATUS_OK);
    assert_int_equal(size, 7);
    assert_memory_equal(data, "ab\0c7-x", 8);
    assert_null(text.data);
    free(data);
}

static void a_text_without_pieces_is_empty_not_missing(void **state)
{
    struct text text = {.data = NULL};
    char *data;
    size_t size;

    (void)state;
    assert_int_equal(text_take(&text, &data, &size, NULL), STATUS_OK);
    assert_int_equal(size, 0);
    assert_string_equal(data, "");
    free(data);
}

static void it_grows_as_long_as_it_is_allowed_to(void **state)
{
    struct text text = {.data = NULL};
    static char piece[1 << 20];
    char *data;
    size_t size;

    (void)state;
    for (size_t i = 0; i < TEXT_MAX_BYTES / sizeof piece; i++) {
        text_put(&text, piece, sizeof piece);
    }
    assert_int_equal(text.size, TEXT_MAX_BYTES);
    assert_false(text.failed);
    text_put(&text, piece, 1);
    assert_true(text.failed);
    text_string(&text, "");
    assert_int_equal(text_take(&text, &data, &size, NULL), STATUS_OUT_OF_MEMORY);
    assert_null(text.data);
}

static void a_printed_piece_that_is_too_long_fails_instead_of_being_cut(void **state)
{
    struct text text = {.data = NULL};
    static char longish[600];
    struct error error = {.status = STATUS_OK};
    char *data;
    size_t size;

    (void)state;
    memset(longish, 'a', sizeof longish - 1);
    text_printf(&text, "%s", longish);
    assert_int_equal(text_take(&text, &data, &size, &error), STATUS_OUT_OF_MEMORY);
    assert_int_equal(error.status, STATUS_OUT_OF_MEMORY);
}

static void assert_number(double value, const char *want)
{
    struct text text = {.data = NULL};

    text_number(&text, value);
    assert_string_equal(text.data, want);
    assert_close(strtod(text.data, NULL), value, 0, 0);
    text_release(&text);
}

static void numbers_have_as_few_digits_as_read_back_equal(void **state)
{
    (void)state;
    assert_number(0, "0");
    assert_number(-0.0, "-0");
    assert_number(0.1, "0.1");
    assert_number(1.0 / 3, "0.3333333333333333");
    assert_number(0.1 + 0.2, "0.30000000000000004");
    assert_number(1e300, "1e+300");
    assert_number(-2.5, "-2.5");
    assert_number(9007199254740991, "9007199254740991");
    assert_number(DBL_TRUE_MIN, "4.94065645841247e-324");
    assert_number((double)INFINITY, "inf");
}

/* The plain way: 15 digits, 16, 17. */
static void assert_shortest(double value)
{
    char want[32];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(want, sizeof want, "%.*g", precision, value);
        if (strtod(want, NULL) == value) {
            break;
        }
    }
    assert_number(value, want);
}

static void digits_are_spared_as_by_trying_every_length(void **state)
{
    uint64_t bits = 1;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        double value;

        bits = bits * 6364136223846793005u + 1442695040888963407u;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            assert_shortest(value);
        }
        assert_shortest((double)(bits >> 40) / 1000);                 /* few digits */
        assert_shortest((double)(bits >> 40) * 1e9 + 0.1 * (i % 10)); /* 15 and 16 */
        assert_shortest((double)(bits >> 11) * 0x1p-53);              /* as losses are */
    }
    for (int exponent = -1074; exponent <= 1023; exponent++) { /* doubles lie unevenly around them */
        assert_shortest(ldexp(1, exponent));
        assert_shortest(nextafter(ldexp(1, exponent), 0));
        assert_shortest(nextafter(ldexp(1, exponent), (double)INFINITY));
    }
}

static void fields_of_csv_are_quoted_where_they_must_be(void **state)
{
    static const struct {
        const char *field, *want;
    } rows[] = {{"", ""}, {"a b", "a b"}, {"a,b", "\"a,b\""}, {"\"", "\"\"\"\""}, {"a\nb", "\"a\nb\""}, {"a\r", "\"a\r\""}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text text = {.data = NULL};
        char *data;
        size_t size;

        text_csv_field(&text, rows[i].field);
        assert_int_equal(text_take(&text, &data, &size, NULL), STATUS_OK);
        assert_string_equal(data, rows[i].want);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_appended_and_given_away),
        cmocka_unit_test(a_text_without_pieces_is_empty_not_missing),
        cmocka_unit_test(it_grows_as_long_as_it_is_allowed_to),
        cmocka_unit_test(a_printed_piece_that_is_too_long_fails_instead_of_being_cut),
        cmocka_unit_test(numbers_have_as_few_digits_as_read_back_equal),
        cmocka_unit_test(digits_are_spared_as_by_trying_every_length),
        cmocka_unit_test(fields_of_csv_are_quoted_where_they_must_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
