#include "api/curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/assert_close.h"

#define ROWS 5000

static struct metric_row rows[ROWS];

/* A falling, noisy batch_loss with one peak and one hole; train_loss every 100 steps; nothing else but learning_rate. */
static int make_rows(void **state)
{
    uint32_t random = 7;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct train_point *point = &rows[i].point;

        random = random * 1664525u + 1013904223u;
        *point = train_point_at(i + 1);
        point->epoch = (double)(i + 1) / 100;
        point->learning_rate = 0.1;
        point->batch_loss = 1 + exp(-(double)i / 500) + (double)(random >> 16) / 65536;
        point->train_loss = (i + 1) % 100 == 0 ? 1 + exp(-(double)i / 500) : (double)NAN;
        rows[i].seconds = (double)i / 1000;
    }
    rows[1234].point.batch_loss = 9;
    rows[3456].point.batch_loss = 0.01;
    return 0;
}

static struct curve select_rows(size_t count, struct curve_options options)
{
    struct curve curve;

    assert_int_equal(curve_select(&curve, rows, count, &options, NULL), STATUS_OK);
    return curve;
}

static int has_step(const struct curve *curve, uint64_t step)
{
    for (size_t i = 0; i < curve->count; i++) {
        if (curve->rows[i].point.step == step) {
            return 1;
        }
    }
    return 0;
}

static void by_default_all_series_that_occur_are_chosen(void **state)
{
    struct curve curve = select_rows(ROWS, (struct curve_options){.max_points = CURVE_MAX_POINTS, .minmax = 1});

    (void)state;
    assert_int_equal(curve.series_count, 3);
    assert_int_equal(curve.series[0], CURVE_BATCH_LOSS);
    assert_int_equal(curve.series[1], CURVE_TRAIN_LOSS);
    assert_int_equal(curve.series[2], CURVE_LEARNING_RATE);
    assert_int_equal(curve.count, ROWS);
    assert_int_equal(curve.total_points, ROWS);
    assert_int_equal(curve.last_step, ROWS);
    assert_int_equal(curve.nonfinite_count, 0);
    curve_release(&curve);
}

static void rows_without_a_value_of_the_chosen_series_are_left_out(void **state)
{
    struct curve curve =
        select_rows(ROWS, (struct curve_options){.series = CURVE_BIT(CURVE_TRAIN_LOSS), .max_points = 100, .minmax = 1});

    (void)state;
    assert_int_equal(curve.count, ROWS / 100);
    assert_int_equal(curve.total_points, ROWS / 100);
    assert_int_equal(curve.rows[0].point.step, 100);
    assert_int_equal(curve.rows[49].point.step, ROWS);
    curve_release(&curve);
}

static void a_series_that_was_asked_for_stays_even_if_it_never_occurs(void **state)
{
    struct curve curve = select_rows(
        ROWS, (struct curve_options){.series = CURVE_BIT(CURVE_VALIDATION_LOSS), .max_points = 100, .minmax = 1});

    (void)state;
    assert_int_equal(curve.series_count, 1);
    assert_int_equal(curve.count, 0);
    assert_int_equal(curve.last_step, ROWS);
    curve_release(&curve);
}

static void thinning_out_keeps_the_ends_and_the_extremes(void **state)
{
    (void)state;
    for (uint32_t budget = 4; budget < 3000; budget = budget * 3 / 2) {
        struct curve curve = select_rows(
            ROWS, (struct curve_options){.series = CURVE_BIT(CURVE_BATCH_LOSS), .max_points = budget, .minmax = 1});

        assert_true(curve.count <= budget);
        assert_true(curve.count > budget / 2);
        assert_int_equal(curve.total_points, ROWS);
        assert_false(curve.has_more);
        assert_true(has_step(&curve, 1) && has_step(&curve, ROWS) && has_step(&curve, 1235) && has_step(&curve, 3457));
        for (size_t i = 1; i < curve.count; i++) {
            assert_true(curve.rows[i - 1].point.step < curve.rows[i].point.step);
        }
        curve_release(&curve);
    }
}

static void thinning_out_keeps_sparse_series_whole(void **state)
{
    struct curve curve = select_rows(ROWS, (struct curve_options){.max_points = 400, .minmax = 1});

    (void)state;
    assert_true(curve.count <= 400);
    for (uint64_t step = 100; step <= ROWS; step += 100) {
        assert_true(has_step(&curve, step));
    }
    assert_true(has_step(&curve, 1235) && has_step(&curve, 3457));
    curve_release(&curve);
}

static void every_budget_is_kept_for_every_choice_of_series(void **state)
{
    (void)state;
    for (unsigned series = 0; series < CURVE_BIT(CURVE_SHARPNESS); series += 5) {
        for (uint32_t budget = 2; budget < 40; budget += 3) {
            struct curve curve =
                select_rows(200, (struct curve_options){.series = series, .max_points = budget, .minmax = 1});

            assert_true(curve.count <= budget);
            assert_true(curve.count == 0 || curve.total_points < 2 || curve.count >= 2);
            curve_release(&curve);
        }
    }
}

