/* The gradient check: it passes right gradients of every layer, and no wrong one. The objective behind it, and its Hessian.
 */
#include "core/nn/gradient_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define ROWS       24
#define INPUTS     5
#define CLASSES    3
#define PARAMETERS 600

static const double WEIGHTS[CLASSES] = {0.5, 2, 1};

/* ---- some rows, a model, a point ---- */

struct fixture {
    float x[ROWS * INPUTS];
    int32_t labels[ROWS];
    uint32_t rows[ROWS];
    double theta[PARAMETERS];
    struct dataset dataset;
    struct scaler scaler;
    struct model_spec model;
    struct pool *pool;
    struct network_objective *objective;
};

static const struct layer_spec LAYERS[] = {
    {.type = LAYER_DENSE, .units = 8}, {.type = LAYER_TANH}, {.type = LAYER_DROPOUT, .rate = 0.25},
    {.type = LAYER_DENSE, .units = 7}, {.type = LAYER_RELU}, {.type = LAYER_DENSE, .units = CLASSES}};

/* Of rows whose features are `scale` times normal. */
static void fixture_of(struct fixture *f, const struct layer_spec *layers, uint32_t layer_count, float scale, double l2,
                       uint32_t threads)
{
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = 0; j < INPUTS; j++) {
            f->x[i * INPUTS + j] = scale * (float)rng_normal_f64(1, RNG_GENERATOR, 0, i * INPUTS + j);
        }
        f->labels[i] = (int32_t)(i % CLASSES);
        f->rows[i] = i;
    }
    for (uint32_t i = 0; i < PARAMETERS; i++) {
        f->theta[i] = 0.5 * rng_normal_f64(2, RNG_INIT, 0, i);
    }
    f->dataset = (struct dataset){.rows = ROWS,
                                  .features = INPUTS,
                                  .feature_type = FEATURE_F32,
                                  .label_type = LABEL_CLASS,
                                  .classes = CLASSES,
                                  .x = f->x,
                                  .labels = f->labels};
    f->model = (struct model_spec){.type = MODEL_LAYERS, .inputs = INPUTS, .classes = CLASSES, .layer_count = layer_count};
    memcpy(f->model.layers, layers, layer_count * sizeof *layers);
    assert_int_equal(model_spec_check(&f->model, NULL), STATUS_OK);
    assert_int_equal(scaler_fit(&f->scaler, PREPROCESS_NONE, &f->dataset, NULL, ROWS, NULL), STATUS_OK);
    assert_int_equal(pool_new(&f->pool, threads, NULL), STATUS_OK);
    struct network_objective_setup setup = {.model = &f->model,
                                            .dataset = &f->dataset,
                                            .scaler = &f->scaler,
                                            .labels = f->labels,
                                            .rows = f->rows,
                                            .count = ROWS,
                                            .loss = {.label_smoothing = 0.1, .class_weights = WEIGHTS, .scale = 1.0 / 28},
                                            .l2 = l2,
                                            .seed = 3,
                                            .with_dropout = 1,
                                            .gives_statistics = model_spec_has_batch_norm(&f->model),
                                            .pool = f->pool};

    assert_int_equal(network_objective_new(&f->objective, &setup, NULL), STATUS_OK);
}

static void fixture_init(struct fixture *f, double l2, uint32_t threads)
{
    fixture_of(f, LAYERS, sizeof LAYERS / sizeof LAYERS[0], 1, l2, threads);
}

static void fixture_release(struct fixture *f)
{
    network_objective_free(f->objective);
    scaler_release(&f->scaler);
    pool_free(f->pool);
}

static struct gradient_check_report check(struct fixture *f, uint64_t count)
{
    struct gradient_check_report report;

    assert_int_equal(gradient_check(f->objective, &f->model, f->theta, count, GRADIENT_CHECK_STEP, 1, &report, NULL),
                     STATUS_OK);
    return report;
}

/* ---- right gradients ---- */

static void every_coordinate_of_every_layer_is_checked(void **state)
{
    static const uint32_t PLACES[] = {0, 3, 5};
    static const uint64_t COUNTS[] = {INPUTS * 8 + 8, 8 * 7 + 7, 7 * CLASSES + CLASSES};
    struct fixture f;

    (void)state;
    fixture_init(&f, 0.01, 1);
    struct gradient_check_report report = check(&f, UINT64_MAX);

    assert_int_equal(report.layer_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(report.layers[i].layer, PLACES[i]);
        assert_int_equal(report.layers[i].type, LAYER_DENSE);
        assert_int_equal(report.layers[i].parameters, COUNTS[i]);
        assert_int_equal(report.layers[i].checked + report.layers[i].skipped, COUNTS[i]);
    }
    assert_true(report.skipped < report.checked / 20);
    assert_close(report.max_relative_error, 0, 0, GRADIENT_CHECK_TOLERANCE);
    assert_true(report.max_relative_error > 0); /* it was really compared with something else */
    fixture_release(&f);
}

