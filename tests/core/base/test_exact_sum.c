/* Neumaier's sum: what an addition rounds off comes back, whichever of the two is the larger. */
#include "core/base/exact_sum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double sum_of(size_t n, const double *terms)
{
    struct exact_sum sum = {0, 0};

    for (size_t i = 0; i < n; i++) {
        exact_sum_add(&sum, terms[i]);
    }
    return exact_sum_value(&sum);
}

static void what_is_rounded_off_comes_back(void **state)
{
    struct exact_sum tenths = {0, 0};

    (void)state;
    assert_true(sum_of(4, (const double[]){1, 1e100, 1, -1e100}) == 2); /* Kahan's sum, which loses both ones: 0 */
    assert_true(sum_of(3, (const double[]){1e100, 1, -1e100}) == 1);
    for (int i = 0; i < 1000000; i++) {
        exact_sum_add(&tenths, 0.1);
    }
    assert_true(exact_sum_value(&tenths) == 100000);
    assert_true(sum_of(0, NULL) == 0);
}

static void what_is_not_finite_stays_so(void **state)
{
    (void)state;
    assert_true(sum_of(3, (const double[]){1, (double)INFINITY, 1}) == (double)INFINITY);
    assert_true(isnan(sum_of(2, (const double[]){(double)INFINITY, -(double)INFINITY})));
    assert_true(isnan(sum_of(3, (const double[]){1, (double)NAN, 1})));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_rounded_off_comes_back),
        cmocka_unit_test(what_is_not_finite_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
