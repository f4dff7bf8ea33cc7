/* Layouts, and which kernels there are. Plain loops: every step walks through the weights once, through samples a few times.
 */
#include "core/nn/blocked.h"

#include <string.h>

#include "core/base/kernel_tier.h"
#include "core/base/vector_clones.h"

const struct blocked_kernels *blocked_kernels(void)
{
    switch (kernel_tier_isa()) {
#if defined(__x86_64__)
    case ISA_AVX2:
        return &blocked_avx2;
    case ISA_AVX512:
        return &blocked_avx512;
#endif
    default:
        return NULL;
    }
}

/* ---- images ---- */

static uint32_t blocks_of(uint32_t channels)
{
    return (channels + BLOCKED_CHANNELS - 1) / BLOCKED_CHANNELS;
}

struct blocked_image blocked_input(const struct blocked *conv)
{
    return (struct blocked_image){
        conv->channels, conv->depth, {conv->in[0], conv->in[1]}, {conv->padding[0], conv->padding[1]}};
}

struct blocked_image blocked_bare(struct blocked_image image)
{
    image.padding[0] = image.padding[1] = 0;
    return image;
}

struct blocked_image blocked_output(const struct blocked *conv)
{
    return (struct blocked_image){conv->filters, BLOCKED_CHANNELS, {conv->out[0], conv->out[1]}, {0, 0}};
}

struct blocked_image blocked_pooled(const struct blocked *conv)
{
    return (struct blocked_image){conv->filters, BLOCKED_CHANNELS, {conv->pooled[0], conv->pooled[1]}, {0, 0}};
}

struct blocked_image blocked_output_gradient(const struct blocked *conv)
{
    return (struct blocked_image){conv->filters,
                                  BLOCKED_CHANNELS,
                                  {conv->out[0], conv->out[1]},
                                  {conv->kernel[0] - 1 - conv->padding[0], conv->kernel[1] - 1 - conv->padding[1]}};
}

struct blocked_image blocked_input_gradient(const struct blocked *conv)
{
    struct blocked_image image = blocked_input(conv);

    image.depth = BLOCKED_CHANNELS;
    return image;
}

static size_t row_of(const struct blocked_image *image)
{
    return (size_t)(image->size[1] + 2 * image->padding[1]) * image->depth;
}

static size_t block_of(const struct blocked_image *image)
{
    return (image->size[0] + 2 * image->padding[0]) * row_of(image);
}

static uint32_t image_blocks(const struct blocked_image *image)
{
    return (image->channels + image->depth - 1) / image->depth;
}

size_t blocked_values(const struct blocked_image *image)
{
    return image_blocks(image) * block_of(image);
}

/* Where row `row` of block `block` begins, padding left out. */
static size_t bare_row(const struct blocked_image *image, uint32_t block, uint32_t row)
{
    return block * block_of(image) + (image->padding[0] + row) * row_of(image) + (size_t)image->padding[1] * image->depth;
}

static void clear_unless_bare(const struct blocked_image *image, float *blocks)
{
    if (image->padding[0] + image->padding[1] > 0 || image->channels % image->depth != 0) {
        memset(blocks, 0, blocked_values(image) * sizeof *blocks);
    }
}

void blocked_from_planes(const struct blocked_image *image, const float *planes, float *blocks)
{
    clear_unless_bare(image, blocks);
    for (uint32_t c = 0; c < image->channels; c++) {
        for (uint32_t i = 0; i < image->size[0]; i++, planes += image->size[1]) {
            float *to = blocks + bare_row(image, c / image->depth, i) + c % image->depth;

            for (uint32_t j = 0; j < image->size[1]; j++) {
                to[(size_t)j * image->depth] = planes[j];
            }
        }
    }
}

void blocked_to_planes(const struct blocked_image *image, const float *blocks, float *planes)
{
    for (uint32_t c = 0; c < image->channels; c++) {
        for (uint32_t i = 0; i < image->size[0]; i++, planes += image->size[1]) {
            const float *from = blocks + bare_row(image, c / image->depth, i) + c % image->depth;

            for (uint32_t j = 0; j < image->size[1]; j++) {
                planes[j] = from[(size_t)j * image->depth];
            }
        }
    }
}

void blocked_pad(const struct blocked_image *image, const float *bare, float *blocks)
{
    const size_t row = (size_t)image->size[1] * image->depth;

    clear_unless_bare(image, blocks);
    for (uint32_t block = 0; block < image_blocks(image); block++) {
        for (uint32_t i = 0; i < image->size[0]; i++, bare += row) {
            memcpy(blocks + bare_row(image, block, i), bare, row * sizeof *bare);
        }
    }
}

