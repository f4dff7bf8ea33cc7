/* Diagnostics: they change nothing, they are the same for any team and after a restart, and each is what it says. */
#include "core/train/diagnostics.h"

#include "core/nn/network_objective.h"
#include "core/nn/network_state.h"
#include "core/train/trainer_internal.h"
#include "tests/assert_close.h"
#include "tests/core/train/training.h"

#define EVERY ((1u << DIAGNOSTIC_COUNT) - 1)

/* ---- exactness ---- */

static void they_change_no_bit(void **state)
{
    struct optimizer_spec optimizers[32];
    size_t count = all_optimizers(optimizers);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 201, 3, 0.2, 0.1);
    for (size_t o = 0; o < count; o++) {
        for (int accumulated = 0; accumulated < 2; accumulated++) {
            struct train_spec spec = spec_of(&f, 20, 0.3);

            spec.optimizer = optimizers[o];
            spec.clip_norm = accumulated ? 0.5 : 0;
            struct result *plain = run(&f, &spec, 1, 0);

            spec.diagnostics = o == 0 ? EVERY : EVERY - DIAGNOSTIC_BIT(DIAGNOSTIC_SHARPNESS); /* which takes longest */
            struct result *measured = run(&f, &spec, 1, 0);

            assert_int_equal(measured->status, STATUS_OK);
            assert_string_equal(measured->model.digest, plain->model.digest);
            assert_int_equal(measured->point_count, plain->point_count);
            for (size_t i = 0; i < plain->point_count; i++) {
                struct train_point bare = measured->points[i];

                assert_true(isfinite(bare.sharpness) == (o == 0) && isfinite(bare.gradient_variance) &&
                            bare.update_ratio[2] > 0);
                assert_true(isnan(bare.update_ratio[3]));
                bare.sharpness = bare.sharpness_limit = bare.full_gradient_norm = (double)NAN;
                bare.noise_scale = bare.gradient_variance = bare.gradient_square = (double)NAN;
                bare.update_ratio[0] = bare.update_ratio[1] = bare.update_ratio[2] = (double)NAN;
                assert_true(train_points_equal(&bare, &plain->points[i]));
            }
            result_free(plain);
            result_free(measured);
        }
    }
    fixture_release(&f);
}

static void a_team_that_changes_size_measures_the_same(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 131, 3, 0.2, 0.1);
    struct train_spec spec = spec_of(&f, 150, 0.2);

    spec.epochs = 2;
    spec.diagnostics = EVERY;
    struct result *steady = run(&f, &spec, 1, 0), *elastic = run(&f, &spec, 4, 3);

    assert_int_equal(elastic->point_count, steady->point_count);
    assert_memory_equal(elastic->points, steady->points, steady->point_count * sizeof steady->points[0]);
    result_free(steady);
    result_free(elastic);
    fixture_release(&f);
}

/* From every step on, the end too (which has an evaluation of its own), the rows are those of the uninterrupted run. */
static void a_run_that_goes_on_from_a_checkpoint_measures_the_same(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 80, 3, 0.5, 0.2);
    struct train_spec spec = spec_of(&f, 8, 0.2);

    spec.diagnostics = EVERY;
    spec.batch_size = 16;
    spec.eval_every_steps = 5;
    struct result *whole = run(&f, &spec, 1, 0);

    assert_int_not_equal(whole->progress.step % spec.eval_every_steps, 0);
    for (uint64_t at = 1; at <= whole->progress.step; at++) {
        struct result *rest = test_calloc(1, sizeof *rest);
        struct trainer *trainer = new_trainer(&f, &spec, 1);
        struct buffer_sink file = {0};

        while (rest->progress.step < at) {
            int goes_on = step_into(rest, trainer);

            assert_int_equal(goes_on, rest->progress.step < whole->progress.step);
        }
        write_checkpoint(trainer, &file);
        trainer_free(trainer);
        trainer = restored(&f, &spec, 2, &file);
        while (step_into(rest, trainer)) {
        }
        conclude(rest, trainer);
        assert_int_equal(rest->point_count, whole->point_count);
        for (size_t i = 0; i < whole->point_count; i++) {
            assert_true(train_points_equal(&rest->points[i], &whole->points[i]));
        }
        assert_close(rest->progress.noise_scale, whole->progress.noise_scale, 0, 0);
        buffer_sink_release(&file);
        result_free(rest);
    }
    result_free(whole);
    fixture_release(&f);
}

