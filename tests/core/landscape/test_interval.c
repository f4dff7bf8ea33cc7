#include "core/landscape/interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/landscape/formula_interval.h"
#include "core/landscape/landscape_facts.h"
#include "tests/assert_close.h"

#define TRIALS 20000

static uint64_t drawn;

static double draw(double low, double high)
{
    return low + (high - low) * rng_uniform_f64(11, 99, 0, drawn++);
}

/* Widths of all sizes; one in four is a point. */
static struct interval draw_interval(double low, double high)
{
    double middle = draw(low, high), half = drawn % 4 == 0 ? 0 : (high - low) * exp2(-draw(1, 50));

    return interval_of(fmax(middle - half, low), fmin(middle + half, high));
}

static double draw_in(struct interval a)
{
    double x = draw(a.lo, a.hi);

    return x < a.lo ? a.lo : x > a.hi ? a.hi : x;
}

static void assert_holds(struct interval values, long double value, const char *what, struct interval a, double x)
{
    if (!((long double)values.lo <= value && value <= (long double)values.hi)) {
        print_error("%s of [%.17g, %.17g] is [%.17g, %.17g], without its value at %.17g, %.21Lg\n", what, a.lo, a.hi,
                    values.lo, values.hi, x, value);
        fail();
    }
}

static long double square_root(long double x)
{
    return x < 0 ? 0 : sqrtl(x);
}

static long double tanh_slope(long double x)
{
    long double c = coshl(x);

    return 1 / (c * c);
}

static struct interval cubed(struct interval a)
{
    return interval_power_whole(a, 3);
}

static struct interval to_the_eighth(struct interval a)
{
    return interval_power_whole(a, 8);
}

static struct interval inverse_square(struct interval a)
{
    return interval_power_whole(a, -2);
}

static struct interval to_2_5(struct interval a)
{
    return interval_power_real(a, 2.5);
}

static long double cubed_l(long double x)
{
    return x * x * x;
}

static long double to_the_eighth_l(long double x)
{
    return x * x * x * x * x * x * x * x;
}

static long double inverse_square_l(long double x)
{
    return 1 / (x * x);
}

static long double to_2_5_l(long double x)
{
    return x * x * square_root(x);
}

/* The true value (to 64 bits) at any place of an interval lies in what the function gives for the interval, also for points.
 */
static void functions_of_intervals_contain_their_values(void **state)
{
    static const struct {
        const char *name;
        struct interval (*ours)(struct interval);
        long double (*exact)(long double);
        double low, high;
    } rows[] = {
        {"exp", interval_exp, expl, -20, 20},
        {"exp", interval_exp, expl, -745, 709},
        {"log", interval_log, logl, 1e-3, 20},
        {"sqrt", interval_sqrt, square_root, 0, 9},
        {"sin", interval_sin, sinl, -15, 15},
        {"sin", interval_sin, sinl, -300, 300},
        {"cos", interval_cos, cosl, -15, 15},
        {"cos", interval_cos, cosl, 1e5, 1e5 + 10},
        {"tanh", interval_tanh, tanhl, -6, 6},
        {"tanh's slope", interval_tanh_slope, tanh_slope, -12, 12},
        {"abs", interval_abs, fabsl, -3, 3},
        {"cube", cubed, cubed_l, -3, 3},
        {"eighth power", to_the_eighth, to_the_eighth_l, -3, 3},
        {"inverse square", inverse_square, inverse_square_l, -3, 3},
        {"power of 2.5", to_2_5, to_2_5_l, 0, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int k = 0; k < TRIALS; k++) {
            struct interval a = draw_interval(rows[i].low, rows[i].high);
            double x = draw_in(a);

            assert_holds(rows[i].ours(a), rows[i].exact((long double)x), rows[i].name, a, x);
        }
    }
}

static void sums_and_products_of_intervals_contain_theirs(void **state)
{
    (void)state;
    for (int k = 0; k < 4 * TRIALS; k++) {
        struct interval a = draw_interval(-3, 3), b = draw_interval(-1, 4);
        double x = draw_in(a), y = draw_in(b);

        assert_holds(interval_add(a, b), (long double)x + (long double)y, "sum", a, x);
        assert_holds(interval_subtract(a, b), (long double)x - (long double)y, "difference", a, x);
        assert_holds(interval_multiply(a, b), (long double)x * (long double)y, "product", a, x);
    }
}

static void what_underflows_is_still_contained(void **state)
{
    struct interval tiny = interval_of(1e-200, 2e-200), both = interval_of(-1e-200, 1e-200);

    (void)state;
    assert_true(interval_multiply(tiny, tiny).lo >= 0 && interval_multiply(tiny, tiny).hi > 0);
    assert_true(interval_multiply(both, tiny).lo < 0 && interval_multiply(both, tiny).hi > 0);
    assert_true(interval_power_whole(both, 3).lo < 0 && interval_power_whole(both, 3).hi > 0);
    assert_true(interval_power_whole(tiny, 2).hi > 0);
    assert_true(interval_exp(interval_of(-800, -800)).hi > 0);
}

