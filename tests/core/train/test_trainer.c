/* Training: what the weights depend on (and what not), stops, the best model, divergence. */
#include "core/train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mathx.h"
#include "core/nn/network_plan.h"
#include "core/train/minibatches.h"
#include "tests/assert_close.h"
#include "tests/core/train/training.h"

/* ---- exactness ---- */

static void the_digest_is_the_same_for_every_number_of_threads(void **state)
{
    static const uint32_t THREADS[] = {2, 3, 4, 7, 16};
    struct optimizer_spec optimizers[32];
    size_t count = all_optimizers(optimizers);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0.1); /* no multiple of the batch */
    for (size_t o = 0; o < count; o++) {
        for (int dropout = 0; dropout < 2; dropout++) {
            struct train_spec spec = spec_of(&f, 150, dropout ? 0.3 : 0);

            spec.optimizer = optimizers[o];
            struct result *one = run(&f, &spec, 1, 0);

            assert_int_equal(one->status, STATUS_OK);
            for (size_t t = 0; t < sizeof THREADS / sizeof THREADS[0]; t++) {
                struct result *many = run(&f, &spec, THREADS[t], 0);

                assert_string_equal(many->model.digest, one->model.digest);
                assert_int_equal(many->point_count, one->point_count);
                assert_memory_equal(many->points, one->points, one->point_count * sizeof one->points[0]);
                result_free(many);
            }
            result_free(one);
        }
    }
    fixture_release(&f);
}

static void a_team_that_changes_size_changes_no_bit(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0.1);
    struct train_spec spec = spec_of(&f, 150, 0.2);
    struct result *steady = run(&f, &spec, 1, 0), *elastic = run(&f, &spec, 4, 3);

    assert_string_equal(elastic->model.digest, steady->model.digest);
    result_free(steady);
    result_free(elastic);
    fixture_release(&f);
}

static void the_digest_depends_on_what_it_should(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 16, 0.2);
    struct result *reference = run(&f, &spec, 1, 0);

    for (int i = 0; i < 6; i++) {
        struct train_spec other = spec;

        other.seed += i == 0;
        other.batch_size += i == 1;
        other.optimizer.learning_rate *= i == 2 ? 1.0001 : 1;
        other.loss.l2 = i == 3 ? 1e-4 : 0;
        other.shuffle = i == 4 ? SHUFFLE_ONCE : SHUFFLE_EVERY_EPOCH;
        other.clip_norm = i == 5 ? 0.01 : 0;
        struct result *result = run(&f, &other, 1, 0);

        assert_string_not_equal(result->model.digest, reference->model.digest);
        result_free(result);
    }
    result_free(reference);
    fixture_release(&f);
}

static void logging_more_often_changes_no_bit(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 331, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 16, 0);
    struct result *seldom = run(&f, &spec, 1, 0);

    spec.log_every_steps = 1;
    struct result *often = run(&f, &spec, 1, 0);

    assert_int_equal(often->point_count, often->progress.step);
    assert_string_equal(often->model.digest, seldom->model.digest);
    result_free(seldom);
    result_free(often);
    fixture_release(&f);
}

/* ---- the curves' rows ---- */

static void as_many_points_come_as_were_counted(void **state)
{
    /* epochs, rows a batch, log_every_steps, eval_every_steps, max_steps */
    static const uint32_t ROWS[][5] = {{40, 10, 7, 0, 0},   {40, 10, 7, 9, 0},      {40, 10, 7, 9, 155},
                                       {3, 10, 1, 0, 0},    {3, 10, 1000, 0, 0},    {3, 10, 1000, 1000, 7},
                                       {5000, 40, 9, 0, 0}, {5000, 40, 1000, 7, 0}, {4001, 20, 500, 0, 0}};
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 40, 2, 0.5, 0);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct train_spec spec = spec_of(&f, 0, 0);

        spec.epochs = ROWS[i][0];
        spec.batch_size = ROWS[i][1];
        spec.log_every_steps = ROWS[i][2];
        spec.eval_every_steps = ROWS[i][3];
        spec.stop.max_steps = ROWS[i][4];
        struct result *result = run(&f, &spec, 1, 0);

        assert_int_equal(result->point_count, train_spec_points(&spec, 40 / spec.batch_size, result->progress.total_steps));
        assert_int_equal(result->points[result->point_count - 1].step, result->progress.total_steps);
        result_free(result);
    }
    fixture_release(&f);
}

/* ---- minibatches ---- */

