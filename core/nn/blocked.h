/*
 * Convolutions at the speed of the processor's multiply-adds: images lie in blocks of channels, so that a vector is some
 * channels of one position, and what follows a convolution (batch_norm, ReLU, max-pool) is done row by row, while the
 * first-level cache has it. Results are those of conv2d.h, batch_norm.h, activation.inc and pool2d.h but for the order of
 * sums.
 *
 *   image    [blocks][height][width][depth]; depth: BLOCKED_CHANNELS, or all channels of an input that has fewer. Channels
 *            that fill the last block up are 0. Neighbouring positions follow each other, so that what a row of the kernel
 *            meets is one stretch of kernel[1] * depth values, whatever the kernel's size.
 *   weights  [filter block][channel block][kernel[0]][kernel[1] * depth][BLOCKED_CHANNELS filters]
 *   rows     [filter][channel block][kernel[0]][kernel[1] * depth, filled up to whole BLOCKED_CHANNELS]: for gradients that
 *            are mostly zero
 *
 * Each number is summed in one order, by fused multiply-adds, whatever the width of the vectors (blocked.inc is compiled for
 * two): y = b, then channel block by block, kernel row by row, along the row. So avx2 and avx512 have equal bits here.
 *
 * Behind max-pool at most one position of a window has a gradient: `places` says which, in row-major order of the window, or
 * BLOCKED_DEAD where ReLU keeps it from passing; where no batch_norm makes it dense again, backward walks only those.
 *
 * Everything is pure: safe concurrently on disjoint outputs.
 */
#ifndef DESCENT_CORE_NN_BLOCKED_H
#define DESCENT_CORE_NN_BLOCKED_H

#include <stddef.h>
#include <stdint.h>

#define BLOCKED_CHANNELS     16u
#define BLOCKED_DEAD         255u  /* a place: no position of the window */
#define BLOCKED_SLACK        16u   /* floats behind an image that are read, to no effect */
#define BLOCKED_MOST_ROW     1024u /* values of a row of a kernel, of one block */
#define BLOCKED_MOST_FILTERS 4096u
#define BLOCKED_MOST_SUMS    (BLOCKED_CHANNELS * BLOCKED_CHANNELS)
#define BLOCKED_MOST_PICK    4u /* positions of a window of pick_gradient */

/* A convolution of stride 1, and the windows that max-pool makes of its outputs (1 x 1: none). Pairs are height, width. */
struct blocked {
    uint32_t channels, filters;
    uint32_t depth, channel_blocks, filter_blocks;
    uint32_t kernel[2], padding[2]; /* padding < kernel */
    uint32_t in[2], out[2];         /* in: without padding */
    uint32_t window[2], pooled[2];
};

/* An image in memory, with `padding` zeros on each side of what `size` counts. */
struct blocked_image {
    uint32_t channels, depth, size[2], padding[2];
};

struct blocked_image blocked_input(const struct blocked *conv);  /* padded as the convolution wants it */
struct blocked_image blocked_bare(struct blocked_image image);   /* the same without padding */
struct blocked_image blocked_output(const struct blocked *conv); /* without padding */
struct blocked_image blocked_pooled(const struct blocked *conv);
/* Gradients of the outputs, padded for the transposed convolution; of the inputs, BLOCKED_CHANNELS deep. */
struct blocked_image blocked_output_gradient(const struct blocked *conv);
struct blocked_image blocked_input_gradient(const struct blocked *conv);

size_t blocked_values(const struct blocked_image *image); /* without slack */

/* Planes [channels][size[0]][size[1]] <-> image. Padding is written, too. */
void blocked_from_planes(const struct blocked_image *image, const float *planes, float *blocks);
void blocked_to_planes(const struct blocked_image *image, const float *blocks, float *planes);
/* The same image without padding <-> with it. */
void blocked_pad(const struct blocked_image *image, const float *bare, float *blocks);
void blocked_crop(const struct blocked_image *image, const float *blocks, float *bare);

/* What a product of weights with an image is: of a convolution, or of the transposed one. */
struct blocked_product {
    uint32_t depth, blocks_in, blocks_out, kernel[2];
    uint32_t columns;              /* positions of a row */
    size_t image_row, image_block; /* floats from row to row, from block to block of the image */
};

/* The convolution as a product, and the transposed one, which makes the inputs' gradient from the outputs'. */
struct blocked_product blocked_forward(const struct blocked *conv);
struct blocked_product blocked_backward(const struct blocked *conv);

/* ---- weights: canonical ones are [filters][channels][kernel[0]][kernel[1]] ---- */

uint32_t blocked_filters(const struct blocked *conv, uint32_t filter_block); /* that are not padding */

/* Values of all weights in their layouts, of one filter's rows. */
size_t blocked_weights(const struct blocked *conv);
size_t blocked_transposed(const struct blocked *conv);
size_t blocked_rows(const struct blocked *conv, uint32_t depth);
size_t blocked_row_size(const struct blocked *conv, uint32_t depth);

/*
 * Working copies of one block's filters (canonical: those), for forward; and for gradients of the inputs, which are
 * BLOCKED_CHANNELS deep: rows, where outputs' gradients are sparse, or the rotated kernel [channel block][filter block][…].
 * Padding is left alone; it must be 0.
 */
void blocked_load_weights(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *weights);
void blocked_load_rows(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *rows);
void blocked_load_transposed(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *transposed);