static void a_sample_is_spread_over_the_layer_and_drawn_by_the_seed(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 0, 1);
    struct gradient_check_report some = check(&f, 10), again = check(&f, 10), other;

    assert_int_equal(gradient_check(f.objective, &f.model, f.theta, 10, GRADIENT_CHECK_STEP, 2, &other, NULL), STATUS_OK);
    assert_int_equal(some.checked + some.skipped, 30);
    assert_memory_equal(&again, &some, sizeof some);
    assert_true(other.max_relative_error != some.max_relative_error);
    fixture_release(&f);
}

static void the_point_is_left_as_it_was_and_threads_change_no_bit(void **state)
{
    struct fixture one, three, fresh;

    (void)state;
    fixture_init(&one, 0.01, 1);
    fixture_init(&three, 0.01, 3);
    struct gradient_check_report first = check(&one, UINT64_MAX), second = check(&three, UINT64_MAX);

    assert_memory_equal(&second, &first, sizeof first);
    assert_memory_equal(one.theta, three.theta, sizeof one.theta);
    fixture_init(&fresh, 0.01, 1);
    assert_memory_equal(one.theta, fresh.theta, sizeof one.theta);
    assert_memory_equal(three.theta, fresh.theta, sizeof three.theta);
    fixture_release(&one);
    fixture_release(&three);
    fixture_release(&fresh);
}

/* A unit of relu whose input is 0 stands on its kink: no derivative, nothing to compare. */
static void coordinates_with_a_kink_within_their_step_are_skipped(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 0, 1);
    uint64_t unit = INPUTS * 8 + 8 + 2 * 8; /* the weights of the third unit of the second layer */

    memset(f.theta + unit, 0, 8 * sizeof(double));
    f.theta[INPUTS * 8 + 8 + 8 * 7 + 2] = 0; /* and its bias */
    struct gradient_check_report report = check(&f, UINT64_MAX);

    assert_true(report.layers[1].skipped >= 9);
    assert_close(report.max_relative_error, 0, 0, GRADIENT_CHECK_TOLERANCE);
    fixture_release(&f);
}

static void a_loss_that_is_not_finite_is_an_error(void **state)
{
    struct gradient_check_report report;
    struct error error = {0};
    struct fixture f;

    (void)state;
    fixture_init(&f, 0, 1);
    f.theta[0] = (double)NAN;
    assert_int_equal(gradient_check(f.objective, &f.model, f.theta, 3, GRADIENT_CHECK_STEP, 1, &report, &error),
                     STATUS_NON_FINITE_VALUE);
    fixture_release(&f);
}

/* ---- wrong gradients ---- */

static void zero(double *gradient, uint64_t count)
{
    memset(gradient, 0, count * sizeof *gradient);
}

static void flip_signs(double *gradient, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        gradient[i] = -gradient[i];
    }
}

static void shift_by_one(double *gradient, uint64_t count)
{
    memmove(gradient + 1, gradient, (count - 1) * sizeof *gradient);
}

static void double_it(double *gradient, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        gradient[i] *= 2;
    }
}

static void forget_the_bias(double *gradient, uint64_t count)
{
    memset(gradient + count - 3, 0, 3 * sizeof *gradient);
}

static void be_off_by_a_millionth(double *gradient, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        gradient[i] *= 1 + 1e-6;
    }
}

static void break_one(double *gradient, uint64_t count)
{
    gradient[count / 2] += 1e-5;
}

static void be_nan(double *gradient, uint64_t count)
{
    gradient[count / 2] = (double)NAN;
}

static void a_wrong_gradient_fails_in_the_layer_where_it_is_wrong(void **state)
{
    static void (*const twins[])(double *, uint64_t) = {
        zero, flip_signs, shift_by_one, double_it, forget_the_bias, be_off_by_a_millionth, break_one, be_nan};
    struct fixture f;
    double gradient[PARAMETERS];

    (void)state;
    fixture_init(&f, 0.01, 1);
    struct gradient_check_report right = check(&f, UINT64_MAX);
    for (size_t t = 0; t < sizeof twins / sizeof twins[0]; t++) {
        uint64_t first = 0;

        for (uint32_t i = 0; i < right.layer_count; first += right.layers[i++].parameters) {
            struct gradient_check_report report;

            (void)network_objective_gradient(f.objective, f.theta, gradient);
            twins[t](gradient + first, right.layers[i].parameters);
            assert_int_equal(gradient_check_of(f.objective, &f.model, f.theta, gradient, UINT64_MAX, GRADIENT_CHECK_STEP, 1,
                                               &report, NULL),
                             STATUS_OK);
            for (uint32_t j = 0; j < right.layer_count; j++) {
                assert_int_equal(report.layers[j].max_relative_error > GRADIENT_CHECK_TOLERANCE, j == i);
            }
            assert_true(report.max_relative_error > GRADIENT_CHECK_TOLERANCE);
        }
    }
    fixture_release(&f);
}

