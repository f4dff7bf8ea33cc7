/*
 * The objective of some rows in float64: its value, its gradient, the product of its Hessian with a vector. It is the
 * network of training, from the same source (network.inc), for whatever wants more digits than float32 has: gradient checks
 * and sharpness.
 *
 *     L(theta) = (sum of the rows' losses) / normaliser + (l2 / 2) * sum of squared weights
 *
 * Parameters are in canonical order (core/nn/model.h). Same bits for every number of threads.
 */
#ifndef DESCENT_CORE_NN_OBJECTIVE_H
#define DESCENT_CORE_NN_OBJECTIVE_H

#include "core/nn/network.h"

struct objective;

/* What it is about. Borrowed for the objective's life, but for `model` and `loss`. */
struct objective_setup {
    const struct model_spec *model;
    const struct dataset *dataset;
    const struct scaler *scaler;
    const int32_t *labels; /* by row of the data set; NULL: its soft labels */
    const uint32_t *rows;  /* [count] */
    uint32_t count;        /* 1 ... NETWORK_CHUNK_ROWS */
    struct network_loss loss;
    double l2;
    uint64_t seed;        /* of the dropout masks, which are those of step 0 and never change */
    int with_dropout;     /* 0: dropout is the identity */
    int gives_statistics; /* batch_norm takes its running statistics, which are constants, not the rows' */
    struct pool *pool;    /* a network works for the thread that made its pool */
};

/* Memory for its numbers, and the rows, gathered once. Free with objective_free. */
MUST_CHECK enum status objective_new(struct objective **objective, const struct objective_setup *setup, struct error *error);
void objective_free(struct objective *objective);
/* Bytes that one of `count` rows takes, on `threads` threads. STATUS_MODEL_TOO_LARGE as network_plan_make. */
MUST_CHECK enum status objective_bytes(const struct model_spec *model, uint32_t count, uint32_t threads, uint64_t *bytes,
                                       struct error *error);

/* L at theta [parameters]. */
double objective_value(struct objective *objective, const double *theta);
/* The same, and its gradient to gradient [parameters], by backpropagation. */
double objective_gradient(struct objective *objective, const double *theta, double *gradient);
/* Which side of their kinks the activations of the last evaluation stand on (network_kinks). */
uint64_t objective_kinks(const struct objective *objective);

/*
 * product [parameters] = H(theta) v, as the central difference of gradients
 *
 *     H v = (grad L(theta + e v) - grad L(theta - e v)) / 2e,    e = 1e-7 max(1, |theta|) / |v|
 *
 * whose rounding is some 1e-9 of the result; e is small, so that hardly an activation crosses its kink. work [2 *
 * parameters] is overwritten. v is not 0.
 */
void objective_hessian_vector(struct objective *objective, const double *theta, const double *v, double *product,
                              double *work);

#endif
