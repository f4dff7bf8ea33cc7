/*
 * Optimizers: from a gradient to a step. One definition of each rule (update_rules.inc) is compiled for float32
 * (training) and float64 (checks, landscapes).
 *
 * The weights that an update works on are the point at which the *next gradient is taken*. It may lie ahead of the point
 * theta that is evaluated, exported and reported, always by a multiple c of the first slot: weights = theta + c * slot.
 *   Nesterov's momentum    slot: the velocity v;  c = momentum ("lookahead") or 1 ("lecture")
 *   schedule-free          slot: d = z - y;       c = 1 / beta - 1, since the gradient's point is y = (1 - beta) z + beta x
 *                          and x is served. That d is kept, not z, makes 0 its start and keeps its digits in float32.
 * optimizer_served gives theta back (docs/mathematics.md, "Nesterov", "Schedule-free").
 *
 * All scalars of an update follow from its number t in closed form: there is no state besides the slots.
 */
#ifndef DESCENT_CORE_OPTIM_OPTIMIZER_H
#define DESCENT_CORE_OPTIM_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/optim/hyperparameter.h"

#define OPTIMIZER_MAX_SLOTS   3
#define OPTIMIZER_MAX_HISTORY 100

enum optimizer_type {
#define OPTIMIZER(NAME, name, slots, traits, formula, source) OPTIMIZER_##NAME,
#define HYPER(NAME, field, value)
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER
    OPTIMIZER_COUNT
};

enum optimizer_trait {
    OPTIMIZER_ELEMENT_WISE = 1,    /* an update's element i depends on element i only: works on parameters of any kind */
    OPTIMIZER_DECOUPLED_DECAY = 2, /* weight_decay stands in the rule's formula; else it is added to the gradient */
    OPTIMIZER_OWN_SCHEDULE = 4,    /* has its own warm-up and assumes a constant learning rate else */
    OPTIMIZER_HIDDEN_LAYERS = 8,   /* treats hidden dense layers in its own way: is of no use without one */
    OPTIMIZER_CONVEX_SOLVER = 16,  /* no update rule but a solver (solver.h), for convex models on the full batch */
};

enum nesterov { NESTEROV_NONE, NESTEROV_LECTURE, NESTEROV_LOOKAHEAD };

struct optimizer_spec {
    enum optimizer_type type;
    double learning_rate;
    double weight_decay; /* coupled (g += weight_decay * w, after clipping) but for OPTIMIZER_DECOUPLED_DECAY */
    double momentum;
    enum nesterov nesterov;
    double rho, beta1, beta2, epsilon;
    double initial_accumulator, lr_decay;
    int centered, amsgrad;
    double momentum_decay;
    double beta;           /* schedule_free_sgd */
    uint64_t warmup_steps; /* of the schedule-free rules */
    int muon_nesterov;     /* "nesterov" in requests */
    uint32_t ns_steps;
    double adamw_learning_rate; /* muon's, for what is no hidden layer's weight */
    uint32_t history;           /* lbfgs */
    double tolerance;           /* lbfgs, newton_cg */
};

const char *optimizer_name(enum optimizer_type type);
const char *optimizer_formula(enum optimizer_type type);
const char *optimizer_source(enum optimizer_type type);
int optimizer_has(enum optimizer_type type, enum optimizer_trait trait);

/*
 * Hyper-parameter `index` (0, 1, 2 ...) of an optimizer into *parameter; 0 past the last one. Offsets are those of struct
 * optimizer_spec.
 */
int optimizer_hyperparameter(enum optimizer_type type, size_t index, struct hyperparameter *parameter);

/* Fills in `type`'s defaults and 0 for what it does not have; learning_rate is left alone. */
void optimizer_defaults(struct optimizer_spec *spec, enum optimizer_type type);
/* State values per parameter that this spec really needs, 0 ... OPTIMIZER_MAX_SLOTS. */
uint32_t optimizer_slots(const struct optimizer_spec *spec);
/* How far ahead of the served point the gradient is taken, in first slots: c above. 0: the two are the same. */
double optimizer_look_ahead(const struct optimizer_spec *spec);
/* What a slot starts with (0 but for adagrad's accumulator). */
double optimizer_slot_start(const struct optimizer_spec *spec, uint32_t slot);

/* The scalars of one update, computed once a step in float64. t counts updates from 1. */
struct update_step {
    double learning_rate;       /* scheduled (for adagrad decayed, for schedule-free warmed up) */
    double bias1, bias2;        /* 1 - beta^t */
    double gradient_scale;      /* multiplies the gradient first: clipping */
    double share_g, share_m;    /* nadam: of gradient and momentum in the step */
    double rectifier;           /* radam: 0 while the second moment is not to be used */
    double average;             /* schedule-free: c_t, what the newest z has in the mean x */
    double adamw_learning_rate; /* muon: scheduled like learning_rate */
};
void optimizer_step(const struct optimizer_spec *spec, double scheduled_learning_rate, uint64_t t, double gradient_scale,
                    struct update_step *step);

/*
 * What an update tells of itself. nonfinite is always set: some new weight or state value is NaN or infinite. The squares of
 * the gradient (after l2, before clipping and weight decay) and of the move of the served point are summed up, in index
 * order, only where the caller set `measure`; measuring never changes the weights' bits.
 */
struct update_sums {
    int measure;
    int nonfinite;
    double gradient_square, move_square;
};

/*
 * One update of n parameters.
 *   weights [n]  the gradient's point, updated in place
 *   gradient [n] of the loss; l2 * weights is added here (0 for biases)
 *   slots        optimizer_slots() arrays of n, contiguous: slots[s * n + i]
 *   sums         not NULL; measure is read, the rest is set
 * Pure: safe concurrently on disjoint ranges. Element i depends on element i only. Of muon this is the part that is
 * element-wise, adamw; muon.h has the other one.
 */
void optimizer_update_f32(const struct optimizer_spec *spec, const struct update_step *step, double l2, size_t n,
                          float *weights, const float *gradient, float *slots, struct update_sums *sums);
void optimizer_update_f64(const struct optimizer_spec *spec, const struct update_step *step, double l2, size_t n,
                          double *weights, const double *gradient, double *slots, struct update_sums *sums);

/* The served point of `weights`, which is those themselves unless optimizer_look_ahead. out may be weights. */
void optimizer_served_f32(const struct optimizer_spec *spec, size_t n, const float *weights, const float *slots, float *out);
void optimizer_served_f64(const struct optimizer_spec *spec, size_t n, const double *weights, const double *slots,
                          double *out);

#endif
