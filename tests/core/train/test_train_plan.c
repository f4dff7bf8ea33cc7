/* What follows from a spec alone: where gradients are looked at, what the network keeps, what a job costs. */
#include "core/train/train_plan.h"

#include "core/base/kernel_tier.h"
#include "tests/core/train/training.h"

static struct train_spec full_batch(const struct fixture *f, uint32_t hidden, enum optimizer_type type)
{
    struct train_spec spec = spec_of(f, hidden, 0);

    spec.batch_size = f->split.train_count;
    spec.stop.gradient_norm = 1e-3;
    optimizer_defaults(&spec.optimizer, type);
    return spec;
}

static void a_gradient_taken_ahead_is_not_that_of_the_served_point(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    uint64_t rows = f.split.train_count;

    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        struct train_spec spec = full_batch(&f, 0, type);
        int ahead = type == OPTIMIZER_SCHEDULE_FREE_SGD || type == OPTIMIZER_SCHEDULE_FREE_ADAMW;

        if (optimizer_has(type, OPTIMIZER_CONVEX_SOLVER)) { /* looks at its gradient itself */
            assert_int_equal(train_spec_gradient_check(&spec, rows), GRADIENT_CHECK_OFF);
            continue;
        }
        assert_int_equal(train_spec_gradient_check(&spec, rows), ahead ? GRADIENT_CHECK_PROBE : GRADIENT_CHECK_STEP);
        spec.batch_size = 32;
        assert_int_equal(train_spec_gradient_check(&spec, rows), GRADIENT_CHECK_PROBE);
        spec.stop.gradient_norm = 0;
        assert_int_equal(train_spec_gradient_check(&spec, rows), GRADIENT_CHECK_OFF);
    }
    struct train_spec spec = full_batch(&f, 0, OPTIMIZER_SGD);

    spec.optimizer.nesterov = NESTEROV_LOOKAHEAD; /* by 0 velocities */
    assert_int_equal(train_spec_gradient_check(&spec, rows), GRADIENT_CHECK_STEP);
    spec.optimizer.momentum = 0.5;
    assert_int_equal(train_spec_gradient_check(&spec, rows), GRADIENT_CHECK_PROBE);
    fixture_release(&f);
}

static void a_gradient_of_another_precision_is_not_that_of_the_served_function(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    struct train_spec spec = full_batch(&f, 16, OPTIMIZER_SGD);

    assert_int_equal(train_spec_gradient_check(&spec, f.split.train_count), GRADIENT_CHECK_STEP);
    spec.precision = PRECISION_BF16;
    assert_int_equal(train_spec_gradient_check(&spec, f.split.train_count), GRADIENT_CHECK_PROBE);
    fixture_release(&f);
}

static void a_precision_needs_products_that_it_changes_and_a_processor_that_can(void **state)
{
    static const struct {
        uint32_t hidden;
        enum optimizer_type optimizer;
        const char *why;
    } REFUSED[] = {{0, OPTIMIZER_SGD, "hidden layers"}, {0, OPTIMIZER_LBFGS, "lbfgs"}};
    struct train_plan plan;
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    const struct train_sizes rows = {f.split.train_count, 0, f.split.train_count};

    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        struct train_spec spec = full_batch(&f, REFUSED[i].hidden, REFUSED[i].optimizer);
        struct error error = {.status = STATUS_OK};

        assert_int_equal(trainer_plan(&plan, &spec, &rows, 1, &error), STATUS_OK);
        spec.precision = PRECISION_BF16;
        assert_int_equal(trainer_plan(&plan, &spec, &rows, 1, &error), STATUS_NOT_SUPPORTED);
        assert_non_null(strstr(error.message, REFUSED[i].why));
    }
    struct train_spec spec = full_batch(&f, 16, OPTIMIZER_SGD);

    spec.precision = PRECISION_BF16;
    assert_int_equal(trainer_plan(&plan, &spec, &rows, 1, NULL),
                     kernel_tier_of(PRECISION_BF16) != NULL ? STATUS_OK : STATUS_NOT_SUPPORTED);
    fixture_release(&f);
}