void blocked_crop(const struct blocked_image *image, const float *blocks, float *bare)
{
    const size_t row = (size_t)image->size[1] * image->depth;

    for (uint32_t block = 0; block < image_blocks(image); block++) {
        for (uint32_t i = 0; i < image->size[0]; i++, bare += row) {
            memcpy(bare, blocks + bare_row(image, block, i), row * sizeof *bare);
        }
    }
}

/* ---- products ---- */

struct blocked_product blocked_forward(const struct blocked *conv)
{
    struct blocked_image image = blocked_input(conv);

    return (struct blocked_product){.depth = conv->depth,
                                    .blocks_in = image_blocks(&image),
                                    .blocks_out = blocks_of(conv->filters),
                                    .kernel = {conv->kernel[0], conv->kernel[1]},
                                    .columns = conv->out[1],
                                    .image_row = row_of(&image),
                                    .image_block = block_of(&image)};
}

struct blocked_product blocked_backward(const struct blocked *conv)
{
    struct blocked_image image = blocked_output_gradient(conv);

    return (struct blocked_product){.depth = BLOCKED_CHANNELS,
                                    .blocks_in = blocks_of(conv->filters),
                                    .blocks_out = blocks_of(conv->channels),
                                    .kernel = {conv->kernel[0], conv->kernel[1]},
                                    .columns = conv->in[1],
                                    .image_row = row_of(&image),
                                    .image_block = block_of(&image)};
}

/* ---- weights ---- */

static size_t stretch_of(const struct blocked *conv, uint32_t depth)
{
    return (size_t)conv->kernel[1] * depth;
}

static size_t filled(size_t stretch)
{
    return (stretch + BLOCKED_CHANNELS - 1) / BLOCKED_CHANNELS * BLOCKED_CHANNELS;
}

static uint32_t channel_blocks(const struct blocked *conv, uint32_t depth)
{
    return (conv->channels + depth - 1) / depth;
}

static size_t filter_size(const struct blocked *conv)
{
    return (size_t)conv->channels * conv->kernel[0] * conv->kernel[1];
}

static size_t weights_of_block(const struct blocked *conv)
{
    return channel_blocks(conv, conv->depth) * conv->kernel[0] * stretch_of(conv, conv->depth) * BLOCKED_CHANNELS;
}

size_t blocked_row_size(const struct blocked *conv, uint32_t depth)
{
    return channel_blocks(conv, depth) * conv->kernel[0] * filled(stretch_of(conv, depth));
}

size_t blocked_weights(const struct blocked *conv)
{
    return blocks_of(conv->filters) * weights_of_block(conv);
}

size_t blocked_rows(const struct blocked *conv, uint32_t depth)
{
    return blocks_of(conv->filters) * BLOCKED_CHANNELS * blocked_row_size(conv, depth);
}

size_t blocked_transposed(const struct blocked *conv)
{
    return (size_t)blocks_of(conv->filters) * blocks_of(conv->channels) * conv->kernel[0] *
           stretch_of(conv, BLOCKED_CHANNELS) * BLOCKED_CHANNELS;
}

uint32_t blocked_filters(const struct blocked *conv, uint32_t filter_block)
{
    uint32_t left = conv->filters - filter_block * BLOCKED_CHANNELS;

    return left < BLOCKED_CHANNELS ? left : BLOCKED_CHANNELS;
}

/* Where weight (c, u, v) of a filter stands in its rows. */
static size_t place_in_rows(const struct blocked *conv, uint32_t depth, uint32_t c, uint32_t u, uint32_t v)
{
    return (c / depth * conv->kernel[0] + u) * filled(stretch_of(conv, depth)) + (size_t)v * depth + c % depth;
}

void blocked_load_weights(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *weights)
{
    const uint32_t depth = conv->depth, filters = blocked_filters(conv, filter_block);
    float *block = weights + filter_block * weights_of_block(conv);

    for (uint32_t f = 0; f < filters; f++) {
        for (uint32_t c = 0; c < conv->channels; c++) {
            for (uint32_t u = 0; u < conv->kernel[0]; u++) {
                float *to = block + (c / depth * conv->kernel[0] + u) * stretch_of(conv, depth) * BLOCKED_CHANNELS;

                for (uint32_t v = 0; v < conv->kernel[1]; v++) {
                    to[((size_t)v * depth + c % depth) * BLOCKED_CHANNELS + f] = *canonical++;
                }
            }
        }
    }
}