/* ---- what they are ---- */

/* The gradient of batch gradient descent is the full one of the step before. */
static void the_full_gradient_is_that_of_the_next_full_batch(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 120, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 12, 0);

    spec.batch_size = 120;
    spec.epochs = 12;
    spec.log_every_steps = 1;
    spec.loss.l2 = 0.01;
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_FULL_GRADIENT_NORM);
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->point_count, 12);
    for (size_t i = 0; i + 1 < result->point_count; i++) {
        assert_close(result->points[i].full_gradient_norm, result->points[i + 1].gradient_norm, 1e-5, 0);
    }
    result_free(result);
    fixture_release(&f);
}

/* Only at points that end an epoch or evaluate. */
static void the_full_gradient_is_measured_where_it_is_not_too_dear(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 160, 3, 0.5, 0.2);
    struct train_spec spec = spec_of(&f, 12, 0);

    spec.log_every_steps = 1;
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_FULL_GRADIENT_NORM);
    struct result *result = run(&f, &spec, 1, 0);

    for (size_t i = 0; i < result->point_count; i++) {
        const struct train_point *point = &result->points[i];

        assert_int_equal(isnan(point->full_gradient_norm) == 0, isnan(point->train_loss) == 0);
    }
    result_free(result);
    fixture_release(&f);
}

/* The stop and the diagnostic both want it: what was found first serves both, until the next step. */
static void the_full_gradient_is_taken_once_a_step(void **state)
{
    struct fixture f;
    struct train_point point;
    int logged;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 96, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 12, 0);

    spec.stop.gradient_norm = 1e-9;
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_FULL_GRADIENT_NORM);
    struct trainer *trainer = new_trainer(&f, &spec, 1);
    struct network_state weights = network_state_f32(trainer->network);

    for (int i = 0; i < 3; i++) { /* an epoch */
        assert_int_equal(trainer_step(trainer, &point, &logged, NULL), STATUS_OK);
    }
    assert_true(logged && isfinite(point.full_gradient_norm));
    memset(weights.weights, 0, weights.plan->stored * sizeof *weights.weights); /* another pass would find another norm */
    assert_true(trainer_full_gradient_norm(trainer) == point.full_gradient_norm);
    assert_int_equal(trainer_step(trainer, &point, &logged, NULL), STATUS_OK);
    assert_true(trainer_full_gradient_norm(trainer) != point.full_gradient_norm);
    trainer_free(trainer);
    fixture_release(&f);
}

/* Two rows a batch: the halves are rows, and by softmax regression's formula from zero weights their gradients are known. */
static void the_noise_of_two_rows_is_half_their_distance_squared(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 40, 2, 0.5, 0);
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.preprocessing = PREPROCESS_NONE;
    spec.batch_size = 2;
    spec.shuffle = SHUFFLE_NONE;
    spec.epochs = 1;
    spec.log_every_steps = 1;
    spec.optimizer.learning_rate = 1e-30; /* it stays at zero, but for this */
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_NOISE_SCALE);
    struct result *result = run(&f, &spec, 1, 0);
    double square = 0, trace = 0;

    for (size_t i = 0; i < result->point_count; i++) {
        const float *x[2] = {(const float *)f.dataset.x + 2 * f.split.train[2 * i],
                             (const float *)f.dataset.x + 2 * f.split.train[2 * i + 1]};
        double distance = 0, product = 0;

        for (int k = 0; k < 2; k++) {
            for (int j = 0; j < 3; j++) { /* two weights and the bias of class k */
                double g[2];

                for (int r = 0; r < 2; r++) {
                    double error = 0.5 - (f.dataset.labels[f.split.train[2 * i + (size_t)r]] == k);

                    g[r] = error * (j < 2 ? (double)x[r][j] : 1);
                }
                distance += (g[0] - g[1]) * (g[0] - g[1]);
                product += g[0] * g[1]; /* |G|^2 of two halves is their product */
            }
        }
        square = 0.95 * square + 0.05 * product;
        trace = 0.95 * trace + 0.05 * distance / 2;
        assert_close(result->points[i].gradient_variance, distance / 4, 1e-5, 1e-9);
        assert_close(result->points[i].gradient_square, product, 1e-5, 1e-6);
        if (square > 1e-3) {
            assert_close(result->points[i].noise_scale, trace / square, 1e-3, 0);
        }
    }
    assert_int_equal(result->point_count, 20);
    result_free(result);
    fixture_release(&f);
}

