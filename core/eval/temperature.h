/*
 * Temperature scaling: probabilities softmax(z / T) with the one T > 0 that costs least on rows that were not trained on.
 *
 *     NLL(b) = mean_i (lse(b z_i) - b z_iy)        b = 1/T; convex in b, not in T
 *     dNLL/db   = mean_i (E_q[z_i] - z_iy)         q = softmax(b z_i)
 *     d2NLL/db2 = mean_i Var_q(z_i)
 *
 * Newton's method on b from b = 1, kept between bounds that close in on the root of the slope, and inside the limits of T:
 * on rows that can all be told apart the best T is 0, on logits that are worse than none it is infinite. The order of
 * classes, hence the label, is the same for every T. Source: Guo et al. 2017; docs/mathematics.md, "Temperature".
 */
#ifndef DESCENT_CORE_EVAL_TEMPERATURE_H
#define DESCENT_CORE_EVAL_TEMPERATURE_H

#include <stdint.h>

#include "core/base/exact_sum.h"

#define TEMPERATURE_LEAST    0.01
#define TEMPERATURE_MOST     100.0
#define TEMPERATURE_PASS_MAX 200 /* rounding ends it after five to ten */

/* Slope and curvature of the summed NLL at one b, over the rows added so far. Zero-initialise. */
struct temperature_sums {
    uint64_t rows;
    struct exact_sum slope, curvature;
};

/*
 * Adds one row: logits [classes] (classes <= LOSS_MAX_CLASSES), and its target: a class, or, where soft [classes] is not
 * NULL, probabilities. Logits that are not finite make the sums NaN.
 */
void temperature_add(struct temperature_sums *sums, double inverse, uint32_t classes, const double *logits, int32_t label,
                     const float *soft);

/* Adds all rows, in the same order each time. */
typedef void temperature_pass(void *context, double inverse, struct temperature_sums *sums);

enum temperature_outcome {
    TEMPERATURE_FITTED,
    TEMPERATURE_AT_LIMIT, /* the best T is beyond the limit that was taken */
    TEMPERATURE_UNDEFINED /* no rows, or logits that are not finite: T is 1 */
};

struct temperature_fit {
    enum temperature_outcome outcome;
    double temperature;
    double slope; /* dNLL/db there, of the mean */
    uint64_t rows;
    uint32_t passes; /* over the rows */
};
void temperature_fit(struct temperature_fit *fit, temperature_pass *pass, void *context);

#endif
