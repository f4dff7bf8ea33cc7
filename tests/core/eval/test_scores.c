#include "core/eval/scores.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/eval/calibration_golden.h"

static void loss_and_accuracy_are_the_published_ones(void **state)
{
    struct scores scores;

    (void)state;
    golden_score(&scores, golden.known[1].temperature);
    assert_int_equal(scores.samples, GOLDEN_ROWS);
    assert_close(scores.accuracy, golden.known[0].accuracy, 1e-15, 0);
    assert_close(scores.loss, golden.known[0].nll, 1e-12, 0);
    assert_close(scores.calibrated.accuracy, golden.known[1].accuracy, 1e-15, 0);
    assert_close(scores.calibrated.nll, golden.known[1].nll, 1e-12, 0);
    scores_release(&scores);
}

/* As for the evaluations on the way, which want loss and accuracy alone. */
static void what_needs_every_row_is_not_known_unless_it_was_asked_for(void **state)
{
    const double probabilities[2] = {0.75, 0.25};
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 2, NULL), STATUS_OK);
    scores_add(&scores, 0.25, probabilities, 0, NULL);
    scores_finish(&scores);
    assert_close(scores.calibration.ece, 0.25, 1e-15, 0);
    assert_close(scores.calibration.ace, (double)NAN, 0, 0);
    assert_close(scores.calibration.classwise_ece, (double)NAN, 0, 0);
    assert_int_equal(scores.calibrated.samples, 0);
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
    assert_close(scores.calibration.brier, 0.05 * 0.05 + 0.25 * 0.25 + 0.2 * 0.2, 1e-14, 0);
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
    assert_close(scores.calibration.ece, 0, 0, 0);
    scores_release(&scores);
    scores_release(&scores);
    scores_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_accuracy_are_the_published_ones),
        cmocka_unit_test(what_needs_every_row_is_not_known_unless_it_was_asked_for),
        cmocka_unit_test(confusion_and_class_scores_are_counted_by_true_and_predicted_class),
        cmocka_unit_test(soft_targets_count_their_most_probable_class_as_the_true_one),
        cmocka_unit_test(ties_go_to_the_lowest_class),
        cmocka_unit_test(no_rows_give_zeros_and_not_nan),
    };
    return cmocka_run_group_tests_name("scores", tests, golden_read, NULL);
}
