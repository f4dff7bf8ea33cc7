/*
 * Samples and weights of some shapes in the layouts of blocked.h, and all kernels there are here: the 16-lane sources in an
 * emulation, too. x86-64 only. For tests of cmocka.
 */
#ifndef DESCENT_TESTS_CORE_NN_BLOCKED_SHAPES_H
#define DESCENT_TESTS_CORE_NN_BLOCKED_SHAPES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/kernel_tier.h"
#include "core/base/rng.h"
#include "core/nn/blocked.h"
#include "tests/core/simd_emulated.h"

#define BLOCKED_KERNELS emulated
extern const struct blocked_kernels emulated;
#include "core/nn/blocked.inc"

/* ---- shapes, and what fills them ---- */

#define C BLOCKED_CHANNELS

struct shape {
    uint32_t channels, filters, kernel[2], padding[2], in[2], window[2];
};

static const struct shape SHAPES[] = {
    {1, 32, {3, 3}, {0, 0}, {8, 8}, {2, 2}},  {1, 3, {1, 1}, {0, 0}, {5, 4}, {1, 1}},
    {3, 16, {3, 3}, {1, 1}, {7, 6}, {2, 2}},  {3, 70, {5, 5}, {2, 2}, {6, 9}, {1, 1}},
    {16, 16, {3, 3}, {0, 0}, {7, 7}, {2, 2}}, {17, 20, {3, 2}, {2, 0}, {6, 7}, {3, 2}},
    {32, 64, {3, 3}, {0, 0}, {5, 7}, {2, 2}}, {32, 65, {3, 3}, {1, 1}, {4, 4}, {1, 1}},
    {40, 5, {4, 7}, {3, 6}, {5, 8}, {2, 3}},  {5, 33, {2, 1}, {1, 0}, {3, 3}, {1, 4}},
    {15, 17, {7, 5}, {3, 4}, {9, 6}, {2, 2}}, {16, 128, {1, 6}, {0, 5}, {2, 13}, {1, 1}},
    {2, 64, {3, 3}, {0, 0}, {3, 3}, {1, 1}},  {33, 48, {3, 3}, {1, 1}, {9, 12}, {3, 3}},
    {17, 80, {3, 3}, {2, 0}, {4, 9}, {1, 2}},
};
#define SHAPE_COUNT (sizeof SHAPES / sizeof SHAPES[0])

static inline struct blocked conv_of(const struct shape *shape)
{
    struct blocked conv = {.channels = shape->channels,
                           .filters = shape->filters,
                           .depth = shape->channels < C ? shape->channels : C,
                           .filter_blocks = (shape->filters + C - 1) / C};

    for (int i = 0; i < 2; i++) {
        conv.kernel[i] = shape->kernel[i];
        conv.padding[i] = shape->padding[i];
        conv.in[i] = shape->in[i];
        conv.window[i] = shape->window[i];
        conv.out[i] = shape->in[i] + 2 * shape->padding[i] - shape->kernel[i] + 1;
        conv.pooled[i] = conv.out[i] / conv.window[i];
    }
    return conv;
}

static inline float *floats(size_t count)
{
    float *x = calloc(count + BLOCKED_SLACK, sizeof *x);

    assert_non_null(x);
    return x;
}

static inline float *noise(uint32_t purpose, size_t count)
{
    float *x = floats(count);

    for (size_t i = 0; i < count; i++) {
        x[i] = (float)rng_normal_f64(3, RNG_GENERATOR, purpose, i);
    }
    return x;
}

/* Everything about one shape: a sample in planes and as an image, weights canonical and in their layouts. */
struct fixture {
    struct blocked conv;
    struct blocked_image input, output, pooled;
    float *planes, *image, *canonical, *weights, *bias, *y;
    size_t size; /* of a filter */
};

static inline void load_image(const struct blocked_image *image, const float *planes, float **blocks)
{
    *blocks = floats(blocked_values(image));
    blocked_from_planes(image, planes, *blocks);
}

