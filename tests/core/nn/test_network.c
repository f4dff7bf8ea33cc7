/* The network: its plan, its gradients against central differences in float64, and that threads change no bit. */
#include "core/nn/network.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/nn/gradient_check.h"
#include "core/nn/init.h"
#include "tests/assert_close.h"
#include "tests/core/nn/networks.h"

#define ROWS            37 /* no multiple of a grain */
#define INPUTS          11
#define CLASSES         4
#define MOST_PARAMETERS 60000

/* ---- a small data set with hard and soft labels ---- */

struct fixture {
    float x[ROWS * INPUTS];
    int32_t labels[ROWS];
    float soft[ROWS * CLASSES];
    uint32_t rows[ROWS];
    struct dataset dataset;
    struct scaler scaler;
    struct pool *pool;
};

static void fixture_init(struct fixture *f, uint32_t threads)
{
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < ROWS; i++) {
        float sum = 0;

        for (uint32_t j = 0; j < INPUTS; j++) {
            f->x[i * INPUTS + j] = (float)rng_normal_f64(1, RNG_GENERATOR, 0, i * INPUTS + j);
        }
        for (uint32_t c = 0; c < CLASSES; c++) {
            f->soft[i * CLASSES + c] = 0.05f + rng_uniform_f32(2, RNG_GENERATOR, 0, i * CLASSES + c);
            sum += f->soft[i * CLASSES + c];
        }
        for (uint32_t c = 0; c < CLASSES; c++) {
            f->soft[i * CLASSES + c] /= sum;
        }
        f->labels[i] = (int32_t)(i * 7 % CLASSES);
        f->rows[i] = (i * 5) % ROWS;
    }
    f->dataset = (struct dataset){.rows = ROWS,
                                  .features = INPUTS,
                                  .feature_type = FEATURE_F32,
                                  .label_type = LABEL_SOFT,
                                  .classes = CLASSES,
                                  .x = f->x,
                                  .labels = f->labels,
                                  .soft_labels = f->soft};
    f->scaler = (struct scaler){.type = PREPROCESS_NONE, .features = INPUTS, .uniform = 1};
    assert_int_equal(scaler_fit(&f->scaler, PREPROCESS_NONE, &f->dataset, NULL, ROWS, NULL), STATUS_OK);
    assert_int_equal(pool_new(&f->pool, threads, NULL), STATUS_OK);
}

static void fixture_release(struct fixture *f)
{
    scaler_release(&f->scaler);
    pool_free(f->pool);
}

static struct network_batch batch_of(const struct fixture *f, int soft)
{
    return (struct network_batch){.dataset = &f->dataset,
                                  .scaler = &f->scaler,
                                  .labels = soft ? NULL : f->labels,
                                  .rows = f->rows,
                                  .count = ROWS,
                                  .step = 3};
}

/* ---- models ---- */

static struct model_spec model_of(const struct layer_spec *layers, uint32_t count)
{
    struct model_spec model = {.type = MODEL_LAYERS, .inputs = INPUTS, .classes = CLASSES, .layer_count = count};

    memcpy(model.layers, layers, count * sizeof *layers);
    assert_int_equal(model_spec_check(&model, NULL), STATUS_OK);
    return model;
}

