/* A network under muon: its pieces come together as the matrices of the text, whatever their tiles, blocks and threads. */
#include "core/nn/network.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/matrix_reference.h"
#include "core/base/rng.h"
#include "tests/assert_close.h"

#define ROWS    21
#define INPUTS  230
#define CLASSES 5
#define MOST    60000
#define STEPS   3

struct fixture {
    float x[ROWS * INPUTS];
    int32_t labels[ROWS];
    uint32_t rows[ROWS];
    struct dataset dataset;
    struct scaler scaler;
    struct pool *pool;
};

static void fixture_init(struct fixture *f, uint32_t threads)
{
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = 0; j < INPUTS; j++) {
            f->x[i * INPUTS + j] = (float)rng_normal_f64(1, RNG_GENERATOR, 0, i * INPUTS + j);
        }
        f->labels[i] = (int32_t)(i * 7 % CLASSES);
        f->rows[i] = i;
    }
    f->dataset = (struct dataset){.rows = ROWS,
                                  .features = INPUTS,
                                  .feature_type = FEATURE_F32,
                                  .label_type = LABEL_CLASS,
                                  .classes = CLASSES,
                                  .x = f->x,
                                  .labels = f->labels};
    assert_int_equal(scaler_fit(&f->scaler, PREPROCESS_NONE, &f->dataset, NULL, ROWS, NULL), STATUS_OK);
    assert_int_equal(pool_new(&f->pool, threads, NULL), STATUS_OK);
}

static void fixture_release(struct fixture *f)
{
    scaler_release(&f->scaler);
    pool_free(f->pool);
}

static struct network_batch batch_of(const struct fixture *f)
{
    return (struct network_batch){
        .dataset = &f->dataset, .scaler = &f->scaler, .labels = f->labels, .rows = f->rows, .count = ROWS};
}

/* Layers with fewer units than inputs, with more, and with several tiles and blocks of both. */
static const uint32_t HIDDEN[][3] = {{150, 40, 140}, {7, 9, 9}, {16, 150, 3}};
#define MODEL_COUNT (sizeof HIDDEN / sizeof *HIDDEN)

static struct model_spec model_of(size_t m)
{
    struct model_spec model;

    assert_int_equal(model_spec_perceptron(&model, MODEL_MLP, INPUTS, CLASSES, HIDDEN[m], 3, LAYER_TANH, 0, NULL),
                     STATUS_OK);
    assert_true(model_spec_parameter_count(&model) <= MOST);
    return model;
}

static struct optimizer_spec muon(void)
{
    struct optimizer_spec spec = {.learning_rate = 0.02};

    optimizer_defaults(&spec, OPTIMIZER_MUON);
    spec.weight_decay = 0.1;
    spec.adamw_learning_rate = 0.01;
    return spec;
}

static double initial(uint64_t i)
{
    return (double)(float)(0.1 * rng_normal_f64(3, RNG_GENERATOR, 0, i));
}

/* ---- the text's rule on canonical arrays: a layer's weights [outputs][inputs], then its bias ---- */

static double weights[MOST], gradient[MOST], first[MOST], second[MOST];

static void adamw(const struct optimizer_spec *spec, uint64_t t, uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < from + count; i++) {
        double c1 = 1 - pow(spec->beta1, (double)t), c2 = 1 - pow(spec->beta2, (double)t);

        first[i] = spec->beta1 * first[i] + (1 - spec->beta1) * gradient[i];
        second[i] = spec->beta2 * second[i] + (1 - spec->beta2) * gradient[i] * gradient[i];
        weights[i] *= 1 - spec->adamw_learning_rate * spec->weight_decay;
        weights[i] -= spec->adamw_learning_rate * (first[i] / c1) / (sqrt(second[i] / c2) + spec->epsilon);
    }
}