static void the_short_last_batch_is_kept_and_weighs_by_its_rows(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 100, 2, 0.5, 0);
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.epochs = 1;
    spec.log_every_steps = 1;
    spec.optimizer.learning_rate = 1e-30; /* nothing moves: every minibatch sees the same model */
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.step, 4); /* 32 + 32 + 32 + 4 */
    assert_int_equal(result->progress.samples_seen, 100);
    double weighted = 0;

    for (size_t i = 0; i < 4; i++) {
        weighted += result->points[i].batch_loss * (i < 3 ? 32 : 4) / 100;
        assert_true(isnan(result->points[i].train_loss) == (i < 3));
    }
    assert_close(result->points[3].train_loss, weighted, 1e-12, 0);
    assert_close(result->points[3].train_loss, result->train_loss, 1e-6, 0);
    result_free(result);
    fixture_release(&f);
}

static void an_epoch_visits_every_row_once(void **state)
{
    static const enum shuffle SHUFFLES[] = {SHUFFLE_EVERY_EPOCH, SHUFFLE_ONCE, SHUFFLE_NONE};
    uint32_t rows[103], seen[300];

    (void)state;
    for (uint32_t i = 0; i < 103; i++) {
        rows[i] = 2 * i + 1;
    }
    for (size_t s = 0; s < sizeof SHUFFLES / sizeof SHUFFLES[0]; s++) {
        struct minibatches minibatches = {.rows = rows,
                                          .count = 103,
                                          .batch_size = 10,
                                          .chunk_rows = 4,
                                          .steps_per_epoch = minibatches_per_epoch(103, 10),
                                          .total_steps = 1000,
                                          .shuffle = SHUFFLES[s],
                                          .seed = 5};

        assert_int_equal(minibatches_init(&minibatches, NULL), STATUS_OK);
        memset(seen, 0, sizeof seen);
        struct cursor cursor = minibatches_at(&minibatches, 22); /* the third epoch */
        int more = 1, chunks = 0;

        for (; more; chunks++) {
            uint32_t count;
            const uint32_t *chunk = minibatches_chunk(&minibatches, &cursor, &count);

            assert_true(count <= 4);
            for (uint32_t i = 0; i < count; i++) {
                seen[chunk[i]]++;
            }
            more = minibatches_advance(&minibatches, &cursor);
        }
        assert_int_equal(chunks, 31); /* 10 x (4 + 4 + 2), then 3 */
        for (uint32_t i = 0; i < 103; i++) {
            assert_int_equal(seen[2 * i + 1], 1);
            assert_int_equal(seen[2 * i], 0);
        }
        minibatches_release(&minibatches);
    }
}

static void a_batch_larger_than_a_chunk_gives_the_whole_gradient(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 9001, 3, 0.5, 0); /* 4,096 + 4,096 + 809 */
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.batch_size = 9001;
    spec.epochs = 1;
    struct result *whole = run(&f, &spec, 2, 0);

    assert_int_equal(whole->progress.step, 1);
    assert_close(whole->points[0].batch_loss, mathx_log_f64(3), 1e-6, 0); /* zeros: every class alike */
    /* one step of gradient descent on the mean: bias_c moves by learning_rate * (share of c - 1/3) */
    for (uint32_t c = 0; c < 3; c++) {
        double share = c < 9001 % 3 ? 3001.0 / 9001 : 3000.0 / 9001;

        assert_close((double)whole->model.parameters[3 * 2 + c], 0.05 * (share - 1.0 / 3), 1e-2, 1e-9);
    }
    result_free(whole);
    fixture_release(&f);
}

/* ---- stops ---- */

static void gradient_descent_stops_at_the_gradients_norm(void **state)
{
    static const enum nesterov WAYS[] = {NESTEROV_NONE, NESTEROV_LOOKAHEAD};
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 150, 3, 0.7, 0);
    for (size_t i = 0; i < 2; i++) {
        struct train_spec spec = spec_of(&f, 0, 0);

        spec.batch_size = 150;
        spec.epochs = 20000;
        spec.log_every_steps = 1000;
        spec.loss.l2 = 0.01;
        spec.optimizer.learning_rate = 0.3;
        spec.optimizer.momentum = i == 0 ? 0 : 0.5;
        spec.optimizer.nesterov = WAYS[i];
        spec.stop.gradient_norm = 1e-4;
        struct result *result = run(&f, &spec, 1, 0);

        assert_int_equal(result->progress.reason, STOP_GRADIENT_NORM);
        assert_true(result->progress.step > 10 && result->progress.step < 20000);
        assert_true(result->progress.gradient_norm <= 1e-4);
        assert_true(result->point_count < 2000);
        assert_int_equal(result->points[result->point_count - 1].step, result->progress.step);
        assert_true(result->points[result->point_count - 1].step_size > 0);
        /* F - F* <= |gradient|^2 / (2 l2): a run that goes on must not get lower than that */
        spec.stop.gradient_norm = 1e-6;
        struct result *further = run(&f, &spec, 1, 0);

        assert_true(further->train_objective <= result->train_objective + 1e-9);
        assert_true(result->train_objective - further->train_objective <= 1e-8 / 0.02 + 1e-7);
        result_free(result);
        result_free(further);
    }
    fixture_release(&f);
}

