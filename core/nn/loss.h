/*
 * Cross-entropy from logits, the form that training uses. (Of two given vectors: core/eval/cross_entropy.h.)
 *
 * From logits z with targets u (one-hot for a hard label), label smoothing s and class weights w:
 *
 *     t_c = w_c ((1 - s) u_c + s / K)
 *     loss = sum_c t_c (lse(z) - z_c)            lse(z) = ln sum_c exp z_c
 *     d loss / d z_c = (sum t) softmax(z)_c - t_c
 *
 * which is PyTorch's CrossEntropyLoss for hard and for soft targets alike; only their means' normalisers differ.
 * Computed in double whatever the logits are. The winning class gets log1p of the others' sum, so that a confident right
 * answer costs its true 4e-18 and not 0. docs/mathematics.md, "Cross-entropy".
 */
#ifndef DESCENT_CORE_NN_LOSS_H
#define DESCENT_CORE_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#define LOSS_MAX_CLASSES 4096

/* How a row's loss is made; the same for all rows. */
struct softmax_loss {
    uint32_t classes;            /* K, 1 ... LOSS_MAX_CLASSES */
    double label_smoothing;      /* s, in [0, 1) */
    const double *class_weights; /* w [classes], borrowed; NULL: all 1 */
};

/* Where the results of rows go, each [rows]; NULL: not wanted. */
struct softmax_loss_rows {
    double *loss;       /* as above */
    double *plain;      /* without smoothing and weights: what scores report */
    int32_t *predicted; /* class of the largest logit, the lowest of equals; -1 where a logit is NaN */
};

/*
 * Losses of rows, and their gradients with respect to the logits.
 *
 * logits   [rows][stride], the first `classes` columns count; finite, or -infinity (loss +infinity if its class has a
 *          target). NaN, +infinity or a row of -infinity alone: the row's loss and gradient are NaN.
 * labels   [rows], each in [0, classes), used if soft is NULL
 * soft     [rows][classes], each row summing to 1, or NULL
 * scale    the gradient's factor, 1 / (normaliser of the whole batch)
 * dlogits  [rows][dstride], scale * gradient, columns classes ... dstride - 1 set to 0; may be logits itself (with
 *          dstride = stride); NULL: losses only
 * Each row depends on itself alone, bits and all. Pure: safe concurrently on disjoint rows.
 */
void softmax_cross_entropy_rows_f32(const struct softmax_loss *loss, size_t rows, const float *logits, size_t stride,
                                    const int32_t *labels, const float *soft, double scale, float *dlogits, size_t dstride,
                                    const struct softmax_loss_rows *out);
void softmax_cross_entropy_rows_f64(const struct softmax_loss *loss, size_t rows, const double *logits, size_t stride,
                                    const int32_t *labels, const double *soft, double scale, double *dlogits, size_t dstride,
                                    const struct softmax_loss_rows *out);

/*
 * What the sum of the rows' losses is divided by for the weighted mean: the sum of w over hard labels; the number of rows
 * for soft labels (labels NULL) and without weights. (For the plain mean it is `rows` always.)
 */
double softmax_cross_entropy_normaliser(const struct softmax_loss *loss, const int32_t *labels, size_t rows);

/*
 * probabilities [rows][classes] = softmax of the rows, each summing to 1 within rounding; NaN as above. They may take the
 * place of f64 logits of the same stride.
 */
void softmax_rows_f32(uint32_t classes, size_t rows, const float *logits, size_t stride, double *probabilities);
void softmax_rows_f64(uint32_t classes, size_t rows, const double *logits, size_t stride, double *probabilities);

#endif
