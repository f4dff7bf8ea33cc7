/*
 * A training job as the core sees it: everything that its weights depend on, resolved (no "auto", no default left open).
 * What the weights do not depend on (names, threads, priorities) is not here.
 */
#ifndef DESCENT_CORE_TRAIN_TRAIN_SPEC_H
#define DESCENT_CORE_TRAIN_TRAIN_SPEC_H

#include <stdint.h>

#include "core/base/precision.h"
#include "core/data/sampler.h"
#include "core/data/scale.h"
#include "core/nn/model_spec.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"
#include "core/train/range_test.h"

enum class_weighting { CLASS_WEIGHTS_NONE, CLASS_WEIGHTS_BALANCED, CLASS_WEIGHTS_LIST };
/* Mean of weighted losses: divided by the sum of the samples' weights (PyTorch) or by their number (Keras). */
enum loss_reduction { REDUCTION_WEIGHTED_MEAN, REDUCTION_MEAN };

struct loss_spec {
    double label_smoothing; /* in [0, 1): targets (1 - s) u + s / K (PyTorch, Keras) */
    double l2;              /* adds (l2 / 2) * sum of squared weights, biases excluded */
    enum class_weighting weighting;
    enum loss_reduction reduction;
    double *class_weights; /* [classes] for LIST (and BALANCED once resolved); borrowed */
};

enum metric { METRIC_VALIDATION_LOSS, METRIC_VALIDATION_ACCURACY, METRIC_TRAIN_LOSS, METRIC_TRAIN_ACCURACY, METRIC_COUNT };
const char *metric_name(enum metric metric);

struct stop_spec {
    double gradient_norm; /* 0: off */
    uint64_t max_steps;   /* 0: off */
    double max_seconds;   /* 0: off; the one stop that is not exact: the job records its step as max_steps */
    int early;            /* early stopping, and the best model is kept */
    enum metric early_metric;
    uint32_t patience; /* evaluations without an improvement of more than min_delta */
    double min_delta;
};

enum stop_reason {
    STOP_NONE,
    STOP_EPOCHS,
    STOP_GRADIENT_NORM,
    STOP_MAX_STEPS,
    STOP_MAX_SECONDS,
    STOP_EARLY,
    STOP_USER,
    STOP_RANGE_TEST,
    STOP_CONVERGED, /* a solver sees no further progress that float64 could tell */
    STOP_REASON_COUNT
};
const char *stop_reason_name(enum stop_reason reason); /* "epochs", "gradient_norm", ... */

/* What is done with the minibatches: training, or a sweep of the learning rate (range_test.h) that leaves no model. */
enum train_kind { TRAIN_ORDINARY, TRAIN_LR_RANGE_TEST, TRAIN_KIND_COUNT };
const char *train_kind_name(enum train_kind kind); /* "train", "lr_range_test" */

#define TRAIN_EPOCH_POINTS 2000 /* ends of epochs that are logged, at most */

struct train_spec {
    enum train_kind kind;
    struct range_spec range;  /* of a range test, which takes its learning rates from there and has neither stops nor
                                 evaluations */
    unsigned diagnostics;     /* DIAGNOSTIC_BIT(...) | ... (diagnostics.h) */
    enum precision precision; /* of the updates' gradients; evaluations and what is measured besides are float32 */
    struct model_spec model;
    enum initializer initializer;
    enum preprocessing preprocessing; /* resolved: never auto */
    struct loss_spec loss;
    struct optimizer_spec optimizer;
    struct schedule_spec schedule;
    struct stop_spec stop;
    double clip_norm; /* 0: off */
    uint32_t epochs;
    uint64_t batch_size; /* resolved: rows; never 0 */
    enum shuffle shuffle;
    uint64_t seed;
    uint64_t log_every_steps;  /* resolved: never 0; ends of epochs and evaluations are logged besides */
    uint64_t eval_every_steps; /* 0: at epochs' ends */
};

/* Rows of the curves that `steps` updates make (trainer.h, struct train_point). */
uint64_t train_spec_points(const struct train_spec *spec, uint64_t steps_per_epoch, uint64_t steps);

#endif
