/* See the header. */
#include "core/nn/blocked_winograd.h"

#define TILES_AT_A_TIME 32u /* about: what is transformed of them stays in the second-level cache */

static uint32_t blocks_of(uint32_t channels)
{
    return (channels + BLOCKED_CHANNELS - 1) / BLOCKED_CHANNELS;
}

int blocked_suits_winograd(const struct blocked *conv)
{
    const uint64_t tiles = (uint64_t)blocked_winograd_tiles(conv->out[0]) * blocked_winograd_tiles(conv->out[1]);
    const uint64_t outputs = (uint64_t)conv->out[0] * conv->out[1];

    return conv->kernel[0] == 3 && conv->kernel[1] == 3 && conv->depth == BLOCKED_CHANNELS &&
           conv->channels >= BLOCKED_CHANNELS && conv->filters >= BLOCKED_CHANNELS && tiles * 16 * 3 <= outputs * 9 * 2;
}

struct blocked_winograd blocked_winograd_forward(const struct blocked *conv)
{
    return (struct blocked_winograd){.blocks_in = blocks_of(conv->channels),
                                     .blocks_out = conv->filter_blocks,
                                     .in = {conv->in[0], conv->in[1]},
                                     .padding = {conv->padding[0], conv->padding[1]},
                                     .out = {conv->pooled[0] * conv->window[0], conv->pooled[1] * conv->window[1]}};
}

struct blocked_winograd blocked_winograd_backward(const struct blocked *conv)
{
    const struct blocked_image gradient = blocked_output_gradient(conv);

    return (struct blocked_winograd){.blocks_in = conv->filter_blocks,
                                     .blocks_out = blocks_of(conv->channels),
                                     .in = {conv->out[0], conv->out[1]},
                                     .padding = {gradient.padding[0], gradient.padding[1]},
                                     .out = {conv->in[0], conv->in[1]}};
}

uint32_t blocked_winograd_rows(const struct blocked_winograd *winograd, uint32_t window)
{
    const uint32_t columns = blocked_winograd_tiles(winograd->out[1]), all = blocked_winograd_tiles(winograd->out[0]);
    const uint32_t most = columns < TILES_AT_A_TIME ? TILES_AT_A_TIME / columns : 1, pieces = (all + most - 1) / most;
    const uint32_t rows = (all + pieces - 1) / pieces;

    return (rows + window - 1) / window * window;
}

size_t blocked_winograd_room(const struct blocked_winograd *winograd, uint32_t rows)
{
    const size_t tiles = (size_t)rows * blocked_winograd_tiles(winograd->out[1]);

    return WINOGRAD_PRODUCTS * ((winograd->blocks_in + winograd->blocks_out) * tiles + 2) * BLOCKED_CHANNELS;
}

/* ---- weights ---- */

size_t blocked_winograd_weights(const struct blocked *conv)
{
    return (size_t)WINOGRAD_PRODUCTS * conv->filter_blocks * blocks_of(conv->channels) * BLOCKED_CHANNELS * BLOCKED_CHANNELS;
}

/* G g, of three values. */
static void transform_three(const float *g, size_t stride, float *out, size_t out_stride)
{
    const float even = g[0] + g[2 * stride];

    out[0] = g[0];
    out[out_stride] = (even + g[stride]) * 0.5f;
    out[2 * out_stride] = (even - g[stride]) * 0.5f;
    out[3 * out_stride] = g[2 * stride];
}

/* G g Gᵀ, the products `apart` from each other. */
static void transform_kernel(const float g[9], float *out, size_t apart)
{
    float half[12]; /* G g: 4 x 3 */

    for (uint32_t column = 0; column < 3; column++) {
        transform_three(g + column, 3, half + column, 3);
    }
    for (uint32_t row = 0; row < 4; row++) {
        transform_three(half + (size_t)row * 3, 1, out + 4 * row * apart, apart);
    }
}

