/* Training by solvers: curves, stops, the model and its scores in float64. */
#include "core/train/trainer_convex.h"

#include "tests/assert_close.h"
#include "tests/core/train/training.h"

static const enum optimizer_type SOLVERS[] = {OPTIMIZER_LBFGS, OPTIMIZER_NEWTON_CG};
#define SOLVER_COUNT (sizeof SOLVERS / sizeof *SOLVERS)

/* F is strongly convex in W: two solvers that both stop at the tolerance agree far beyond it. */
static void both_solvers_end_at_the_same_optimum(void **state)
{
    static const struct {
        double smoothing;
        enum class_weighting weighting;
        enum loss_reduction reduction;
        enum preprocessing preprocessing;
    } FORMS[] = {{0, CLASS_WEIGHTS_NONE, REDUCTION_WEIGHTED_MEAN, PREPROCESS_STANDARDIZE},
                 {0.1, CLASS_WEIGHTS_NONE, REDUCTION_WEIGHTED_MEAN, PREPROCESS_NONE},
                 {0.1, CLASS_WEIGHTS_LIST, REDUCTION_MEAN, PREPROCESS_MINMAX},
                 {0, CLASS_WEIGHTS_LIST, REDUCTION_WEIGHTED_MEAN, PREPROCESS_SCALE_255}};
    double weights[3] = {1, 2, 0.5};
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 400, 3, 1.5, 0);
    for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++) {
        struct result *results[SOLVER_COUNT];

        for (size_t s = 0; s < SOLVER_COUNT; s++) {
            struct train_spec spec = solver_spec_of(&f, SOLVERS[s], 1e-3);

            spec.loss.label_smoothing = FORMS[k].smoothing;
            spec.loss.weighting = FORMS[k].weighting;
            spec.loss.reduction = FORMS[k].reduction;
            spec.loss.class_weights = weights;
            spec.preprocessing = FORMS[k].preprocessing;
            results[s] = run(&f, &spec, 2, 3);
            assert_int_equal(results[s]->status, STATUS_OK);
            assert_int_equal(results[s]->progress.reason, STOP_GRADIENT_NORM);
            assert_true(results[s]->progress.gradient_norm <= 1e-8);
        }
        /* with smoothing or weights the results' plain loss is not what was minimised */
        assert_close(results[0]->train_objective, results[1]->train_objective, 0, k == 0 ? 2e-12 : 1e-7);
        for (size_t i = 0; i < 6; i++) { /* weights; biases only up to a shift of all */
            assert_close((double)results[0]->model.parameters[i], (double)results[1]->model.parameters[i], 1e-4, 1e-4);
        }
        result_free(results[0]);
        result_free(results[1]);
    }
    fixture_release(&f);
}

/* A row of the curves tells of the point that the step left, and of the step. */
static void curves_show_loss_gradient_and_step(void **state)
{
    (void)state;
    for (size_t s = 0; s < SOLVER_COUNT; s++) {
        struct fixture f;

        fixture_init(&f, GENERATOR_BLOBS, 300, 3, 1.5, 0.2);
        struct train_spec spec = solver_spec_of(&f, SOLVERS[s], 1e-2);

        spec.log_every_steps = 1;
        struct result *result = run(&f, &spec, 1, 0);
        const struct train_point *points = result->points;

        assert_int_equal(result->point_count, result->progress.step);
        assert_close(points[0].batch_loss, log(3), 1e-14, 0);
        for (size_t i = 0; i < result->point_count; i++) {
            assert_int_equal(points[i].step, i + 1);
            assert_close(points[i].train_loss, points[i].batch_loss, 1e-15, 0);
            assert_true(points[i].learning_rate > 0 && points[i].gradient_norm > 1e-8 && points[i].step_size > 0);
            assert_true(points[i].train_accuracy > 0 && points[i].train_accuracy <= 1);
            assert_true(isfinite(points[i].validation_loss));
        }
        assert_int_equal(result->progress.samples_seen, result->progress.step * f.split.train_count);
        result_free(result);
        fixture_release(&f);
    }
}

