#include "core/base/matrix_peak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/assert_close.h"

/* A clock that goes on by what the test says, at each look. */
static double now, by;
static int looks;

static double look(void)
{
    looks++;
    return now += by;
}

static void the_rate_is_that_of_the_products(void **state)
{
    (void)state;
    by = 0.001; /* each product takes a millisecond, as far as the clock knows */
    assert_close(matrix_peak(PRECISION_F32, look), 2.0 * 128 * 128 * 784 / 0.001, 1e-9, 0);
    assert_in_range(looks, 9, 1000);
}

static void slow_products_are_few_and_fast_ones_are_not_endless(void **state)
{
    (void)state;
    looks = 0;
    by = 1;
    assert_close(matrix_peak(PRECISION_F32, look), 2.0 * 128 * 128 * 784, 1e-9, 0);
    assert_in_range(looks, 2, 20);
    looks = 0;
    by = 0;
    assert_close(matrix_peak(PRECISION_F32, look), 0, 0, 0); /* a clock that stands still */
    assert_in_range(looks, 2, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_that_of_the_products),
        cmocka_unit_test(slow_products_are_few_and_fast_ones_are_not_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
