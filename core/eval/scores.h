/*
 * Scores of a classifier on a set of rows, from its probabilities: loss, accuracy, confusion, per-class scores,
 * calibration. Streamed: feed rows in order, then read. docs/mathematics.md, "Scores" and "Calibration".
 */
#ifndef DESCENT_CORE_EVAL_SCORES_H
#define DESCENT_CORE_EVAL_SCORES_H

#include <stdint.h>

#include "core/base/status.h"

#define CALIBRATION_BINS 15

struct calibration_bin {
    uint64_t count;
    double confidence; /* mean of the winning probability, over the bin's rows; 0 if empty */
    double accuracy;
};

struct class_score {
    double precision, recall, f1; /* 0 where undefined (no prediction or no row of the class) */
    uint64_t support;
};

struct scores {
    uint32_t classes;
    uint64_t samples;
    double loss; /* mean cross-entropy in nats, no smoothing, no weights, no l2 */
    double accuracy;
    uint64_t *confusion;           /* [classes][classes], row: true class, column: predicted */
    struct class_score *per_class; /* [classes] */
    double ece, mce, brier;
    struct calibration_bin bins[CALIBRATION_BINS]; /* bin m covers (m/15, (m+1)/15] */
    /* running sums */
    double loss_sum, brier_sum;
    double bin_confidence_sum[CALIBRATION_BINS];
    uint64_t bin_correct[CALIBRATION_BINS];
    uint64_t correct;
};

MUST_CHECK enum status scores_init(struct scores *scores, uint32_t classes, struct error *error);
void scores_release(struct scores *scores);
/*
 * One row: its loss (from logits, in nats), probabilities [classes], and target: class index, or, if soft [classes] is
 * not NULL, a probability row (its most probable class counts as the true one).
 */
void scores_add(struct scores *scores, double loss, const double *probabilities, int32_t label, const float *soft);
/* Computes the fields above "running sums" from the sums. */
void scores_finish(struct scores *scores);

#endif
