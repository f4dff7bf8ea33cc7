#include "core/eval/temperature.h"

#include <math.h>

#include "tests/core/eval/calibration_golden.h"

/* Rows of two classes. */
struct rows {
    size_t count;
    const double (*logits)[2];
    const int32_t *labels;
    const float (*soft)[2]; /* NULL: the labels */
};

static void pass_rows(void *context, double inverse, struct temperature_sums *sums)
{
    const struct rows *rows = context;

    for (size_t i = 0; i < rows->count; i++) {
        temperature_add(sums, inverse, 2, rows->logits[i], rows->soft == NULL ? rows->labels[i] : 0,
                        rows->soft == NULL ? NULL : rows->soft[i]);
    }
}

static void pass_golden(void *context, double inverse, struct temperature_sums *sums)
{
    const double factor = *(const double *)context;

    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        double z[GOLDEN_CLASSES];

        for (size_t c = 0; c < GOLDEN_CLASSES; c++) {
            z[c] = factor * golden.logits[i][c] + 100; /* what is added to all does not count */
        }
        temperature_add(sums, inverse, GOLDEN_CLASSES, z, golden.labels[i], NULL);
    }
}

static void the_best_temperature_is_the_published_one(void **state)
{
    struct temperature_fit fit;
    double factor = 1;

    (void)state;
    temperature_fit(&fit, pass_golden, &factor);
    assert_int_equal(fit.outcome, TEMPERATURE_FITTED);
    assert_int_equal(fit.rows, GOLDEN_ROWS);
    assert_close(fit.temperature, golden.known[1].temperature, 1e-12, 0);
    assert_close(fit.slope, 0, 0, 1e-14);
    assert_in_range(fit.passes, 4, 10);
}

static double golden_nll(double inverse)
{
    double losses[GOLDEN_ROWS], probabilities[GOLDEN_ROWS][GOLDEN_CLASSES], sum = 0;

    golden_softmax(1 / inverse, losses, probabilities);
    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        sum += losses[i];
    }
    return sum;
}

/* With respect to b = 1/T, not to T: at b other than 1 they are of different sizes. */
static void slope_and_curvature_are_those_of_the_loss(void **state)
{
    static const double inverses[] = {0.05, 0.4, 1, 3};
    const double h = 1e-4;
    double factor = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(inverses) / sizeof(inverses[0]); i++) {
        double b = inverses[i];
        struct temperature_sums sums = {.rows = 0};

        pass_golden(&factor, b, &sums);
        assert_close(exact_sum_value(&sums.slope), (golden_nll(b + h) - golden_nll(b - h)) / (2 * h), 1e-6, 1e-6);
        assert_close(exact_sum_value(&sums.curvature), (golden_nll(b + h) - 2 * golden_nll(b) + golden_nll(b - h)) / (h * h),
                     1e-4, 1e-4);
    }
}

/* The product of factor and 1/T is what counts, from anywhere between the limits: also where Newton's first step overshoots.
 */
static void scaled_logits_have_the_scaled_temperature(void **state)
{
    static const double factors[] = {0.005, 0.02, 0.3, 1 / 2.209582776976263, 5, 40};

    (void)state;
    for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
        struct temperature_fit fit;
        double factor = factors[i];

        temperature_fit(&fit, pass_golden, &factor);
        assert_int_equal(fit.outcome, TEMPERATURE_FITTED);
        assert_close(fit.temperature, factor * golden.known[1].temperature, 1e-11, 0);
        assert_true(fit.passes < 40);
    }
}

/* 3 of 4 rows right with the same margin d: softmax(d/T) must be 3/4, so T = d / ln 3. */
static void a_share_of_right_rows_is_met_exactly(void **state)
{
    static const double logits[4][2] = {{2, 0}, {2, 0}, {2, 0}, {2, 0}};
    static const int32_t labels[4] = {0, 0, 0, 1};
    struct rows rows = {.count = 4, .logits = logits, .labels = labels};
    struct temperature_fit fit;

    (void)state;
    temperature_fit(&fit, pass_rows, &rows);
    assert_int_equal(fit.outcome, TEMPERATURE_FITTED);
    assert_close(fit.temperature, 2 / log(3), 1e-14, 0);
}

