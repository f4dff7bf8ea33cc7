#include "core/eval/scores.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/nn/loss.h"
#include "tests/assert_close.h"

#define GOLDEN "tests/golden/calibration.txt"
enum { ROWS = 240, K = 4 };

struct known {
    double temperature, accuracy, nll, brier, ece, mce;
};

static struct {
    struct known known[2];
    struct calibration_bin bins[CALIBRATION_BINS];
    double logits[ROWS][K];
    int32_t labels[ROWS];
} golden;

static int read_golden(void **state)
{
    FILE *file = fopen(GOLDEN, "r");
    char line[256];
    size_t scores = 0, bins = 0, rows = 0;

    (void)state;
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        struct known *k = &golden.known[scores % 2];
        struct calibration_bin *bin = &golden.bins[bins % CALIBRATION_BINS];
        double *z = golden.logits[rows % ROWS];
        unsigned long long count;

        scores += sscanf(line, "scores %lf %lf %lf %lf %lf %lf", &k->temperature, &k->accuracy, &k->nll, &k->brier, &k->ece,
                         &k->mce) == 6;
        if (sscanf(line, "bin %llu %lf %lf", &count, &bin->confidence, &bin->accuracy) == 3) {
            bin->count = count;
            bins++;
        }
        rows += sscanf(line, "row %d %lf %lf %lf %lf", &golden.labels[rows % ROWS], &z[0], &z[1], &z[2], &z[3]) == 5;
    }
    fclose(file);
    return scores == 2 && bins == CALIBRATION_BINS && rows == ROWS ? 0 : -1;
}

static void score_golden(struct scores *scores, double temperature)
{
    const struct softmax_loss rule = {.classes = K};
    double logits[ROWS][K], losses[ROWS], probabilities[ROWS][K];
    const struct softmax_loss_rows out = {.plain = losses};

    for (size_t i = 0; i < ROWS; i++) {
        for (size_t c = 0; c < K; c++) {
            logits[i][c] = golden.logits[i][c] / temperature;
        }
    }
    softmax_cross_entropy_rows_f64(&rule, ROWS, logits[0], K, golden.labels, NULL, 1, NULL, 0, &out);
    softmax_rows_f64(K, ROWS, logits[0], K, probabilities[0]);
    assert_int_equal(scores_init(scores, K, NULL), STATUS_OK);
    for (size_t i = 0; i < ROWS; i++) {
        scores_add(scores, losses[i], probabilities[i], golden.labels[i], NULL);
    }
    scores_finish(scores);
}

static void loss_accuracy_brier_and_calibration_are_the_published_ones(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        const struct known *known = &golden.known[t];
        struct scores scores;

        score_golden(&scores, known->temperature);
        assert_int_equal(scores.samples, ROWS);
        assert_close(scores.accuracy, known->accuracy, 1e-15, 0);
        assert_close(scores.loss, known->nll, 1e-12, 0);
        assert_close(scores.brier, known->brier, 1e-12, 0);
        assert_close(scores.ece, known->ece, 1e-12, 0);
        assert_close(scores.mce, known->mce, 1e-12, 0);
        scores_release(&scores);
    }
}

static void bins_have_the_published_counts_confidences_and_accuracies(void **state)
{
    struct scores scores;

    (void)state;
    score_golden(&scores, 1);
    for (size_t m = 0; m < CALIBRATION_BINS; m++) {
        assert_int_equal(scores.bins[m].count, golden.bins[m].count);
        assert_close(scores.bins[m].confidence, golden.bins[m].confidence, 1e-12, 0);
        assert_close(scores.bins[m].accuracy, golden.bins[m].accuracy, 1e-12, 0);
    }
    scores_release(&scores);
}

