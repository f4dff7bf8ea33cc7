/*
 * What a reliability diagram shows: the bins of a split, before and after the temperature. From scores, or from results as
 * they were stored (those of earlier versions have bins, too).
 */
#ifndef DESCENT_API_RELIABILITY_H
#define DESCENT_API_RELIABILITY_H

#include "core/eval/scores.h"
#include "core/train/trainer.h"

struct reliability_bins {
    struct calibration_bin bins[CALIBRATION_BINS];
    double ece;
    uint64_t samples;
    double confidence, accuracy; /* means over the samples; 0 without any */
};

struct reliability {
    const char *rows; /* "test split": which they are; borrowed */
    struct reliability_bins plain;
    double temperature; /* 0: none, and `calibrated` means nothing */
    struct reliability_bins calibrated;
};

/* `rows` is borrowed. */
void reliability_of_scores(struct reliability *reliability, const struct scores *scores, const char *rows);

/*
 * From a job's results [size] as JSON text: of the test split, without one of the validation split, without that of the
 * training rows. STATUS_NOT_ACCEPTABLE: those of a range test, which have none. STATUS_OBJECT_CORRUPT: this program never
 * wrote it.
 */
MUST_CHECK enum status reliability_of_results(struct reliability *reliability, const char *results, size_t size,
                                              struct error *error);

#endif