static void bounds_may_be_infinite(void **state)
{
    struct interval above = interval_of(0, HUGE_VAL), zero = interval_of(0, 0);

    (void)state;
    assert_close(interval_multiply(zero, interval_whole()).lo, 0, 0, 0);
    assert_close(interval_multiply(zero, above).hi, 0, 0, 0);
    assert_close(interval_add(above, interval_negate(above)).lo, -HUGE_VAL, 0, 0);
    assert_false(interval_is_bounded(interval_power_whole(interval_of(-1, 1), -1)));
    assert_close(interval_power_whole(interval_of(-2, 1), -2).lo, 0.25, 1e-14, 0);
    assert_close(interval_power_whole(interval_of(-2, 1), -2).hi, HUGE_VAL, 0, 0);
    assert_close(interval_exp(interval_of(1000, 1001)).hi, HUGE_VAL, 0, 0);
    assert_true(isfinite(interval_exp(interval_of(1000, 1001)).lo));
    assert_close(interval_log(interval_of(-1, 1)).lo, -HUGE_VAL, 0, 0);
}

static void waves_reach_their_tops_only_where_they_do(void **state)
{
    (void)state;
    assert_close(interval_sin(interval_of(1.5, 1.6)).hi, 1, 0, 0);
    assert_true(interval_sin(interval_of(1.5, 1.57)).hi < 1);
    assert_true(interval_sin(interval_of(1.58, 1.6)).hi < 1);
    assert_close(interval_sin(interval_of(-1.6, -1.5)).lo, -1, 0, 0);
    assert_close(interval_cos(interval_of(-0.1, 0.1)).hi, 1, 0, 0);
    assert_close(interval_cos(interval_of(3, 3.2)).lo, -1, 0, 0);
    assert_true(interval_cos(interval_of(3.2, 6.2)).lo > -1 && interval_cos(interval_of(3.2, 6.2)).hi < 1);
    assert_close(interval_sin(interval_of(0, 7)).lo, -1, 0, 0);
}

static void intersections_and_squares_are_as_small_as_they_can_be(void **state)
{
    struct interval common;

    (void)state;
    assert_true(interval_intersect(interval_of(0, 2), interval_of(1, 3), &common));
    assert_true(common.lo == 1 && common.hi == 2);
    assert_false(interval_intersect(interval_of(0, 1), interval_of(1.5, 3), &common));
    assert_true(interval_square(interval_of(-2, 1)).lo == 0);
    assert_close(interval_square(interval_of(-2, 1)).hi, 4, 1e-15, 0);
    assert_true(interval_within(interval_of(1, 2), interval_of(0, 3)));
    assert_false(interval_within(interval_of(0, 2), interval_of(0, 3)));
}

static int nearly_contains(struct interval a, double x, double slack)
{
    return a.lo - slack <= x && x <= a.hi + slack;
}

/* In random boxes of all sizes, of every landscape: what the jet at a point has lies in the box's intervals. */
static void boxes_of_every_landscape_contain_their_jets(void **state)
{
    (void)state;
    for (size_t i = 0; i < landscape_count(); i++) {
        const struct landscape *landscape = landscape_at(i);
        const struct formula *formula;

        assert_int_equal(landscape_formula(landscape, &formula, NULL), STATUS_OK);
        for (int k = 0; k < 400; k++) {
            const struct interval box[2] = {draw_interval(landscape->box[0][0], landscape->box[0][1]),
                                            draw_interval(landscape->box[1][0], landscape->box[1][1])};
            struct interval_jet over, first;
            struct jet jet;

            assert_true(formula_interval(formula, box, INTERVAL_HESSIAN, &over));
            assert_true(formula_interval(formula, box, INTERVAL_GRADIENT, &first));
            assert_memory_equal(first.g, over.g, sizeof first.g);
            formula_jet(formula, draw_in(box[0]), draw_in(box[1]), &jet);
            double slack =
                1e-12 * (fabs(jet.f) + fabs(jet.gx) + fabs(jet.gy) + fabs(jet.hxx) + fabs(jet.hxy) + fabs(jet.hyy));
            if (!nearly_contains(over.f, jet.f, slack) || !nearly_contains(over.g[0], jet.gx, slack) ||
                !nearly_contains(over.g[1], jet.gy, slack) || !nearly_contains(over.h[0], jet.hxx, slack) ||
                !nearly_contains(over.h[1], jet.hxy, slack) || !nearly_contains(over.h[2], jet.hyy, slack)) {
                print_error("%s: a jet is not in its box [%g, %g] x [%g, %g]\n", landscape->name, box[0].lo, box[0].hi,
                            box[1].lo, box[1].hi);
                fail();
            }
        }
    }
}

static void small_boxes_have_small_values(void **state)
{
    const struct landscape *landscape = landscape_find("goldstein_price", 15);
    const struct interval box[2] = {interval_of(0.5, 0.5 + 1e-9), interval_of(-0.25, -0.25 + 1e-9)};
    const struct formula *formula;
    struct interval_jet jet;

    (void)state;
    assert_int_equal(landscape_formula(landscape, &formula, NULL), STATUS_OK);
    assert_true(formula_interval(formula, box, INTERVAL_HESSIAN, &jet));
    assert_true(interval_width(jet.f) < 1e-4 && interval_width(jet.g[0]) < 1e-3 && interval_width(jet.h[2]) < 1e-2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_intervals_contain_their_values),
        cmocka_unit_test(sums_and_products_of_intervals_contain_theirs),
        cmocka_unit_test(what_underflows_is_still_contained),
        cmocka_unit_test(bounds_may_be_infinite),
        cmocka_unit_test(waves_reach_their_tops_only_where_they_do),
        cmocka_unit_test(intersections_and_squares_are_as_small_as_they_can_be),
        cmocka_unit_test(boxes_of_every_landscape_contain_their_jets),
        cmocka_unit_test(small_boxes_have_small_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
