/*
 * Scores of a classifier on a set of rows, from its probabilities: loss, accuracy, confusion, per-class scores,
 * calibration. Streamed: feed rows in order, then read. docs/mathematics.md, "Scores" and "Calibration".
 */
#ifndef DESCENT_CORE_EVAL_SCORES_H
#define DESCENT_CORE_EVAL_SCORES_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/eval/calibration.h"

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
    struct calibration calibration;
    double temperature;            /* 0: none */
    struct calibration calibrated; /* of the probabilities at that temperature; of no rows without one */
    /* running sums */
    double loss_sum;
    uint64_t correct;
};

MUST_CHECK enum status scores_init(struct scores *scores, uint32_t classes, struct error *error);
/*
 * Asks for every measure of calibration, over at most `rows` rows; temperature 0: none, else also for those at it. After
 * scores_init, before the first row.
 */
MUST_CHECK enum status scores_reserve(struct scores *scores, uint64_t rows, double temperature, struct error *error);
void scores_release(struct scores *scores);
/* Memory of scores until they are released; and what scores_reserve adds until they are finished, with a temperature. */
uint64_t scores_bytes(uint32_t classes);
uint64_t scores_reserve_bytes(uint32_t classes, uint64_t rows);
/*
 * One row: its loss (from logits, in nats), probabilities [classes], and target: class index, or, if soft [classes] is
 * not NULL, a probability row (its most probable class counts as the true one). Returns the predicted class.
 */
uint32_t scores_add(struct scores *scores, double loss, const double *probabilities, int32_t label, const float *soft);
/* The same row at the temperature. `predicted`: what scores_add returned; the temperature may round it away. */
void scores_add_calibrated(struct scores *scores, double loss, const double *probabilities, uint32_t predicted,
                           int32_t label, const float *soft);
/* Computes the fields above "running sums" from the sums, and frees what scores_reserve made. */
void scores_finish(struct scores *scores);

#endif
