#include "core/data/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

static enum decimal_kind kind_of(const char *text)
{
    double value;

    return decimal_f64(text, strlen(text), &value);
}

static uint64_t bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void decimal_equals_strtod_bit_for_bit(void **state)
{
    static const char *const NUMBERS[] = {
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        "3.14159",
        "123456789012345678",
        "9007199254740993",
        "0.1",
        "1e22",
        "1e23",
        "-2.5E-3",
        "1e-400",
        "4.9e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "0.000000000000000000000000000001",
        "100000000000000000000000000000",
        "8.41e21",
        "9007199254740992e22",
        "1.00000000000000011102230246251565404236316680908203125",
        "0000000000000000000000000000000000000012",
        "1e0000000000000000000000000000000000002",
    };
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        double value;

        assert_int_equal(decimal_f64(NUMBERS[i], strlen(NUMBERS[i]), &value), DECIMAL_FINITE);
        assert_true(bits(value) == bits(strtod(NUMBERS[i], NULL)));
    }
    for (int i = 0; i < 20000; i++) {
        char text[64];
        double value;

        random = random * UINT32_C(1664525) + UINT32_C(1013904223);
        snprintf(text, sizeof text, "%.*e", (int)(random >> 20) % 20,
                 (double)(random | 1) * pow(10, (int)(random >> 9) % 60 - 40));
        assert_int_equal(decimal_f64(text, strlen(text), &value), DECIMAL_FINITE);
        assert_true(bits(value) == bits(strtod(text, NULL)));
    }
}

static void decimal_knows_no_other_grammar(void **state)
{
    static const char *const BAD[] = {"",   " 1", "1 ",      "0x10",      "1,5",    "1.2.3",        "1e",   "1e+",
                                      "e1", ".",  "+",       "-.",        "--1",    "1_000",        "1f",   "nanx",
                                      "na", "in", "infinit", "infinityx", "nan(1)", "\xEF\xBC\x91", "1e1.5"};

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(kind_of(BAD[i]), DECIMAL_NONE);
}

static void decimal_tells_numbers_that_are_not_finite(void **state)
{
    static const char *const WORDS[] = {"nan", "-NaN", "inf", "+INF", "Infinity", "1e309", "-1e999999999999999999", "2e308"};

    (void)state;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        assert_int_equal(kind_of(WORDS[i]), DECIMAL_NON_FINITE);
}

static void decimal_rounds_to_float32_and_knows_its_range(void **state)
{
    float value;

    (void)state;
    assert_int_equal(decimal_f32("3.4028235e38", 12, &value), DECIMAL_FINITE);
    assert_true(value == 0x1.fffffep127f);
    assert_int_equal(decimal_f32("3.4028236e38", 12, &value), DECIMAL_NON_FINITE);
    assert_int_equal(decimal_f32("-3.4028236e38", 13, &value), DECIMAL_NON_FINITE);
    assert_int_equal(decimal_f32("16777217", 8, &value), DECIMAL_FINITE);
    assert_true(value == 16777216);
    assert_int_equal(decimal_f32("1e-60", 5, &value), DECIMAL_FINITE);
    assert_true(value == 0);
}

static void decimal_reads_only_its_part_of_the_text(void **state)
{
    double value;

    (void)state;
    assert_int_equal(decimal_f64("12,34", 2, &value), DECIMAL_FINITE);
    assert_true(value == 12);
    assert_int_equal(decimal_f64("123456789012345678901234567890,1", 30, &value), DECIMAL_FINITE);
    assert_true(value == 123456789012345678901234567890.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_equals_strtod_bit_for_bit),
        cmocka_unit_test(decimal_knows_no_other_grammar),
        cmocka_unit_test(decimal_tells_numbers_that_are_not_finite),
        cmocka_unit_test(decimal_rounds_to_float32_and_knows_its_range),
        cmocka_unit_test(decimal_reads_only_its_part_of_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
