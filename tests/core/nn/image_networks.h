/* Small networks of every layer of images, and data for them; for the tests of networks with a front or batch_norm. */
#ifndef DESCENT_TESTS_CORE_NN_IMAGE_NETWORKS_H
#define DESCENT_TESTS_CORE_NN_IMAGE_NETWORKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/nn/init.h"
#include "core/nn/network.h"
#include "tests/core/nn/networks.h"

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

static inline void fixture_init(struct fixture *f, uint32_t threads)
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

static inline void fixture_release(struct fixture *f)
{
    scaler_release(&f->scaler);
    pool_free(f->pool);
}

static inline struct network_batch batch_of(const struct fixture *f, uint32_t count)
{
    return (struct network_batch){
        .dataset = &f->dataset, .scaler = &f->scaler, .labels = f->labels, .rows = f->rows, .count = count, .step = 3};
}

/* ---- models ---- */

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
    {"pools behind convs",
     9,
     {CONV(18, 3, 1, 1), ACT(RELU), POOL(MAX, 2, 2), CONV(20, 2, 1, 1), ACT(RELU), POOL(MAX, 2, 2), FLATTEN, DENSE(10),
      DENSE(CLASSES)}},
    {"convs in a row",
     7,
     {CONV(18, 3, 1, 1), ACT(RELU), CONV(5, 3, 1, 1), ACT(RELU), CONV(3, 3, 1, 0), FLATTEN, DENSE(CLASSES)}},
    {"batch norm in blocks",
     13,
     {CONV(18, 3, 1, 1), NORM, ACT(RELU), POOL(MAX, 2, 2), CONV(5, 2, 1, 1), NORM, ACT(RELU), CONV(17, 3, 1, 1), NORM,
      ACT(RELU), POOL(MAX, 3, 3), FLATTEN, DENSE(CLASSES)}},
    {"by minimal filtering",
     11,
     {CONV(16, 3, 2, 1), CONV(17, 3, 1, 1), NORM, ACT(RELU), CONV(18, 3, 1, 1), ACT(RELU), CONV(16, 3, 1, 1), ACT(RELU),
      POOL(MAX, 2, 2), FLATTEN, DENSE(CLASSES)}},
    {"in and out of blocks",
     11,
     {CONV(3, 3, 1, 1), ACT(RELU), DROP(0.2), CONV(17, 3, 1, 0), ACT(RELU), CONV(4, 2, 2, 1), ACT(TANH), CONV(6, 3, 1, 1),
      ACT(RELU), FLATTEN, DENSE(CLASSES)}},
    {"activations in a row", 7, {ACT(TANH), CONV(3, 3, 1, 1), ACT(TANH), ACT(SIGMOID), NORM, FLATTEN, DENSE(CLASSES)}},
};
#define MODEL_COUNT (sizeof MODELS / sizeof MODELS[0])

static inline struct model_spec model_of(size_t m)
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

static inline struct model_spec model_named(const char *name)
{
    size_t m = 0;

    while (m < MODEL_COUNT && strcmp(MODELS[m].name, name) != 0) {
        m++;
    }
    assert_true(m < MODEL_COUNT);
    return model_of(m);
}

/* Glorot weights and some bias; scales and shifts of batch_norm off their start, too, its statistics as at the start. */
static inline uint64_t start_parameters(const struct model_spec *model, double *parameters)
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

/* ---- float32 ---- */

static inline void start_in_f32(const struct model_spec *model, float *parameters)
{
    static double wide[MOST_PARAMETERS];
    uint64_t count = start_parameters(model, wide);

    for (uint64_t i = 0; i < count; i++) {
        parameters[i] = (float)wide[i];
    }
}

static inline struct network_f32 *network_in_f32(const struct fixture *f, const struct model_spec *model,
                                                 enum network_use use, const struct optimizer_spec *optimizer)
{
    static struct network_plan plan;
    struct network_f32 *network;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {.plan = &plan, .use = use, .optimizer = optimizer, .seed = 5, .pool = f->pool};

    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    return network;
}

/* One update on the first `count` rows. */
static inline void update_once(struct network_f32 *network, const struct fixture *f, enum network_use use,
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

static inline struct network_f64 *network_in_f64(const struct fixture *f, const struct model_spec *model,
                                                 int gives_statistics)
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

#endif
