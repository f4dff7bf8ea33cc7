/*
 * Networks with a front and batch_norm: gradients against central differences in float64, threads, parts, statistics. The
 * layers' kernels have tests of their own (test_conv2d, test_pool2d, test_batch_norm).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/nn/init.h"
#include "core/nn/layer_shape.h"
#include "core/nn/network.h"
#include "core/nn/network_state.h"
#include "tests/assert_close.h"

#define ROWS            37 /* no multiple of a part or a grain */
#define CHANNELS        2
#define HEIGHT          7
#define WIDTH           6
#define INPUTS          (CHANNELS * HEIGHT * WIDTH)
#define CLASSES         4
#define MOST_PARAMETERS 20000

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
    for (uint32_t i = 0; i < ROWS * INPUTS; i++) {
        f->x[i] = (float)rng_normal_f64(1, RNG_GENERATOR, 0, i);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        f->labels[i] = (int32_t)(i * 7 % CLASSES);
        f->rows[i] = (i * 5) % ROWS;
    }
    f->dataset = (struct dataset){.rows = ROWS,
                                  .features = INPUTS,
                                  .channels = CHANNELS,
                                  .height = HEIGHT,
                                  .width = WIDTH,
                                  .is_image = 1,
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

static struct network_batch batch_of(const struct fixture *f, uint32_t count)
{
    return (struct network_batch){
        .dataset = &f->dataset, .scaler = &f->scaler, .labels = f->labels, .rows = f->rows, .count = count, .step = 3};
}

/* ---- models ---- */

#define DENSE(n)                                                                                                            \
    {                                                                                                                       \
        .type = LAYER_DENSE, .units = (n)                                                                                   \
    }
#define ACT(name)                                                                                                           \
    {                                                                                                                       \
        .type = LAYER_##name                                                                                                \
    }
#define LEAKY                                                                                                               \
    {                                                                                                                       \
        .type = LAYER_LEAKY_RELU, .slope = 0.1                                                                              \
    }
#define DROP(r)                                                                                                             \
    {                                                                                                                       \
        .type = LAYER_DROPOUT, .rate = (r)                                                                                  \
    }
#define CONV(n, k, s, p)                                                                                                    \
    {                                                                                                                       \
        .type = LAYER_CONV2D, .units = (n), .kernel = {k, k}, .stride = {s, s}, .padding = { p, p }                         \
    }
#define CONV_ODD                                                                                                            \
    {                                                                                                                       \
        .type = LAYER_CONV2D, .units = 5, .kernel = {3, 2}, .stride = {2, 1}, .padding = { 2, 0 }                           \
    }
#define POOL(name, k, s)                                                                                                    \
    {                                                                                                                       \
        .type = LAYER_##name##_POOL2D, .kernel = {k, k}, .stride = { s, s }                                                 \
    }
#define NORM                                                                                                                \
    {                                                                                                                       \
        .type = LAYER_BATCH_NORM, .momentum = 0.1, .epsilon = 1e-5                                                          \
    }
#define FLATTEN                                                                                                             \
    {                                                                                                                       \
        .type = LAYER_FLATTEN                                                                                               \
    }

static const struct {
    const char *name;
    uint32_t count;
    struct layer_spec layers[16];
} MODELS[] = {
    {"conv", 3, {CONV(3, 3, 1, 1), FLATTEN, DENSE(CLASSES)}},
    {"1 x 1", 4, {CONV(5, 1, 1, 0), ACT(TANH), FLATTEN, DENSE(CLASSES)}},
    {"odd conv", 5, {CONV_ODD, ACT(TANH), FLATTEN, DENSE(9), DENSE(CLASSES)}},
    {"two convs",
     8,
     {CONV(3, 3, 1, 1), ACT(TANH), CONV(4, 3, 2, 0), ACT(SIGMOID), FLATTEN, DENSE(7), ACT(TANH), DENSE(CLASSES)}},
    {"max pool", 5, {CONV(3, 3, 1, 1), ACT(TANH), POOL(MAX, 2, 2), FLATTEN, DENSE(CLASSES)}},
    {"pool first", 5, {POOL(AVG, 2, 1), CONV(3, 2, 1, 0), LEAKY, FLATTEN, DENSE(CLASSES)}},
    {"pools alone", 6, {POOL(MAX, 2, 1), ACT(TANH), POOL(AVG, 3, 2), FLATTEN, DENSE(6), DENSE(CLASSES)}},
    {"cnn",
     10,
     {CONV(4, 3, 1, 1), ACT(RELU), POOL(MAX, 2, 2), CONV(5, 3, 1, 1), ACT(RELU), POOL(AVG, 3, 1), FLATTEN, DENSE(20),
      ACT(RELU), DENSE(CLASSES)}},
    {"batch norm", 6, {CONV(3, 3, 1, 1), NORM, ACT(TANH), FLATTEN, DENSE(8), DENSE(CLASSES)}},
    {"batch norm of the inputs", 4, {NORM, CONV(3, 3, 1, 1), FLATTEN, DENSE(CLASSES)}},
    {"batch norm behind flatten", 4, {CONV(2, 3, 2, 1), FLATTEN, NORM, DENSE(CLASSES)}},
    {"batch norms in a row", 5, {CONV(3, 3, 1, 0), NORM, NORM, FLATTEN, DENSE(CLASSES)}},
    {"batch norm behind dense", 4, {DENSE(20), NORM, ACT(TANH), DENSE(CLASSES)}},
    {"batch norm behind an activation", 6, {DENSE(150), ACT(TANH), NORM, DENSE(9), NORM, DENSE(CLASSES)}},
    {"batch norm everywhere",
     13,
     {CONV(4, 3, 1, 1), NORM, ACT(TANH), POOL(MAX, 2, 2), CONV(3, 3, 1, 1), ACT(TANH), NORM, FLATTEN, DENSE(17), NORM,
      ACT(SIGMOID), DROP(0.2), DENSE(CLASSES)}},
    {"dropout on maps",
     9,
     {DROP(0.1), CONV(3, 3, 1, 1), DROP(0.3), ACT(TANH), DROP(0.2), POOL(AVG, 2, 2), ACT(SIGMOID), FLATTEN, DENSE(CLASSES)}},
    {"activations in a row", 7, {ACT(TANH), CONV(3, 3, 1, 1), ACT(TANH), ACT(SIGMOID), NORM, FLATTEN, DENSE(CLASSES)}},
};
#define MODEL_COUNT (sizeof MODELS / sizeof MODELS[0])

static struct model_spec model_of(size_t m)
{
    struct model_spec model = {.type = MODEL_LAYERS,
                               .inputs = INPUTS,
                               .classes = CLASSES,
                               .channels = CHANNELS,
                               .height = HEIGHT,
                               .width = WIDTH,
                               .layer_count = MODELS[m].count};
    struct error error = {0};

    memcpy(model.layers, MODELS[m].layers, MODELS[m].count * sizeof *model.layers);
    if (model_spec_check(&model, &error) != STATUS_OK) {
        fail_msg("%s: %s %s", MODELS[m].name, error.pointer, error.message);
    }
    return model;
}

/* Glorot weights and some bias; scales and shifts of batch_norm off their start, too, its statistics as at the start. */
static uint64_t start_parameters(const struct model_spec *model, double *parameters)
{
    static float narrow[MOST_PARAMETERS];
    static struct network_plan plan;
    uint64_t count = model_spec_parameter_count(model);

    assert_true(count <= MOST_PARAMETERS);
    init_parameters(model, INIT_GLOROT_NORMAL, 9, narrow);
    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    for (uint64_t i = 0; i < count; i++) {
        int is_trained = network_plan_run(&plan, i).at < plan.trained;

        parameters[i] = (double)narrow[i] + (is_trained ? 0.05 * rng_normal_f64(4, RNG_INIT, 1, i) : 0);
    }
    return count;
}

static const struct optimizer_spec PLAIN = {.type = OPTIMIZER_SGD, .learning_rate = 0.1};

/* ---- plan ---- */

static void every_parameter_has_one_place(void **state)
{
    static unsigned char seen[MOST_PARAMETERS * 8];
    static struct network_plan plan;

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        uint64_t count = model_spec_parameter_count(&model), trained = 0;

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        assert_int_equal(network_plan_parameters(&plan), count);
        assert_true(plan.stored <= sizeof seen);
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < count; i++) {
            struct network_run run = network_plan_run(&plan, i);

            assert_int_equal(seen[run.at]++, 0);
            trained += run.at < plan.trained;
        }
        for (uint32_t i = 0; i < plan.segment_count; i++) {
            struct network_segment segment = network_plan_segment(&plan, i);

            assert_true(segment.offset + segment.count <= plan.trained);
            for (uint64_t j = 0; j < segment.count; j++) {
                trained -= seen[segment.offset + j] & 1;
                seen[segment.offset + j] |= 2;
            }
        }
        assert_int_equal(trained, 0); /* all that is trained is in a segment */
    }
}

