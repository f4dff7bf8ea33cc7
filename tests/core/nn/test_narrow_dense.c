/* The narrow layer's products against their order of summation, written as plain loops: equal bits, whatever the vectors. */
#include "core/nn/narrow_dense.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/core/simd_emulated.h"

#define NARROW_DENSE narrow_dense_emulated
const struct narrow_dense narrow_dense_emulated;
#include "core/nn/narrow_dense.inc"

#define ROWS 37
#define MOST 784 /* inputs: more than meet a row at a time, and a multiple of NARROW_LANES */

struct material {
    uint8_t bytes[ROWS][MOST];
    float floats[ROWS][MOST];
    float weights[NARROW_MOST_OUTPUT * MOST];
    float delta[ROWS][NARROW_MOST_OUTPUT];
};

static float uniform(uint32_t i, uint32_t purpose)
{
    return rng_uniform_f32(7, RNG_INIT, purpose, i) - 0.5f;
}

/* Rows and weights of `inputs` inputs; their padding is 0. */
static void fill_in(struct material *m, uint32_t inputs, uint32_t outputs)
{
    memset(m, 0, sizeof *m);
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t i = 0; i < inputs; i++) {
            m->floats[r][i] = uniform(r * MOST + i, 1);
            m->bytes[r][i] = (uint8_t)(i * 37 + i / 7 + r * 101);
        }
        for (uint32_t c = 0; c < outputs; c++) {
            m->delta[r][c] = uniform(r * NARROW_MOST_OUTPUT + c, 2);
        }
    }
    for (uint32_t i = 0, at = 0; i < inputs; i += NARROW_BLOCK) {
        uint32_t width = narrow_block_inputs(inputs, i / NARROW_BLOCK),
                 stride = narrow_block_stride(inputs, i / NARROW_BLOCK);

        for (uint32_t c = 0; c < outputs; c++, at += stride) {
            for (uint32_t k = 0; k < width; k++) {
                m->weights[at + k] = uniform(at + k, 3);
            }
        }
    }
}

static struct narrow_rows rows_of(const struct material *m, int is_bytes, uint32_t inputs)
{
    static const void *at[ROWS];

    for (uint32_t r = 0; r < ROWS; r++) {
        at[r] = is_bytes ? (const void *)m->bytes[r] : m->floats[r];
    }
    return (struct narrow_rows){.at = at, .is_bytes = is_bytes, .inputs = inputs, .factor = is_bytes ? 1 / 255.0f : 1};
}

/* ---- the twin ---- */

static float value(const struct narrow_rows *rows, uint32_t r, uint32_t i)
{
    if (i >= rows->inputs) {
        return 0;
    }
    return rows->is_bytes ? (float)((const uint8_t *)rows->at[r])[i] : ((const float *)rows->at[r])[i];
}

static float plain_product(const struct narrow_rows *rows, uint32_t r, uint32_t outputs, uint32_t c, const float *weights)
{
    float lanes[16] = {0}, t[8];

    for (uint32_t i = 0; i < rows->inputs; i++) {
        uint32_t block = i / NARROW_BLOCK;
        float w = weights[block * NARROW_BLOCK * outputs + c * narrow_block_stride(rows->inputs, block) + i % NARROW_BLOCK];

        lanes[i % 16] = fmaf(w, value(rows, r, i), lanes[i % 16]);
    }
    for (int l = 0; l < 8; l++) {
        t[l] = lanes[l] + lanes[l + 8];
    }
    return rows->factor * (((t[0] + t[1]) + (t[2] + t[3])) + ((t[4] + t[5]) + (t[6] + t[7])));
}

static float plain_gradient(const struct narrow_rows *rows, uint32_t count, const float *delta, uint32_t i, float before)
{
    float sum = 0;

    for (uint32_t r = 0; r < count; r++) {
        sum = fmaf(value(rows, r, i), delta[r * NARROW_MOST_OUTPUT], sum);
    }
    return fmaf(sum, rows->factor, before);
}

/* ---- the comparison ---- */

static void assert_same(float a, float b, const char *what, uint32_t inputs, uint32_t outputs, uint32_t at)
{
    if (memcmp(&a, &b, sizeof a) != 0) {
        fail_msg("%s of %u inputs and %u outputs differ at %u: %.9g, %.9g", what, inputs, outputs, at, (double)a, (double)b);
    }
}

static void compare(const struct narrow_dense *kernels, struct material *m, int is_bytes, uint32_t inputs, uint32_t outputs)
{
    struct narrow_rows rows = rows_of(m, is_bytes, inputs);
    float products[ROWS][NARROW_MOST_OUTPUT], gradient[NARROW_MOST_OUTPUT * NARROW_BLOCK];

    fill_in(m, inputs, outputs);
    kernels->forward(&rows, 2, ROWS - 2, outputs, m->weights, products[2], NARROW_MOST_OUTPUT);
    for (uint32_t r = 2; r < ROWS; r++) {
        for (uint32_t c = 0; c < outputs; c++) {
            assert_same(products[r][c], plain_product(&rows, r, outputs, c, m->weights), "products", inputs, outputs,
                        r * 100 + c);
        }
    }
    for (uint32_t block = 0; block * NARROW_BLOCK < inputs; block++) {
        const uint32_t stride = narrow_block_stride(inputs, block);

        for (int add = 0; add < 2; add++) {
            for (uint32_t i = 0; i < outputs * stride; i++) {
                gradient[i] = 0.25f;
            }
            kernels->gradient(&rows, ROWS, outputs, block, m->delta[0], NARROW_MOST_OUTPUT, add,
                              add ? NULL : m->weights + (size_t)block * NARROW_BLOCK * outputs, gradient);
            for (uint32_t i = 0; i < outputs * stride; i++) {
                float expected = plain_gradient(&rows, ROWS, &m->delta[0][i / stride], block * NARROW_BLOCK + i % stride,
                                                add ? 0.25f : 0);

                assert_same(gradient[i], expected, "gradients", inputs, outputs, block * 1000 + i);
            }
        }
    }
}

static void compare_all(const struct narrow_dense *kernels)
{
    static const uint32_t inputs[] = {1, 4, 15, 16, 17, 31, 32, 33, 48, 64, 100, 417, 784};
    static struct material material;

    for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++) {
        for (uint32_t outputs = 1; outputs <= NARROW_MOST_OUTPUT; outputs++) {
            compare(kernels, &material, 0, inputs[k], outputs);
            compare(kernels, &material, 1, inputs[k], outputs);
        }
    }
}

static void this_processors_vectors_keep_the_order(void **state)
{
    (void)state;
    if (narrow_dense() == NULL) {
        skip(); /* general products serve here */
    }
    compare_all(narrow_dense());
}

static void vectors_of_sixteen_keep_the_order(void **state)
{
    (void)state;
    compare_all(&narrow_dense_emulated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_processors_vectors_keep_the_order),
        cmocka_unit_test(vectors_of_sixteen_keep_the_order),
    };

    return cmocka_run_group_tests_name("narrow_dense", tests, NULL, NULL);
}