static void a_batch_of_one_row_has_no_halves(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 12, 2, 0.5, 0);
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.batch_size = 1;
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_NOISE_SCALE);
    struct result *result = run(&f, &spec, 1, 0);

    assert_int_equal(result->status, STATUS_OK);
    for (size_t i = 0; i < result->point_count; i++) {
        assert_true(isnan(result->points[i].gradient_variance) && isnan(result->points[i].noise_scale));
    }
    result_free(result);
    fixture_release(&f);
}

static void update_ratios_are_those_of_the_served_points(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 120, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 12, 0);

    spec.optimizer.momentum = 0.9;
    spec.optimizer.nesterov = NESTEROV_LOOKAHEAD;
    spec.log_every_steps = 1;
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_UPDATE_RATIO);
    struct result *before = run_until(&f, &spec, 1, 0, 6), *after = run_until(&f, &spec, 1, 0, 7);
    const struct train_point *point = &after->points[6];
    uint64_t at = 0;

    assert_int_equal(point->step, 7);
    for (uint32_t i = 0, k = 0; i < spec.model.layer_count; i++) {
        struct layer_parameters layer = model_spec_layer_parameters(&spec.model, i);
        double move = 0, size = 0;

        for (uint64_t j = at; j < at + layer.weights + layer.others; j++) {
            double difference = (double)after->model.parameters[j] - (double)before->model.parameters[j];

            move += difference * difference;
            size += (double)after->model.parameters[j] * (double)after->model.parameters[j];
        }
        at += layer.weights + layer.others;
        if (layer.weights > 0) {
            assert_close(point->update_ratio[k++], sqrt(move / size), 1e-6, 0);
        }
    }
    result_free(before);
    result_free(after);
    fixture_release(&f);
}

/* ---- sharpness against the whole Hessian ---- */

#define MOST 120

/* The largest eigenvalue of a symmetric matrix by Jacobi's rotations. */
static double dense_largest(double a[MOST][MOST], size_t n)
{
    double largest = -(double)INFINITY;

    for (int sweep = 0; sweep < 30; sweep++) {
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                if (fabs(a[p][q]) < 1e-14) {
                    continue;
                }
                double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1),
                       s = t * c;

                for (size_t k = 0; k < n; k++) {
                    double x = a[k][p], y = a[k][q];

                    a[k][p] = c * x - s * y;
                    a[k][q] = s * x + c * y;
                }
                for (size_t k = 0; k < n; k++) {
                    double x = a[p][k], y = a[q][k];

                    a[p][k] = c * x - s * y;
                    a[q][k] = s * x + c * y;
                }
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, a[i][i]);
    }
    return largest;
}

