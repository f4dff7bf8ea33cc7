/*
 * What a job may measure of itself at the logged points, beside what costs nothing. Measuring reads the network and never
 * writes to it: the weights' bits are the same with and without. docs/mathematics.md, "Diagnostics", has the formulas.
 *
 * sharpness: the largest eigenvalue of the objective's Hessian at the served point, in float64, without dropout, by Lanczos'
 * form of the power iteration on Hessian-vector products: 8 to 50, to 1e-3 of it, from the same counter-based vector each
 * time. It is that of up to 4,096 training rows, spread evenly: as many as make 2e7 operations a gradient, at least 128.
 * Beside it 2 / learning_rate, which plain gradient descent must stay below.
 *
 * noise_scale: from the gradients g1, g2 of the minibatch's first and second half (of an odd number the last row is left
 * out; B: rows of both), before the update, at the gradient's point, without dropout:
 *
 *     gradient_square    |G|^2 = (|g1|^2 + |g2|^2) / 2 - |g1 - g2|^2 / 2
 *     gradient_variance  V = |g1 - g2|^2 / 4 = tr(S) / B
 *     noise_scale        mean of tr(S) over mean of |G|^2, moving means (0.95) over the logged points
 *
 * Source: McCandlish et al. 2018, "An empirical model of large-batch training", appendix A.1.
 *
 * update_ratio: |move| / |parameters| of each layer with parameters, of the served point, the parameters after the move.
 *
 * full_gradient_norm: of the objective over all training rows, at the served point, without dropout, at those points that
 * are ends of epochs or evaluations.
 */
#ifndef DESCENT_CORE_TRAIN_DIAGNOSTICS_H
#define DESCENT_CORE_TRAIN_DIAGNOSTICS_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/train/train_point.h"

enum diagnostic {
    DIAGNOSTIC_SHARPNESS,
    DIAGNOSTIC_NOISE_SCALE,
    DIAGNOSTIC_UPDATE_RATIO,
    DIAGNOSTIC_FULL_GRADIENT_NORM,
    DIAGNOSTIC_COUNT
};
#define DIAGNOSTIC_BIT(diagnostic) (1u << (diagnostic))

const char *diagnostic_name(enum diagnostic diagnostic); /* "sharpness" */
const char *diagnostic_help(enum diagnostic diagnostic);

struct train_spec;
struct trainer;
struct diagnostics;

/* Does the job need a network for gradients that are not an update's? */
int diagnostics_need_probe(const struct train_spec *spec);
/* Memory that the spec's diagnostics take, but for the probe's. STATUS_MODEL_TOO_LARGE */
MUST_CHECK enum status diagnostics_bytes(const struct train_spec *spec, uint64_t train_rows, uint32_t threads,
                                         uint64_t *bytes, struct error *error);

/* For a trainer that has its networks. *diagnostics NULL: nothing is to be measured. */
MUST_CHECK enum status diagnostics_new(struct diagnostics **diagnostics, const struct trainer *trainer, struct error *error);
void diagnostics_free(struct diagnostics *diagnostics);

/* The rest does nothing where trainer->diagnostics is NULL. At the begin of each step: what was measured is old. */
void diagnostics_begin_step(struct trainer *trainer);
/* Before and after an update that may be a point's, of minibatch rows [count]. */
void diagnostics_before_update(struct trainer *trainer, const uint32_t *rows, uint32_t count);
void diagnostics_after_update(struct trainer *trainer);
/* Fills in what was measured at the step's update, and measures the rest. epoch_ends_or_evaluates: see above. */
void diagnostics_fill_point(struct trainer *trainer, struct train_point *point, int epoch_ends_or_evaluates);

#endif
