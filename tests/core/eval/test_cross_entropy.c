#include "core/eval/cross_entropy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

/* Expected values to the last digit, from arithmetic with 60 digits. */

static void two_vectors_have_their_known_values(void **state)
{
    static const struct {
        size_t n;
        double u[4], v[4], h, entropy, kl;
    } known[] = {
        {2, {1.0, 0.0}, {1.0, 0.0}, 0.0, 0.0, 0.0},
        {2, {0.0, 1.0}, {0.0, 1.0}, 0.0, 0.0, 0.0},
        {2, {1.0, 0.0}, {0.9, 0.1}, 0.10536051565782628, 0.0, 0.10536051565782628},
        {2, {1.0, 0.0}, {0.1, 0.9}, 2.3025850929940455, 0.0, 2.3025850929940455},
        {2, {0.5, 0.5}, {0.9, 0.1}, 1.203972804325936, 0.6931471805599453, 0.5108256237659906},
        {2, {0.5, 0.5}, {0.5, 0.5}, 0.6931471805599453, 0.6931471805599453, 0.0},
        {3, {0.7, 0.2, 0.1}, {0.7, 0.2, 0.1}, 0.8018185525433373, 0.8018185525433373, 0.0},
        {3, {0.7, 0.2, 0.1}, {0.2, 0.3, 0.5}, 1.4367158176250518, 0.8018185525433373, 0.6348972650817145},
        {4, {0.25, 0.25, 0.25, 0.25}, {0.25, 0.25, 0.25, 0.25}, 1.3862943611198906, 1.3862943611198906, 0.0},
        {3, {0.5, 0.5, 0.0}, {0.5, 0.5, 0.0}, 0.6931471805599453, 0.6931471805599453, 0.0},
        {2, {1.0, 0.0}, {1e-300, 1.0}, 690.7755278982137, 0.0, 690.7755278982137},
        {2, {1.0, 0.0}, {1e-08, 0.99999999}, 18.420680743952367, 0.0, 18.420680743952367},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct cross_entropy got;

        cross_entropy_of(known[i].u, known[i].v, known[i].n, &got);
        assert_close(got.cross_entropy, known[i].h, 4e-16, 0);
        assert_close(got.entropy, known[i].entropy, 4e-16, 0);
        assert_close(got.kl, known[i].kl, 4e-16, 0);
        assert_true(!signbit(got.cross_entropy) && !signbit(got.entropy) && !signbit(got.kl));
    }
}

static void no_mass_costs_nothing_whatever_the_other_vector_has_there(void **state)
{
    const double u[3] = {0.5, 0.5, 0}, v[3] = {0.5, 0.5, 0}, one[2] = {1, 0};
    struct cross_entropy got;

    (void)state;
    cross_entropy_of(u, v, 3, &got);
    assert_close(got.cross_entropy, 0.6931471805599453, 4e-16, 0);
    cross_entropy_of(one, one, 2, &got);
    assert_close(got.cross_entropy, 0, 0, 0);
}

static void mass_where_the_other_vector_has_none_is_infinite(void **state)
{
    const double u[3] = {0.5, 0.5, 0}, v[3] = {1, 0, 0};
    struct cross_entropy got;

    (void)state;
    cross_entropy_of(u, v, 3, &got);
    assert_close(got.cross_entropy, HUGE_VAL, 0, 0);
    assert_close(got.kl, HUGE_VAL, 0, 0);
    assert_close(got.entropy, 0.6931471805599453, 4e-16, 0);
}

static void logits_have_their_known_values_confident_ones_too(void **state)
{
    static const struct {
        size_t n;
        double u[3], z[3], h, entropy, kl;
    } known[] = {
        {3, {0, 0, 1}, {1, 2, 3}, 0.4076059644443803, 0, 0.4076059644443803},
        {3, {0.7, 0.2, 0.1}, {1, 2, 3}, 2.00760596444438, 0.8018185525433373, 1.2057874119010428},
        {3, {1, 0, 0}, {1000, 0, -1000}, 0, 0, 0},
        {3, {0, 0, 1}, {1000, 0, -1000}, 2000, 0, 2000},
        {3, {1, 0, 0}, {-1000, -1001, -1002}, 0.4076059644443803, 0, 0.4076059644443803},
        {2, {0, 1}, {0.5, -0.25}, 1.1368710061148999, 0, 1.1368710061148999},
        {2, {1, 0}, {20, -20}, 4.248354255291589e-18, 0, 4.248354255291589e-18},
        {2, {1, 0}, {40, -40}, 1.8048513878454153e-35, 0, 1.8048513878454153e-35},
        {2, {0, 1}, {88.8, 0}, 88.8, 0, 88.8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct cross_entropy got;

        cross_entropy_of_logits(known[i].u, known[i].z, known[i].n, &got);
        assert_close(got.cross_entropy, known[i].h, 4e-16, 0);
        assert_close(got.entropy, known[i].entropy, 4e-16, 0);
        assert_close(got.kl, known[i].kl, 4e-16, 0);
    }
}

static void long_vectors_lose_no_digits(void **state)
{
    enum { N = 4096 };
    static double u[N], v[N], z[N];
    struct cross_entropy got;

    (void)state;
    for (size_t t = 0; t < N; t++) { /* two levels, 3 : 1 and back */
        u[t] = (t % 2 == 0 ? 1.5 : 0.5) / N;
        v[t] = (t % 2 == 0 ? 0.5 : 1.5) / N;
        z[t] = t % 2 == 0 ? -1.0986122886681098 : 0;
    }
    cross_entropy_of(u, v, N, &got);
    assert_close(got.kl, 0.5493061443340549, 1e-15, 0); /* ln(3) / 2 */
    cross_entropy_of_logits(u, z, N, &got);
    assert_close(got.kl, 0.5493061443340549, 1e-15, 0);
}

static void what_is_no_probability_vector_is_refused_with_its_place(void **state)
{
    static const struct {
        double p[2];
        const char *message;
    } bad[] = {
        {{NAN, 1}, "u[0] is"},
        {{1.5, -0.5}, "u[1] is -0.5"},
        {{0.5, 0.4}, "u sums to 0.9"},
        {{HUGE_VAL, 0}, "u sums to inf"},
    };
    const double nearly[3] = {0.1, 0.2, 0.7}, off[2] = {0.5, 0.5 + 2e-12};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error error = {0};

        assert_int_equal(probabilities_check("u", bad[i].p, 2, 1e-12, &error), STATUS_OUT_OF_RANGE);
        assert_non_null(strstr(error.message, bad[i].message));
    }
    assert_int_equal(probabilities_check("u", nearly, 3, 1e-12, NULL), STATUS_OK);
    assert_int_equal(probabilities_check("u", off, 2, 1e-12, NULL), STATUS_OUT_OF_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_vectors_have_their_known_values),
        cmocka_unit_test(no_mass_costs_nothing_whatever_the_other_vector_has_there),
        cmocka_unit_test(mass_where_the_other_vector_has_none_is_infinite),
        cmocka_unit_test(logits_have_their_known_values_confident_ones_too),
        cmocka_unit_test(long_vectors_lose_no_digits),
        cmocka_unit_test(what_is_no_probability_vector_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