static void whole_layers_need_stored_gradients(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        struct train_spec spec = full_batch(&f, 16, type);

        spec.stop.gradient_norm = 0;
        assert_int_equal(train_spec_network_use(&spec, f.split.train_count),
                         optimizer_has(type, OPTIMIZER_ELEMENT_WISE) || optimizer_has(type, OPTIMIZER_CONVEX_SOLVER)
                             ? NETWORK_TRAIN
                             : NETWORK_ACCUMULATE);
    }
    fixture_release(&f);
}

static void a_rule_s_own_work_counts_for_threads(void **state)
{
    struct fixture f;
    struct train_plan plain, muon;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    struct train_spec spec = full_batch(&f, 600, OPTIMIZER_ADAMW);

    spec.batch_size = 1;
    assert_int_equal(
        trainer_plan(&plain, &spec, &(struct train_sizes){f.split.train_count, 0, f.split.train_count}, 4, NULL), STATUS_OK);
    optimizer_defaults(&spec.optimizer, OPTIMIZER_MUON);
    assert_int_equal(trainer_plan(&muon, &spec, &(struct train_sizes){f.split.train_count, 0, f.split.train_count}, 4, NULL),
                     STATUS_OK);
    assert_int_equal(muon.step_flops - plain.step_flops, muon_flops(600, 600, 5) + muon_flops(2, 600, 5));
    assert_true(trainer_useful_threads(&muon, 4) > trainer_useful_threads(&plain, 4));
    assert_true(muon.bytes > plain.bytes + sizeof(float) * 4 * 600 * 600);
    fixture_release(&f);
}

/* A slow step must be foreseen; threads share a single pass. */
static void a_solver_s_step_may_be_many_passes(void **state)
{
    struct fixture f;
    struct train_plan once, lbfgs, newton;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    struct train_spec spec = full_batch(&f, 0, OPTIMIZER_SGD);
    struct train_sizes rows = {.train = f.split.train_count, .largest = f.split.train_count};

    assert_int_equal(trainer_plan(&once, &spec, &rows, 4, NULL), STATUS_OK);
    assert_int_equal(once.most_step_flops, once.step_flops);
    optimizer_defaults(&spec.optimizer, OPTIMIZER_LBFGS);
    assert_int_equal(trainer_plan(&lbfgs, &spec, &rows, 4, NULL), STATUS_OK);
    assert_int_equal(lbfgs.most_step_flops, 100 * lbfgs.step_flops);
    optimizer_defaults(&spec.optimizer, OPTIMIZER_NEWTON_CG);
    assert_int_equal(trainer_plan(&newton, &spec, &rows, 4, NULL), STATUS_OK);
    assert_int_equal(newton.step_flops, lbfgs.step_flops);
    assert_int_equal(newton.most_step_flops, 200 * newton.step_flops);
    assert_true(newton.step_flops > 0);
    fixture_release(&f);
}

