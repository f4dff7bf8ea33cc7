#include "core/eval/calibration.h"

#include <math.h>

#include "tests/core/eval/calibration_golden.h"

/* One row of two classes with this confidence, predicted as class 0. */
static void add(struct calibration *calibration, double confidence, int correct)
{
    const double probabilities[2] = {confidence, 1 - confidence};

    calibration_add(calibration, 2,
                    &(struct calibration_row){.probabilities = probabilities, .predicted = 0, .truth = correct ? 0 : 1});
}

static void measures_are_the_published_ones_before_and_after_the_temperature(void **state)
{
    struct scores scores;

    (void)state;
    golden_score(&scores, golden.known[1].temperature);
    for (size_t t = 0; t < 2; t++) {
        const struct calibration *got = t == 0 ? &scores.calibration : &scores.calibrated;
        const struct golden_scores *want = &golden.known[t];

        assert_int_equal(got->samples, GOLDEN_ROWS);
        assert_close(got->accuracy, want->accuracy, 1e-15, 0);
        assert_close(got->confidence, want->confidence, 1e-12, 0);
        assert_close(got->gap, want->confidence - want->accuracy, 1e-12, 0);
        assert_close(got->nll, want->nll, 1e-12, 0);
        assert_close(got->brier, want->brier, 1e-12, 0);
        assert_close(got->ece, want->ece, 1e-12, 0);
        assert_close(got->mce, want->mce, 1e-12, 0);
        assert_close(got->rmsce, want->rmsce, 1e-12, 0);
        assert_close(got->ace, want->ace, 1e-12, 0);
        assert_close(got->classwise_ece, want->classwise_ece, 1e-12, 0);
    }
    scores_release(&scores);
}

static void bins_have_the_published_counts_confidences_and_accuracies(void **state)
{
    struct scores scores;

    (void)state;
    golden_score(&scores, 0);
    for (size_t m = 0; m < CALIBRATION_BINS; m++) {
        assert_int_equal(scores.calibration.bins[m].count, golden.bins[m].count);
        assert_close(scores.calibration.bins[m].confidence, golden.bins[m].confidence, 1e-12, 0);
        assert_close(scores.calibration.bins[m].accuracy, golden.bins[m].accuracy, 1e-12, 0);
    }
    scores_release(&scores);
}

/* Left-closed bins, a likely mistake, would put the edges one bin higher. */
static void bins_are_closed_on_the_right_and_the_first_one_holds_0(void **state)
{
    struct calibration calibration = {.samples = 0};

    (void)state;
    for (int m = 0; m <= CALIBRATION_BINS; m++) {
        add(&calibration, (double)m / CALIBRATION_BINS, 1);
    }
    for (int m = 0; m < CALIBRATION_BINS; m++) {
        assert_int_equal(calibration.sums[m].count, m == 0 ? 2 : 1);
        assert_close(calibration.sums[m].probability, (double)(m + 1) / CALIBRATION_BINS, 0, 0);
    }
}

static void any_number_of_bins_has_its_edges_at_the_quotients(void **state)
{
    (void)state;
    for (int bins = 1; bins <= 100; bins++) {
        assert_int_equal(calibration_bin_of(0, bins), 0);
        assert_int_equal(calibration_bin_of(nextafter(0, 1), bins), 0);
        assert_int_equal(calibration_bin_of((double)NAN, bins), bins - 1);
        assert_int_equal(calibration_bin_of(nextafter(1, 2), bins), bins - 1);
        for (int m = 1; m <= bins; m++) {
            double edge = (double)m / bins;

            assert_int_equal(calibration_bin_of(edge, bins), m - 1);
            assert_int_equal(calibration_bin_of(nextafter(edge, 0), bins), m - 1);
            assert_int_equal(calibration_bin_of(nextafter(edge, 2), bins), m < bins ? m : m - 1);
        }
    }
}

static void edge_cases_fall_into_the_published_bins(void **state)
{
    struct calibration_sum sums[GOLDEN_EDGE_BINS] = {{0}};

    (void)state;
    for (size_t i = 0; i < GOLDEN_EDGES; i++) {
        struct calibration_sum *sum = &sums[calibration_bin_of(golden.edge_confidences[i], GOLDEN_EDGE_BINS)];

        sum->count++;
        sum->probability += golden.edge_confidences[i];
        sum->target += golden.edge_successes[i];
    }
    for (size_t m = 0; m < GOLDEN_EDGE_BINS; m++) {
        double count = sums[m].count == 0 ? 1 : (double)sums[m].count;

        assert_int_equal(sums[m].count, golden.edge_bins[m].count);
        assert_close(sums[m].probability / count, golden.edge_bins[m].confidence, 1e-15, 0);
        assert_close(sums[m].target / count, golden.edge_bins[m].accuracy, 1e-15, 0);
    }
}

static void one_class_has_the_published_reliability_curve(void **state)
{
    double losses[GOLDEN_ROWS], probabilities[GOLDEN_ROWS][GOLDEN_CLASSES];
    struct calibration_sum sums[GOLDEN_CURVE] = {{0}};

    (void)state;
    golden_softmax(1, losses, probabilities);
    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        struct calibration_sum *sum = &sums[calibration_bin_of(probabilities[i][0], GOLDEN_CURVE)];

        sum->count++;
        sum->probability += probabilities[i][0];
        sum->target += golden.labels[i] == 0;
    }
    for (size_t m = 0; m < GOLDEN_CURVE; m++) {
        assert_close(sums[m].target / (double)sums[m].count, golden.curve[m][0], 1e-12, 0);
        assert_close(sums[m].probability / (double)sums[m].count, golden.curve[m][1], 1e-12, 0);
    }
}