static void large_convolutions_are_cut_into_segments_of_whole_filters(void **state)
{
    struct model_spec model = {.inputs = 64 * 9, .classes = 2, .channels = 64, .height = 3, .width = 3, .layer_count = 3};
    static struct network_plan plan;

    (void)state;
    model.layers[0] = (struct layer_spec){.type = LAYER_CONV2D, .units = 70, .kernel = {3, 3}, .stride = {1, 1}};
    model.layers[1] = (struct layer_spec){.type = LAYER_FLATTEN};
    model.layers[2] = (struct layer_spec){.type = LAYER_DENSE, .units = 2};
    assert_int_equal(model_spec_check(&model, NULL), STATUS_OK);
    assert_int_equal(network_plan_make(&plan, &model, 128, NULL), STATUS_OK);
    assert_int_equal(plan.flat_segment_count, 4); /* 28 + 28 + 14 filters of 576 weights, and the biases */
    assert_int_equal(network_plan_segment(&plan, 1).count, 28 * 576);
    assert_int_equal(network_plan_segment(&plan, 2).count, 14 * 576);
    assert_int_equal(network_plan_segment(&plan, 3).is_bias, 1);
    assert_int_equal(network_plan_run(&plan, 30 * 576).count, 26 * 576);
}

static void batch_norm_takes_its_batch_whole_or_not_at_all(void **state)
{
    static struct network_plan plan;
    struct model_spec model = model_of(8), without = model_of(0);
    struct error error = {0};

    (void)state;
    assert_int_equal(network_plan_make(&plan, &without, 100000, NULL), STATUS_OK);
    assert_int_equal(plan.rows, NETWORK_CHUNK_ROWS);
    assert_int_equal(network_plan_make(&plan, &model, 5000, NULL), STATUS_OK);
    assert_int_equal(plan.rows, 5000);
    assert_int_equal(network_plan_make(&plan, &model, NETWORK_NORM_ROWS + 1, &error), STATUS_BATCH_TOO_LARGE);
}