static void sharpness_is_the_largest_eigenvalue_of_the_dense_hessian(void **state)
{
    static double hessian[MOST][MOST];
    double theta[MOST], up[MOST], down[MOST];
    struct network_objective *objective;
    struct scaler scaler;
    struct pool *pool;
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 90, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 0, 0);
    const uint32_t hidden[2] = {6, 5};

    assert_int_equal(model_spec_perceptron(&spec.model, MODEL_MLP, 2, 3, hidden, 2, LAYER_TANH, 0.3, NULL), STATUS_OK);
    spec.initializer = INIT_GLOROT_NORMAL;
    spec.loss.l2 = 0.5;
    spec.loss.label_smoothing = 0.1;
    spec.diagnostics = DIAGNOSTIC_BIT(DIAGNOSTIC_SHARPNESS);
    struct result *result = run(&f, &spec, 1, 0);
    const struct train_point *last = &result->points[result->point_count - 1];
    size_t n = result->model.parameter_count;

    assert_true(n <= MOST && last->step == result->model_step);
    assert_int_equal(pool_new(&pool, 1, NULL), STATUS_OK);
    assert_int_equal(scaler_copy(&scaler, &result->model.scaler, NULL), STATUS_OK);
    struct network_objective_setup setup = {.model = &spec.model,
                                            .dataset = &f.dataset,
                                            .scaler = &scaler,
                                            .labels = f.dataset.labels,
                                            .rows = f.split.train,
                                            .count = (uint32_t)f.split.train_count,
                                            .loss = {.label_smoothing = 0.1, .scale = 1 / (double)f.split.train_count},
                                            .l2 = 0.5,
                                            .pool = pool};

    assert_int_equal(network_objective_new(&objective, &setup, NULL), STATUS_OK);
    for (size_t i = 0; i < n; i++) {
        theta[i] = (double)result->model.parameters[i];
    }
    for (size_t j = 0; j < n; j++) {
        double kept = theta[j];

        theta[j] = kept + 1e-5;
        (void)network_objective_gradient(objective, theta, up);
        theta[j] = kept - 1e-5;
        (void)network_objective_gradient(objective, theta, down);
        theta[j] = kept;
        for (size_t i = 0; i < n; i++) {
            hessian[i][j] = (up[i] - down[i]) / 2e-5;
        }
    }
    assert_close(last->sharpness, dense_largest(hessian, n), 1e-3, 0);
    assert_close(last->sharpness_limit, 2 / 0.05, 1e-12, 0);
    network_objective_free(objective);
    scaler_release(&scaler);
    pool_free(pool);
    result_free(result);
    fixture_release(&f);
}

/* ---- what they cost ---- */

/* Of each alone: arrays of the parameters' size, the network that gives gradients without an update, the objective. */
static void their_memory_is_in_the_plan(void **state)
{
    static const struct {
        int arrays, probe, vectors;
    } NEEDED[DIAGNOSTIC_COUNT] = {[DIAGNOSTIC_SHARPNESS] = {1, 0, 6},
                                  [DIAGNOSTIC_NOISE_SCALE] = {2, 1, 0},
                                  [DIAGNOSTIC_UPDATE_RATIO] = {2, 0, 0},
                                  [DIAGNOSTIC_FULL_GRADIENT_NORM] = {0, 1, 0}};
    struct train_plan plain, measured;
    struct network_plan network;
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 120, 3, 0.5, 0);
    struct train_spec spec = spec_of(&f, 100, 0);

    assert_int_equal(network_plan_make(&network, &spec.model, spec.batch_size, NULL), STATUS_OK);
    struct network_setup probe = {.plan = &network, .use = NETWORK_ACCUMULATE, .optimizer = &spec.optimizer};

    assert_int_equal(trainer_plan(&plain, &spec, &(struct train_sizes){120, 0, 120}, 1, NULL), STATUS_OK);
    for (int d = 0; d < DIAGNOSTIC_COUNT; d++) {
        uint64_t least = (uint64_t)NEEDED[d].arrays * plain.parameters * sizeof(float) +
                         (uint64_t)NEEDED[d].vectors * plain.parameters * sizeof(double);

        spec.diagnostics = DIAGNOSTIC_BIT(d);
        assert_int_equal(trainer_plan(&measured, &spec, &(struct train_sizes){120, 0, 120}, 1, NULL), STATUS_OK);
        assert_true(measured.bytes - plain.bytes >= least + (NEEDED[d].probe ? network_bytes(&probe, 1) : 0));
        assert_true(NEEDED[d].probe || d == DIAGNOSTIC_SHARPNESS || measured.bytes - plain.bytes < least + 4096);
    }
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_change_no_bit),
        cmocka_unit_test(a_team_that_changes_size_measures_the_same),
        cmocka_unit_test(a_run_that_goes_on_from_a_checkpoint_measures_the_same),
        cmocka_unit_test(the_full_gradient_is_that_of_the_next_full_batch),
        cmocka_unit_test(the_full_gradient_is_measured_where_it_is_not_too_dear),
        cmocka_unit_test(the_full_gradient_is_taken_once_a_step),
        cmocka_unit_test(the_noise_of_two_rows_is_half_their_distance_squared),
        cmocka_unit_test(a_batch_of_one_row_has_no_halves),
        cmocka_unit_test(update_ratios_are_those_of_the_served_points),
        cmocka_unit_test(sharpness_is_the_largest_eigenvalue_of_the_dense_hessian),
        cmocka_unit_test(their_memory_is_in_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