/* What a result says is of the float64 parameters: nearer to the truth than float32 logits are. */
static void the_objective_is_evaluated_in_float64(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 300, 3, 1.5, 0);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_NEWTON_CG, 1e-2);

    spec.log_every_steps = 1;
    spec.optimizer.tolerance = 1e-12;
    struct result *result = run(&f, &spec, 1, 0);
    const struct train_point *last = &result->points[result->point_count - 1];

    assert_true(result->progress.gradient_norm <= 1e-10);
    assert_true(result->train_objective > result->train_loss);
    assert_close(result->train_loss, last->batch_loss, 0, 1e-6); /* the last step began near the end already */
    spec.epochs = 1;
    spec.optimizer.tolerance = 1e9; /* nothing to do: the model of zeros */
    struct result *zeros = run(&f, &spec, 1, 0);

    assert_int_equal(zeros->progress.step, 0);
    assert_int_equal(zeros->progress.reason, STOP_GRADIENT_NORM);
    assert_close(zeros->train_loss, log(3), 1e-14, 0);
    assert_close(zeros->train_objective, zeros->train_loss, 0, 0);
    result_free(zeros);
    result_free(result);
    fixture_release(&f);
}

/* Without L2 on classes that a line divides there is no optimum: weights grow, nothing overflows. */
static void separable_classes_end_without_overflow(void **state)
{
    (void)state;
    for (size_t s = 0; s < SOLVER_COUNT; s++) {
        for (int unreachable = 0; unreachable < 2; unreachable++) {
            struct fixture f;

            fixture_init(&f, GENERATOR_BLOBS, 90, 3, 0.01, 0);
            struct train_spec spec = solver_spec_of(&f, SOLVERS[s], 0);

            spec.optimizer.tolerance = unreachable ? 0 : 1e-8;
            spec.epochs = 300;
            struct result *result = run(&f, &spec, 1, 0);

            assert_int_equal(result->status, STATUS_OK);
            assert_true(unreachable || result->progress.reason == STOP_GRADIENT_NORM);
            assert_true(result->train_loss < 1e-7);
            result_free(result);
            fixture_release(&f);
        }
    }
}

/* A tolerance that cannot be reached ends as converged, and that end is for good. */
static void without_progress_training_has_converged(void **state)
{
    (void)state;
    for (size_t s = 0; s < SOLVER_COUNT; s++) {
        struct fixture f;
        struct buffer_sink file = {0};

        fixture_init(&f, GENERATOR_BLOBS, 200, 3, 1.5, 0);
        struct train_spec spec = solver_spec_of(&f, SOLVERS[s], 1e-2);

        spec.optimizer.tolerance = 0;
        spec.epochs = 2000;
        struct result *result = test_calloc(1, sizeof *result);
        struct trainer *trainer = new_trainer(&f, &spec, 1);

        while (step_into(result, trainer)) {
        }
        assert_int_equal(result->progress.reason, STOP_CONVERGED);
        assert_string_equal(stop_reason_name(result->progress.reason), "converged");
        assert_in_range(result->progress.step, 10, 200);
        assert_true(result->progress.gradient_norm < 1e-12);
        write_checkpoint(trainer, &file);
        trainer_free(trainer);
        trainer = restored(&f, &spec, 1, &file);
        trainer_progress(trainer, &result->progress);
        assert_true(result->progress.finished);
        assert_int_equal(result->progress.reason, STOP_CONVERGED);
        trainer_free(trainer);
        buffer_sink_release(&file);
        result_free(result);
        fixture_release(&f);
    }
}

/* stop.gradient_norm is a tolerance, too: the looser of the two holds. */
static void the_specs_own_gradient_norm_stops_as_well(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 200, 3, 1.5, 0);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_LBFGS, 1e-2);

    spec.stop.gradient_norm = 1e-3;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.reason, STOP_GRADIENT_NORM);
    assert_true(result->progress.gradient_norm <= 1e-3 && result->progress.gradient_norm > 1e-6);
    result_free(result);
    fixture_release(&f);
}

