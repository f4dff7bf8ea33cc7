/*
 * What one distribution costs in the code of another: cross-entropy, entropy and Kullback-Leibler divergence of given
 * probability vectors. (What training minimises, from logits and in minibatches, is core/nn/loss.h.)
 *
 *     H(u, v) = -sum_t u_t ln v_t        H(u) = H(u, u)        KL(u || v) = sum_t u_t ln(u_t / v_t) = H(u, v) - H(u)
 *
 * Natural logarithm, nats. u_t = 0 contributes exactly 0, whatever v_t is (0 ln 0 = 0); +infinity where u_t > 0 = v_t.
 * Nothing is clamped. Sums are compensated, so that their length costs no digits. docs/mathematics.md, (1) and (2).
 */
#ifndef DESCENT_CORE_EVAL_CROSS_ENTROPY_H
#define DESCENT_CORE_EVAL_CROSS_ENTROPY_H

#include <stddef.h>

#include "core/base/status.h"

/* All in nats. kl is summed term by term: 0 exactly for equal vectors, otherwise >= 0 up to rounding. */
struct cross_entropy {
    double cross_entropy, entropy, kl;
};

/*
 * Is p [n] a probability vector? STATUS_OUT_OF_RANGE names the entry that is NaN or negative, or the sum that is more than
 * `tolerance` from 1. `name`: what the message calls it.
 */
MUST_CHECK enum status probabilities_check(const char *name, const double *p, size_t n, double tolerance,
                                           struct error *error);

/* Of two probability vectors [n], which have been checked. */
void cross_entropy_of(const double *u, const double *v, size_t n, struct cross_entropy *out);
/*
 * The same for v = softmax(z), never formed: ln v_t = z_t - lse(z), where the largest logit's own is -log1p of the others'
 * sum: a confident right answer costs its true 4e-18. z [n]: finite.
 */
void cross_entropy_of_logits(const double *u, const double *z, size_t n, struct cross_entropy *out);

#endif
