/*
 * Is backpropagation the derivative of the loss? Compares the gradient of a float64 objective with central differences of
 * its value, coordinate by coordinate, and reports the largest relative error of each layer.
 *
 *     n_i = (L(theta + h e_i) - L(theta - h e_i)) / 2h        h = step * max(1, |theta_i|)
 *     error_i = |g_i - n_i| / max(|g_i| + |n_i|, GRADIENT_CHECK_FLOOR * max(1, |L|))
 *
 * The floor keeps the difference's own rounding (some 1e-16 |L| / h) from being taken for an error where a gradient is next
 * to 0. Coordinates within whose step an activation crosses its kink, where there is no derivative, are passed over.
 * Source: Goodfellow, Bengio, Courville 2016, 11.5; docs/mathematics.md, "Gradient check".
 */
#ifndef DESCENT_CORE_NN_GRADIENT_CHECK_H
#define DESCENT_CORE_NN_GRADIENT_CHECK_H

#include "core/nn/network_objective.h"

#define GRADIENT_CHECK_STEP      1e-5
#define GRADIENT_CHECK_TOLERANCE 1e-7
#define GRADIENT_CHECK_FLOOR     1e-3

struct gradient_check_layer {
    uint32_t layer; /* index in the model's list */
    enum layer_type type;
    uint64_t parameters;
    uint64_t checked, skipped; /* coordinates that were compared; that had a kink within their step */
    double max_relative_error; /* of those checked; 0: none was */
};

struct gradient_check_report {
    struct gradient_check_layer layers[MODEL_MAX_LAYERS]; /* [layer_count], those with parameters */
    uint32_t layer_count;
    uint64_t checked, skipped;
    double loss; /* at theta */
    double max_relative_error;
};

/* Work that a check of `count` coordinates of each layer is, on `rows` rows: floating-point operations, roughly. */
uint64_t gradient_check_flops(const struct model_spec *model, uint32_t rows, uint64_t count);

/*
 * Checks `count` coordinates of each layer (all where it has no more), spread evenly over the layer and drawn by `seed`.
 * theta [parameters] is used as work space and left as it was. STATUS_OUT_OF_MEMORY; STATUS_NON_FINITE_VALUE: the loss at
 * theta is not finite.
 */
MUST_CHECK enum status gradient_check(struct network_objective *objective, const struct model_spec *model, double *theta,
                                      uint64_t count, double step, uint64_t seed, struct gradient_check_report *report,
                                      struct error *error);
/* The same for a gradient [parameters] that comes from elsewhere. */
MUST_CHECK enum status gradient_check_of(struct network_objective *objective, const struct model_spec *model, double *theta,
                                         const double *gradient, uint64_t count, double step, uint64_t seed,
                                         struct gradient_check_report *report, struct error *error);

#endif