static void max_steps_cuts_an_epoch(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 331, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 16, 0);

    spec.stop.max_steps = 17;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.step, 17);
    assert_int_equal(result->progress.reason, STOP_MAX_STEPS);
    assert_int_equal(result->model_step, 17);
    result_free(result);
    spec.stop.max_steps = 44;
    result = run(&f, &spec, 1, 0);
    assert_int_equal(result->progress.step, 44); /* exactly all: 11 steps an epoch */
    assert_int_equal(result->progress.reason, STOP_EPOCHS);
    result_free(result);
    fixture_release(&f);
}

/* Between evaluations, and with a better model there than at the last of them: max_steps evaluates where it ends. */
static void an_end_by_the_clock_is_that_of_max_steps(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 400, 3, 0.5, 0.2);
    struct train_spec spec = spec_of(&f, 16, 0);

    spec.log_every_steps = 100;
    spec.stop.early = 1;
    spec.stop.patience = 100;
    struct result *clock = run_until(&f, &spec, 1, 0, 17);

    spec.stop.max_steps = 17;
    struct result *steps = run(&f, &spec, 1, 0);

    assert_int_equal(clock->progress.reason, STOP_MAX_SECONDS);
    assert_int_equal(clock->progress.step, 17);
    assert_int_equal(steps->progress.reason, STOP_MAX_STEPS);
    assert_int_equal(steps->model_step, 17); /* 10 steps an epoch */
    assert_int_equal(clock->model_step, 17);
    assert_string_equal(clock->model.digest, steps->model.digest);
    assert_int_equal(clock->point_count, steps->point_count);
    assert_memory_equal(&clock->points[clock->point_count - 1], &steps->points[steps->point_count - 1],
                        sizeof clock->points[0]);
    result_free(clock);
    result_free(steps);
    fixture_release(&f);
}

static void early_stopping_gives_back_the_best_model(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 200, 3, 0.6, 0.3);
    struct train_spec spec = spec_of(&f, 64, 0);

    spec.epochs = 400;
    spec.optimizer.learning_rate = 0.1;
    spec.optimizer.momentum = 0.9;
    spec.stop.early = 1;
    spec.stop.patience = 5;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.reason, STOP_EARLY);
    assert_int_equal(result->model_step, result->progress.best_step);
    assert_true(result->progress.best_step < result->progress.step);
    double best = INFINITY;
    uint64_t best_step = 0, evaluations_after = 0;

    for (size_t i = 0; i < result->point_count; i++) {
        double loss = result->points[i].validation_loss;

        if (!isnan(loss)) {
            evaluations_after++;
            if (loss < best) {
                best = loss;
                best_step = result->points[i].step;
                evaluations_after = 0;
            }
        }
    }
    assert_int_equal(best_step, result->progress.best_step);
    assert_int_equal(evaluations_after, 5);
    assert_close(best, result->progress.best_value, 0, 0);
    /* the model is the one that a run which ends there would have */
    spec.stop.max_steps = best_step;
    struct result *shorter = run(&f, &spec, 2, 0);

    assert_string_equal(shorter->model.digest, result->model.digest);
    result_free(shorter);
    result_free(result);
    fixture_release(&f);
}

/* A row so large that its logits overflow is in the validation split alone: training goes well, validation says nothing. */
static void an_evaluation_that_is_not_finite_is_none_better(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 200, 2, 0.5, 0.3);
    float *x = (float *)f.block.data; /* [200][2] */

    assert_ptr_equal(x, f.dataset.x);
    x[2 * f.split.validation[0]] = 3e38F;
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.preprocessing = PREPROCESS_NONE;
    spec.epochs = 400;
    spec.optimizer.learning_rate = 20;
    spec.stop.early = 1;
    spec.stop.patience = 5;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.reason, STOP_EARLY);
    assert_true(isinf(result->points[result->point_count - 1].validation_loss)); /* NaN: not measured */
    result_free(result);
    fixture_release(&f);
}