/* A row that is certain to be 3/4 one and 1/4 the other class asks for the same. */
static void soft_targets_are_met_exactly(void **state)
{
    static const double logits[1][2] = {{-1, 1}};
    static const float soft[1][2] = {{0.25f, 0.75f}};
    struct rows rows = {.count = 1, .logits = logits, .soft = soft};
    struct temperature_fit fit;

    (void)state;
    temperature_fit(&fit, pass_rows, &rows);
    assert_close(fit.temperature, 2 / log(3), 1e-14, 0);
}

static void rows_that_are_all_right_end_at_the_least_temperature(void **state)
{
    static const double narrow[2][2] = {{0.001, 0}, {0, 3}}, wide[2][2] = {{900, 0}, {0, 800}};
    static const int32_t labels[2] = {0, 1};
    struct rows rows = {.count = 2, .logits = narrow, .labels = labels};
    struct temperature_fit fit;

    (void)state;
    temperature_fit(&fit, pass_rows, &rows);
    assert_int_equal(fit.outcome, TEMPERATURE_AT_LIMIT);
    assert_close(fit.temperature, TEMPERATURE_LEAST, 0, 0);
    rows.logits = wide; /* the slope is 0 already at T = 1, in double */
    temperature_fit(&fit, pass_rows, &rows);
    assert_close(fit.temperature, 1, 0, 0);
}

static void rows_that_are_mostly_wrong_end_at_the_largest_temperature(void **state)
{
    static const double logits[2][2] = {{5, 0}, {0, 5}};
    static const int32_t labels[2] = {1, 0};
    struct rows rows = {.count = 2, .logits = logits, .labels = labels};
    struct temperature_fit fit;

    (void)state;
    temperature_fit(&fit, pass_rows, &rows);
    assert_int_equal(fit.outcome, TEMPERATURE_AT_LIMIT);
    assert_close(fit.temperature, TEMPERATURE_MOST, 0, 0);
}

static void logits_that_are_all_equal_keep_1(void **state)
{
    static const double logits[2][2] = {{3, 3}, {-1, -1}};
    static const int32_t labels[2] = {1, 0};
    struct rows rows = {.count = 2, .logits = logits, .labels = labels};
    struct temperature_fit fit;

    (void)state;
    temperature_fit(&fit, pass_rows, &rows);
    assert_int_equal(fit.outcome, TEMPERATURE_FITTED);
    assert_close(fit.temperature, 1, 0, 0);
    assert_int_equal(fit.passes, 1);
}

static void nothing_and_what_is_not_finite_have_no_temperature(void **state)
{
    static const double logits[2][2] = {{3, 2}, {(double)INFINITY, 0}};
    static const int32_t labels[2] = {1, 0};
    struct rows rows = {.count = 2, .logits = logits, .labels = labels};
    struct temperature_fit fit;

    (void)state;
    temperature_fit(&fit, pass_rows, &rows);
    assert_int_equal(fit.outcome, TEMPERATURE_UNDEFINED);
    rows.count = 0;
    temperature_fit(&fit, pass_rows, &rows);
    assert_int_equal(fit.outcome, TEMPERATURE_UNDEFINED);
    assert_close(fit.temperature, 1, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_temperature_is_the_published_one),
        cmocka_unit_test(slope_and_curvature_are_those_of_the_loss),
        cmocka_unit_test(scaled_logits_have_the_scaled_temperature),
        cmocka_unit_test(a_share_of_right_rows_is_met_exactly),
        cmocka_unit_test(soft_targets_are_met_exactly),
        cmocka_unit_test(rows_that_are_all_right_end_at_the_least_temperature),
        cmocka_unit_test(rows_that_are_mostly_wrong_end_at_the_largest_temperature),
        cmocka_unit_test(logits_that_are_all_equal_keep_1),
        cmocka_unit_test(nothing_and_what_is_not_finite_have_no_temperature),
    };
    return cmocka_run_group_tests_name("temperature", tests, golden_read, NULL);
}
