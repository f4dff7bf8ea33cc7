/* A trained model at work: class probabilities of new rows, scores on a labelled data set. */
#ifndef DESCENT_CORE_TRAIN_PREDICTOR_H
#define DESCENT_CORE_TRAIN_PREDICTOR_H

#include "core/data/dataset.h"
#include "core/eval/hardest.h"
#include "core/eval/scores.h"
#include "core/nn/model.h"

struct predictor; /* a model laid out for the kernels; used by the thread that made it only */

/* Copies what it needs of the model's parameters; borrows the rest, which must outlive it. `threads` as for a trainer. */
MUST_CHECK enum status predictor_new(struct predictor **predictor, const struct model *model, uint32_t threads,
                                     struct error *error);
void predictor_free(struct predictor *predictor);

/*
 * Probabilities of raw (not preprocessed) rows: x [rows][inputs] -> probabilities [rows][classes], each row finite and
 * summing to 1 within 1e-6 for finite features, at a temperature (1: as the model gives them); and predicted [rows], the
 * class of the largest logit, which no temperature changes. A row's bits may depend on its place among the rows of the call.
 */
void predictor_run(struct predictor *predictor, const float *x, uint64_t rows, double temperature, float *probabilities,
                   uint32_t *predicted);

/*
 * Scores on all rows of a data set, those at the model's temperature included, if it has one; labels [rows] in the model's
 * numbering, or NULL: the data set's own fit.
 */
MUST_CHECK enum status predictor_evaluate(struct predictor *predictor, const struct dataset *dataset, const int32_t *labels,
                                          struct scores *scores, struct error *error);

/* Rows of a data set, in an order. labels: as above, by row of the data set. */
struct predictor_rows {
    const struct dataset *dataset;
    const uint32_t *rows; /* [count]; NULL: all of them */
    uint64_t count;
    const int32_t *labels;
};
/* The rows that cost most; `hardest` is initialised by the caller, and finished here. */
void predictor_hardest(struct predictor *predictor, const struct predictor_rows *rows, struct hardest *hardest);
/* Their probabilities [count][classes] and labels [count], as of predictor_run without a temperature. */
void predictor_run_rows(struct predictor *predictor, const struct predictor_rows *rows, float *probabilities,
                        uint32_t *predicted);

#endif