/* ---- beginning with a model ---- */

static void training_goes_on_from_a_model_and_its_scaling(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 16, 0);
    struct result *first = run(&f, &spec, 1, 0);

    f.initial_model = &first->model;
    spec.preprocessing = PREPROCESS_NONE; /* the model's own is used all the same */
    spec.seed = 12;
    spec.log_every_steps = 1;
    struct result *second = run(&f, &spec, 2, 0);

    assert_int_equal(second->status, STATUS_OK);
    assert_int_equal(second->model.scaler.type, PREPROCESS_STANDARDIZE);
    assert_memory_equal(second->model.scaler.shift, first->model.scaler.shift, 2 * sizeof(float));
    assert_memory_equal(second->model.scaler.factor, first->model.scaler.factor, 2 * sizeof(float));
    spec.optimizer.learning_rate = 1e-30; /* nothing moves: what training begins with is what it leaves */
    struct result *still = run(&f, &spec, 1, 0);

    assert_string_equal(still->model.digest, first->model.digest);
    assert_string_not_equal(second->model.digest, first->model.digest);
    assert_close(still->train_loss, first->train_loss, 0, 0);
    result_free(still);
    result_free(second);
    result_free(first);
    fixture_release(&f);
}

static enum status begin_with(const struct fixture *f, const struct model *model, const struct train_spec *spec,
                              struct error *error)
{
    struct train_data data = {.dataset = &f->dataset, .split = &f->split, .initial_model = model};
    struct trainer *trainer;
    enum status status;

    *error = (struct error){0};
    status = trainer_new(&trainer, spec, &data, 1, error);
    assert_true((trainer != NULL) == (status == STATUS_OK));
    trainer_free(trainer);
    return status;
}

static void a_model_of_other_layers_is_refused(void **state)
{
    struct fixture f;
    struct error error;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 60, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 16, 0.2), other = spec;
    struct result *first = run(&f, &spec, 1, 0);

    other.model.layers[2].rate = 0.5; /* a rate of dropout belongs to training */
    assert_int_equal(begin_with(&f, &first->model, &other, &error), STATUS_OK);
    other.model.layers[1].type = LAYER_TANH;
    assert_int_equal(begin_with(&f, &first->model, &other, &error), STATUS_CONFLICTING_FIELDS);
    assert_non_null(strstr(error.message, "layer 1"));
    other = spec_of(&f, 17, 0.2);
    assert_int_equal(begin_with(&f, &first->model, &other, &error), STATUS_CONFLICTING_FIELDS);
    other = spec_of(&f, 16, 0);
    assert_int_equal(begin_with(&f, &first->model, &other, &error), STATUS_CONFLICTING_FIELDS);
    assert_non_null(strstr(error.message, "7 layers, not 5"));
    first->model.spec.inputs = 3;
    assert_int_equal(begin_with(&f, &first->model, &spec, &error), STATUS_FEATURE_COUNT_MISMATCH);
    first->model.spec.inputs = 2;
    first->model.spec.classes = 4;
    assert_int_equal(begin_with(&f, &first->model, &spec, &error), STATUS_CLASS_COUNT_MISMATCH);
    first->model.spec.classes = 3;
    result_free(first);
    fixture_release(&f);
}

/* ---- the rest ---- */

static void a_clipped_step_is_as_long_as_it_may_be(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 96, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.clip_norm = 0.01;
    spec.log_every_steps = 1;
    struct result *result = run(&f, &spec, 2, 0);

    for (size_t i = 0; i < result->point_count; i++) {
        double norm = result->points[i].gradient_norm;

        assert_true(norm > 0.01);
        assert_close(result->points[i].step_size, 0.05 * 0.01 * norm / (norm + 1e-6), 1e-4, 0);
    }
    result_free(result);
    fixture_release(&f);
}

static void divergence_is_an_error_with_its_step_and_rows(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 64, 0);

    spec.optimizer.learning_rate = 1e20;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->status, STATUS_DIVERGED);
    assert_true(result->divergence.step < 20);
    assert_int_equal(result->divergence.layer, 2); /* its logits overflow first */
    assert_int_equal(result->divergence.row_count, 16);
    assert_true(result->divergence.rows[0] < 331);
    assert_non_null(strstr(result->error.message, "1e+20"));
    for (size_t i = 0; i < result->point_count; i++) {
        assert_true(isfinite(result->points[i].batch_loss)); /* the update that broke it is not a point */
    }
    result_free(result);
    fixture_release(&f);
}

