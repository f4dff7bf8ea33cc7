/*
 * A network at work: parameters, activations and gradients, laid out as network_plan.h says, in float32 (training,
 * predictions: network_f32) or float64 (checks: network_f64). Both come from one source, network.inc.
 *
 * A network has the memory of its plan and no more; nothing is allocated after network_…_new. It is driven by the thread
 * that made its pool; a call returns when all of the pool is done.
 */
#ifndef DESCENT_CORE_NN_NETWORK_H
#define DESCENT_CORE_NN_NETWORK_H

#include "core/base/pool.h"
#include "core/base/precision.h"
#include "core/data/scale.h"
#include "core/nn/network_plan.h"
#include "core/optim/muon.h"
#include "core/optim/optimizer.h"

enum network_use {
    NETWORK_INFER,      /* forward only; dropout is the identity */
    NETWORK_TRAIN,      /* gradients go straight into the update, block by block, and are never stored */
    NETWORK_ACCUMULATE, /* gradients of all parameters are stored: chunks, clipping, norms before the update */
};

/* Rows of a minibatch (or of one chunk of it). Everything borrowed. */
struct network_batch {
    const struct dataset *dataset;
    const struct scaler *scaler;
    const int32_t *labels; /* by row of the data set, in the network's numbering; NULL: soft labels of the data set */
    const uint32_t *rows;  /* [count] rows of the data set */
    uint32_t count;        /* at most plan.rows */
    uint64_t step;         /* keys the dropout masks, with the row's position in the whole minibatch */
    uint32_t position;     /* of rows[0] in the whole minibatch */
};

struct network_loss {
    double label_smoothing;
    const double *class_weights; /* [classes] or NULL */
    double scale;                /* 1 / normaliser of the whole minibatch: makes gradients of the mean */
};

/* What an update needs besides the gradient. */
struct network_update {
    const struct optimizer_spec *optimizer;
    struct update_step step;
    double l2;
    int measure; /* sum up the squares of gradient and move, too */
};

struct network_setup {
    const struct network_plan *plan; /* copied */
    enum network_use use;
    const struct optimizer_spec *optimizer; /* borrowed; NULL for NETWORK_INFER */
    uint64_t seed;                          /* of the dropout masks */
    int has_soft_labels;
    int gives_statistics; /* batch_norm takes its running statistics as constants, as NETWORK_INFER always does */
    /*
     * Of the products of dense layers that are not narrow, forward and backward; in float32 networks only. What those of
     * PRECISION_BF16 round are copies: everything that is kept is float32.
     */
    enum precision precision;
    struct pool *pool; /* borrowed */
};

/* Bytes that a float32 network of this setup (its pool is not looked at) takes on `threads` threads. */
uint64_t network_bytes(const struct network_setup *setup, uint32_t threads);
/* Operations of an update beyond the few for each parameter: 0 for element-wise rules. */
uint64_t network_update_flops(const struct network_setup *setup);

#define REAL    float
#define R(name) name##_f32
#include "core/nn/network_declarations.inc"
#undef REAL
#undef R

#define REAL    double
#define R(name) name##_f64
#include "core/nn/network_declarations.inc"
#undef REAL
#undef R

#endif
