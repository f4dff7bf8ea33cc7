#include "core/optim/objective.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/core/optim/functions.h"

/* Whatever the length is left over from the lanes. */
static void sums_are_those_of_plain_loops(void **state)
{
    double a[40] = {0}, b[40] = {0}, c[40], d[40];

    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        double dot = 0, square = 0, distance = 0;

        for (size_t i = 0; i < n; i++) {
            a[i] = 0.5 + (double)i;
            b[i] = 3 - 0.25 * (double)i;
            dot += a[i] * b[i];
            square += a[i] * a[i];
            distance += (a[i] - b[i]) * (a[i] - b[i]);
        }
        assert_close(objective_dot(n, a, b), dot, 1e-14, 1e-14);
        assert_close(objective_norm(n, a), sqrt(square), 1e-14, 0);
        assert_close(objective_distance(n, a, b), sqrt(distance), 1e-14, 0);
        objective_along(n, a, -2, b, c);
        memcpy(d, a, sizeof d);
        objective_add(n, -2, b, d);
        for (size_t i = 0; i < n; i++) {
            assert_close(c[i], a[i] - 2 * b[i], 0, 0);
            assert_close(d[i], c[i], 0, 0);
        }
    }
}

static void one_value_that_is_not_finite_is_noticed(void **state)
{
    static const double BAD[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct objective_value value = {.value = 1};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        double gradient[9] = {0};

        assert_true(objective_is_finite(9, &value, gradient));
        for (size_t k = 0; k < 9; k++) {
            gradient[k] = BAD[i];
            assert_false(objective_is_finite(9, &value, gradient));
            gradient[k] = 0;
        }
        assert_false(objective_is_finite(9, &(struct objective_value){.value = BAD[i]}, gradient));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_plain_loops),
        cmocka_unit_test(one_value_that_is_not_finite_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