/* Every layer, alone and behind others; widths beyond one tile. */
static const struct {
    const char *name;
    uint32_t count;
    struct layer_spec layers[9];
} MODELS[] = {
    {"softmax regression", 1, {DENSE(CLASSES)}},
    {"tanh", 3, {DENSE(9), ACT(TANH), DENSE(CLASSES)}},
    {"sigmoid", 3, {DENSE(9), ACT(SIGMOID), DENSE(CLASSES)}},
    {"relu", 3, {DENSE(9), ACT(RELU), DENSE(CLASSES)}},
    {"leaky relu", 3, {DENSE(9), LEAKY, DENSE(CLASSES)}},
    {"dropout", 4, {DENSE(20), ACT(TANH), DROP(0.3), DENSE(CLASSES)}},
    {"dropout of the inputs", 4, {DROP(0.2), DENSE(9), ACT(TANH), DENSE(CLASSES)}},
    {"activation of the inputs", 4, {ACT(TANH), DENSE(9), ACT(SIGMOID), DENSE(CLASSES)}},
    {"linear stages", 2, {DENSE(7), DENSE(CLASSES)}},
    {"three stages", 5, {DENSE(20), ACT(TANH), DENSE(13), ACT(SIGMOID), DENSE(CLASSES)}},
    {"chain of ops", 7, {DENSE(18), ACT(TANH), DROP(0.25), ACT(SIGMOID), DENSE(12), ACT(TANH), DENSE(CLASSES)}},
    {"several tiles", 5, {DENSE(150), ACT(TANH), DENSE(140), LEAKY, DENSE(CLASSES)}},
};
#define MODEL_COUNT (sizeof MODELS / sizeof MODELS[0])

/* ---- plan ---- */

static void segments_cover_every_stored_parameter_once(void **state)
{
    static unsigned char seen[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(MODELS[m].layers, MODELS[m].count);
        struct network_plan plan;

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        assert_true(plan.stored <= MOST_PARAMETERS);
        memset(seen, 0, sizeof seen);
        for (uint32_t i = 0; i < plan.segment_count; i++) {
            struct network_segment segment = network_plan_segment(&plan, i);

            for (uint64_t j = 0; j < segment.count; j++) {
                assert_int_equal(seen[segment.offset + j]++, 0);
            }
        }
        for (uint64_t j = 0; j < plan.stored; j++) {
            assert_int_equal(seen[j], 1);
        }
    }
}

static void a_model_too_large_to_count_is_refused(void **state)
{
    struct model_spec model = {.inputs = 1u << 20, .classes = 2, .layer_count = 5};
    struct network_plan plan;
    struct error error = {0};

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        model.layers[i] = (struct layer_spec){.type = LAYER_DENSE, .units = 1000000};
    }
    model.layers[4] = (struct layer_spec){.type = LAYER_DENSE, .units = 2};
    assert_int_equal(network_plan_make(&plan, &model, 128, &error), STATUS_MODEL_TOO_LARGE);
    assert_non_null(strstr(error.message, "bytes"));
}

/* ---- gradients in float64 ---- */

struct loss_case {
    const char *name;
    int soft;
    struct network_loss loss;
    double l2;
};

static const double WEIGHTS[CLASSES] = {0.5, 2.0, 1.0, 3.5};

static const struct loss_case LOSSES[] = {
    {"hard labels", 0, {.scale = 1.0 / ROWS}, 0},
    {"l2", 0, {.scale = 1.0 / ROWS}, 0.05},
    {"label smoothing", 0, {.label_smoothing = 0.1, .scale = 1.0 / ROWS}, 0},
    {"class weights", 0, {.class_weights = WEIGHTS, .scale = 1.0 / 61}, 0.01},
    {"soft labels", 1, {.scale = 1.0 / ROWS}, 0},
    {"soft labels, smoothing and weights", 1, {.label_smoothing = 0.2, .class_weights = WEIGHTS, .scale = 1.0 / ROWS}, 0.02},
};
#define LOSS_COUNT (sizeof LOSSES / sizeof LOSSES[0])

static const struct optimizer_spec PLAIN = {.type = OPTIMIZER_SGD, .learning_rate = 0.1};

static struct network_f64 *network_in_f64(const struct fixture *f, const struct model_spec *model, int soft)
{
    struct network_f64 *network;
    struct network_plan plan;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {
        .plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = &PLAIN, .seed = 5, .has_soft_labels = soft, .pool = f->pool};

    assert_int_equal(network_new_f64(&network, &setup, NULL), STATUS_OK);
    return network;
}

