/*
 * The learning-rate range test (Smith 2017, "Cyclical learning rates for training neural networks", 3.3): one sweep over
 * minibatches, the learning rate growing geometrically,
 *
 *     rate_k = start (end / start)^(k / (steps - 1))                  k = 0 ... steps - 1
 *     m_k = 0.98 m_(k-1) + 0.02 loss_k      s_k = m_k / (1 - 0.98^(k+1))
 *
 * until s_k is above 4 times the least so far, or not finite. The suggestion is the rate in the middle of the 8 steps over
 * which s has fallen most, of those that end at its least so far; the first tenth of the sweep, whose means are of few
 * losses, does not count.
 */
#ifndef DESCENT_CORE_TRAIN_RANGE_TEST_H
#define DESCENT_CORE_TRAIN_RANGE_TEST_H

#include <stdint.h>

#define RANGE_TEST_MIN_STEPS 100
#define RANGE_TEST_MAX_STEPS 500
#define RANGE_TEST_WINDOW    8 /* steps over which the fall is measured */

struct range_spec {
    double start, end; /* 0 < start < end */
    uint32_t steps;
};

/* The learning rate of update `step` (0-based). */
double range_test_rate(const struct range_spec *range, uint64_t step);

/* What a sweep has found; NaN: nothing. Rates, but for `loss`. */
struct range_result {
    double suggestion;      /* at the steepest fall */
    double minimum;         /* at the least smoothed loss */
    double minimum_over_10; /* that by ten: what is used where the fall says nothing */
    double loss;            /* the least smoothed one */
    double stopped_at;      /* of the last update, or of the one that was not finite */
    uint64_t steps;         /* updates made */
    int diverged;           /* it ended because a loss grew too large or was not finite */
};

struct train_state;
/* Takes note of an update: state.step, learning_rate and batch_loss are its. Returns 1 where the sweep ends by its loss. */
int range_test_note(const struct range_spec *range, struct train_state *state);

#endif