static inline void fixture_init(struct fixture *f, size_t shape)
{
    const struct blocked *conv = &f->conv;

    f->conv = conv_of(&SHAPES[shape]);
    f->input = blocked_input(conv);
    f->output = blocked_output(conv);
    f->pooled = blocked_pooled(conv);
    f->size = (size_t)conv->channels * conv->kernel[0] * conv->kernel[1];
    f->planes = noise(1, (size_t)conv->channels * conv->in[0] * conv->in[1]);
    load_image(&f->input, f->planes, &f->image);
    f->canonical = noise(2, f->size * conv->filters);
    f->weights = floats(blocked_weights(conv));
    f->bias = floats((size_t)conv->filter_blocks * C);
    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_load_weights(conv, b, f->canonical + b * C * f->size, f->weights);
    }
    for (uint32_t i = 0; i < conv->filters; i++) {
        f->bias[i] = 0.1f * (float)i;
    }
    f->y = floats(blocked_values(&f->output));
}

static inline void fixture_release(struct fixture *f)
{
    free(f->planes);
    free(f->image);
    free(f->canonical);
    free(f->weights);
    free(f->bias);
    free(f->y);
}

/* ---- by their definition ---- */

/* Input (c, i, j), where i and j count from the padding's corner. */
static inline float input_at(const struct fixture *f, uint32_t c, uint32_t i, uint32_t j)
{
    const struct blocked *conv = &f->conv;
    uint32_t row = i - conv->padding[0], column = j - conv->padding[1];

    return row < conv->in[0] && column < conv->in[1] ? f->planes[((size_t)c * conv->in[0] + row) * conv->in[1] + column] : 0;
}

static inline size_t weight_at(const struct fixture *f, uint32_t filter, uint32_t c, uint32_t u, uint32_t v)
{
    return filter * f->size + ((size_t)c * f->conv.kernel[0] + u) * f->conv.kernel[1] + v;
}

static inline double defined_output(const struct fixture *f, uint32_t filter, uint32_t i, uint32_t j)
{
    double y = (double)f->bias[filter];

    for (uint32_t c = 0; c < f->conv.channels; c++) {
        for (uint32_t u = 0; u < f->conv.kernel[0]; u++) {
            for (uint32_t v = 0; v < f->conv.kernel[1]; v++) {
                y += (double)input_at(f, c, i + u, j + v) * (double)f->canonical[weight_at(f, filter, c, u, v)];
            }
        }
    }
    return y;
}

/* Place of (filter, i, j) in an image of outputs. */
static inline size_t output_at(const struct blocked_image *image, uint32_t filter, uint32_t i, uint32_t j)
{
    return ((filter / C * (size_t)image->size[0] + i) * image->size[1] + j) * C + filter % C;
}

/* The gradient of the inputs, by the definition, in float64. */
static inline double plain_input_gradient(const struct fixture *f, const float *dy, uint32_t c, uint32_t row,
                                          uint32_t column)
{
    const struct blocked *conv = &f->conv;
    double sum = 0;

    for (uint32_t filter = 0; filter < conv->filters; filter++) {
        for (uint32_t u = 0; u < conv->kernel[0]; u++) {
            for (uint32_t v = 0; v < conv->kernel[1]; v++) {
                uint32_t i = row + conv->padding[0] - u, j = column + conv->padding[1] - v;

                if (i < conv->out[0] && j < conv->out[1]) {
                    sum += (double)dy[output_at(&f->output, filter, i, j)] *
                           (double)f->canonical[weight_at(f, filter, c, u, v)];
                }
            }
        }
    }
    return sum;
}

/* ---- which kernels there are here ---- */

static inline size_t all_kernels(const struct blocked_kernels *kernels[3])
{
    size_t count = 0;

    kernels[count++] = &emulated;
    if (kernel_tier_detect() >= ISA_AVX2) {
        kernels[count++] = &blocked_avx2;
    }
    if (kernel_tier_detect() >= ISA_AVX512) {
        kernels[count++] = &blocked_avx512;
    }
    return count;
}

/* Calls check for every shape with every kind of kernels. */
static inline void for_each_shape(void (*check)(const struct fixture *f, const struct blocked_kernels *kernels))
{
    const struct blocked_kernels *kernels[3];
    size_t count = all_kernels(kernels);

    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        struct fixture f;

        fixture_init(&f, s);
        for (size_t k = 0; k < count; k++) {
            check(&f, kernels[k]);
        }
        fixture_release(&f);
    }
}

static inline void assert_same_bits(float got, float want)
{
    assert_true(got == want || (isnan(got) && isnan(want)));
}

#endif