void blocked_load_rows(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *rows)
{
    const uint32_t filters = blocked_filters(conv, filter_block);
    const size_t size = blocked_row_size(conv, BLOCKED_CHANNELS);
    float *to = rows + filter_block * BLOCKED_CHANNELS * size;

    for (uint32_t f = 0; f < filters; f++, to += size) {
        for (uint32_t c = 0; c < conv->channels; c++) {
            for (uint32_t u = 0; u < conv->kernel[0]; u++) {
                for (uint32_t v = 0; v < conv->kernel[1]; v++) {
                    to[place_in_rows(conv, BLOCKED_CHANNELS, c, u, v)] = *canonical++;
                }
            }
        }
    }
}

void blocked_load_transposed(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *transposed)
{
    const uint32_t filters = blocked_filters(conv, filter_block), blocks = blocks_of(conv->filters);
    const size_t kernel = (size_t)conv->kernel[0] * conv->kernel[1], square = (size_t)BLOCKED_CHANNELS * BLOCKED_CHANNELS;

    for (uint32_t f = 0; f < filters; f++) {
        for (uint32_t c = 0; c < conv->channels; c++) {
            float *to = transposed + (c / BLOCKED_CHANNELS * blocks + filter_block) * kernel * square;

            for (size_t k = kernel; k-- > 0;) {
                to[k * square + f * BLOCKED_CHANNELS + c % BLOCKED_CHANNELS] = *canonical++;
            }
        }
    }
}

/* ---- the parts' gradients together ---- */

VECTOR_CLONES void blocked_sum_parts(const struct blocked_parts *parts, size_t at, size_t count, float *sums)
{
    double wide[BLOCKED_MOST_SUMS] = {0};

    for (uint32_t part = 0; part < parts->count; part++) {
        const float *more = parts->first + part * parts->stride + at;

        for (size_t i = 0; i < count; i++) {
            wide[i] += (double)more[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        sums[i] = (float)wide[i];
    }
}

static void put(int add, float value, float *to)
{
    *to = add ? *to + value : value;
}

void blocked_sum_weights(const struct blocked *conv, uint32_t filter_block, const struct blocked_parts *parts, int add,
                         float *canonical)
{
    const uint32_t depth = conv->depth, filters = blocked_filters(conv, filter_block);
    const size_t plane = (size_t)conv->kernel[0] * conv->kernel[1];
    size_t at = filter_block * weights_of_block(conv);

    for (uint32_t c = 0; c < channel_blocks(conv, depth) * depth; c += depth) {
        for (uint32_t k = 0; k < plane * depth; k++, at += BLOCKED_CHANNELS) {
            const uint32_t channel = c + k % depth;
            float sums[BLOCKED_CHANNELS];

            blocked_sum_parts(parts, at, BLOCKED_CHANNELS, sums);
            for (uint32_t f = 0; channel < conv->channels && f < filters; f++) {
                put(add, sums[f], canonical + f * filter_size(conv) + channel * plane + k / depth);
            }
        }
    }
}

void blocked_sum_rows(const struct blocked *conv, uint32_t filter_block, const struct blocked_parts *parts, int add,
                      float *canonical)
{
    const uint32_t depth = conv->depth, filters = blocked_filters(conv, filter_block);
    const size_t size = blocked_row_size(conv, depth), plane = (size_t)conv->kernel[0] * conv->kernel[1];
    float sums[BLOCKED_MOST_ROW] = {0};

    for (uint32_t f = 0; f < filters; f++, canonical += filter_size(conv)) {
        for (uint32_t row = 0; row < channel_blocks(conv, depth) * conv->kernel[0]; row++) {
            const size_t stretch = filled(stretch_of(conv, depth));
            const size_t at = (filter_block * BLOCKED_CHANNELS + f) * size + row * stretch;
            const uint32_t first = row / conv->kernel[0] * depth, u = row % conv->kernel[0];

            for (size_t k = 0; k < stretch; k += BLOCKED_CHANNELS) {
                blocked_sum_parts(parts, at + k, BLOCKED_CHANNELS, sums + k);
            }
            for (uint32_t c = 0; c < depth && first + c < conv->channels; c++) {
                for (uint32_t v = 0; v < conv->kernel[1]; v++) {
                    put(add, sums[v * depth + c], canonical + (first + c) * plane + u * conv->kernel[1] + v);
                }
            }
        }
    }
}