/* ---- gradients in float64 ---- */

static struct network_f64 *network_in_f64(const struct fixture *f, const struct model_spec *model, int gives_statistics)
{
    static struct network_plan plan;
    struct network_f64 *network;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {.plan = &plan,
                                  .use = NETWORK_ACCUMULATE,
                                  .optimizer = &PLAIN,
                                  .seed = 5,
                                  .gives_statistics = gives_statistics,
                                  .pool = f->pool};

    assert_int_equal(network_new_f64(&network, &setup, NULL), STATUS_OK);
    return network;
}

static double objective(struct network_f64 *network, const struct fixture *f, const double *parameters)
{
    struct network_batch batch = batch_of(f, ROWS);
    struct network_loss loss = {.label_smoothing = 0.1, .scale = 1.0 / ROWS};
    double sum = 0;

    network_load_f64(network, parameters);
    network_gather_f64(network, 0, &batch);
    network_forward_loss_f64(network, 0, &batch, &loss, NULL);
    for (uint32_t r = 0; r < ROWS; r++) {
        sum += network_row_losses_f64(network)[r];
    }
    return sum / ROWS;
}

/* Fourth-order central difference. */
static double difference(struct network_f64 *network, const struct fixture *f, double *parameters, uint64_t i, double h)
{
    double kept = parameters[i], value[4];
    static const double AT[4] = {-2, -1, 1, 2};

    for (int k = 0; k < 4; k++) {
        parameters[i] = kept + AT[k] * h;
        value[k] = objective(network, f, parameters);
    }
    parameters[i] = kept;
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
}