void blocked_load_winograd(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *weights)
{
    const size_t channels = (size_t)blocks_of(conv->channels) * BLOCKED_CHANNELS;
    const size_t product = conv->filter_blocks * channels * BLOCKED_CHANNELS;

    for (uint32_t f = 0; f < blocked_filters(conv, filter_block); f++) {
        for (uint32_t c = 0; c < conv->channels; c++, canonical += 9) {
            transform_kernel(canonical, weights + (filter_block * channels + c) * BLOCKED_CHANNELS + f, product);
        }
    }
}

void blocked_load_winograd_transposed(const struct blocked *conv, uint32_t filter_block, const float *canonical,
                                      float *weights)
{
    const size_t filters = (size_t)conv->filter_blocks * BLOCKED_CHANNELS;
    const size_t product = blocks_of(conv->channels) * filters * BLOCKED_CHANNELS;

    for (uint32_t f = 0; f < blocked_filters(conv, filter_block); f++) {
        for (uint32_t c = 0; c < conv->channels; c++, canonical += 9) {
            float *to = weights + (c / BLOCKED_CHANNELS * filters + filter_block * BLOCKED_CHANNELS + f) * BLOCKED_CHANNELS +
                        c % BLOCKED_CHANNELS;
            float rotated[9];

            for (uint32_t k = 0; k < 9; k++) {
                rotated[k] = canonical[8 - k];
            }
            transform_kernel(rotated, to, product);
        }
    }
}

/* ---- the parts' gradients together ---- */

/* Gᵀ u, of four rows of BLOCKED_CHANNELS values. */
static void join_four(const float *u, size_t stride, float *out, size_t out_stride)
{
    for (uint32_t i = 0; i < BLOCKED_CHANNELS; i++) {
        const float sum = (u[stride + i] + u[2 * stride + i]) * 0.5f,
                    difference = (u[stride + i] - u[2 * stride + i]) * 0.5f;

        out[i] = u[i] + sum;
        out[out_stride + i] = difference;
        out[2 * out_stride + i] = u[3 * stride + i] + sum;
    }
}

/* Gᵀ u G, of BLOCKED_CHANNELS filters side by side; products of u are `stride` apart. */
static void join_products(const float *u, size_t stride, float g[9][BLOCKED_CHANNELS])
{
    float half[12][BLOCKED_CHANNELS]; /* Gᵀ u: 3 x 4 */

    for (uint32_t column = 0; column < 4; column++) {
        join_four(u + column * stride, 4 * stride, half[column], (size_t)4 * BLOCKED_CHANNELS);
    }
    for (uint32_t row = 0; row < 3; row++) {
        join_four(half[row * 4], BLOCKED_CHANNELS, g[row * 3], BLOCKED_CHANNELS);
    }
}

void blocked_sum_winograd(const struct blocked *conv, uint32_t filter_block, const struct blocked_parts *parts, int add,
                          float *canonical)
{
    const size_t size = (size_t)conv->channels * 9;
    const uint32_t blocks = blocks_of(conv->channels);
    float u[WINOGRAD_PRODUCTS][BLOCKED_MOST_SUMS]; /* of a block of channels */

    for (uint32_t c = 0; c < conv->channels; c++) {
        const uint32_t lane = c % BLOCKED_CHANNELS;
        float g[9][BLOCKED_CHANNELS];

        for (uint32_t k = 0; lane == 0 && k < WINOGRAD_PRODUCTS; k++) {
            const size_t block = (k * conv->filter_blocks + filter_block) * (size_t)blocks + c / BLOCKED_CHANNELS;

            blocked_sum_parts(parts, block * BLOCKED_MOST_SUMS, BLOCKED_MOST_SUMS, u[k]);
        }
        join_products(u[0] + lane * BLOCKED_CHANNELS, BLOCKED_MOST_SUMS, g);
        for (uint32_t f = 0; f < blocked_filters(conv, filter_block); f++) {
            float *to = canonical + f * size + (size_t)c * 9;

            for (uint32_t k = 0; k < 9; k++) {
                to[k] = add ? to[k] + g[k][f] : g[k][f];
            }
        }
    }
}
