/* The trainer's inside, for the files that make it up: trainer*.c, and checkpoint*.c, which save and restore it. */
#ifndef DESCENT_CORE_TRAIN_TRAINER_INTERNAL_H
#define DESCENT_CORE_TRAIN_TRAINER_INTERNAL_H

#include "core/train/diagnostics.h"
#include "core/train/evaluator.h"
#include "core/train/minibatches.h"
#include "core/train/train_plan.h"
#include "core/train/trainer.h"
#include "core/train/trainer_convex.h"

/* What the next steps depend on, besides the network's state and the best parameters. */
struct train_state {
#define COUNT(name, meaning)         uint64_t name;
#define VALUE(name, rule, meaning)   double name;
#define VALUES(name, count, meaning) double name[count];
#include "core/train/train_state.def"
#undef COUNT
#undef VALUE
#undef VALUES
};

struct trainer {
    struct train_spec spec;
    struct train_data data;
    struct train_plan plan;
    enum gradient_check gradient_check;
    enum network_use use;

    uint32_t max_threads;
    struct pool *pool;
    struct network_f32 *network;
    struct network_f32 *probe; /* for gradients that are no update's; NULL where nobody needs one (train_spec_has_probe) */
    struct convex_trainer *convex; /* what makes the steps; NULL: update rules do */
    struct evaluator *evaluator;
    struct minibatches minibatches;
    struct scaler scaler;
    int32_t *soft_winners;  /* [rows] most probable classes, where labels are soft; else NULL */
    const int32_t *labels;  /* by row of the data set: its labels, or soft_winners */
    float *parameters;      /* canonical: the initial ones, then those of the model */
    float *best_parameters; /* canonical, at state.best_step */
    double weight_square;   /* of the model */
    double temperature;     /* of the model; 0: none */
    double full_normaliser; /* what the sum of losses of all training rows is divided by */
    double full_norm;       /* trainer_full_gradient_norm of this step, where it is known */
    int full_norm_is_known;

    struct network_batch batches[2]; /* what is in the network's two buffers */
    int buffer;                      /* the one of the chunk that comes next */
    int prepared;                    /* that chunk is gathered */

    struct train_state state;
    uint64_t last_step;          /* plan.total_steps, or where training was cut */
    enum stop_reason cut_reason; /* why it was cut; STOP_NONE: it was not */
    int finished;
    enum stop_reason reason;
    int diverged; /* nothing of the state may be used any more */
    struct train_divergence divergence;

    /*
     * An end asks for an evaluation that a longer run does not have at that step. What the state was without it is kept,
     * and is what a checkpoint takes: going on from there is then what the longer run does, and an end there evaluates
     * again, to the same values.
     */
    struct train_state before_end; /* where ended_evaluated */
    int end_evaluated;
    struct diagnostics *diagnostics; /* NULL: nothing is measured beside what costs nothing */
};

/* A state before the first step: zeros, and nothing measured. */
struct train_state train_state_initial(void);

/* What the sum of losses of rows [count] is divided by, and their loss with that. */
double trainer_normaliser(const struct trainer *trainer, const uint32_t *rows, uint64_t count);
struct network_loss trainer_loss(const struct trainer *trainer, double weight);
/* The gradient of rows [count], at the probe's weights, without dropout, stays in the probe. */
void trainer_probe_gradient(struct trainer *trainer, const uint32_t *rows, uint64_t count, const struct network_loss *loss);
/*
 * Norm of the objective's gradient over the training rows, at the served point, without dropout: one pass a step, however
 * often it is asked for. There is a probe.
 */
double trainer_full_gradient_norm(struct trainer *trainer);

/* After a state was put in: ends training where that state is an end by a rule or by the spec. */
MUST_CHECK enum status trainer_settle(struct trainer *trainer, struct error *error);

/* A model of the trainer's, complete but for the values of its parameters and their digest. The caller releases it. */
MUST_CHECK enum status trainer_blank_model(const struct trainer *trainer, struct model *model, struct error *error);

#endif