/* What parts of a minibatch found, `stride` apart. */
struct blocked_parts {
    const float *first;
    uint32_t count;
    size_t stride;
};
/* `count` (at most BLOCKED_MOST_SUMS) values of all parts from `at` on, summed in order in float64. */
void blocked_sum_parts(const struct blocked_parts *parts, size_t at, size_t count, float *sums);
/* The parts' gradients of one block's filters, summed in order in float64: set, or added (`add`) to the canonical ones. */
void blocked_sum_weights(const struct blocked *conv, uint32_t filter_block, const struct blocked_parts *parts, int add,
                         float *canonical);
void blocked_sum_rows(const struct blocked *conv, uint32_t filter_block, const struct blocked_parts *parts, int add,
                      float *canonical);

/* ---- kernels of one instruction set ---- */

/* Positions that a filter's windows kept, filter by filter: [filters][capacity]. */
struct blocked_kept {
    uint32_t capacity;
    uint32_t *count, *offset;
    float *factor;
};

/* One sample's gradient behind max-pool. */
struct blocked_sparse {
    const float *dy;       /* image of blocked_pooled */
    const uint8_t *places; /* likewise */
    uint32_t offset;       /* of the sample's image, from where the kept positions' offsets count */
    const float *rows;     /* working copy; NULL: no gradient of the inputs is wanted */
    float *dx;             /* image of blocked_input_gradient, added to */
};

/* A batch_norm's (x - middle) factor + above, and the coefficients of its backward; [filter_blocks][BLOCKED_CHANNELS] each.
 */
struct blocked_norm {
    const float *middle, *factor, *above, *slope, *offset;
};

struct blocked_winograd;
struct blocked_kernels {
    /*
     * Rows [first, first + rows) of a product: y[block][row - first][column][BLOCKED_CHANNELS], blocks `y_block` apart.
     * bias [blocks_out][BLOCKED_CHANNELS] or NULL.
     */
    void (*product)(const struct blocked_product *product, const float *image, const float *weights, const float *bias,
                    uint32_t first, uint32_t rows, float *y, size_t y_block);
    /* The weights' gradient of one sample: dy [blocks_out][rows][columns][BLOCKED_CHANNELS]; set or added. */
    void (*gradient)(const struct blocked_product *product, uint32_t rows, const float *image, const float *dy, int add,
                     float *weights);
    /*
     * Rows [first, first + rows) of windows of ReLU'd outputs, which are normalised first unless norm is NULL: x
     * [filter_blocks][rows * window[0]][...], rows x_row, blocks x_block apart; y, places, apart (NULL: not wanted): images
     * of blocked_pooled. apart: x - middle of what is kept.
     */
    void (*pool)(const struct blocked *conv, uint32_t first, uint32_t rows, const float *x, size_t x_row, size_t x_block,
                 const struct blocked_norm *norm, float *y, uint8_t *places, float *apart);
    /* Of one block of a sample's channels: their means, and sums of squared distances from them. */
    void (*moments)(size_t positions, const float *x, double *mean, double *square);
    /* Of one filter block of a sample: Σ dy and Σ dy (x - middle) over the kept positions, added; apart: as pool left it. */
    void (*norm_sums)(const struct blocked *conv, uint32_t block, const float *apart, const float *dy, const uint8_t *places,
                      double *sum, double *product);
    /* dx = factor dy + slope (x - middle) + offset, where dy is 0 unless it was kept: images of blocked_output. */
    void (*norm_backward)(const struct blocked *conv, const float *x, const float *dy, const uint8_t *places,
                          const struct blocked_norm *norm, float *dx);
    /* Gradients of the biases, [filters], added; dead places (NULL: none are) count for nothing. `size`: positions. */
    void (*biases)(const struct blocked *conv, size_t size, const float *dy, const uint8_t *places, float *biases);
    /* dy is 0 where its place is dead. */
    void (*mask)(size_t count, const uint8_t *places, float *dy);
    /* Appends what was kept, window by window, to the filters' lists; the gradient of the inputs. */
    void (*scatter)(const struct blocked *conv, const struct blocked_sparse *sparse, const struct blocked_kept *kept);
    /* The filters' gradients from their lists, which it empties: rows of the input's depth, added. */
    void (*gather)(const struct blocked *conv, const struct blocked_kept *kept, const float *image, float *rows);
    /*
     * The same without lists, for windows of at most BLOCKED_MOST_PICK positions and inputs of one block that has fewer than
     * BLOCKED_CHANNELS: one sample's, added to weights. A dead place counts as 0 times what its window has, which is finite.
     * dy, places: images of blocked_pooled.
     */
    void (*pick_gradient)(const struct blocked *conv, const float *image, const float *dy, const uint8_t *places,
                          float *weights);
    /*
     * What product does, by blocked_winograd.h, of a bare image: outputs [2 first, 2 (first + rows)), as far as there are
     * any. room: blocked_winograd_room(rows) floats to work in.
     */
    void (*winograd)(const struct blocked_winograd *winograd, const float *image, const float *weights, const float *bias,
                     uint32_t first, uint32_t rows, float *y, size_t y_block, float *room);
    /* What gradient does, likewise: what rows [first, first + rows) of tiles have; set or added. dy: an image of all
     * outputs. */
    void (*winograd_gradient)(const struct blocked_winograd *winograd, const float *image, const float *dy, uint32_t first,
                              uint32_t rows, int add, float *weights, float *room);
};

/* Of the kernel tier; NULL: it has none. */
const struct blocked_kernels *blocked_kernels(void);
#if defined(__x86_64__)
extern const struct blocked_kernels blocked_avx2, blocked_avx512;
#endif

#endif
