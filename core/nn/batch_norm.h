/*
 * Batch normalisation (Ioffe and Szegedy 2015), as PyTorch computes it. Per channel, over the n values that the minibatch
 * has of it (samples * positions):
 *
 *     y = scale x^ + shift,  x^ = (x - m) / sqrt(v + epsilon),  m = Σ x / n,  v = Σ (x - m)^2 / n
 *
 *     dscale = Σ dy x^    dshift = Σ dy    dx = scale / sqrt(v + epsilon) (dy - Σ dy / n - x^ Σ dy x^ / n)
 *
 * With statistics that are given (predictions, probes) m and v are constants, and the last line loses both its sums.
 *
 * Every function works on one sample, [channels][positions]; behind a dense layer a channel is a unit of one position.
 * Sums are float64. A minibatch's statistics are those of its parts (in two passes, so that nothing cancels), joined in
 * order by Chan, Golub, LeVeque 1983.
 */
#ifndef DESCENT_CORE_NN_BATCH_NORM_H
#define DESCENT_CORE_NN_BATCH_NORM_H

#include <stddef.h>
#include <stdint.h>

/* What is known of some values of each channel; arrays [channels]. */
struct batch_norm_moments {
    double count;
    double *mean;
    double *square; /* sum of squared distances from the mean */
};

/* Adds a sample to the channels' sums; and, once means are known, its squared distances to `square`. */
void batch_norm_add_f32(uint32_t channels, size_t positions, const float *x, double *sum);
void batch_norm_add_f64(uint32_t channels, size_t positions, const double *x, double *sum);
void batch_norm_add_squares_f32(uint32_t channels, size_t positions, const float *x, const double *mean, double *square);
void batch_norm_add_squares_f64(uint32_t channels, size_t positions, const double *x, const double *mean, double *square);

/* Takes the values of `part` in. A count of 0 is allowed. */
void batch_norm_join(uint32_t channels, struct batch_norm_moments *all, const struct batch_norm_moments *part);

void batch_norm_forward_f32(uint32_t channels, size_t positions, const float *x, const double *mean, const double *inverse,
                            const float *scale, const float *shift, float *y);
void batch_norm_forward_f64(uint32_t channels, size_t positions, const double *x, const double *mean, const double *inverse,
                            const double *scale, const double *shift, double *y);

/* Adds a sample to Σ dy and Σ dy x^; inverse: 1 / sqrt(v + epsilon). */
void batch_norm_add_gradients_f32(uint32_t channels, size_t positions, const float *x, const float *dy, const double *mean,
                                  const double *inverse, double *sum, double *product);
void batch_norm_add_gradients_f64(uint32_t channels, size_t positions, const double *x, const double *dy, const double *mean,
                                  const double *inverse, double *sum, double *product);

/* The sums of the whole minibatch and its n; n infinite: statistics that are given. dx may be dy. */
struct batch_norm_sums {
    const double *mean, *inverse, *sum, *product;
    double n;
};
void batch_norm_backward_f32(uint32_t channels, size_t positions, const float *x, const float *dy,
                             const struct batch_norm_sums *sums, const float *scale, float *dx);
void batch_norm_backward_f64(uint32_t channels, size_t positions, const double *x, const double *dy,
                             const struct batch_norm_sums *sums, const double *scale, double *dx);

#endif
