/*
 * The objective of some rows in float64: its value, its gradient, the product of its Hessian with a vector. It is the
 * network of training, from the same source (network.inc), for whatever wants more digits than float32 has: gradient checks
 * and sharpness.
 *
 *     L(theta) = (sum of the rows' losses) / normaliser + (l2 / 2) * sum of squared weights
 *
 * Parameters are in canonical order (core/nn/model.h). Same bits for every number of threads.
 */
#ifndef DESCENT_CORE_NN_NETWORK_OBJECTIVE_H
#define DESCENT_CORE_NN_NETWORK_OBJECTIVE_H

#include "core/nn/network.h"

struct network_objective;

/* What it is about. Borrowed for the objective's life, but for `model` and `loss`. */
struct network_objective_setup {
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

/* Memory for its numbers, and the rows, gathered once. Free with network_objective_free. */
MUST_CHECK enum status network_objective_new(struct network_objective **objective,
                                             const struct network_objective_setup *setup, struct error *error);
void network_objective_free(struct network_objective *objective);
/* Bytes that one of `count` rows takes, on `threads` threads. STATUS_MODEL_TOO_LARGE as network_plan_make. */
MUST_CHECK enum status network_objective_bytes(const struct model_spec *model, uint32_t count, uint32_t threads,
                                               uint64_t *bytes, struct error *error);

/* L at theta [parameters]. */
double network_objective_value(struct network_objective *objective, const double *theta);
/* The same, and its gradient to gradient [parameters], by backpropagation. */
double network_objective_gradient(struct network_objective *objective, const double *theta, double *gradient);
/* Which side of their kinks the activations of the last evaluation stand on (network_kinks). */
uint64_t network_objective_kinks(const struct network_objective *objective);

/*
 * product [parameters] = H(theta) v, as the central difference of gradients
 *
 *     H v = (grad L(theta + e v) - grad L(theta - e v)) / 2e,    e = 1e-7 max(1, |theta|) / |v|
 *
 * whose rounding is some 1e-9 of the result; e is small, so that hardly an activation crosses its kink. |theta| is that of
 * the trained parameters: running statistics are constants, and v is 0 there, but not everywhere. work [2 * parameters] is
 * overwritten.
 */
void network_objective_hessian_vector(struct network_objective *objective, const double *theta, const double *v,
                                      double *product, double *work);

#endif