static void gradients_are_derivatives(int gives_statistics)
{
    static double parameters[MOST_PARAMETERS], gradient[MOST_PARAMETERS];
    static struct network_plan plan;
    uint64_t checked = 0, kinks = 0;

    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f64 *network = network_in_f64(&f, &model, gives_statistics);
        uint64_t count = start_parameters(&model, parameters), stride = count / 80 + 1;

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        objective(network, &f, parameters);
        network_backward_f64(network, 0, ROWS, 1);
        network_store_gradients_f64(network, gradient);
        for (uint64_t i = m % stride; i < count; i += stride) {
            if (network_plan_run(&plan, i).at >= plan.trained) {
                assert_true(gradient[i] == 0); /* running statistics */
                continue;
            }
            double found = difference(network, &f, parameters, i, 1e-3);

            checked++;
            if (fabs(found - gradient[i]) > 1e-7 * fabs(gradient[i]) + 1e-9) { /* a kink, or a maximum that changed */
                assert_close(difference(network, &f, parameters, i, 1e-7), gradient[i], 1e-5, 1e-7);
                kinks++;
            }
        }
        network_free_f64(network);
        fixture_release(&f);
    }
    assert_true(checked > 900);
    assert_true(kinks * 8 < checked);
}

static void backpropagation_is_the_derivative_through_batch_statistics(void **state)
{
    (void)state;
    gradients_are_derivatives(0);
}

static void backpropagation_is_the_derivative_with_given_statistics(void **state)
{
    (void)state;
    gradients_are_derivatives(1);
}

static void chunks_add_up_where_statistics_are_given(void **state)
{
    static double parameters[MOST_PARAMETERS], whole[MOST_PARAMETERS], parts[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct fixture f;

        fixture_init(&f, 2);
        struct network_f64 *network = network_in_f64(&f, &model, 1);
        struct network_batch all = batch_of(&f, ROWS), first = batch_of(&f, 20), second = batch_of(&f, ROWS - 20);
        uint64_t count = start_parameters(&model, parameters);

        second.rows += 20;
        second.position = 20;
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

/* ---- float32: threads, the two ways of updating, against float64 ---- */

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
    static struct network_plan plan;
    struct network_f32 *network;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {.plan = &plan, .use = use, .optimizer = optimizer, .seed = 5, .pool = f->pool};

    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    return network;
}

/* One update on the first `count` rows. */
static void update_once(struct network_f32 *network, const struct fixture *f, enum network_use use,
                        const struct optimizer_spec *optimizer, uint32_t step, uint32_t count)
{
    struct network_batch batch = batch_of(f, count);
    struct network_update update = {.optimizer = optimizer, .l2 = 1e-3, .measure = step % 2 == 0};
    struct network_loss loss = {.label_smoothing = 0.05, .scale = 1.0 / count};

    batch.step = step;
    optimizer_step(optimizer, optimizer->learning_rate, step + 1, 1, &update.step);
    network_gather_f32(network, 0, &batch);
    network_forward_loss_f32(network, 0, &batch, &loss, NULL);
    if (use == NETWORK_TRAIN) {
        network_backward_update_f32(network, 0, count, &update);
    } else {
        network_backward_f32(network, 0, count, 1);
        network_update_f32(network, &update);
    }
    assert_int_equal(network_nonfinite_layer_f32(network), -1);
    assert_int_equal(network_sums_f32(network).nonfinite, 0);
}

/* Some updates, every other one on a short batch; the parameters in canonical order go to `out`. */
static void train_f32(const struct model_spec *model, enum network_use use, const struct optimizer_spec *optimizer,
                      uint32_t threads, float *out)
{
    struct fixture f;

    fixture_init(&f, threads);
    struct network_f32 *network = network_in_f32(&f, model, use, optimizer);

    start_in_f32(model, out);
    network_load_f32(network, out);
    for (uint32_t k = 0; k < 5; k++) {
        update_once(network, &f, use, optimizer, k, k % 2 == 0 ? ROWS : 9);
    }
    network_store_f32(network, out);
    network_free_f32(network);
    fixture_release(&f);
}

static void threads_do_not_change_a_bit(void **state)
{
    static float one[MOST_PARAMETERS], many[MOST_PARAMETERS];
    static const uint32_t THREADS[] = {2, 3, 4, 7};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct optimizer_spec optimizer;

        optimizer_defaults(&optimizer, OPTIMIZER_ADAM);
        optimizer.learning_rate = 0.01;
        train_f32(&model, NETWORK_TRAIN, &optimizer, 1, one);
        for (size_t t = 0; t < sizeof THREADS / sizeof THREADS[0]; t++) {
            train_f32(&model, NETWORK_TRAIN, &optimizer, THREADS[t], many);
            assert_memory_equal(one, many, model_spec_parameter_count(&model) * sizeof *one);
        }
    }
}