/* 32 bytes for each row of the largest part, or, if that is more, the logits that a temperature is fitted to. */
static void the_final_evaluation_s_memory_is_in_the_plan(void **state)
{
    struct train_plan few, many, logits, too_many;
    struct train_sizes rows = {.train = 1000, .validation = 100, .largest = 1000};
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 4, 0.7, 0);
    struct train_spec spec = full_batch(&f, 0, OPTIMIZER_SGD);

    assert_int_equal(trainer_plan(&few, &spec, &rows, 1, NULL), STATUS_OK);
    rows.largest = 1000000;
    assert_int_equal(trainer_plan(&many, &spec, &rows, 1, NULL), STATUS_OK);
    assert_int_equal(many.bytes - few.bytes, (1000000 - 1000) * 4 * sizeof(double));
    rows.validation = rows.largest = 4 << 20; /* of 4 classes the most that are kept */
    assert_int_equal(trainer_plan(&logits, &spec, &rows, 1, NULL), STATUS_OK);
    assert_true(logits.bytes - many.bytes >= ((4 << 20) - 1000000) * UINT64_C(32));
    rows.validation = 4 << 20;
    rows.largest = 1000; /* no such split, but only the logits count in it */
    assert_int_equal(trainer_plan(&logits, &spec, &rows, 1, NULL), STATUS_OK);
    assert_int_equal(logits.bytes - few.bytes, (64 << 20) - 3 * scores_bytes(4) - scores_reserve_bytes(4, 1000));
    rows.validation++;
    assert_int_equal(trainer_plan(&too_many, &spec, &rows, 1, NULL), STATUS_OK);
    assert_int_equal(too_many.bytes, few.bytes);
    spec.kind = TRAIN_LR_RANGE_TEST; /* is not evaluated */
    spec.range = (struct range_spec){1e-3, 1, 100};
    assert_int_equal(trainer_plan(&few, &spec, &rows, 1, NULL), STATUS_OK);
    rows.largest = 1000000;
    assert_int_equal(trainer_plan(&many, &spec, &rows, 1, NULL), STATUS_OK);
    assert_int_equal(many.bytes, few.bytes);
    fixture_release(&f);
}

static void the_largest_part_is_any_of_the_three(void **state)
{
    struct split split = {.train_count = 7, .validation_count = 5, .test_count = 6};
    struct dataset test = {.rows = 9};
    struct train_data data = {.split = &split};

    (void)state;
    assert_int_equal(train_data_sizes(&data).largest, 7);
    split.test_count = 8;
    assert_int_equal(train_data_sizes(&data).largest, 8);
    data.test = &test; /* instead of the split's */
    assert_int_equal(train_data_sizes(&data).largest, 9);
    split.validation_count = 10;
    assert_int_equal(train_data_sizes(&data).largest, 10);
    assert_int_equal(train_data_sizes(&data).validation, 10);
    assert_int_equal(train_data_sizes(&data).train, 7);
}

/* What a full pass over the served point finds is what ended the run. */
static void a_schedule_free_run_ends_by_the_gradient_at_its_mean(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    struct train_spec spec = full_batch(&f, 0, OPTIMIZER_SCHEDULE_FREE_SGD);

    spec.epochs = 20000;
    spec.log_every_steps = 1000;
    spec.loss.l2 = 0.01;
    spec.stop.gradient_norm = 2e-3;
    struct result *result = run(&f, &spec, 2, 0);

    assert_int_equal(result->progress.reason, STOP_GRADIENT_NORM);
    assert_true(result->progress.gradient_norm <= 2e-3);
    optimizer_defaults(&spec.optimizer, OPTIMIZER_SGD);
    spec.optimizer.learning_rate = 0.3;
    spec.stop.gradient_norm = 1e-6;
    struct result *best = run(&f, &spec, 2, 0);

    /* F - F* <= |gradient|^2 / (2 l2), which the gradient at y would not promise for x */
    assert_true(result->train_objective - best->train_objective <= 4e-6 / 0.02 + 1e-7);
    result_free(result);
    result_free(best);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gradient_taken_ahead_is_not_that_of_the_served_point),
        cmocka_unit_test(a_gradient_of_another_precision_is_not_that_of_the_served_function),
        cmocka_unit_test(a_precision_needs_products_that_it_changes_and_a_processor_that_can),
        cmocka_unit_test(whole_layers_need_stored_gradients),
        cmocka_unit_test(a_rule_s_own_work_counts_for_threads),
        cmocka_unit_test(a_solver_s_step_may_be_many_passes),
        cmocka_unit_test(the_final_evaluation_s_memory_is_in_the_plan),
        cmocka_unit_test(the_largest_part_is_any_of_the_three),
        cmocka_unit_test(a_schedule_free_run_ends_by_the_gradient_at_its_mean),
    };
    return cmocka_run_group_tests_name("train_plan", tests, NULL, NULL);
}
