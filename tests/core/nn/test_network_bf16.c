/* A network whose products are of bfloat16, in tier "reference": its gradients by hand, near float32's; threads change no
 * bit. */
#include <math.h>
#include <string.h>

#include "core/base/kernel_tier.h"
#include "core/base/matrix_reference.h"
#include "core/base/rng.h"
#include "core/nn/init.h"
#include "tests/core/nn/networks.h"

#define ROWS    37  /* no multiple of a grain */
#define INPUTS  150 /* more than a block */
#define HIDDEN  140 /* more than a tile */
#define CLASSES 5
#define FIRST   (HIDDEN * INPUTS)           /* weights [HIDDEN][INPUTS], then biases */
#define SECOND  (FIRST + HIDDEN)            /* weights [CLASSES][HIDDEN], then biases */
#define LAST    (SECOND + CLASSES * HIDDEN) /* biases */
#define COUNT   (LAST + CLASSES)            /* of parameters */

static const struct optimizer_spec PLAIN = {.type = OPTIMIZER_SGD, .learning_rate = 0.1, .momentum = 0.9};
static const struct network_loss LOSS = {.scale = 1.0 / ROWS};

static struct {
    float x[ROWS * INPUTS], parameters[COUNT];
    int32_t labels[ROWS];
    uint32_t rows[ROWS];
    struct dataset dataset;
    struct scaler scaler;
    struct model_spec model;
} m;

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ROWS * INPUTS; i++) {
        m.x[i] = (float)rng_normal_f64(1, RNG_GENERATOR, 0, i);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        m.labels[i] = (int32_t)(i * 7 % CLASSES);
        m.rows[i] = i;
    }
    m.dataset = (struct dataset){.rows = ROWS,
                                 .features = INPUTS,
                                 .feature_type = FEATURE_F32,
                                 .label_type = LABEL_CLASS,
                                 .classes = CLASSES,
                                 .x = m.x,
                                 .labels = m.labels};
    m.model = (struct model_spec){.type = MODEL_LAYERS,
                                  .inputs = INPUTS,
                                  .classes = CLASSES,
                                  .layer_count = 3,
                                  .layers = {DENSE(HIDDEN), ACT(RELU), DENSE(CLASSES)}};
    if (kernel_tier_set(ISA_REFERENCE, NULL) != STATUS_OK || model_spec_check(&m.model, NULL) != STATUS_OK ||
        scaler_fit(&m.scaler, PREPROCESS_NONE, &m.dataset, NULL, ROWS, NULL) != STATUS_OK) {
        return 1;
    }
    init_parameters(&m.model, INIT_HE_NORMAL, 3, m.parameters);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scaler_release(&m.scaler);
    return 0;
}

static struct network_batch batch_of_all(void)
{
    return (struct network_batch){
        .dataset = &m.dataset, .scaler = &m.scaler, .labels = m.labels, .rows = m.rows, .count = ROWS};
}

static struct network_f32 *network_of(enum network_use use, enum precision precision, struct pool *pool)
{
    static struct network_plan plan;
    const struct network_setup setup = {
        .plan = &plan, .use = use, .optimizer = &PLAIN, .precision = precision, .pool = pool};
    struct network_f32 *network;

    assert_int_equal(network_plan_make(&plan, &m.model, ROWS, NULL), STATUS_OK);
    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    network_load_f32(network, m.parameters);
    return network;
}

/* Of the whole batch, in canonical order. */
static void gradient_of(enum precision precision, float gradient[COUNT])
{
    const struct network_batch batch = batch_of_all();
    struct network_f32 *network;
    struct pool *pool;

    assert_int_equal(pool_new(&pool, 1, NULL), STATUS_OK);
    network = network_of(NETWORK_ACCUMULATE, precision, pool);
    network_gather_f32(network, 0, &batch);
    network_forward_loss_f32(network, 0, &batch, &LOSS, NULL);
    network_backward_f32(network, 0, ROWS, 1);
    network_store_gradients_f32(network, gradient);
    network_free_f32(network);
    pool_free(pool);
}

/* ---- by hand ---- */

typedef void sgemm(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                   int64_t ldb, float beta, float *c, int64_t ldc);

/* z [ROWS][outputs] = x W^T + b; W [outputs][inputs], b behind it. */
static void dense(sgemm *product, uint32_t outputs, uint32_t inputs, const float *x, const float *weights, float *z)
{
    product(0, 1, ROWS, outputs, inputs, x, inputs, weights, inputs, 0, z, outputs);
    for (uint32_t i = 0; i < ROWS * outputs; i++) {
        z[i] += weights[outputs * inputs + i % outputs];
    }
}