/* ---- the Hessian ---- */

/* Column by column from central differences of the gradient, at another step than the product's. */
static void hessian_times_a_vector_is_what_the_whole_hessian_gives(void **state)
{
    struct fixture f;
    double v[PARAMETERS], product[PARAMETERS], work[2 * PARAMETERS], up[PARAMETERS], down[PARAMETERS];
    double expected[PARAMETERS] = {0}, curvature = 0, mirrored = 0;
    uint64_t count;

    (void)state;
    fixture_init(&f, 0.02, 1);
    count = model_spec_parameter_count(&f.model);
    for (uint64_t i = 0; i < count; i++) {
        v[i] = rng_normal_f64(9, RNG_DIAGNOSTICS, 0, i);
    }
    network_objective_hessian_vector(f.objective, f.theta, v, product, work);
    for (uint64_t j = 0; j < count; j++) {
        double kept = f.theta[j], h = 1e-6;

        f.theta[j] = kept + h;
        (void)network_objective_gradient(f.objective, f.theta, up);
        f.theta[j] = kept - h;
        (void)network_objective_gradient(f.objective, f.theta, down);
        f.theta[j] = kept;
        for (uint64_t i = 0; i < count; i++) {
            expected[i] += (up[i] - down[i]) / (2 * h) * v[j];
            mirrored += v[i] * (up[i] - down[i]) / (2 * h) * v[j];
        }
        curvature += v[j] * product[j];
    }
    for (uint64_t i = 0; i < count; i++) {
        assert_close(product[i], expected[i], 1e-5, 1e-6);
    }
    assert_close(curvature, mirrored, 1e-5, 0);
    fixture_release(&f);
}

/* batch_norm's running statistics are not trained: data in another unit, and statistics in it, have the same Hessian. */
static void the_hessian_does_not_depend_on_the_unit_of_the_data(void **state)
{
    static const float UNITS[] = {1, 4096};
    double v[PARAMETERS] = {0}, products[2][PARAMETERS], work[2 * PARAMETERS];
    struct fixture f;

    (void)state;
    for (int k = 0; k < 2; k++) {
        const double unit = (double)UNITS[k];
        const struct layer_spec layers[] = {{.type = LAYER_BATCH_NORM, .momentum = 0.1, .epsilon = 1e-12 * unit * unit},
                                            {.type = LAYER_DENSE, .units = 16},
                                            {.type = LAYER_RELU},
                                            {.type = LAYER_DENSE, .units = CLASSES}};
        const struct layer_parameters norm = {.others = 2 * INPUTS, .statistics = 2 * INPUTS};

        fixture_of(&f, layers, sizeof layers / sizeof layers[0], UNITS[k], 0.01, 1);
        assert_int_equal(model_spec_layer_parameters(&f.model, 0).statistics, norm.statistics);
        for (uint64_t i = 0; i < model_spec_parameter_count(&f.model); i++) {
            v[i] = i >= norm.others && i < norm.others + norm.statistics ? 0 : rng_normal_f64(9, RNG_DIAGNOSTICS, 0, i);
        }
        for (uint32_t i = 0; i < INPUTS; i++) {
            f.theta[norm.others + i] = unit / 8;
            f.theta[norm.others + INPUTS + i] = unit * unit;
        }
        network_objective_hessian_vector(f.objective, f.theta, v, products[k], work);
        for (uint64_t i = 0; i < norm.statistics; i++) {
            assert_close(products[k][norm.others + i], 0, 0, 0);
        }
        fixture_release(&f);
    }
    assert_true(fabs(products[0][0]) > 1e-3);
    for (uint64_t i = 0; i < model_spec_parameter_count(&f.model); i++) {
        assert_close(products[1][i], products[0][i], 1e-7, 1e-8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coordinate_of_every_layer_is_checked),
        cmocka_unit_test(a_sample_is_spread_over_the_layer_and_drawn_by_the_seed),
        cmocka_unit_test(the_point_is_left_as_it_was_and_threads_change_no_bit),
        cmocka_unit_test(coordinates_with_a_kink_within_their_step_are_skipped),
        cmocka_unit_test(a_loss_that_is_not_finite_is_an_error),
        cmocka_unit_test(a_wrong_gradient_fails_in_the_layer_where_it_is_wrong),
        cmocka_unit_test(hessian_times_a_vector_is_what_the_whole_hessian_gives),
        cmocka_unit_test(the_hessian_does_not_depend_on_the_unit_of_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