static void fused_and_stored_gradients_make_the_same_weights(void **state)
{
    static float fused[MOST_PARAMETERS], stored[MOST_PARAMETERS];
    static const enum optimizer_type TYPES[] = {OPTIMIZER_SGD, OPTIMIZER_ADAGRAD, OPTIMIZER_ADAMW};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);

        for (size_t o = 0; o < sizeof TYPES / sizeof TYPES[0]; o++) {
            struct optimizer_spec optimizer;

            optimizer_defaults(&optimizer, TYPES[o]);
            optimizer.learning_rate = 0.01;
            train_f32(&model, NETWORK_TRAIN, &optimizer, 1, fused);
            train_f32(&model, NETWORK_ACCUMULATE, &optimizer, 2, stored);
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
        struct model_spec model = model_of(m);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        uint64_t count = model_spec_parameter_count(&model);
        struct fixture f;

        fixture_init(&f, 2);
        struct network_batch batch = batch_of(&f, ROWS);
        struct network_f64 *exact = network_in_f64(&f, &model, 0);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);

        start_in_f32(&model, narrow);
        for (uint64_t i = 0; i < count; i++) {
            wide[i] = (double)narrow[i];
        }
        network_load_f32(network, narrow);
        network_load_f64(exact, wide);
        network_gather_f32(network, 1, &batch);
        network_gather_f64(exact, 1, &batch);
        network_forward_loss_f32(network, 1, &batch, &loss, NULL);
        network_forward_loss_f64(exact, 1, &batch, &loss, NULL);
        assert_all_close(network_row_losses_f32(network), network_row_losses_f64(exact), ROWS, 1e-4, 1e-5);
        network_backward_f32(network, 1, ROWS, 1);
        network_backward_f64(exact, 1, ROWS, 1);
        assert_close(network_gradient_norm_f32(network, 0.1), network_gradient_norm_f64(exact, 0.1), 1e-4, 0);
        network_store_gradients_f32(network, got);
        network_store_gradients_f64(exact, want);
        for (uint64_t i = 0; i < count; i++) {
            assert_close((double)got[i], want[i], 1e-3, 1e-5);
        }
        network_free_f32(network);
        network_free_f64(exact);
        fixture_release(&f);
    }
}

/* ---- penalties ---- */

/* 1 for weights of convolutions and dense layers, 0 for all else, by canonical index. */
static void mark_weights(const struct model_spec *model, unsigned char *is_weight)
{
    struct layer_shape shape = layer_shape_of_inputs(model), shapes[MODEL_MAX_LAYERS];

    layer_shapes(model, shapes);
    for (uint32_t i = 0; i < model->layer_count; shape = shapes[i++]) {
        uint64_t all = layer_parameters(&model->layers[i], &shape);
        uint64_t weights = layer_fan_in(&model->layers[i], &shape) * model->layers[i].units;

        for (uint64_t k = 0; k < all; k++) {
            *is_weight++ = k < weights;
        }
    }
}