/* Starting point: glorot weights and some bias. */
static uint64_t start_parameters(const struct model_spec *model, double *parameters)
{
    static float narrow[MOST_PARAMETERS];
    uint64_t count = model_spec_parameter_count(model);

    assert_true(count <= MOST_PARAMETERS);
    init_parameters(model, INIT_GLOROT_NORMAL, 9, narrow);
    for (uint64_t i = 0; i < count; i++) {
        parameters[i] = (double)narrow[i] + 0.01 * rng_normal_f64(4, RNG_INIT, 1, i);
    }
    return count;
}

/* Some of each layer's coordinates, in every model with every loss. */
static void backpropagation_is_the_derivative_of_the_objective(void **state)
{
    static double parameters[MOST_PARAMETERS];
    uint64_t checked = 0, kinks = 0;

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(MODELS[m].layers, MODELS[m].count);

        for (size_t l = 0; l < LOSS_COUNT; l++) {
            struct gradient_check_report report;
            struct network_objective *objective;
            struct fixture f;

            fixture_init(&f, 1);
            struct network_objective_setup setup = {.model = &model,
                                                    .dataset = &f.dataset,
                                                    .scaler = &f.scaler,
                                                    .labels = LOSSES[l].soft ? NULL : f.labels,
                                                    .rows = f.rows,
                                                    .count = ROWS,
                                                    .loss = LOSSES[l].loss,
                                                    .l2 = LOSSES[l].l2,
                                                    .seed = 5,
                                                    .with_dropout = 1,
                                                    .pool = f.pool};

            (void)start_parameters(&model, parameters);
            assert_int_equal(network_objective_new(&objective, &setup, NULL), STATUS_OK);
            assert_int_equal(gradient_check(objective, &model, parameters, 30, GRADIENT_CHECK_STEP, m, &report, NULL),
                             STATUS_OK);
            assert_close(report.max_relative_error, 0, 0, GRADIENT_CHECK_TOLERANCE);
            checked += report.checked;
            kinks += report.skipped;
            network_objective_free(objective);
            fixture_release(&f);
        }
    }
    assert_true(checked > 2500);
    assert_true(kinks * 20 < checked);
}

/* ---- float32 against float64, threads, and the two ways of updating ---- */

static void start_in_f32(const struct model_spec *model, float *parameters)
{
    static double wide[MOST_PARAMETERS];
    uint64_t count = start_parameters(model, wide);

    for (uint64_t i = 0; i < count; i++) {
        parameters[i] = (float)wide[i];
    }
}

static struct network_f32 *network_in_f32(const struct fixture *f, const struct model_spec *model, enum network_use use,
                                          const struct optimizer_spec *optimizer)
{
    struct network_f32 *network;
    struct network_plan plan;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {.plan = &plan, .use = use, .optimizer = optimizer, .seed = 5, .pool = f->pool};

    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    return network;
}

/* `steps` updates; the weights in canonical order go to `out`. */
static void train_f32(const struct model_spec *model, enum network_use use, const struct optimizer_spec *optimizer,
                      uint32_t threads, uint32_t steps, float *out)
{
    struct fixture f;

    fixture_init(&f, threads);
    struct network_f32 *network = network_in_f32(&f, model, use, optimizer);
    struct network_loss loss = {.label_smoothing = 0.05, .scale = 1.0 / ROWS};

    start_in_f32(model, out);
    network_load_f32(network, out);
    for (uint32_t k = 0; k < steps; k++) {
        struct network_batch batch = batch_of(&f, 0);
        struct network_update update = {.optimizer = optimizer, .l2 = 1e-3, .measure = k % 2 == 0};

        batch.step = k;
        optimizer_step(optimizer, optimizer->learning_rate, k + 1, 1, &update.step);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        if (use == NETWORK_TRAIN) {
            network_backward_update_f32(network, 0, ROWS, &update);
        } else {
            network_backward_f32(network, 0, ROWS, 1);
            network_update_f32(network, &update);
        }
        assert_int_equal(network_nonfinite_layer_f32(network), -1);
    }
    network_store_f32(network, out);
    network_free_f32(network);
    fixture_release(&f);
}

