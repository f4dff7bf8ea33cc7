/*
 * Training: the step, the epoch, the logged points, the stops. The weights after step k are a pure function of the
 * train_spec, the data and the kernel tier: never of the number of threads.
 *
 * One caller drives a trainer step by step and may do at step boundaries what it likes: log, pause, cancel, give it more
 * or fewer threads. The core knows no clock: time limits are the caller's (trainer_stop_after_next).
 */
#ifndef DESCENT_CORE_TRAIN_TRAINER_H
#define DESCENT_CORE_TRAIN_TRAINER_H

#include "core/base/phase_clock.h"
#include "core/data/dataset.h"
#include "core/data/split.h"
#include "core/eval/scores.h"
#include "core/eval/temperature.h"
#include "core/nn/model.h"
#include "core/train/train_point.h"
#include "core/train/train_spec.h"

struct trainer;

/* Which rows of which data sets a job works on. Everything borrowed for the trainer's life. */
struct train_data {
    const struct dataset *dataset;
    const struct split *split;
    const struct dataset *test;        /* a data set of its own, classes already matched; NULL: split->test rows, if any */
    const int32_t *test_labels;        /* [test->rows], classes in dataset's numbering; NULL: test's own labels fit */
    const struct model *initial_model; /* NULL: none; weights and scaling to begin with; borrowed */
};

/* How many rows a job has; largest: the part (train, validation, test) that has most, each being scored at the end. */
struct train_sizes {
    uint64_t train, validation, largest;
};
struct train_sizes train_data_sizes(const struct train_data *data);

/* What a job costs, from the spec and the sizes alone; no allocation. */
struct train_plan {
    uint64_t parameters;
    uint64_t bytes; /* memory beside the data: parameters, optimizer state, activations, buffers, the final evaluation's */
    uint64_t flops_per_epoch; /* a solver's: of one gradient an iteration, a lower bound */
    uint64_t steps_per_epoch;
    uint64_t total_steps;       /* epochs * steps_per_epoch, cut by max_steps */
    double expected_first_loss; /* ln K */
    uint64_t step_flops;        /* of an average step; a solver's: of one gradient, which is what threads share */
    uint64_t most_step_flops;   /* the same, but of all passes that a solver's iteration can make: an upper bound */
};
/* STATUS_MODEL_TOO_LARGE where the sizes overflow or pass 2^34 bytes; STATUS_NOT_SUPPORTED where spec->precision is not,
 * here. */
MUST_CHECK enum status trainer_plan(struct train_plan *plan, const struct train_spec *spec, const struct train_sizes *rows,
                                    uint32_t max_threads, struct error *error);
/* Threads that this much work can use: 1 for small steps, at most `cores`. */
uint32_t trainer_useful_threads(const struct train_plan *plan, uint32_t cores);

struct train_progress {
    uint64_t step, total_steps, samples_seen;
    double epoch;
    double gradient_norm; /* as in the last point; of the whole training set where that ended training; NaN: none yet */
    int finished;
    enum stop_reason reason;
    /* best so far by stop.early_metric; best_step 0: nothing was evaluated yet */
    double best_value;
    uint64_t best_step;
    enum metric best_metric;
    double noise_scale; /* as in the last point that measured it; NaN: none has */
};

/* Where training diverged, when trainer_step returns STATUS_DIVERGED. */
struct train_divergence {
    uint64_t step;
    int32_t layer; /* the first with an output, or a new weight, that is not finite; -1: none (only the loss, or a norm) */
    double learning_rate;
    double gradient_norms[4]; /* of the last measured updates, oldest first; NaN: none */
    uint32_t rows[16];        /* rows of the data set in the batch (the first of them) */
    uint32_t row_count;
};

/*
 * Sets up a job: initial weights, memory, `threads` threads (1 ... 64, the caller's included; also the most that it can
 * be given later). Nothing is allocated after the first step. An initial model must be one of the spec's layers
 * (model_fits); it takes the place of spec->initializer and spec->preprocessing. Free with trainer_free.
 */
MUST_CHECK enum status trainer_new(struct trainer **trainer, const struct train_spec *spec, const struct train_data *data,
                                   uint32_t threads, struct error *error);
void trainer_free(struct trainer *trainer);

/*
 * One update (or, with nothing left to do, none). *logged tells whether *point was filled. At the end of an epoch the
 * validation split is evaluated first. STATUS_DIVERGED: the loss or a new weight is not finite; nothing of the state may
 * be used any more.
 */
MUST_CHECK enum status trainer_step(struct trainer *trainer, struct train_point *point, int *logged, struct error *error);
/* Ticks of all threads together in each phase of all steps so far: only their shares mean anything. */
void trainer_ticks(const struct trainer *trainer, uint64_t ticks[PHASE_COUNT]);
void trainer_progress(const struct trainer *trainer, struct train_progress *progress);
const struct train_divergence *trainer_divergence(const struct trainer *trainer);

/*
 * Goes on with `threads` threads from the next step, at most those that trainer_new was given; fewer if the system has
 * no more. Changes no bit of the result.
 */
void trainer_set_threads(struct trainer *trainer, uint32_t threads);

/*
 * Ends training at this step, as if it had been planned as the last one: what validation rows there are are evaluated,
 * unless this step was. Nothing more happens where training has ended already.
 */
MUST_CHECK enum status trainer_stop_now(struct trainer *trainer, enum stop_reason reason, struct error *error);
/*
 * Makes the next update the last one, with all that belongs to a last one (its point, its evaluation): the same bits as
 * with that step as max_steps. For ends that a spec does not know beforehand.
 */
void trainer_stop_after_next(struct trainer *trainer, enum stop_reason reason);

/* What a range test that has ended has found. It has no model. */
void trainer_range_result(const struct trainer *trainer, struct range_result *result);

/*
 * The model of a finished job: the best one where early stopping (or the user's stop) asks for it, else the last. Fills
 * *model, which the caller releases. *step: the update it stands after.
 */
MUST_CHECK enum status trainer_model(struct trainer *trainer, struct model *model, uint64_t *step, struct error *error);
/*
 * The temperature of that model that costs least on the validation rows, which must be there (core/eval/temperature.h). The
 * model gets it, unless there is none (TEMPERATURE_UNDEFINED), and so do the scores to come. Call after trainer_model.
 */
void trainer_calibrate(struct trainer *trainer, struct model *model, struct temperature_fit *fit);
/*
 * Scores of that model on a part, a full pass. *present is 0 when the job has no such part. scores: caller releases.
 * *objective: loss + (l2 / 2) * sum of squared weights. Call after trainer_model. STATUS_DIVERGED: the loss of the
 * training rows is not finite; the model is not to be used.
 */
MUST_CHECK enum status trainer_evaluate(struct trainer *trainer, enum split_part part, struct scores *scores,
                                        double *objective, int *present, struct error *error);

#endif
