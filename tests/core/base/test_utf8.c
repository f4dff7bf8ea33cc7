#include "core/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void utf8_knows_the_length_of_a_sequence(void **state)
{
    (void)state;
    assert_int_equal(utf8_sequence("a", 1), 1);
    assert_int_equal(utf8_sequence("", 1), 1);
    assert_int_equal(utf8_sequence("\xC3\xA4x", 3), 2);
    assert_int_equal(utf8_sequence("\xE2\x82\xAC", 3), 3);
    assert_int_equal(utf8_sequence("\xF4\x8F\xBF\xBF", 4), 4);
    assert_int_equal(utf8_sequence("a", 0), 0);
}

static void utf8_refuses_what_is_ill_formed(void **state)
{
    static const char *const BAD[] = {
        "\x80",             /* continuation alone */
        "\xC3",             /* cut off */
        "\xC3(",            /* no continuation */
        "\xC0\xAF",         /* overlong */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xE2\x82",
        "\xE2(\xAC",
        "\xE2\x82(",
        "ok\xFE",
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(utf8_valid(BAD[i], strlen(BAD[i])), 0);
    assert_int_equal(utf8_valid("\xE2\x82\xAC", 2), 0);
}

static void utf8_takes_well_formed_text(void **state)
{
    static const char *const GOOD[] = {"",
                                       "plain",
                                       "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xC2\x80",
                                       "\xE0\xA0\x80",
                                       "\xF0\x90\x80\x80"};

    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_int_equal(utf8_valid(GOOD[i], strlen(GOOD[i])), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_knows_the_length_of_a_sequence),
        cmocka_unit_test(utf8_refuses_what_is_ill_formed),
        cmocka_unit_test(utf8_takes_well_formed_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
