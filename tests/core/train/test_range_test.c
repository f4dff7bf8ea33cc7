/* The range test: its rates, its mean, where it ends, what it suggests; interrupted anywhere it finds the same. */
#include "core/train/range_test.h"

#include "core/train/trainer_internal.h"
#include "tests/assert_close.h"
#include "tests/core/train/training.h"

static void rates_grow_by_one_factor_from_start_to_end(void **state)
{
    static const struct range_spec RANGES[] = {{1e-6, 10, 200}, {1e-12, 1e6, 100}, {0.5, 0.6, 500}};

    (void)state;
    for (size_t i = 0; i < sizeof RANGES / sizeof RANGES[0]; i++) {
        const struct range_spec *range = &RANGES[i];
        double factor = pow(range->end / range->start, 1 / (double)(range->steps - 1));

        assert_true(range_test_rate(range, 0) == range->start && range_test_rate(range, range->steps - 1) == range->end);
        for (uint64_t k = 1; k < range->steps; k++) {
            assert_close(range_test_rate(range, k) / range_test_rate(range, k - 1), factor, 1e-11, 0);
        }
    }
}

/* Feeds a loss to a state of its own, as a trainer would; returns the update at which it ended. */
static uint64_t feed(const struct range_spec *range, struct train_state *state, double (*loss)(uint64_t step))
{
    *state = train_state_initial();
    while (state->step < range->steps) {
        state->learning_rate = range_test_rate(range, state->step);
        state->batch_loss = loss(state->step);
        state->step++;
        if (range_test_note(range, state)) {
            break;
        }
    }
    return state->step;
}

static double constant(uint64_t step)
{
    (void)step;
    return 2;
}

/* Flat, a fall of 1.5 in the middle of the sweep, flat, an explosion. */
static double valley(uint64_t step)
{
    double fall = 2 - 1.5 / (1 + exp(-((double)step - 90) / 4));

    return step < 170 ? fall : fall * exp(((double)step - 170) / 3);
}

static double rises(uint64_t step)
{
    return 1 + (double)step;
}

static void the_mean_is_corrected_for_its_start(void **state)
{
    struct range_spec range = {1e-6, 10, 200};
    struct train_state sweep;

    (void)state;
    assert_int_equal(feed(&range, &sweep, constant), 200);
    assert_close(sweep.range_smoothed, 2, 1e-12, 0);
    assert_true(isnan(sweep.range_fall_rate) || sweep.range_fall < 1e-12); /* rounding may fall, a constant does not */
}

static void the_steepest_fall_is_suggested(void **state)
{
    struct range_spec range = {1e-6, 10, 200};
    struct train_state sweep;

    (void)state;
    uint64_t end = feed(&range, &sweep, valley);

    assert_in_range(end, 171, 199); /* it ended where it exploded */
    assert_true(sweep.range_smoothed > 4 * sweep.range_least);
    assert_true(sweep.range_fall_rate > range_test_rate(&range, 80) && sweep.range_fall_rate < range_test_rate(&range, 120));
    assert_true(sweep.range_least_rate > range_test_rate(&range, 150) &&
                sweep.range_least_rate < range_test_rate(&range, 180));
}

static void a_loss_that_only_rises_suggests_nothing(void **state)
{
    struct range_spec range = {1e-6, 10, 100};
    struct train_state sweep;

    (void)state;
    feed(&range, &sweep, rises);
    assert_true(isnan(sweep.range_fall_rate));
    assert_true(sweep.range_least_rate == 1e-6);
}

/* ---- with a trainer ---- */

static struct train_spec sweep_of(const struct fixture *f, double start, double end)
{
    struct train_spec spec = spec_of(f, 16, 0.1);

    spec.kind = TRAIN_LR_RANGE_TEST;
    spec.range = (struct range_spec){start, end, 100};
    spec.epochs = 20;
    spec.log_every_steps = 1;
    return spec;
}

/* Steps to the end; no model is asked for. */
static struct range_result finish(struct result *result, struct trainer *trainer)
{
    struct range_result found;