/* Left-closed bins, a likely mistake, would put the edges one bin higher. */
static void bins_are_closed_on_the_right_and_the_first_one_holds_0(void **state)
{
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 1, NULL), STATUS_OK);
    for (int m = 0; m <= CALIBRATION_BINS; m++) {
        double edge = (double)m / CALIBRATION_BINS;

        scores_add(&scores, 0, &edge, 0, NULL);
    }
    for (int m = 0; m < CALIBRATION_BINS; m++) {
        assert_int_equal(scores.bins[m].count, m == 0 ? 2 : 1);
        if (m > 0) {
            assert_close(scores.bin_confidence_sum[m], (double)(m + 1) / CALIBRATION_BINS, 0, 0);
        }
    }
    scores_release(&scores);
}

static void confusion_and_class_scores_are_counted_by_true_and_predicted_class(void **state)
{
    static const struct {
        double probabilities[3];
        int32_t label;
    } rows[] = {
        {{0.7, 0.2, 0.1}, 0}, {{0.6, 0.3, 0.1}, 0}, {{0.1, 0.8, 0.1}, 0}, {{0.2, 0.7, 0.1}, 1}, {{0.5, 0.4, 0.1}, 1},
    };
    static const uint64_t confusion[9] = {2, 1, 0, 1, 1, 0, 0, 0, 0};
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 3, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scores_add(&scores, 1, rows[i].probabilities, rows[i].label, NULL);
    }
    scores_finish(&scores);
    assert_memory_equal(scores.confusion, confusion, sizeof(confusion));
    assert_close(scores.accuracy, 0.6, 1e-15, 0);
    assert_close(scores.per_class[0].precision, 2.0 / 3, 1e-15, 0);
    assert_close(scores.per_class[0].recall, 2.0 / 3, 1e-15, 0);
    assert_close(scores.per_class[0].f1, 2.0 / 3, 1e-15, 0);
    assert_close(scores.per_class[1].precision, 0.5, 1e-15, 0);
    assert_close(scores.per_class[1].f1, 0.5, 1e-15, 0);
    assert_int_equal(scores.per_class[0].support, 3);
    assert_int_equal(scores.per_class[2].support, 0); /* neither there nor predicted: all 0 */
    assert_close(scores.per_class[2].precision, 0, 0, 0);
    assert_close(scores.per_class[2].f1, 0, 0, 0);
    scores_release(&scores);
}

static void soft_targets_count_their_most_probable_class_as_the_true_one(void **state)
{
    const double probabilities[3] = {0.2, 0.5, 0.3};
    const float soft[3] = {0.25f, 0.25f, 0.5f};
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 3, NULL), STATUS_OK);
    scores_add(&scores, 0.5, probabilities, -1, soft);
    scores_finish(&scores);
    assert_int_equal(scores.confusion[2 * 3 + 1], 1);
    assert_close(scores.brier, 0.05 * 0.05 + 0.25 * 0.25 + 0.2 * 0.2, 1e-14, 0);
    assert_close(scores.loss, 0.5, 0, 0);
    scores_release(&scores);
}

static void ties_go_to_the_lowest_class(void **state)
{
    const double probabilities[3] = {0.2, 0.4, 0.4};
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 3, NULL), STATUS_OK);
    scores_add(&scores, 0, probabilities, 1, NULL);
    assert_int_equal(scores.correct, 1);
    scores_release(&scores);
}

static void no_rows_give_zeros_and_not_nan(void **state)
{
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 2, NULL), STATUS_OK);
    scores_finish(&scores);
    assert_close(scores.loss, 0, 0, 0);
    assert_close(scores.accuracy, 0, 0, 0);
    assert_close(scores.ece, 0, 0, 0);
    scores_release(&scores);
    scores_release(&scores);
    scores_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_accuracy_brier_and_calibration_are_the_published_ones),
        cmocka_unit_test(bins_have_the_published_counts_confidences_and_accuracies),
        cmocka_unit_test(bins_are_closed_on_the_right_and_the_first_one_holds_0),
        cmocka_unit_test(confusion_and_class_scores_are_counted_by_true_and_predicted_class),
        cmocka_unit_test(soft_targets_count_their_most_probable_class_as_the_true_one),
        cmocka_unit_test(ties_go_to_the_lowest_class),
        cmocka_unit_test(no_rows_give_zeros_and_not_nan),
    };
    return cmocka_run_group_tests_name("scores", tests, read_golden, NULL);
}
