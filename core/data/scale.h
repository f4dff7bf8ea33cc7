/* Preprocessing of features: x -> (x - shift) * factor per feature, with constants from the training rows only. */
#ifndef DESCENT_CORE_DATA_SCALE_H
#define DESCENT_CORE_DATA_SCALE_H

#include "core/data/dataset.h"

enum preprocessing { PREPROCESS_NONE, PREPROCESS_SCALE_255, PREPROCESS_STANDARDIZE, PREPROCESS_MINMAX, PREPROCESS_COUNT };
const char *preprocessing_name(enum preprocessing preprocessing);

/*
 * Constants of a fitted preprocessing, stored with the model. uniform: one shift and factor for all features
 * (none: 0, 1; scale_255: 0, 1/255), arrays NULL.
 */
struct scaler {
    enum preprocessing type;
    uint32_t features;
    int uniform;
    float *shift, *factor; /* [features], owned */
};

/* standardize: (x - mean) / deviation; minmax: (x - min) / (max - min); a constant feature divides by 1. */
MUST_CHECK enum status scaler_fit(struct scaler *scaler, enum preprocessing type, const struct dataset *dataset,
                                  const uint32_t *rows, uint64_t row_count, struct error *error);
/*
 * The constants of float64 work, shift and factor [features] each, written: those of the scaler, but not rounded to float32
 * where they follow from its type (none, scale_255), or were fitted to these rows (dataset not NULL).
 */
MUST_CHECK enum status scaler_constants_f64(const struct scaler *scaler, const struct dataset *dataset, const uint32_t *rows,
                                            uint64_t row_count, double *shift, double *factor, struct error *error);
/* A copy with arrays of its own. */
MUST_CHECK enum status scaler_copy(struct scaler *copy, const struct scaler *scaler, struct error *error);
void scaler_release(struct scaler *scaler);

/* Of a uniform scaler: what a raw value of 1 becomes. */
float scaler_factor(const struct scaler *scaler);
/* Row `row` of the data set, scaled, to out [features]. Bytes are widened here. Same bits on every processor. */
void scaler_gather(const struct scaler *scaler, const struct dataset *dataset, uint64_t row, float *out);
/* In place on raw values [rows][features], as predictions need it. */
void scaler_apply(const struct scaler *scaler, float *x, uint64_t rows);

#endif
