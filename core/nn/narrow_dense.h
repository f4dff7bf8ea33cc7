/*
 * Products of a dense layer with few outputs, on rows of floats or of bytes as they stand in the data set: softmax
 * regression is nothing else, and widening a minibatch would cost as much as its products.
 *
 * Weights stand block by block of NARROW_BLOCK inputs: [block][output][input of the block], the last block's inputs padded
 * to a multiple of NARROW_LANES, with weights of 0.
 *
 * Order of summation, with multiply-adds that round once; so bits are equal with AVX2 and AVX-512:
 *   product    lane l = i % 16 sums w_i x_i in order of i, then the lanes are summed (simd_sums.h); times the factor
 *   gradient   sum over the rows in order, then times the factor
 */
#ifndef DESCENT_CORE_NN_NARROW_DENSE_H
#define DESCENT_CORE_NN_NARROW_DENSE_H

#include <stddef.h>
#include <stdint.h>

#define NARROW_BLOCK       32u
#define NARROW_LANES       16u
#define NARROW_MOST_OUTPUT 16u

/* Rows of inputs, bytes or floats, each padded with 0 to a multiple of NARROW_LANES; they may lie anywhere. */
struct narrow_rows {
    const void *const *at;    /* by row */
    const void *const *ahead; /* by row, of bytes; or NULL: what is wanted soon, which forward asks the memory for */
    int is_bytes;
    uint32_t inputs;
    float factor; /* of bytes: what a value of 1 means; 1 of floats */
};

/* The instruction set's own functions; NULL where it has none and the general products serve. */
struct narrow_dense {
    /* products [count][stride] of rows first ... first + count - 1 with the weights */
    void (*forward)(const struct narrow_rows *rows, uint32_t first, uint32_t count, uint32_t outputs, const float *weights,
                    float *products, size_t stride);
    /*
     * gradient [outputs][padded inputs of the block] from delta [count][stride]; `add`: to what stands there. `weights`: the
     * block's, if they are written next, or NULL: another core may have read them, and gives them up meanwhile.
     */
    void (*gradient)(const struct narrow_rows *rows, uint32_t count, uint32_t outputs, uint32_t block, const float *delta,
                     size_t stride, int add, const float *weights, float *gradient);
};
const struct narrow_dense *narrow_dense(void);

extern const struct narrow_dense narrow_dense_avx2, narrow_dense_avx512;

/* Inputs of a block, and with padding. */
static inline uint32_t narrow_block_inputs(uint32_t inputs, uint32_t block)
{
    uint32_t left = inputs - block * NARROW_BLOCK;

    return left < NARROW_BLOCK ? left : NARROW_BLOCK;
}

static inline uint32_t narrow_block_stride(uint32_t inputs, uint32_t block)
{
    return (narrow_block_inputs(inputs, block) + NARROW_LANES - 1) / NARROW_LANES * NARROW_LANES;
}

#endif
