/*
 * Optimizers: from a gradient to a step. One definition of each rule (update_rules.inc) is compiled for float32
 * (training) and float64 (checks, landscapes).
 *
 * The weights that an update works on are the point at which the *next gradient is taken*: for Nesterov's momentum the
 * look-ahead phi = theta + c v (c = momentum: "lookahead"; c = 1: "lecture"). optimizer_served gives theta back, the
 * point that is evaluated, exported and reported (docs/mathematics.md, "Nesterov").
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
#define OPTIMIZER(NAME, name, slots, formula, source) OPTIMIZER_##NAME,
#define HYPER(NAME, field, value)
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER
    OPTIMIZER_COUNT
};

enum nesterov { NESTEROV_NONE, NESTEROV_LECTURE, NESTEROV_LOOKAHEAD };

struct optimizer_spec {
    enum optimizer_type type;
    double learning_rate;
    double weight_decay; /* coupled (g += weight_decay * w, after clipping), but in adamw */
    double momentum;
    enum nesterov nesterov;
    double rho, beta1, beta2, epsilon;
    double initial_accumulator, lr_decay;
    int centered, amsgrad;
    uint32_t history; /* lbfgs */
    double tolerance; /* lbfgs, newton_cg */
};

const char *optimizer_name(enum optimizer_type type);
const char *optimizer_formula(enum optimizer_type type);
const char *optimizer_source(enum optimizer_type type);
/* Whether it is no update rule but a solver (solver.h), for convex models on the full batch. */
int optimizer_is_convex_solver(enum optimizer_type type);

/*
 * Hyper-parameter `index` (0, 1, 2 ...) of an optimizer into *parameter; 0 past the last one. Offsets are those of struct
 * optimizer_spec.
 */
int optimizer_hyperparameter(enum optimizer_type type, size_t index, struct hyperparameter *parameter);

/* Fills in `type`'s defaults and 0 for what it does not have; learning_rate is left alone. */
void optimizer_defaults(struct optimizer_spec *spec, enum optimizer_type type);
/* State values per parameter that this spec really needs, 0 ... OPTIMIZER_MAX_SLOTS. */
uint32_t optimizer_slots(const struct optimizer_spec *spec);
/* How far ahead of theta the gradient is taken, in velocities: c above; 0 for every rule without look-ahead. */
double optimizer_look_ahead(const struct optimizer_spec *spec);
/* What a slot starts with (0 but for adagrad's accumulator). */
double optimizer_slot_start(const struct optimizer_spec *spec, uint32_t slot);

/* The scalars of one update, computed once a step in float64. t counts updates from 1. */
struct update_step {
    double learning_rate;  /* scheduled (and for adagrad decayed) */
    double bias1, bias2;   /* 1 - beta^t */
    double gradient_scale; /* multiplies the gradient first: clipping */
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
 * Pure: safe concurrently on disjoint ranges. Element i depends on element i only.
 */
void optimizer_update_f32(const struct optimizer_spec *spec, const struct update_step *step, double l2, size_t n,
                          float *weights, const float *gradient, float *slots, struct update_sums *sums);
void optimizer_update_f64(const struct optimizer_spec *spec, const struct update_step *step, double l2, size_t n,
                          double *weights, const double *gradient, double *slots, struct update_sums *sums);

/* The served point theta of `weights` (equal to it for every rule without look-ahead). out may be weights. */
void optimizer_served_f32(const struct optimizer_spec *spec, size_t n, const float *weights, const float *slots, float *out);
void optimizer_served_f64(const struct optimizer_spec *spec, size_t n, const double *weights, const double *slots,
                          double *out);

#endif
