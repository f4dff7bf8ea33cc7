/* Networks of one stage with few outputs: bytes and floats of any number give what the float64 network does. */
#include <string.h>

#include "core/base/rng.h"
#include "core/nn/init.h"
#include "tests/core/nn/networks.h"

#define ROWS         37 /* no multiple of a grain, of a data set of twice as many */
#define MOST_INPUTS  100
#define MOST_CLASSES 16

static const uint32_t INPUTS[] = {5, 32, 70, 100}, CLASSES[] = {2, 10, 13, 16};
static const struct optimizer_spec PLAIN = {.type = OPTIMIZER_SGD};

static struct {
    uint8_t bytes[2 * ROWS * MOST_INPUTS];
    float floats[2 * ROWS * MOST_INPUTS];
    int32_t labels[2 * ROWS];
    uint32_t rows[2][ROWS]; /* two minibatches of rows that lie anywhere */
    float start[MOST_CLASSES * (MOST_INPUTS + 1)], narrow[MOST_CLASSES * (MOST_INPUTS + 1)];
    double wide_start[MOST_CLASSES * (MOST_INPUTS + 1)], wide[MOST_CLASSES * (MOST_INPUTS + 1)];
} m;

static struct dataset fill(uint32_t inputs, uint32_t classes, enum feature_type type)
{
    for (uint32_t i = 0; i < 2 * ROWS * inputs; i++) {
        m.bytes[i] = (uint8_t)(i * 29 + i / 11);
        m.floats[i] = (float)rng_normal_f64(1, RNG_GENERATOR, 0, i);
    }
    for (uint32_t i = 0; i < 2 * ROWS; i++) {
        m.labels[i] = (int32_t)(i * 7 % classes);
        m.rows[i / ROWS][i % ROWS] = i * 31 % (2 * ROWS);
    }
    return (struct dataset){.rows = 2 * ROWS,
                            .features = inputs,
                            .feature_type = type,
                            .label_type = LABEL_CLASS,
                            .classes = classes,
                            .x = type == FEATURE_U8 ? (const void *)m.bytes : m.floats,
                            .labels = m.labels};
}

static struct model_spec model_of(uint32_t inputs, uint32_t classes)
{
    struct model_spec model = {
        .type = MODEL_LAYERS, .inputs = inputs, .classes = classes, .layer_count = 1, .layers = {DENSE(classes)}};

    assert_int_equal(model_spec_check(&model, NULL), STATUS_OK);
    init_parameters(&model, INIT_GLOROT_UNIFORM, 3, m.start);
    for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
        m.wide_start[i] = (double)m.start[i];
    }
    return model;
}

static struct network_f32 *network_of(const struct model_spec *model, enum network_use use, struct pool *pool)
{
    static struct network_plan plan;
    struct network_setup setup = {.plan = &plan, .use = use, .optimizer = &PLAIN, .pool = pool};
    struct network_f32 *network;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    assert_true(plan.stages[0].is_narrow);
    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    network_load_f32(network, m.start);
    return network;
}

static struct network_f64 *exact_of(const struct model_spec *model, struct pool *pool)
{
    static struct network_plan plan;
    struct network_setup setup = {.plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = &PLAIN, .pool = pool};
    struct network_f64 *network;

    assert_int_equal(network_plan_make(&plan, model, ROWS, NULL), STATUS_OK);
    assert_int_equal(network_new_f64(&network, &setup, NULL), STATUS_OK);
    network_load_f64(network, m.wide_start);
    return network;
}

static void compare(uint32_t inputs, uint32_t classes, enum feature_type type, enum preprocessing preprocessing)
{
    const struct network_loss loss = {.scale = 1.0 / ROWS};
    struct dataset dataset = fill(inputs, classes, type);
    struct model_spec model = model_of(inputs, classes);
    struct scaler scaler;
    struct pool *pool;

    assert_int_equal(scaler_fit(&scaler, preprocessing, &dataset, NULL, dataset.rows, NULL), STATUS_OK);
    assert_int_equal(pool_new(&pool, 2, NULL), STATUS_OK);
    struct network_batch batch = {
        .dataset = &dataset, .scaler = &scaler, .labels = m.labels, .rows = m.rows[0], .count = ROWS};
    struct network_f32 *network = network_of(&model, NETWORK_ACCUMULATE, pool);
    struct network_f64 *exact = exact_of(&model, pool);

    assert_precisions_agree(network, exact, &batch, &loss, model_spec_parameter_count(&model), m.narrow, m.wide, 2e-5);
    network_free_f32(network);
    network_free_f64(exact);
    pool_free(pool);
    scaler_release(&scaler);
}

static void bytes_and_floats_give_what_float64_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof INPUTS / sizeof *INPUTS; i++) {
        for (size_t c = 0; c < sizeof CLASSES / sizeof *CLASSES; c++) {
            compare(INPUTS[i], CLASSES[c], FEATURE_U8, PREPROCESS_SCALE_255);
            compare(INPUTS[i], CLASSES[c], FEATURE_U8, PREPROCESS_STANDARDIZE); /* bytes that are widened */
            compare(INPUTS[i], CLASSES[c], FEATURE_F32, PREPROCESS_NONE);
        }
    }
}

/* Losses of the second minibatch, [its rows]: gathered while the first one is at work, or by itself. */
static void losses_of_second(const struct model_spec *model, const struct network_batch batches[2], struct pool *pool,
                             int meanwhile, double losses[ROWS])
{
    const struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_f32 *network = network_of(model, NETWORK_TRAIN, pool);

    network_gather_f32(network, 0, &batches[0]);
    network_forward_loss_f32(network, 0, &batches[0], &loss, meanwhile ? &batches[1] : NULL);
    if (!meanwhile) {
        network_gather_f32(network, 1, &batches[1]);
    }
    network_forward_loss_f32(network, 1, &batches[1], &loss, NULL);
    memcpy(losses, network_row_losses_f32(network), batches[1].count * sizeof *losses);
    network_free_f32(network);
}

/* Of rows that are copied, with padding, and of such as are read where they stand. */
static void check_next(uint32_t inputs)
{
    static const uint32_t COUNTS[][2] = {{ROWS, ROWS}, {3, ROWS}, {ROWS, 3}}; /* fewer grains than the next one has, too */
    struct dataset dataset = fill(inputs, 10, FEATURE_U8);
    struct model_spec model = model_of(inputs, 10);
    struct scaler scaler;
    struct pool *pool;

    assert_int_equal(scaler_fit(&scaler, PREPROCESS_SCALE_255, &dataset, NULL, dataset.rows, NULL), STATUS_OK);
    assert_int_equal(pool_new(&pool, 2, NULL), STATUS_OK);
    for (size_t k = 0; k < sizeof COUNTS / sizeof *COUNTS; k++) {
        struct network_batch batches[2];
        double meanwhile[ROWS], alone[ROWS];

        for (int b = 0; b < 2; b++) {
            batches[b] = (struct network_batch){
                .dataset = &dataset, .scaler = &scaler, .labels = m.labels, .rows = m.rows[b], .count = COUNTS[k][b]};
        }
        losses_of_second(&model, batches, pool, 1, meanwhile);
        losses_of_second(&model, batches, pool, 0, alone);
        assert_memory_equal(meanwhile, alone, batches[1].count * sizeof *alone);
    }
    pool_free(pool);
    scaler_release(&scaler);
}

static void the_next_minibatch_is_gathered_meanwhile(void **state)
{
    (void)state;
    check_next(70);
    check_next(96);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_floats_give_what_float64_does),
        cmocka_unit_test(the_next_minibatch_is_gathered_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
