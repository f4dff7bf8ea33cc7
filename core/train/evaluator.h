/* A forward pass over many rows of a data set, scored. One network of its own, so that training buffers stay untouched. */
#ifndef DESCENT_CORE_TRAIN_EVALUATOR_H
#define DESCENT_CORE_TRAIN_EVALUATOR_H

#include "core/eval/hardest.h"
#include "core/eval/scores.h"
#include "core/eval/temperature.h"
#include "core/nn/network.h"

#define EVALUATOR_ROWS 512 /* rows at a time: constant, because logits' bits may depend on the product's shape */

struct evaluator;

/* What to score. rows NULL: all rows of the data set. labels: by row of the data set; NULL: its own (or soft) labels. */
struct evaluation {
    const struct dataset *dataset;
    const struct scaler *scaler;
    const uint32_t *rows;
    uint64_t count;
    const int32_t *labels;
};

MUST_CHECK enum status evaluator_new(struct evaluator **evaluator, const struct model_spec *model, struct pool *pool,
                                     struct error *error);
void evaluator_free(struct evaluator *evaluator);
uint64_t evaluator_bytes(const struct network_plan *training_plan, uint32_t threads);

/* The network whose weights are scored: fill it by network_load_f32 or network_serve_f32. */
struct network_f32 *evaluator_network(struct evaluator *evaluator);

/*
 * Class probabilities of the rows at a temperature (1: as they are), [count][classes], and the class of each row's largest
 * logit, [count], which is the same at every temperature; labels are not looked at.
 */
void evaluator_probabilities(struct evaluator *evaluator, const struct evaluation *evaluation, double temperature,
                             float *probabilities, uint32_t *predicted);

/* Adds the rows to `scores` (initialised by the caller) in order and finishes them; at their temperature, too. */
void evaluator_run(struct evaluator *evaluator, const struct evaluation *evaluation, struct scores *scores);

#define EVALUATOR_KEPT_LOGITS ((uint64_t)16 << 20) /* 64 MiB */

/*
 * The temperature that costs least on the rows. Up to `kept` logits (rows times classes) stay in memory between the passes
 * of the fit; of more rows, each pass asks the network again, to the same bits.
 */
void evaluator_fit_temperature(struct evaluator *evaluator, const struct evaluation *evaluation, uint64_t kept,
                               struct temperature_fit *fit);
/* Memory that a fit on so many rows takes. */
uint64_t evaluator_fit_bytes(uint64_t rows, uint32_t classes, uint64_t kept);

/* Adds the rows' losses, in order, and finishes. */
void evaluator_hardest(struct evaluator *evaluator, const struct evaluation *evaluation, struct hardest *hardest);

#endif
