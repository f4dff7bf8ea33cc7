#include "core/base/mathx.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define POINTS 200000

/* The distance of got from the extended-precision value, in units of the last place of a number with `digits` bits. */
static double ulps(double got, long double want, int digits, int smallest_exponent)
{
    int exponent;

    if (isnan(want) || isnan(got)) {
        return isnan(want) && isnan(got) ? 0 : HUGE_VAL;
    }
    if (isinf(got) || isinf(want)) {
        /* what rounds to infinity may be finite in extended precision */
        return got == (double)want || (digits == 24 && got == (double)(float)want) ? 0 : HUGE_VAL;
    }
    frexpl(want, &exponent);
    exponent = exponent - digits < smallest_exponent ? smallest_exponent : exponent - digits;
    return (double)fabsl(ldexpl((long double)got - want, -exponent));
}

static double argument(uint64_t i, double low, double high)
{
    return low + (high - low) * rng_uniform_f64(7, 99, 0, i);
}

static void check_f64(const char *name, double (*ours)(double), long double (*reference)(long double), double low,
                      double high, double allowed)
{
    double worst = 0, where = 0;

    for (uint64_t i = 0; i < POINTS; i++) {
        double x = argument(i, low, high), error = ulps(ours(x), reference(x), 53, -1074);

        if (error > worst) {
            worst = error;
            where = x;
        }
    }
    if (worst > allowed) {
        print_error("%s is %.3f ulp off at %.17g (%a), %.2f are allowed\n", name, worst, where, where, allowed);
        fail();
    }
}

static void check_f32(const char *name, float (*ours)(float), long double (*reference)(long double), double low, double high,
                      double allowed)
{
    double worst = 0, where = 0;

    for (uint64_t i = 0; i < POINTS; i++) {
        float x = (float)argument(i, low, high);
        double error = ulps((double)ours(x), reference(x), 24, -149);

        if (error > worst) {
            worst = error;
            where = (double)x;
        }
    }
    if (worst > allowed) {
        print_error("%s is %.3f ulp off at %.9g, %.2f are allowed\n", name, worst, where, allowed);
        fail();
    }
}

