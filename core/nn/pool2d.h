/*
 * Pooling of one sample: the largest value, or the mean, of each window. No padding: what fits no whole window is left out.
 *
 *   x, dx [channels][height][width]     y, dy, choices [channels][out_height][out_width], out = floor((in - size) / s) + 1
 *
 * The largest of equal values is the first in row-major order (PyTorch's choice), and only it gets the gradient. NaN is
 * larger than anything, so that none hides. Pure: safe concurrently on disjoint outputs.
 */
#ifndef DESCENT_CORE_NN_POOL2D_H
#define DESCENT_CORE_NN_POOL2D_H

#include <stddef.h>
#include <stdint.h>

/* Pairs are height, width. */
struct pool2d {
    uint32_t channels, height, width;
    uint32_t size[2], stride[2];
    uint32_t out_height, out_width;
};

/* choices: where each largest value stands in its plane of x; NULL: not wanted. */
void max_pool2d_forward_f32(const struct pool2d *pool, const float *x, float *y, uint32_t *choices);
void max_pool2d_forward_f64(const struct pool2d *pool, const double *x, double *y, uint32_t *choices);
void max_pool2d_backward_f32(const struct pool2d *pool, const float *dy, const uint32_t *choices, float *dx);
void max_pool2d_backward_f64(const struct pool2d *pool, const double *dy, const uint32_t *choices, double *dx);

void avg_pool2d_forward_f32(const struct pool2d *pool, const float *x, float *y);
void avg_pool2d_forward_f64(const struct pool2d *pool, const double *x, double *y);
void avg_pool2d_backward_f32(const struct pool2d *pool, const float *dy, float *dx);
void avg_pool2d_backward_f64(const struct pool2d *pool, const double *dy, double *dx);

#endif