/* Early stopping keeps the best model, whose float32 are then what is scored. */
static void early_stopping_scores_the_best_model(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 40, 3, 2, 0.5);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_LBFGS, 0);

    spec.stop.early = 1;
    spec.stop.patience = 3;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.reason, STOP_EARLY);
    assert_true(result->model_step < result->progress.step);
    assert_int_equal(result->model_step, result->progress.best_step);
    spec.stop.early = 0;
    spec.stop.max_steps = result->model_step;
    struct result *direct = run(&f, &spec, 1, 0);

    assert_string_equal(direct->model.digest, result->model.digest);
    assert_close(result->train_loss, direct->train_loss, 1e-6, 0);
    result_free(direct);
    result_free(result);
    fixture_release(&f);
}

/* Other weights to begin with, the same end. */
static void a_solver_starts_from_a_model(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 300, 3, 1.5, 0);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_NEWTON_CG, 1e-2);
    struct result *first = run(&f, &spec, 1, 0);

    f.initial_model = &first->model;
    struct result *second = run(&f, &spec, 1, 0);

    assert_true(second->progress.step <= 1);
    assert_close(second->train_objective, first->train_objective, 0, 1e-9);
    f.initial_model = NULL;
    result_free(first);
    result_free(second);
    fixture_release(&f);
}

/* A loss that is not finite from the start is divergence, as with every rule. */
static void weights_that_are_too_large_diverge(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 60, 3, 1.5, 0);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_LBFGS, 1e30);
    struct result *first = run(&f, &spec, 1, 0);

    assert_int_equal(first->status, STATUS_OK);
    for (uint64_t i = 0; i < first->model.parameter_count; i++) {
        first->model.parameters[i] = i % 2 ? 3e38f : -3e38f;
    }
    f.initial_model = &first->model;
    spec.loss.l2 = 1e300;
    struct result *second = run(&f, &spec, 1, 0);

    assert_int_equal(second->status, STATUS_DIVERGED);
    assert_int_equal(second->divergence.step, 0);
    assert_int_equal(second->divergence.layer, 0);
    result_free(first);
    result_free(second);
    fixture_release(&f);
}

static void memory_is_part_of_the_plan(void **state)
{
    struct fixture f;
    struct train_plan plan, less;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 300, 3, 1.5, 0);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_LBFGS, 0);

    spec.model.inputs = 4000;
    spec.optimizer.history = 5;
    assert_int_equal(trainer_plan(&less, &spec, &(struct train_sizes){300, 0, 300}, 2, NULL), STATUS_OK);
    spec.optimizer.history = 15;
    assert_int_equal(trainer_plan(&plan, &spec, &(struct train_sizes){300, 0, 300}, 2, NULL), STATUS_OK);
    assert_int_equal(plan.bytes - less.bytes, 2 * 10 * 2 * plan.parameters * sizeof(double)); /* and a checkpoint's copy */
    assert_int_equal(plan.steps_per_epoch, 1);
    assert_int_equal(trainer_convex_bytes(&spec, 300, 2) > 0, 1);
    spec.optimizer.type = OPTIMIZER_SGD;
    assert_int_equal(trainer_convex_bytes(&spec, 300, 2), 0);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_solvers_end_at_the_same_optimum),
        cmocka_unit_test(curves_show_loss_gradient_and_step),
        cmocka_unit_test(the_objective_is_evaluated_in_float64),
        cmocka_unit_test(separable_classes_end_without_overflow),
        cmocka_unit_test(without_progress_training_has_converged),
        cmocka_unit_test(the_specs_own_gradient_norm_stops_as_well),
        cmocka_unit_test(early_stopping_scores_the_best_model),
        cmocka_unit_test(a_solver_starts_from_a_model),
        cmocka_unit_test(weights_that_are_too_large_diverge),
        cmocka_unit_test(memory_is_part_of_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