static void without_thinning_pages_follow_each_other(void **state)
{
    struct curve_options options = {.series = CURVE_BIT(CURVE_BATCH_LOSS), .max_points = 700};
    uint64_t seen = 0;
    int has_more = 1;

    (void)state;
    while (has_more) {
        struct curve curve = select_rows(ROWS, options);

        assert_true(curve.count <= 700);
        for (size_t i = 0; i < curve.count; i++) {
            assert_int_equal(curve.rows[i].point.step, ++seen);
        }
        options.after_step = seen;
        has_more = curve.has_more;
        assert_int_equal(curve.total_points, ROWS - (seen - curve.count));
        curve_release(&curve);
    }
    assert_int_equal(seen, ROWS);
}

static void smoothing_is_the_bias_corrected_moving_average(void **state)
{
    struct curve curve = select_rows(3, (struct curve_options){.max_points = 10, .minmax = 1, .smooth = 0.75});
    double x0 = rows[0].point.batch_loss, x1 = rows[1].point.batch_loss, x2 = rows[2].point.batch_loss;

    (void)state;
    assert_close(curve.rows[0].point.batch_loss, x0, 1e-15, 0);
    assert_close(curve.rows[1].point.batch_loss, (0.75 * x0 + x1) / 1.75, 1e-14, 0);
    assert_close(curve.rows[2].point.batch_loss, (0.5625 * x0 + 0.75 * x1 + x2) / 2.3125, 1e-14, 0);
    assert_close(curve.rows[2].point.learning_rate, 0.1, 1e-15, 0);
    assert_true(isnan(curve.rows[2].point.train_loss));
    curve_release(&curve);
}

static void smoothing_begins_at_the_first_row_wherever_the_page_begins(void **state)
{
    struct curve whole = select_rows(ROWS, (struct curve_options){.max_points = 10000, .smooth = 0.9});
    struct curve page = select_rows(ROWS, (struct curve_options){.max_points = 10000, .smooth = 0.9, .after_step = 4000});

    (void)state;
    assert_int_equal(page.count, 1000);
    assert_close(page.rows[0].point.batch_loss, whole.rows[4000].point.batch_loss, 0, 0);
    curve_release(&whole);
    curve_release(&page);
}

static void infinite_values_are_named_and_do_not_spoil_the_rest(void **state)
{
    double before = rows[10].point.batch_loss;

    (void)state;
    rows[10].point.batch_loss = (double)INFINITY;
    struct curve curve = select_rows(100, (struct curve_options){.max_points = 10, .minmax = 1, .smooth = 0.5});
    rows[10].point.batch_loss = before;
    assert_int_equal(curve.nonfinite_count, 1);
    assert_int_equal(curve.nonfinite[0], 11);
    for (size_t i = 0; i < curve.count; i++) {
        assert_true(curve.rows[i].point.step == 11 || isfinite(curve.rows[i].point.batch_loss));
    }
    curve_release(&curve);
}

static void no_rows_give_an_empty_curve(void **state)
{
    struct curve curve = select_rows(0, (struct curve_options){.max_points = 2, .minmax = 1, .smooth = 0.5});

    (void)state;
    assert_int_equal(curve.count, 0);
    assert_int_equal(curve.series_count, 0);
    assert_int_equal(curve.last_step, 0);
    curve_release(&curve);
    curve = select_rows(ROWS, (struct curve_options){.max_points = 2, .minmax = 1, .after_step = UINT64_MAX});
    assert_int_equal(curve.count, 0);
    assert_int_equal(curve.last_step, ROWS);
    curve_release(&curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_all_series_that_occur_are_chosen),
        cmocka_unit_test(rows_without_a_value_of_the_chosen_series_are_left_out),
        cmocka_unit_test(a_series_that_was_asked_for_stays_even_if_it_never_occurs),
        cmocka_unit_test(thinning_out_keeps_the_ends_and_the_extremes),
        cmocka_unit_test(thinning_out_keeps_sparse_series_whole),
        cmocka_unit_test(every_budget_is_kept_for_every_choice_of_series),
        cmocka_unit_test(without_thinning_pages_follow_each_other),
        cmocka_unit_test(smoothing_is_the_bias_corrected_moving_average),
        cmocka_unit_test(smoothing_begins_at_the_first_row_wherever_the_page_begins),
        cmocka_unit_test(infinite_values_are_named_and_do_not_spoil_the_rest),
        cmocka_unit_test(no_rows_give_an_empty_curve),
    };

    return cmocka_run_group_tests(tests, make_rows, NULL);
}