    while (step_into(result, trainer)) {
    }
    assert_int_equal(result->status, STATUS_OK);
    assert_int_equal(result->progress.reason, STOP_RANGE_TEST);
    trainer_range_result(trainer, &found);
    trainer_free(trainer);
    return found;
}

static void a_sweep_makes_its_steps_and_no_evaluation(void **state)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 300, 3, 0.2, 0.2);
    struct train_spec spec = sweep_of(&f, 1e-5, 0.1);
    struct range_result found = finish(result, new_trainer(&f, &spec, 1));

    assert_int_equal(result->point_count, 100);
    assert_int_equal(found.steps, 100);
    assert_false(found.diverged);
    assert_true(found.stopped_at == 0.1 && found.minimum_over_10 == found.minimum / 10);
    for (size_t i = 0; i < result->point_count; i++) {
        assert_true(isnan(result->points[i].validation_loss) && isfinite(result->points[i].smoothed_loss));
    }
    test_free(result);
    fixture_release(&f);
}

/* The sweep ends epochs too; their training loss judges nothing. */
static void a_sweep_has_no_best_model(void **state)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 300, 3, 0.2, 0);
    struct train_spec spec = sweep_of(&f, 1e-5, 0.1);

    assert_int_equal(spec.stop.early_metric, METRIC_TRAIN_LOSS);
    (void)finish(result, new_trainer(&f, &spec, 1));
    assert_true(isfinite(result->points[49].train_loss));
    assert_int_equal(result->progress.best_step, 0);
    assert_true(isnan(result->progress.best_value));
    test_free(result);
    fixture_release(&f);
}

static void losses_that_are_not_finite_end_it_without_an_error(void **state)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 300, 3, 0.2, 0);
    struct train_spec spec = sweep_of(&f, 1e4, 1e6);

    spec.optimizer.momentum = 0.9;
    struct range_result found = finish(result, new_trainer(&f, &spec, 1));

    assert_true(found.diverged && found.steps < 100 && found.stopped_at < 1e6);
    test_free(result);
    fixture_release(&f);
}

static void a_sweep_that_goes_on_from_any_step_finds_the_same(void **state)
{
    struct result *whole = test_calloc(1, sizeof *whole);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 300, 3, 0.2, 0);
    struct train_spec spec = sweep_of(&f, 1e-4, 1e5);
    struct range_result expected = finish(whole, new_trainer(&f, &spec, 1));

    assert_true(expected.diverged);
    for (uint64_t at = 1; at < whole->progress.step; at += 7) {
        struct result *rest = test_calloc(1, sizeof *rest);
        struct trainer *trainer = new_trainer(&f, &spec, 1);
        struct buffer_sink file = {0};

        while (rest->progress.step < at) {
            assert_int_equal(step_into(rest, trainer), 1);
        }
        write_checkpoint(trainer, &file);
        trainer_free(trainer);
        struct range_result found = finish(rest, restored(&f, &spec, 3, &file));

        assert_true(found.suggestion == expected.suggestion && found.minimum == expected.minimum);
        assert_true(found.loss == expected.loss && found.stopped_at == expected.stopped_at);
        assert_true(found.steps == expected.steps && found.diverged == expected.diverged);
        assert_int_equal(rest->point_count, whole->point_count);
        for (size_t i = 0; i < whole->point_count; i++) {
            assert_true(train_points_equal(&rest->points[i], &whole->points[i]));
        }
        buffer_sink_release(&file);
        test_free(rest);
    }
    test_free(whole);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_grow_by_one_factor_from_start_to_end),
        cmocka_unit_test(the_mean_is_corrected_for_its_start),
        cmocka_unit_test(the_steepest_fall_is_suggested),
        cmocka_unit_test(a_loss_that_only_rises_suggests_nothing),
        cmocka_unit_test(a_sweep_makes_its_steps_and_no_evaluation),
        cmocka_unit_test(a_sweep_has_no_best_model),
        cmocka_unit_test(losses_that_are_not_finite_end_it_without_an_error),
        cmocka_unit_test(a_sweep_that_goes_on_from_any_step_finds_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