static void threads_do_not_change_a_bit(void **state)
{
    static float one[MOST_PARAMETERS], many[MOST_PARAMETERS];
    static const uint32_t THREADS[] = {2, 3, 4, 7, 16};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(MODELS[m].layers, MODELS[m].count);
        struct optimizer_spec optimizer;

        optimizer_defaults(&optimizer, OPTIMIZER_ADAM);
        optimizer.learning_rate = 0.01;
        train_f32(&model, NETWORK_TRAIN, &optimizer, 1, 5, one);
        for (size_t t = 0; t < sizeof THREADS / sizeof THREADS[0]; t++) {
            train_f32(&model, NETWORK_TRAIN, &optimizer, THREADS[t], 5, many);
            assert_memory_equal(one, many, model_spec_parameter_count(&model) * sizeof *one);
        }
    }
}

static void fused_and_stored_gradients_make_the_same_weights(void **state)
{
    static float fused[MOST_PARAMETERS], stored[MOST_PARAMETERS];
    static const enum optimizer_type TYPES[] = {OPTIMIZER_SGD, OPTIMIZER_ADAGRAD, OPTIMIZER_RMSPROP, OPTIMIZER_ADAMW};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(MODELS[m].layers, MODELS[m].count);

        for (size_t o = 0; o < sizeof TYPES / sizeof TYPES[0]; o++) {
            struct optimizer_spec optimizer;

            optimizer_defaults(&optimizer, TYPES[o]);
            optimizer.learning_rate = 0.01;
            train_f32(&model, NETWORK_TRAIN, &optimizer, 1, 4, fused);
            train_f32(&model, NETWORK_ACCUMULATE, &optimizer, 2, 4, stored);
            assert_memory_equal(fused, stored, model_spec_parameter_count(&model) * sizeof *fused);
        }
    }
}

static void float32_gradients_agree_with_float64(void **state)
{
    static float narrow[MOST_PARAMETERS], got[MOST_PARAMETERS];
    static double wide[MOST_PARAMETERS], want[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(MODELS[m].layers, MODELS[m].count);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct fixture f;
        uint64_t count;

        fixture_init(&f, 2);
        struct network_batch batch = batch_of(&f, 0);
        struct network_f64 *exact = network_in_f64(&f, &model, 0);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);

        start_in_f32(&model, narrow);
        count = model_spec_parameter_count(&model);
        for (uint64_t i = 0; i < count; i++) {
            wide[i] = (double)narrow[i];
        }
        network_load_f32(network, narrow);
        network_load_f64(exact, wide);
        assert_precisions_agree(network, exact, &batch, &loss, count, got, want, 1e-5);
        network_free_f32(network);
        network_free_f64(exact);
        fixture_release(&f);
    }
}

static void chunks_add_up_to_the_whole_batch(void **state)
{
    static double parameters[MOST_PARAMETERS], whole[MOST_PARAMETERS], parts[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(MODELS[m].layers, MODELS[m].count);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f64 *network = network_in_f64(&f, &model, 0);
        struct network_batch all = batch_of(&f, 0), first = all, second = all;
        uint64_t count = start_parameters(&model, parameters);

        first.count = 20;
        second.rows += 20;
        second.count -= 20;
        second.position = 20; /* dropout follows the place in the whole minibatch */
        network_load_f64(network, parameters);
        network_gather_f64(network, 0, &all);
        network_forward_loss_f64(network, 0, &all, &loss, NULL);
        network_backward_f64(network, 0, ROWS, 1);
        network_store_gradients_f64(network, whole);

        network_gather_f64(network, 0, &first);
        network_forward_loss_f64(network, 0, &first, &loss, &second);
        network_backward_f64(network, 0, first.count, 1);
        network_forward_loss_f64(network, 1, &second, &loss, NULL);
        network_backward_f64(network, 1, second.count, 0);
        network_store_gradients_f64(network, parts);
        assert_all_close(parts, whole, count, 1e-10, 1e-14);
        network_free_f64(network);
        fixture_release(&f);
    }
}