/* On [outputs][inputs] as it stands: with more rows than columns the products are the larger ones, of the same result. */
static void whole_matrix(const struct optimizer_spec *spec, uint64_t from, int64_t outputs, int64_t inputs)
{
    static double x[MOST], y[MOST], a[200 * 200], b[200 * 200];
    int64_t n = outputs * inputs;
    double square = 0, factor = outputs > inputs ? sqrt((double)outputs / (double)inputs) : 1;

    assert_true(outputs <= 200);
    for (int64_t i = 0; i < n; i++) {
        double g = gradient[from + (uint64_t)i], *m = &first[from + (uint64_t)i];

        *m = spec->momentum * *m + (1 - spec->momentum) * g;
        x[i] = (1 - spec->momentum) * g + spec->momentum * *m;
        square += x[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] /= sqrt(square) + 1e-7;
    }
    for (uint32_t k = 0; k < spec->ns_steps; k++) {
        matrix_reference_dgemm(0, 1, outputs, outputs, inputs, x, inputs, x, inputs, 0, a, outputs);
        matrix_reference_dgemm(0, 0, outputs, outputs, outputs, a, outputs, a, outputs, 0, b, outputs);
        for (int64_t i = 0; i < outputs * outputs; i++) {
            b[i] = -4.7750 * a[i] + 2.0315 * b[i];
        }
        matrix_reference_dgemm(0, 0, outputs, inputs, outputs, b, outputs, x, inputs, 0, y, inputs);
        for (int64_t i = 0; i < n; i++) {
            x[i] = 3.4445 * x[i] + y[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        double *w = &weights[from + (uint64_t)i];

        *w = *w * (1 - spec->learning_rate * spec->weight_decay) - spec->learning_rate * factor * x[i];
    }
}

static void text_update(const struct optimizer_spec *spec, const struct model_spec *model, double l2, uint64_t t)
{
    uint64_t at = 0;
    uint32_t inputs = model->inputs;

    for (uint32_t i = 0; i < model->layer_count; i++) {
        uint32_t units = model->layers[i].units;
        uint64_t count = (uint64_t)units * inputs;

        if (model->layers[i].type != LAYER_DENSE) {
            continue;
        }
        for (uint64_t k = at; k < at + count; k++) {
            gradient[k] += l2 * weights[k];
        }
        if (i + 1 < model->layer_count) {
            whole_matrix(spec, at, units, inputs);
        } else {
            adamw(spec, t, at, count);
        }
        adamw(spec, t, at + count, units);
        at += count + units;
        inputs = units;
    }
}

static void a_network_in_float64_does_what_the_text_says(void **state)
{
    static double got[MOST];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct optimizer_spec spec = muon();
        struct network_update update = {.optimizer = &spec, .l2 = 1e-3, .measure = 1};
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct network_f64 *network;
        struct network_plan plan;
        struct fixture f;
        uint64_t count = model_spec_parameter_count(&model);

        fixture_init(&f, 2);
        struct network_batch batch = batch_of(&f);
        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        struct network_setup setup = {.plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = &spec, .pool = f.pool};
        assert_int_equal(network_new_f64(&network, &setup, NULL), STATUS_OK);
        memset(first, 0, sizeof first);
        memset(second, 0, sizeof second);
        for (uint64_t i = 0; i < count; i++) {
            weights[i] = initial(i);
        }
        network_load_f64(network, weights);
        for (uint64_t t = 1; t <= STEPS; t++) {
            double move_square = 0, gradient_square = 0;

            network_gather_f64(network, 0, &batch);
            network_forward_loss_f64(network, 0, &batch, &loss, NULL);
            network_backward_f64(network, 0, ROWS, 1);
            network_store_gradients_f64(network, gradient);
            network_store_f64(network, got);
            optimizer_step(&spec, spec.learning_rate, t, 1, &update.step);
            network_update_f64(network, &update);
            text_update(&spec, &model, update.l2, t);
            for (uint64_t i = 0; i < count; i++) {
                move_square += (weights[i] - got[i]) * (weights[i] - got[i]);
                gradient_square += gradient[i] * gradient[i];
            }
            network_store_f64(network, got);
            assert_all_close(got, weights, count, 1e-10, 1e-12);
            assert_close(network_sums_f64(network).move_square, move_square, 1e-9, 0);
            assert_close(network_sums_f64(network).gradient_square, gradient_square, 1e-9, 0);
            assert_int_equal(network_nonfinite_layer_f64(network), -1);
        }
        network_free_f64(network);
        fixture_release(&f);
    }
}

/* ---- float32 ---- */

static void train_f32(size_t m, uint32_t threads, const struct optimizer_spec *spec, float *out)
{
    struct model_spec model = model_of(m);
    struct network_update update = {.optimizer = spec, .l2 = 1e-3, .measure = 1};
    struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_f32 *network;
    struct network_plan plan;
    struct fixture f;

    fixture_init(&f, threads);
    struct network_batch batch = batch_of(&f);
    assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {.plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = spec, .pool = f.pool};
    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
        out[i] = (float)initial(i);
    }
    network_load_f32(network, out);
    for (uint64_t t = 1; t <= STEPS; t++) {
        update.measure = t % 2 == 1;
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        network_backward_f32(network, 0, ROWS, 1);
        optimizer_step(spec, spec->learning_rate, t, 1, &update.step);
        network_update_f32(network, &update);
    }
    network_store_f32(network, out);
    network_free_f32(network);
    fixture_release(&f);
}