/* The same for gradients: dW = dz^T x, db, behind it, and, unless dx is NULL, dx = dz W. */
static void dense_backward(sgemm *product, uint32_t outputs, uint32_t inputs, const float *x, const float *weights,
                           const float *dz, float *gradient, float *dx)
{
    product(1, 0, outputs, inputs, ROWS, dz, outputs, x, inputs, 0, gradient, inputs);
    for (uint32_t i = 0; i < outputs; i++) {
        double sum = 0;

        for (uint32_t r = 0; r < ROWS; r++) {
            sum += (double)dz[r * outputs + i];
        }
        gradient[outputs * inputs + i] = (float)sum;
    }
    if (dx != NULL) {
        product(0, 0, ROWS, inputs, outputs, dz, outputs, weights, inputs, 0, dx, inputs);
    }
}

/* Three kinds of products, so that each of them can be float32's. */
static void gradient_by_hand(sgemm *forward, sgemm *of_weights, sgemm *of_inputs, float gradient[COUNT])
{
    static float h[ROWS * HIDDEN], z[ROWS * CLASSES], dh[ROWS * HIDDEN], unused[COUNT];

    dense(forward, HIDDEN, INPUTS, m.x, m.parameters, h);
    for (uint32_t i = 0; i < ROWS * HIDDEN; i++) {
        h[i] = h[i] > 0 ? h[i] : 0;
    }
    dense(forward, CLASSES, HIDDEN, h, m.parameters + SECOND, z);
    for (uint32_t r = 0; r < ROWS; r++) {
        double sum = 0;

        for (uint32_t c = 0; c < CLASSES; c++) {
            sum += exp((double)z[r * CLASSES + c]);
        }
        for (uint32_t c = 0; c < CLASSES; c++) {
            const double p = exp((double)z[r * CLASSES + c]) / sum;

            z[r * CLASSES + c] = (float)((p - ((int32_t)c == m.labels[r])) * LOSS.scale);
        }
    }
    dense_backward(of_inputs, CLASSES, HIDDEN, h, m.parameters + SECOND, z, unused, dh);
    dense_backward(of_weights, CLASSES, HIDDEN, h, m.parameters + SECOND, z, gradient + SECOND, NULL);
    for (uint32_t i = 0; i < ROWS * HIDDEN; i++) {
        dh[i] = h[i] > 0 ? dh[i] : 0;
    }
    dense_backward(of_weights, HIDDEN, INPUTS, m.x, m.parameters, dh, gradient, NULL);
}

/* |a - b| / |b| */
static double distance(const float a[COUNT], const float b[COUNT])
{
    double difference = 0, size = 0;

    for (uint32_t i = 0; i < COUNT; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        size += (double)b[i] * (double)b[i];
    }
    return sqrt(difference / size);
}

static void all_three_products_round_their_operands(void **state)
{
    sgemm *const bf16 = matrix_reference_bf16gemm, *const f32 = matrix_reference_sgemm;
    static float got[COUNT], by_hand[COUNT];

    (void)state;
    gradient_of(PRECISION_BF16, got);
    gradient_by_hand(bf16, bf16, bf16, by_hand);
    assert_true(distance(got, by_hand) < 1e-4); /* a rounding that falls to the other side, here and there */
    gradient_by_hand(f32, bf16, bf16, by_hand);
    assert_true(distance(got, by_hand) > 1e-3);
    gradient_by_hand(bf16, f32, bf16, by_hand);
    assert_true(distance(got, by_hand) > 1e-3);
    gradient_by_hand(bf16, bf16, f32, by_hand);
    assert_true(distance(got, by_hand) > 1e-3);
}

static void the_gradient_is_near_that_of_float32(void **state)
{
    static float bf16[COUNT], f32[COUNT];

    (void)state;
    gradient_of(PRECISION_F32, f32);
    gradient_of(PRECISION_BF16, bf16);
    assert_true(distance(bf16, f32) > 1e-3 && distance(bf16, f32) < 2e-2);
}

static void threads_change_no_bit(void **state)
{
    static float first[COUNT], other[COUNT];
    const struct network_batch batch = batch_of_all();

    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct network_update update = {.optimizer = &PLAIN, .l2 = 0.01};
        struct network_f32 *network;
        struct pool *pool;

        assert_int_equal(pool_new(&pool, threads, NULL), STATUS_OK);
        network = network_of(NETWORK_TRAIN, PRECISION_BF16, pool);
        network_gather_f32(network, 0, &batch);
        for (uint64_t step = 0; step < 3; step++) {
            optimizer_step(&PLAIN, 0.1, step + 1, 1, &update.step);
            network_forward_loss_f32(network, 0, &batch, &LOSS, NULL);
            network_backward_update_f32(network, 0, ROWS, &update);
        }
        network_store_f32(network, threads == 1 ? first : other);
        network_free_f32(network);
        pool_free(pool);
        assert_true(threads == 1 || memcmp(first, other, sizeof first) == 0);
    }
    assert_true(distance(first, m.parameters) > 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_three_products_round_their_operands),
        cmocka_unit_test(the_gradient_is_near_that_of_float32),
        cmocka_unit_test(threads_change_no_bit),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