/*
 * 31 rows in no order: groups of 3, 2, 2, 2 ...; the first one is the 3 least confident rows, wrong all, the others are
 * right all.
 */
static void adaptive_groups_are_nearly_equal_and_ordered_by_confidence(void **state)
{
    enum { ROWS = 31 };
    struct calibration calibration = {.samples = 0};
    double want = 0, wrong = 0;

    (void)state;
    assert_int_equal(calibration_reserve(&calibration, 2, ROWS, NULL), STATUS_OK);
    for (int i = 0; i < ROWS; i++) {
        int place = i * 12 % ROWS; /* 12 and 31 have no common divisor */
        double confidence = 0.5 + place / 64.0;

        add(&calibration, confidence, place >= 3);
        want += place >= 3 ? 1 - confidence : 0;
        wrong += place < 3 ? confidence : 0;
    }
    calibration_finish(&calibration);
    assert_close(calibration.ace, (wrong + want) / ROWS, 1e-14, 0);
    assert_true(calibration.confidences == NULL && calibration.space == NULL && calibration.class_sums == NULL);
    calibration_release(&calibration);
}

/* All equal: whoever came first is in the first groups, so that the value depends on the rows' order alone. */
static void equal_confidences_stay_in_their_order(void **state)
{
    struct calibration calibration = {.samples = 0};

    (void)state;
    assert_int_equal(calibration_reserve(&calibration, 2, 30, NULL), STATUS_OK);
    for (int i = 0; i < 30; i++) {
        add(&calibration, 0.5, i < 10);
    }
    calibration_finish(&calibration);
    assert_close(calibration.ace, 0.5, 1e-15, 0); /* five groups of 1, ten of 0, each 0.5 off */
    assert_close(calibration.ece, 0.5 - 1.0 / 3, 1e-15, 0);
    calibration_release(&calibration);
}

static void fewer_rows_than_groups_are_one_a_group(void **state)
{
    struct calibration calibration = {.samples = 0};

    (void)state;
    assert_int_equal(calibration_reserve(&calibration, 2, 3, NULL), STATUS_OK);
    add(&calibration, 0.75, 1);
    add(&calibration, 0.625, 0);
    add(&calibration, 1, 1);
    calibration_finish(&calibration);
    assert_close(calibration.ace, (0.25 + 0.625 + 0) / 3, 1e-15, 0);
    assert_close(calibration.mce, 0.625, 1e-15, 0);
    assert_close(calibration.gap, (0.75 + 0.625 + 1) / 3 - 2.0 / 3, 1e-15, 0);
    calibration_release(&calibration);
}

static void an_underconfident_model_has_a_gap_below_0(void **state)
{
    struct calibration calibration = {.samples = 0};

    (void)state;
    add(&calibration, 0.625, 1);
    calibration_finish(&calibration);
    assert_close(calibration.gap, -0.375, 1e-15, 0);
    assert_close(calibration.ece, 0.375, 1e-15, 0);
}

static void soft_targets_count_with_their_probabilities(void **state)
{
    const double probabilities[2] = {0.75, 0.25};
    const float soft[2] = {0.625f, 0.375f};
    struct calibration calibration = {.samples = 0};

    (void)state;
    assert_int_equal(calibration_reserve(&calibration, 2, 1, NULL), STATUS_OK);
    calibration_add(&calibration, 2,
                    &(struct calibration_row){.probabilities = probabilities, .soft = soft, .predicted = 0, .truth = 0});
    calibration_finish(&calibration);
    assert_close(calibration.brier, 2 * 0.125 * 0.125, 1e-15, 0);
    assert_close(calibration.classwise_ece, 0.125, 1e-15, 0);
    assert_close(calibration.accuracy, 1, 0, 0);
    calibration_release(&calibration);
}

static void no_rows_give_zeros_and_not_nan(void **state)
{
    struct calibration calibration = {.samples = 0};

    (void)state;
    assert_int_equal(calibration_reserve(&calibration, 3, 0, NULL), STATUS_OK);
    calibration_finish(&calibration);
    assert_close(calibration.ece + calibration.ace + calibration.classwise_ece + calibration.brier + calibration.nll, 0, 0,
                 0);
    calibration_release(&calibration);
    calibration_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_the_published_ones_before_and_after_the_temperature),
        cmocka_unit_test(bins_have_the_published_counts_confidences_and_accuracies),
        cmocka_unit_test(bins_are_closed_on_the_right_and_the_first_one_holds_0),
        cmocka_unit_test(any_number_of_bins_has_its_edges_at_the_quotients),
        cmocka_unit_test(edge_cases_fall_into_the_published_bins),
        cmocka_unit_test(one_class_has_the_published_reliability_curve),
        cmocka_unit_test(adaptive_groups_are_nearly_equal_and_ordered_by_confidence),
        cmocka_unit_test(equal_confidences_stay_in_their_order),
        cmocka_unit_test(fewer_rows_than_groups_are_one_a_group),
        cmocka_unit_test(an_underconfident_model_has_a_gap_below_0),
        cmocka_unit_test(soft_targets_count_with_their_probabilities),
        cmocka_unit_test(no_rows_give_zeros_and_not_nan),
    };
    return cmocka_run_group_tests_name("calibration", tests, golden_read, NULL);
}
