#include "core/base/bf16.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static void bf16_round_takes_the_nearest_and_of_two_the_even_one(void **state)
{
    static const struct {
        uint32_t from, to;
    } CASES[] = {
        {0x3f800000, 0x3f800000}, {0x3f807fff, 0x3f800000}, {0x3f808000, 0x3f800000}, {0x3f808001, 0x3f810000},
        {0x3f818000, 0x3f820000}, {0x3f817fff, 0x3f810000}, {0x3fffffff, 0x40000000}, {0xbf808001, 0xbf810000},
        {0x00000000, 0x00000000}, {0x80000000, 0x80000000}, {0x00008000, 0x00000000}, {0x00008001, 0x00010000},
        {0x007fffff, 0x00800000}, {0x80018000, 0x80020000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(bits_of(bf16_round(of_bits(CASES[i].from))), CASES[i].to);
    }
}

static void bf16_round_leaves_what_is_not_finite_and_passes_the_largest(void **state)
{
    (void)state;
    assert_int_equal(bits_of(bf16_round(INFINITY)), 0x7f800000);
    assert_int_equal(bits_of(bf16_round(-INFINITY)), 0xff800000);
    assert_int_equal(bits_of(bf16_round(FLT_MAX)), 0x7f800000);
    assert_int_equal(bits_of(bf16_round(of_bits(0x7f7f7fff))), 0x7f7f0000);
    assert_true(isnan(bf16_round(NAN)));
    assert_true(isnan(bf16_round(of_bits(0x7f800001)))); /* would be infinity without its last bit */
    assert_true(isnan(bf16_round(of_bits(0xffffffff)))); /* would be 0 if it were rounded up */
}

/* The definition: no bfloat16 is nearer, for numbers all over the range. */
static void bf16_round_is_never_further_than_a_neighbour(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x7f7f0000; bits += 30011) {
        const float x = of_bits(bits), rounded = bf16_round(x);
        const double distance = fabs((double)rounded - (double)x);

        assert_int_equal(bits_of(rounded) & 0xffff, 0);
        assert_true(distance <= fabs((double)of_bits((bits & 0xffff0000) + 0x10000) - (double)x));
        assert_true(distance <= fabs((double)of_bits(bits & 0xffff0000) - (double)x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_round_takes_the_nearest_and_of_two_the_even_one),
        cmocka_unit_test(bf16_round_leaves_what_is_not_finite_and_passes_the_largest),
        cmocka_unit_test(bf16_round_is_never_further_than_a_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