static void threads_do_not_change_a_bit(void **state)
{
    static const uint32_t THREADS[] = {2, 3, 4, 7, 16};
    static float one[MOST], many[MOST];
    struct optimizer_spec spec = muon();

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);

        train_f32(m, 1, &spec, one);
        for (size_t t = 0; t < sizeof THREADS / sizeof *THREADS; t++) {
            train_f32(m, THREADS[t], &spec, many);
            assert_memory_equal(one, many, model_spec_parameter_count(&model) * sizeof *one);
        }
    }
}

/* Without a rate of its own for them, all but the hidden layers' weights stand still. */
static void biases_and_the_last_layer_have_their_own_rate(void **state)
{
    static float out[MOST];
    struct optimizer_spec spec = muon();
    struct model_spec model = model_of(1);
    uint64_t weights_of_first = (uint64_t)HIDDEN[1][0] * INPUTS, last = model_spec_parameter_count(&model) - CLASSES * 10;

    (void)state;
    spec.adamw_learning_rate = 1e-30;
    train_f32(1, 1, &spec, out);
    for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
        if (i < weights_of_first) {
            assert_true((double)out[i] != initial(i));
        } else if (i < weights_of_first + HIDDEN[1][0] || i >= last) {
            assert_true((double)out[i] == initial(i));
        }
    }
}

/* Bytes of so many values, in whole cache lines. */
static uint64_t lines(uint64_t count)
{
    return (count * sizeof(float) + 63) / 64 * 64;
}

static void its_room_and_its_work_are_part_of_the_plan(void **state)
{
    struct optimizer_spec spec = muon(), plain = spec;
    struct model_spec model = model_of(0);
    struct network_plan plan;

    (void)state;
    plain.type = OPTIMIZER_ADAMW;
    assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
    struct network_setup with = {.plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = &spec}, without = with;

    without.optimizer = &plain;
    assert_int_equal(network_bytes(&with, 2) - network_bytes(&without, 2),
                     2 * lines(150 * INPUTS) + 2 * lines(150 * 150)); /* of its largest layer */
    assert_int_equal(network_update_flops(&without), 0);
    assert_int_equal(network_update_flops(&with), muon_flops(150, 230, 5) + muon_flops(40, 150, 5) + muon_flops(40, 140, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_in_float64_does_what_the_text_says),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(biases_and_the_last_layer_have_their_own_rate),
        cmocka_unit_test(its_room_and_its_work_are_part_of_the_plan),
    };
    return cmocka_run_group_tests_name("network_muon", tests, NULL, NULL);
}
