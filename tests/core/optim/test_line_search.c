#include "core/optim/line_search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/core/optim/functions.h"

/* A search from theta along -gradient, or the direction given. */
struct setting {
    struct function function;
    struct objective objective;
    double theta[FUNCTION_MOST], direction[FUNCTION_MOST], found[FUNCTION_MOST], gradient[FUNCTION_MOST];
    struct line_search search;
};

static void begin(struct setting *s)
{
    struct objective_value value;

    s->objective.evaluate(s->objective.context, s->theta, &value, s->gradient);
    if (objective_norm(s->objective.n, s->direction) == 0) {
        objective_add(s->objective.n, -1, s->gradient, s->direction);
    }
    s->search = (struct line_search){.objective = &s->objective,
                                     .theta = s->theta,
                                     .direction = s->direction,
                                     .value = value.value,
                                     .slope = objective_dot(s->objective.n, s->gradient, s->direction),
                                     .found_theta = s->found,
                                     .found_gradient = s->gradient};
    assert_true(s->search.slope < 0);
}

/* What was found is what is there, and meets both conditions as they stand in the book. */
static void assert_wolfe(struct setting *s)
{
    const size_t n = s->objective.n;
    struct objective_value value;
    double gradient[FUNCTION_MOST], theta[FUNCTION_MOST];

    objective_along(n, s->theta, s->search.step, s->direction, theta);
    s->objective.evaluate(s->objective.context, theta, &value, gradient);
    assert_memory_equal(theta, s->found, n * sizeof *theta);
    assert_memory_equal(gradient, s->gradient, n * sizeof *gradient);
    assert_close(value.value, s->search.found.value, 0, 0);
    assert_true(value.value <= s->search.value + 1e-4 * s->search.step * s->search.slope);
    assert_true(fabs(objective_dot(n, gradient, s->direction)) <= 0.9 * fabs(s->search.slope));
}

/* However wrong the first step is. */
static void both_conditions_hold_from_any_first_step(void **state)
{
    (void)state;
    for (double first = 1e-9; first < 1e9; first *= 7) {
        for (int which = 0; which < 4; which++) {
            struct setting s = {.theta = {-1.2, 1}};

            if (which == 0) {
                s.objective = rosenbrock(&s.function);
            } else if (which == 1) {
                make_quadratic(&s.function, 8, 1e4);
                s.objective = quadratic(&s.function);
            } else {
                s.objective = exponential(&s.function, 3);
                s.theta[0] = which == 2 ? -40 : 2;
                s.theta[2] = which == 2 ? 3 : -1;
            }
            begin(&s);
            s.function.evaluations = 0;
            assert_true(line_search_wolfe(&s.search, first));
            assert_in_range(s.function.evaluations, 1, 40);
            assert_wolfe(&s);
        }
    }
}

/* The slope at the end may be steep upwards as well as downwards: along a line through a narrow valley. */
static void a_point_beyond_the_minimum_is_not_taken_for_flat(void **state)
{
    struct setting s = {.theta = {1}, .direction = {-1}};

    (void)state;
    make_quadratic(&s.function, 1, 1);
    s.function.b[0] = 0;
    s.objective = quadratic(&s.function);
    begin(&s); /* phi = (1 - t)^2 / 2: at 1.96 it is lower by enough, but the slope is 0.96 upwards */
    assert_true(line_search_wolfe(&s.search, 1.96));
    assert_wolfe(&s);
    assert_true(s.search.step < 1.9);
}

/* A parabola whose values are known to 1e-13 only, and lie higher the further one goes. */
static void rough_evaluate(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    (void)context;
    *value = (struct objective_value){.value = theta[0] == 1e-9 ? 1 : 1 + 1e-13};
    gradient[0] = theta[0];
}

/* Near the minimum phi changes by less than it is known. */
static void where_values_are_rounded_slopes_decide(void **state)
{
    struct setting s = {.theta = {1e-9}, .objective = {.n = 1, .evaluate = rough_evaluate}};

    (void)state;
    begin(&s);
    assert_true(line_search_wolfe(&s.search, 1e-3));
    assert_true(fabs(s.search.found_slope) <= 0.9 * fabs(s.search.slope));
    assert_true(s.search.step > 0.05);
}

static void upwards_in_floats_alone(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    (void)context;
    *value = (struct objective_value){.value = theta[0] == 0 ? 1 : 2};
    gradient[0] = theta[0] == 0 ? 1 : -1;
}

static void where_nothing_is_lower_nothing_is_found(void **state)
{
    struct setting s = {.objective = {.n = 1, .evaluate = upwards_in_floats_alone}};

    (void)state;
    begin(&s);
    assert_false(line_search_wolfe(&s.search, 1));
    begin(&s);
    assert_false(line_search_backtrack(&s.search));
}

static void backtracking_takes_the_first_half_that_is_low_enough(void **state)
{
    struct setting s = {.theta = {1}, .direction = {-9}};

    (void)state;
    make_quadratic(&s.function, 1, 1);
    s.function.b[0] = 0;
    s.objective = quadratic(&s.function);
    begin(&s); /* phi = (1 - 9 t)^2 / 2: too far at 1, 1/2 and 1/4, not at 1/8 */
    s.function.evaluations = 0;
    assert_true(line_search_backtrack(&s.search));
    assert_close(s.search.step, 0.125, 0, 0);
    assert_int_equal(s.function.evaluations, 4);
    assert_close(s.found[0], -0.125, 1e-15, 0);
    assert_close(s.search.found_slope, 9 * 0.125, 1e-15, 0);

    /* sufficient decrease is a share of the slope's, not just lower: at 2 - 1e-5 phi is lower by 2e-5 of what would do */
    s.direction[0] = -(2 - 1e-5);
    begin(&s);
    assert_true(line_search_backtrack(&s.search));
    assert_close(s.search.step, 0.5, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_conditions_hold_from_any_first_step),
        cmocka_unit_test(a_point_beyond_the_minimum_is_not_taken_for_flat),
        cmocka_unit_test(where_values_are_rounded_slopes_decide),
        cmocka_unit_test(where_nothing_is_lower_nothing_is_found),
        cmocka_unit_test(backtracking_takes_the_first_half_that_is_low_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
