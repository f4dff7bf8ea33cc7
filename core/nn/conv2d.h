/*
 * Two-dimensional convolution (cross-correlation, as in PyTorch) of one sample, and its derivatives.
 *
 *     y[f][i][j] = b[f] + Σ_{c,u,v} w[f][c][u][v] x[c][i s_h + u - p_h][j s_w + v - p_w]        (0 outside of x)
 *
 *   x, dx [channels][height][width]      y, dy [filters][out_height][out_width], out = floor((in + 2 p - k) / s) + 1
 *   w, dw [filters][channels][kernel[0]][kernel[1]]        b, db [filters]
 *
 * A sample is unfolded into a matrix of columns, [channels * kernel][positions], some rows of positions at a time, so that
 * all work is matrix products of shapes that the layer alone decides: neither batch nor threads change a bit.
 * Pure: safe concurrently on disjoint outputs and columns. Source: Goodfellow, Bengio, Courville 2016, 9.1.
 */
#ifndef DESCENT_CORE_NN_CONV2D_H
#define DESCENT_CORE_NN_CONV2D_H

#include <stddef.h>
#include <stdint.h>

/* Pairs are height, width. */
struct conv2d {
    uint32_t channels, height, width;
    uint32_t filters, kernel[2], stride[2], padding[2];
    uint32_t out_height, out_width;
};

/* Values of scratch that the functions below need as `columns`. */
size_t conv2d_columns(const struct conv2d *conv);
/* Weights of one filter: channels * kernel[0] * kernel[1]. */
size_t conv2d_filter_size(const struct conv2d *conv);

void conv2d_forward_f32(const struct conv2d *conv, const float *x, const float *w, const float *b, float *columns, float *y);
void conv2d_forward_f64(const struct conv2d *conv, const double *x, const double *w, const double *b, double *columns,
                        double *y);

/* Gradients of weights and biases: set, or (`add` not 0) added to what is there. */
void conv2d_gradients_f32(const struct conv2d *conv, const float *x, const float *dy, int add, float *columns, float *dw,
                          float *db);
void conv2d_gradients_f64(const struct conv2d *conv, const double *x, const double *dy, int add, double *columns, double *dw,
                          double *db);

/* Gradient of the input. */
void conv2d_backward_f32(const struct conv2d *conv, const float *w, const float *dy, float *columns, float *dx);
void conv2d_backward_f64(const struct conv2d *conv, const double *w, const double *dy, double *columns, double *dx);

#endif