/* Its weights are finite, the products with them are not, and there is no further update to notice. */
static void a_last_update_that_spoils_the_loss_is_divergence(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 64, 0);

    spec.optimizer.learning_rate = 1e30;
    spec.stop.max_steps = 1;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->progress.step, 1);
    assert_int_equal(result->status, STATUS_DIVERGED);
    assert_int_equal(result->divergence.step, 0);
    assert_int_equal(result->divergence.layer, -1);
    result_free(result);
    fixture_release(&f);
}

static void a_first_loss_is_the_logarithm_of_the_classes(void **state)
{
    struct fixture f;
    struct train_plan plan;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 300, 5, 0.5, 0);
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.log_every_steps = 1;
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(trainer_plan(&plan, &spec, &(struct train_sizes){300, 0, 300}, 1, NULL), STATUS_OK);
    assert_close(plan.expected_first_loss, log(5), 1e-15, 0);
    assert_close(result->points[0].batch_loss, log(5), 1e-7, 0);
    assert_int_equal(plan.parameters, 5 * 2 + 5);
    assert_int_equal(plan.total_steps, 4 * 10);
    result_free(result);
    fixture_release(&f);
}

static void a_plan_counts_the_memory_of_a_checkpoint(void **state)
{
    struct network_plan network;
    struct train_plan with_slots, without;
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 300, 5, 0.5, 0);
    struct train_spec spec = spec_of(&f, 40, 0);

    assert_int_equal(network_plan_make(&network, &spec.model, spec.batch_size, NULL), STATUS_OK);
    assert_int_equal(trainer_plan(&without, &spec, &(struct train_sizes){300, 0, 300}, 1, NULL), STATUS_OK);
    optimizer_defaults(&spec.optimizer, OPTIMIZER_ADAM);
    assert_int_equal(trainer_plan(&with_slots, &spec, &(struct train_sizes){300, 0, 300}, 1, NULL), STATUS_OK);
    /* two slots more a parameter, in the network and in the copy of it */
    assert_int_equal(with_slots.bytes - without.bytes, 2 * 2 * network.stored * sizeof(float));
    fixture_release(&f);
}

static void it_learns(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 600, 3, 0.05, 0.2);
    struct train_spec spec = spec_of(&f, 64, 0);

    spec.epochs = 60;
    spec.optimizer.momentum = 0.9;
    spec.optimizer.nesterov = NESTEROV_LOOKAHEAD;
    struct result *result = run(&f, &spec, 2, 0);

    assert_true(result->points[result->point_count - 1].validation_accuracy > 0.9);
    result_free(result);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_the_same_for_every_number_of_threads),
        cmocka_unit_test(a_team_that_changes_size_changes_no_bit),
        cmocka_unit_test(the_digest_depends_on_what_it_should),
        cmocka_unit_test(logging_more_often_changes_no_bit),
        cmocka_unit_test(as_many_points_come_as_were_counted),
        cmocka_unit_test(the_short_last_batch_is_kept_and_weighs_by_its_rows),
        cmocka_unit_test(an_epoch_visits_every_row_once),
        cmocka_unit_test(a_batch_larger_than_a_chunk_gives_the_whole_gradient),
        cmocka_unit_test(gradient_descent_stops_at_the_gradients_norm),
        cmocka_unit_test(max_steps_cuts_an_epoch),
        cmocka_unit_test(an_end_by_the_clock_is_that_of_max_steps),
        cmocka_unit_test(early_stopping_gives_back_the_best_model),
        cmocka_unit_test(an_evaluation_that_is_not_finite_is_none_better),
        cmocka_unit_test(training_goes_on_from_a_model_and_its_scaling),
        cmocka_unit_test(a_model_of_other_layers_is_refused),
        cmocka_unit_test(a_clipped_step_is_as_long_as_it_may_be),
        cmocka_unit_test(divergence_is_an_error_with_its_step_and_rows),
        cmocka_unit_test(a_last_update_that_spoils_the_loss_is_divergence),
        cmocka_unit_test(a_first_loss_is_the_logarithm_of_the_classes),
        cmocka_unit_test(a_plan_counts_the_memory_of_a_checkpoint),
        cmocka_unit_test(it_learns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