static void l2_is_of_weights_alone(void **state)
{
    static float before[MOST_PARAMETERS], gradient[MOST_PARAMETERS], after[MOST_PARAMETERS];
    static unsigned char is_weight[MOST_PARAMETERS];
    static struct network_plan plan;
    struct network_loss loss = {.scale = 1.0 / ROWS};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_update update = {.optimizer = &PLAIN, .l2 = 0.5};
        uint64_t count = model_spec_parameter_count(&model);
        double square = 0, norm = 0;
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);
        struct network_batch batch = batch_of(&f, ROWS);

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        mark_weights(&model, is_weight);
        start_in_f32(&model, before);
        network_load_f32(network, before);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        network_backward_f32(network, 0, ROWS, 1);
        network_store_gradients_f32(network, gradient);
        for (uint64_t i = 0; i < count; i++) {
            double w = is_weight[i] ? (double)before[i] : 0;

            square += w * w;
            norm += pow((double)gradient[i] + 0.5 * w, 2);
        }
        assert_close(network_weight_square_f32(network), square, 1e-12, 0);
        assert_close(network_gradient_norm_f32(network, 0.5), sqrt(norm), 1e-12, 0);
        optimizer_step(&PLAIN, PLAIN.learning_rate, 1, 1, &update.step);
        network_update_f32(network, &update);
        network_store_f32(network, after);
        for (uint64_t i = 0; i < count; i++) {
            double w = is_weight[i] ? (double)before[i] : 0;

            if (network_plan_run(&plan, i).at < plan.trained) {
                assert_close((double)after[i], (double)before[i] - 0.1 * ((double)gradient[i] + 0.5 * w), 1e-6, 1e-7);
            }
        }
        network_free_f32(network);
        fixture_release(&f);
    }
}

/* ---- statistics ---- */

/* A batch_norm of the inputs: its statistics can be computed by hand. */
static struct model_spec norm_first(void)
{
    for (size_t m = 0;; m++) {
        if (strcmp(MODELS[m].name, "batch norm of the inputs") == 0) {
            return model_of(m);
        }
    }
}

static void channel_statistics(const struct fixture *f, uint32_t channel, uint32_t count, double *mean, double *variance)
{
    const size_t plane = HEIGHT * WIDTH;
    double n = count * (double)plane, square = 0;

    *mean = 0;
    for (uint32_t r = 0; r < count; r++) {
        for (size_t p = 0; p < plane; p++) {
            *mean += (double)f->x[f->rows[r] * INPUTS + channel * plane + p] / n;
        }
    }
    for (uint32_t r = 0; r < count; r++) {
        for (size_t p = 0; p < plane; p++) {
            square += pow((double)f->x[f->rows[r] * INPUTS + channel * plane + p] - *mean, 2);
        }
    }
    *variance = square / (n - 1);
}

static void running_statistics_follow_the_minibatches_unbiased(void **state)
{
    struct model_spec model = norm_first();
    static float parameters[MOST_PARAMETERS];
    double mean[CHANNELS] = {0}, variance[CHANNELS] = {1, 1};
    static const uint32_t COUNTS[] = {ROWS, 9, 1, 32};
    struct fixture f;

    (void)state;
    fixture_init(&f, 2);
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);

    start_in_f32(&model, parameters);
    network_load_f32(network, parameters);
    for (uint32_t k = 0; k < 4; k++) {
        update_once(network, &f, NETWORK_TRAIN, &PLAIN, k, COUNTS[k]);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            double m, v;

            channel_statistics(&f, c, COUNTS[k], &m, &v);
            mean[c] = 0.9 * mean[c] + 0.1 * m;
            variance[c] = 0.9 * variance[c] + 0.1 * v;
        }
        network_store_f32(network, parameters);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            assert_close((double)parameters[2 * CHANNELS + c], mean[c], 1e-5, 1e-6);
            assert_close((double)parameters[3 * CHANNELS + c], variance[c], 1e-5, 0);
        }
    }
    network_free_f32(network);
    fixture_release(&f);
}