static void inference_leaves_dropout_out(void **state)
{
    const struct layer_spec with[] = {DROP(0.5), DENSE(20), ACT(TANH), DROP(0.5), DENSE(CLASSES)};
    const struct layer_spec without[] = {DENSE(20), ACT(TANH), DENSE(CLASSES)};
    struct model_spec models[2] = {model_of(with, 5), model_of(without, 3)};
    static float parameters[MOST_PARAMETERS];
    float logits[2][ROWS * 16];
    struct fixture f;

    (void)state;
    fixture_init(&f, 1);
    init_parameters(&models[1], INIT_HE_NORMAL, 1, parameters);
    for (int i = 0; i < 2; i++) {
        struct network_f32 *network = network_in_f32(&f, &models[i], NETWORK_INFER, NULL);
        struct network_batch batch = batch_of(&f, 0);
        uint32_t stride;

        network_load_f32(network, parameters);
        network_gather_f32(network, 0, &batch);
        network_forward_f32(network, 0, ROWS);
        memcpy(logits[i], network_logits_f32(network, &stride), sizeof logits[i]);
        assert_int_equal(stride, 16);
        network_free_f32(network);
    }
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    fixture_release(&f);
}

static void equal_hidden_units_stay_equal(void **state)
{
    const struct layer_spec layers[] = {DENSE(6), ACT(TANH), DENSE(CLASSES)};
    struct model_spec model = model_of(layers, 3);
    struct optimizer_spec optimizer = {.type = OPTIMIZER_SGD, .learning_rate = 0.5, .momentum = 0.9};
    static float parameters[MOST_PARAMETERS];

    (void)state;
    for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
        parameters[i] = 0.1f;
    }
    struct fixture f;

    fixture_init(&f, 1);
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &optimizer);
    struct network_loss loss = {.scale = 1.0 / ROWS};

    network_load_f32(network, parameters);
    for (uint32_t k = 0; k < 10; k++) {
        struct network_batch batch = batch_of(&f, 0);
        struct network_update update = {.optimizer = &optimizer};

        optimizer_step(&optimizer, optimizer.learning_rate, k + 1, 1, &update.step);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        network_backward_update_f32(network, 0, ROWS, &update);
    }
    network_store_f32(network, parameters);
    for (uint32_t unit = 1; unit < 6; unit++) {
        assert_memory_equal(parameters, parameters + unit * INPUTS, INPUTS * sizeof *parameters);
    }
    assert_true(fabsf(parameters[0] - 0.1f) > 1e-4f);
    network_free_f32(network);
    fixture_release(&f);
}

static void a_nan_input_becomes_a_nan_loss(void **state)
{
    const struct layer_spec layers[] = {DENSE(6), ACT(RELU), DENSE(CLASSES)};
    struct model_spec model = model_of(layers, 3);
    static float parameters[MOST_PARAMETERS];
    struct fixture f;

    (void)state;
    fixture_init(&f, 1);
    f.x[3] = (float)NAN;
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);
    struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_batch batch = batch_of(&f, 0);

    init_parameters(&model, INIT_HE_NORMAL, 1, parameters);
    network_load_f32(network, parameters);
    network_gather_f32(network, 0, &batch);
    network_forward_loss_f32(network, 0, &batch, &loss, NULL);
    assert_true(isnan(network_row_losses_f32(network)[0])); /* rows[0] is row 0 */
    network_free_f32(network);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_cover_every_stored_parameter_once),
        cmocka_unit_test(a_model_too_large_to_count_is_refused),
        cmocka_unit_test(backpropagation_is_the_derivative_of_the_objective),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(fused_and_stored_gradients_make_the_same_weights),
        cmocka_unit_test(float32_gradients_agree_with_float64),
        cmocka_unit_test(chunks_add_up_to_the_whole_batch),
        cmocka_unit_test(inference_leaves_dropout_out),
        cmocka_unit_test(equal_hidden_units_stay_equal),
        cmocka_unit_test(a_nan_input_becomes_a_nan_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