static long double sigmoid_reference(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

/* The nearest quarter taken off exactly: the rest is small, and its product with 2 pi has all digits. */
static long double sine_of_turns(long double turns)
{
    long double quarter = rintl(4 * turns), angle = 8 * atanl(1) * (turns - quarter / 4);

    switch ((int)quarter & 3) {
    case 0:
        return sinl(angle);
    case 1:
        return cosl(angle);
    case 2:
        return -sinl(angle);
    default:
        return -cosl(angle);
    }
}

static long double cosine_of_turns(long double turns)
{
    return sine_of_turns(turns + 0.25L);
}

static double our_sine_of_turns(double turns)
{
    double sine, cosine;

    mathx_sincos_turns_f64(turns, &sine, &cosine);
    return sine;
}

static double our_cosine_of_turns(double turns)
{
    double sine, cosine;

    mathx_sincos_turns_f64(turns, &sine, &cosine);
    return cosine;
}

static void exp_is_within_an_ulp_from_underflow_to_overflow(void **state)
{
    (void)state;
    check_f64("exp", mathx_exp_f64, expl, -1, 1, 1);
    check_f64("exp", mathx_exp_f64, expl, -746, -700, 1);
    check_f64("exp", mathx_exp_f64, expl, -710, 709.78, 1);
    check_f32("exp f32", mathx_exp_f32, expl, -1, 1, 1);
    check_f32("exp f32", mathx_exp_f32, expl, -104, 88.7, 1);
}

static void exp_of_limits_is_as_in_annex_f(void **state)
{
    (void)state;
    assert_true(mathx_exp_f64(0) == 1 && mathx_exp_f64(-0.0) == 1);
    assert_close(mathx_exp_f64(HUGE_VAL), HUGE_VAL, 0, 0);
    assert_close(mathx_exp_f64(-HUGE_VAL), 0, 0, 0);
    assert_close(mathx_exp_f64(709.782712893384), exp(709.782712893384), 1e-15, 0);
    assert_close(mathx_exp_f64(709.7827128933841), HUGE_VAL, 0, 0);
    assert_close(mathx_exp_f64(-745.1332191019411), 0x1p-1074, 0, 0);
    assert_close(mathx_exp_f64(-745.1332191019412), 0, 0, 0);
    assert_close(mathx_exp_f64(NAN), NAN, 0, 0);
    assert_true(mathx_exp_f32(0) == 1);
    assert_close((double)mathx_exp_f32(HUGE_VALF), HUGE_VAL, 0, 0);
    assert_close((double)mathx_exp_f32(88.8f), HUGE_VAL, 0, 0);
    assert_close((double)mathx_exp_f32(-HUGE_VALF), 0, 0, 0);
    assert_close((double)mathx_exp_f32(NAN), NAN, 0, 0);
}

static void expm1_keeps_the_digits_of_small_arguments(void **state)
{
    (void)state;
    check_f64("expm1", mathx_expm1_f64, expm1l, -1e-8, 1e-8, 2);
    check_f64("expm1", mathx_expm1_f64, expm1l, -1, 1, 2);
    check_f64("expm1", mathx_expm1_f64, expm1l, -50, 709, 2);
    assert_true(mathx_expm1_f64(0x1p-1060) == 0x1p-1060);
    assert_close(mathx_expm1_f64(-HUGE_VAL), -1, 0, 0);
    assert_close(mathx_expm1_f64(HUGE_VAL), HUGE_VAL, 0, 0);
    assert_close(mathx_expm1_f64(NAN), NAN, 0, 0);
}

static void log_is_within_an_ulp_even_near_1_and_of_subnormals(void **state)
{
    (void)state;
    check_f64("log", mathx_log_f64, logl, 0, 1, 1);
    check_f64("log", mathx_log_f64, logl, 0.9, 1.1, 1);
    check_f64("log", mathx_log_f64, logl, 0, 1e300, 1);
    check_f64("log", mathx_log_f64, logl, 0, 0x1p-1022, 1);
}

static void log_of_limits_is_as_in_annex_f(void **state)
{
    (void)state;
    assert_true(mathx_log_f64(1) == 0);
    assert_close(mathx_log_f64(0), -HUGE_VAL, 0, 0);
    assert_close(mathx_log_f64(HUGE_VAL), HUGE_VAL, 0, 0);
    assert_close(mathx_log_f64(-1), NAN, 0, 0);
    assert_close(mathx_log_f64(NAN), NAN, 0, 0);
    assert_close(mathx_log_f64(0x1p-1074), log(0x1p-1074), 1e-15, 0);
}

static void log1p_keeps_the_digits_of_small_arguments(void **state)
{
    (void)state;
    check_f64("log1p", mathx_log1p_f64, log1pl, -1e-9, 1e-9, 2);
    check_f64("log1p", mathx_log1p_f64, log1pl, -0.999, 1, 2);
    check_f64("log1p", mathx_log1p_f64, log1pl, 0, 4096, 2);
    check_f64("log1p", mathx_log1p_f64, log1pl, 0, 1e300, 2);
    assert_true(mathx_log1p_f64(4.248354255291589e-18) == 4.248354255291589e-18);
    assert_true(mathx_log1p_f64(0x1p-1074) == 0x1p-1074);
    assert_close(mathx_log1p_f64(-1), -HUGE_VAL, 0, 0);
    assert_close(mathx_log1p_f64(-1.5), NAN, 0, 0);
    assert_close(mathx_log1p_f64(HUGE_VAL), HUGE_VAL, 0, 0);
    assert_close(mathx_log1p_f64(NAN), NAN, 0, 0);
}

static void tanh_and_sigmoid_are_within_two_and_a_half_ulps(void **state)
{
    (void)state;
    check_f64("tanh", mathx_tanh_f64, tanhl, -1e-6, 1e-6, 2);
    check_f64("tanh", mathx_tanh_f64, tanhl, -25, 25, 2);
    check_f64("sigmoid", mathx_sigmoid_f64, sigmoid_reference, -745, 745, 2.5);
    check_f64("sigmoid", mathx_sigmoid_f64, sigmoid_reference, -10, 10, 2.5);
    check_f32("tanh f32", mathx_tanh_f32, tanhl, -1e-3, 1e-3, 2);
    check_f32("tanh f32", mathx_tanh_f32, tanhl, -12, 12, 2);
    check_f32("sigmoid f32", mathx_sigmoid_f32, sigmoid_reference, -103, 103, 2.5);
    check_f32("sigmoid f32", mathx_sigmoid_f32, sigmoid_reference, -10, 10, 2.5);
    assert_close(mathx_tanh_f64(HUGE_VAL), 1, 0, 0);
    assert_close(mathx_tanh_f64(-HUGE_VAL), -1, 0, 0);
    assert_close(mathx_tanh_f64(NAN), NAN, 0, 0);
    assert_close(mathx_sigmoid_f64(HUGE_VAL), 1, 0, 0);
    assert_close(mathx_sigmoid_f64(-HUGE_VAL), 0, 0, 0);
    assert_close((double)mathx_tanh_f32(NAN), NAN, 0, 0);
    assert_close((double)mathx_sigmoid_f32(NAN), NAN, 0, 0);
    assert_true(mathx_tanh_f64(0x1p-1060) == 0x1p-1060);
}

static void sin_and_cos_are_right_for_every_angle(void **state)
{
    (void)state;
    check_f64("sin", mathx_sin_f64, sinl, -1, 1, 2);
    check_f64("cos", mathx_cos_f64, cosl, -1, 1, 2);
    check_f64("sin", mathx_sin_f64, sinl, -100, 100, 2);
    check_f64("cos", mathx_cos_f64, cosl, -100, 100, 2);
    check_f64("sin", mathx_sin_f64, sinl, -1e9, 1e9, 2);
    check_f64("cos", mathx_cos_f64, cosl, -1e18, 1e18, 2);
    /* the double closest to a multiple of pi / 2, and the largest one */
    assert_close(mathx_cos_f64(0x1.6ac5b262ca1ffp+849), -4.6871659242546277e-19, 1e-15, 0);
    assert_close(mathx_sin_f64(0x1.fffffffffffffp1023), 0.004961954789184062, 1e-15, 0);
    assert_close(mathx_sin_f64(HUGE_VAL), NAN, 0, 0);
    assert_close(mathx_cos_f64(NAN), NAN, 0, 0);
}

static void turns_have_exact_quarters(void **state)
{
    (void)state;
    for (int quarter = -8; quarter <= 8; quarter++) {
        static const double exact[4] = {0, 1, 0, -1};

        assert_true(our_sine_of_turns(quarter * 0.25) == exact[(quarter + 8) % 4]);
        assert_true(our_cosine_of_turns(quarter * 0.25) == exact[(quarter + 9) % 4]);
    }
    check_f64("sine of turns", our_sine_of_turns, sine_of_turns, -1, 1, 2);
    check_f64("cosine of turns", our_cosine_of_turns, cosine_of_turns, -1, 1, 2);
}

static void arrays_have_the_bits_of_single_values(void **state)
{
    enum { N = 1003 };
    static double x[N], got[N], want[N];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        x[i] = i % 100 == 0 ? (i % 200 == 0 ? HUGE_VAL : 0) : argument(i, -750, 750);
        want[i] = mathx_exp_f64(x[i]);
    }
    mathx_exp_array_f64(N, x, got);
    assert_memory_equal(got, want, sizeof(got));
    for (size_t i = 0; i < N; i++) {
        x[i] = i % 100 == 0 ? 0x1p-1060 : argument(i, 0, 10);
        want[i] = mathx_log1p_f64(x[i]);
    }
    mathx_log1p_array_f64(N, x, x);
    assert_memory_equal(x, want, sizeof(x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_within_an_ulp_from_underflow_to_overflow),
        cmocka_unit_test(exp_of_limits_is_as_in_annex_f),
        cmocka_unit_test(expm1_keeps_the_digits_of_small_arguments),
        cmocka_unit_test(log_is_within_an_ulp_even_near_1_and_of_subnormals),
        cmocka_unit_test(log_of_limits_is_as_in_annex_f),
        cmocka_unit_test(log1p_keeps_the_digits_of_small_arguments),
        cmocka_unit_test(tanh_and_sigmoid_are_within_two_and_a_half_ulps),
        cmocka_unit_test(sin_and_cos_are_right_for_every_angle),
        cmocka_unit_test(turns_have_exact_quarters),
        cmocka_unit_test(arrays_have_the_bits_of_single_values),
    };
    return cmocka_run_group_tests_name("mathx", tests, NULL, NULL);
}
