/*
 * How far probabilities can be believed: confidence (the winning probability) against accuracy, in M = 15 bins.
 *
 *     ECE   = sum_m n_m/n |accuracy_m - confidence_m|      bins of equal width: bin m covers (m/M, (m+1)/M], the first 0 too
 *     MCE   = the largest of these gaps                    over bins that have rows
 *     RMSCE = sqrt(sum_m n_m/n (accuracy_m - confidence_m)^2)
 *     ACE   = as ECE, over M groups of nearly equal size   rows ordered by confidence, the first n mod M groups one larger
 *     classwise ECE = mean over classes c of the ECE of p_c against the share of class c
 *     Brier = mean over rows of sum_c (p_c - u_c)^2        0 ... 2
 *     NLL   = mean cross-entropy in nats
 *
 * Streamed: feed rows in order, then finish. ACE and classwise ECE need memory for every row and every class, so they are
 * made only where calibration_reserve asked for them. All of these are biased upwards for few rows: look at the counts.
 * Sources: Guo et al. 2017 (ECE, MCE); Nixon et al. 2019 (adaptive, classwise); docs/mathematics.md, "Calibration".
 */
#ifndef DESCENT_CORE_EVAL_CALIBRATION_H
#define DESCENT_CORE_EVAL_CALIBRATION_H

#include <stdint.h>

#include "core/base/status.h"

#define CALIBRATION_BINS 15

struct calibration_bin {
    uint64_t count;
    double confidence; /* mean of the winning probability, over the bin's rows; 0 if empty */
    double accuracy;
};

/* Running sums of a bin. */
struct calibration_sum {
    uint64_t count;
    double probability, target;
};

struct calibration {
    uint64_t samples;
    double confidence, accuracy; /* means over all rows */
    double gap;                  /* confidence - accuracy: above 0 overconfident, below 0 underconfident */
    double ece, mce, rmsce;
    double ace, classwise_ece; /* NaN unless reserved */
    double brier, nll;
    struct calibration_bin bins[CALIBRATION_BINS];
    /* running sums */
    struct calibration_sum sums[CALIBRATION_BINS];
    double brier_sum, nll_sum;
    /* what calibration_reserve makes, and calibration_finish frees */
    uint32_t classes;
    uint64_t capacity;
    double *confidences;                                    /* [capacity], the sign bit set where the row is right */
    double *space;                                          /* [capacity], to sort in */
    struct calibration_sum (*class_sums)[CALIBRATION_BINS]; /* [classes] */
};

/* Zero-initialised, a calibration is ready for rows. This makes it also ready for `rows` of them with every measure. */
MUST_CHECK enum status calibration_reserve(struct calibration *calibration, uint32_t classes, uint64_t rows,
                                           struct error *error);
uint64_t calibration_reserve_bytes(uint32_t classes, uint64_t rows); /* memory that it takes */
void calibration_release(struct calibration *calibration);

struct calibration_row {
    const double *probabilities; /* [classes] */
    uint32_t predicted, truth;   /* the winning class; the true one */
    const float *soft;           /* [classes] probabilities of the target; NULL: all of it on the true class */
    double nll;                  /* in nats */
};
void calibration_add(struct calibration *calibration, uint32_t classes, const struct calibration_row *row);
/* Computes everything above "running sums", and frees what was reserved for that. At most once. */
void calibration_finish(struct calibration *calibration);

/*
 * The bin, of `bins` of equal width, that a probability in 0 ... 1 falls into (NaN: the last). The edges m / bins are
 * quotients in double, compared in double: 3/5 is 0.6, and so is in the third of five bins, whatever 3 * 0.2 would be.
 */
int calibration_bin_of(double probability, int bins);

#endif
