/*
 * Convolutions of 3 x 3 kernels and stride 1 by minimal filtering, F(2 x 2, 3 x 3) (Winograd 1980; Lavin & Gray 2016,
 * "Fast Algorithms for Convolutional Neural Networks"): of each tile of 2 x 2 outputs, what the kernel meets there, 4 x 4
 * inputs d, and the kernel g are transformed, and multiplied element by element: 16 products where the definition has 36.
 *
 *   y  = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A + b        dg = Gᵀ [Σ (Bᵀ d B) ⊙ (A dy Aᵀ)] G
 *
 *        1  0  0           1  0 -1  0
 *   G = ½½ ½½ ½½ (½ each)  0  1  1  0       Aᵀ = 1  1  1  0
 *        ½ -½  ½      Bᵀ = 0 -1  1  0            0  1 -1 -1
 *        0  0  1           0  1  0 -1
 *
 * Each of the 16 products is summed over the channels (gradients: over the tiles, row by row of them, sample by sample) in
 * order, by fused multiply-adds, from 0; all else is additions and halvings of float32. So bits do not depend on the width
 * of vectors here, either. Rounding errors are those of the definition within a small factor.
 *
 * Images are bare ones (blocked.h), all of them BLOCKED_CHANNELS deep; what lies outside counts as 0.
 *
 *   weights, and their gradients   [16 products][filter block][channel block][BLOCKED_CHANNELS channels][filters]
 */
#ifndef DESCENT_CORE_NN_BLOCKED_WINOGRAD_H
#define DESCENT_CORE_NN_BLOCKED_WINOGRAD_H

#include "core/nn/blocked.h"

#define WINOGRAD_PRODUCTS 16u

/* A convolution, or the transposed one. */
struct blocked_winograd {
    uint32_t blocks_in, blocks_out;
    uint32_t in[2], padding[2];
    uint32_t out[2]; /* that are wanted: those that max-pool leaves out are not */
};

/* Tiles that so many rows, or columns, of outputs make. */
static inline uint32_t blocked_winograd_tiles(uint32_t outputs)
{
    return (outputs + 1) / 2;
}

/* Whether it is possible, and saves more than it costs: not where most of a tile, or of a block, is empty. */
int blocked_suits_winograd(const struct blocked *conv);

struct blocked_winograd blocked_winograd_forward(const struct blocked *conv);
struct blocked_winograd blocked_winograd_backward(const struct blocked *conv);

/* Rows of tiles to be done at once, so that caches have them: whole windows of `window` rows of outputs. */
uint32_t blocked_winograd_rows(const struct blocked_winograd *winograd, uint32_t window);
/* Floats that the kernels need to work in for that many rows of tiles. */
size_t blocked_winograd_room(const struct blocked_winograd *winograd, uint32_t rows);

/* Values of all weights. */
size_t blocked_winograd_weights(const struct blocked *conv);
/* Working copies of one block's filters (canonical: those): for the convolution, for the transposed one. Padding is left
 * alone; it must be 0. */
void blocked_load_winograd(const struct blocked *conv, uint32_t filter_block, const float *canonical, float *weights);
void blocked_load_winograd_transposed(const struct blocked *conv, uint32_t filter_block, const float *canonical,
                                      float *weights);
/* As blocked_sum_weights. */
void blocked_sum_winograd(const struct blocked *conv, uint32_t filter_block, const struct blocked_parts *parts, int add,
                          float *canonical);

#endif