static void a_forward_pass_alone_leaves_running_statistics_alone(void **state)
{
    static float before[MOST_PARAMETERS], after[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);
        struct network_batch batch = batch_of(&f, ROWS);

        start_in_f32(&model, before);
        network_load_f32(network, before);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        network_backward_f32(network, 0, ROWS, 1);
        network_store_f32(network, after);
        assert_memory_equal(before, after, model_spec_parameter_count(&model) * sizeof *before);
        network_free_f32(network);
        fixture_release(&f);
    }
}

/* A unit of one value: its variance is 0, its normalised value 0, and the running statistics stay as they were. */
static void a_batch_of_one_row_behind_dense_is_finite(void **state)
{
    static float before[MOST_PARAMETERS], after[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        static struct network_plan plan;
        struct fixture f;

        if (strcmp(MODELS[m].name, "batch norm behind dense") != 0) {
            continue;
        }
        fixture_init(&f, 1);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        start_in_f32(&model, before);
        network_load_f32(network, before);
        update_once(network, &f, NETWORK_TRAIN, &PLAIN, 0, 1);
        network_store_f32(network, after);
        for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
            assert_true(isfinite(after[i]));
            if (network_plan_run(&plan, i).at >= plan.trained) {
                assert_true(after[i] == before[i]);
            }
        }
        network_free_f32(network);
        fixture_release(&f);
        return;
    }
    fail_msg("no such model");
}

/* What inference gives is one function of one row: it depends neither on its neighbours nor on how many there are. */
static void inference_is_of_single_rows_with_running_statistics(void **state)
{
    static float parameters[MOST_PARAMETERS], logits[2][ROWS * 16];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_batch batch;
        struct fixture f;
        uint32_t stride;

        fixture_init(&f, 2);
        struct network_f32 *trained = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_INFER, NULL);

        start_in_f32(&model, parameters);
        network_load_f32(trained, parameters);
        update_once(trained, &f, NETWORK_TRAIN, &PLAIN, 0, ROWS);
        network_serve_f32(network, trained);
        batch = batch_of(&f, ROWS);
        network_gather_f32(network, 0, &batch);
        network_forward_f32(network, 0, ROWS);
        memcpy(logits[0], network_logits_f32(network, &stride), sizeof logits[0]);
        network_store_f32(trained, parameters);
        network_load_f32(network, parameters);
        for (uint32_t r = 0; r < ROWS; r++) {
            batch = batch_of(&f, 1);
            batch.rows += r;
            network_gather_f32(network, 0, &batch);
            network_forward_f32(network, 0, 1);
            memcpy(logits[1] + r * stride, network_logits_f32(network, &stride), stride * sizeof(float));
        }
        for (uint32_t r = 0; r < ROWS; r++) {
            for (uint32_t c = 0; c < CLASSES; c++) {
                assert_close((double)logits[1][r * stride + c], (double)logits[0][r * stride + c], 1e-5, 1e-5);
            }
        }
        network_free_f32(trained);
        network_free_f32(network);
        fixture_release(&f);
    }
}

/* ---- state, and what is not finite ---- */

static void state_goes_out_and_in_in_canonical_order(void **state)
{
    static float parameters[MOST_PARAMETERS], values[3][MOST_PARAMETERS];
    struct optimizer_spec optimizer;

    (void)state;
    optimizer_defaults(&optimizer, OPTIMIZER_ADAM);
    optimizer.learning_rate = 0.01;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        uint64_t count = model_spec_parameter_count(&model);
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f32 *first = network_in_f32(&f, &model, NETWORK_TRAIN, &optimizer);
        struct network_f32 *second = network_in_f32(&f, &model, NETWORK_TRAIN, &optimizer);
        struct network_state from = network_state_f32(first), to = network_state_f32(second);

        start_in_f32(&model, parameters);
        network_load_f32(first, parameters);
        network_load_f32(second, parameters);
        for (uint32_t k = 0; k < 3; k++) {
            update_once(first, &f, NETWORK_TRAIN, &optimizer, k, ROWS);
        }
        for (uint32_t array = 0; array < 3; array++) {
            network_state_get(&from, array, 0, count, values[array]);
            for (uint64_t at = 0, part = 1; at < count; at += part, part = 1 + (part * 7) % 61) {
                part = part < count - at ? part : count - at;
                network_state_put(&to, array, at, part, values[array] + at);
            }
        }
        update_once(first, &f, NETWORK_TRAIN, &optimizer, 3, ROWS);
        update_once(second, &f, NETWORK_TRAIN, &optimizer, 3, ROWS);
        network_store_f32(first, values[0]);
        network_store_f32(second, values[1]);
        assert_memory_equal(values[0], values[1], count * sizeof(float));
        network_free_f32(first);
        network_free_f32(second);
        fixture_release(&f);
    }
}

static void nan_goes_through_relu_and_pools_and_its_layer_is_named(void **state)
{
    static float parameters[MOST_PARAMETERS];
    struct network_loss loss = {.scale = 1.0 / ROWS};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct fixture f;

        if (strcmp(MODELS[m].name, "cnn") != 0) {
            continue;
        }
        fixture_init(&f, 2);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);
        struct network_batch batch = batch_of(&f, ROWS);

        start_in_f32(&model, parameters);
        f.x[f.rows[4] * INPUTS + 8] = NAN;
        network_load_f32(network, parameters);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        for (uint32_t r = 0; r < ROWS; r++) {
            assert_int_equal(isnan(network_row_losses_f32(network)[r]) != 0, r == 4);
        }
        assert_int_equal(network_nonfinite_output_f32(network, ROWS), 0);

        f.x[f.rows[4] * INPUTS + 8] = 0;
        parameters[(CHANNELS * 9 + 1) * 4 + 3] = NAN; /* a weight of the second convolution, layer 3 */
        network_load_f32(network, parameters);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        assert_int_equal(network_nonfinite_output_f32(network, ROWS), 3);
        network_free_f32(network);
        fixture_release(&f);
    }
}

static void an_update_beyond_all_numbers_names_its_layer(void **state)
{
    static float parameters[MOST_PARAMETERS];
    struct optimizer_spec wild = {.type = OPTIMIZER_SGD, .learning_rate = 1e30, .weight_decay = 1e30};
    struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_update update = {.optimizer = &wild};
    struct model_spec model = model_of(0);
    struct fixture f;

    (void)state;
    fixture_init(&f, 1);
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &wild);
    struct network_batch batch = batch_of(&f, ROWS);

    start_in_f32(&model, parameters);
    network_load_f32(network, parameters);
    optimizer_step(&wild, wild.learning_rate, 1, 1, &update.step);
    network_gather_f32(network, 0, &batch);
    network_forward_loss_f32(network, 0, &batch, &loss, NULL);
    network_backward_update_f32(network, 0, ROWS, &update);
    assert_int_equal(network_sums_f32(network).nonfinite, 1);
    assert_int_equal(network_nonfinite_layer_f32(network), 0);
    network_free_f32(network);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_has_one_place),
        cmocka_unit_test(large_convolutions_are_cut_into_segments_of_whole_filters),
        cmocka_unit_test(batch_norm_takes_its_batch_whole_or_not_at_all),
        cmocka_unit_test(backpropagation_is_the_derivative_through_batch_statistics),
        cmocka_unit_test(backpropagation_is_the_derivative_with_given_statistics),
        cmocka_unit_test(chunks_add_up_where_statistics_are_given),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(fused_and_stored_gradients_make_the_same_weights),
        cmocka_unit_test(float32_gradients_agree_with_float64),
        cmocka_unit_test(l2_is_of_weights_alone),
        cmocka_unit_test(running_statistics_follow_the_minibatches_unbiased),
        cmocka_unit_test(a_forward_pass_alone_leaves_running_statistics_alone),
        cmocka_unit_test(a_batch_of_one_row_behind_dense_is_finite),
        cmocka_unit_test(inference_is_of_single_rows_with_running_statistics),
        cmocka_unit_test(state_goes_out_and_in_in_canonical_order),
        cmocka_unit_test(nan_goes_through_relu_and_pools_and_its_layer_is_named),
        cmocka_unit_test(an_update_beyond_all_numbers_names_its_layer),
    };

    return cmocka_run_group_tests_name("network_cnn", tests, NULL, NULL);
}
