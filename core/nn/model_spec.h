/*
 * What a model is: its layers, from features to class logits, and how its parameters start.
 *
 * Every model type (softmax_regression, mlp, layers) is resolved into the same list of layers, so that everything
 * below this header knows one form only. The softmax itself belongs to the loss.
 */
#ifndef DESCENT_CORE_NN_MODEL_SPEC_H
#define DESCENT_CORE_NN_MODEL_SPEC_H

#include <stdint.h>

#include "core/base/status.h"

#define MODEL_MAX_LAYERS    64
#define MODEL_MAX_UNITS     65536
#define LAYER_DEFAULT_SLOPE 0.01

enum layer_type {
#define LAYER(NAME, name, formula, help) LAYER_##NAME,
#include "core/nn/layer_types.def"
#undef LAYER
    LAYER_TYPE_COUNT
};

enum model_type { MODEL_SOFTMAX_REGRESSION, MODEL_MLP, MODEL_LAYERS, MODEL_TYPE_COUNT };

enum initializer {
    INIT_ZEROS,
    INIT_HE_NORMAL,      /* N(0, 2 / fan_in) */
    INIT_HE_UNIFORM,     /* U(+-sqrt(6 / fan_in)) */
    INIT_GLOROT_NORMAL,  /* N(0, 2 / (fan_in + fan_out)) */
    INIT_GLOROT_UNIFORM, /* U(+-sqrt(6 / (fan_in + fan_out))) */
    INITIALIZER_COUNT
};

struct layer_spec {
    enum layer_type type;
    uint32_t units; /* dense */
    double slope;   /* leaky_relu, in [0, 1), default LAYER_DEFAULT_SLOPE */
    double rate;    /* dropout, in [0, 1) */
};

struct model_spec {
    enum model_type type;
    uint32_t inputs;  /* features */
    uint32_t classes; /* units of the last dense layer */
    uint32_t layer_count;
    struct layer_spec layers[MODEL_MAX_LAYERS];
};

const char *layer_type_name(enum layer_type type);
const char *layer_type_formula(enum layer_type type);
const char *layer_type_help(enum layer_type type);
const char *model_type_name(enum model_type type);
const char *initializer_name(enum initializer initializer);

/*
 * The list of layers for softmax regression (hidden_count 0), or for a multi-layer perceptron:
 * per hidden layer dense, activation and, if dropout > 0, dropout; then dense(classes).
 */
MUST_CHECK enum status model_spec_perceptron(struct model_spec *spec, enum model_type type, uint32_t inputs,
                                             uint32_t classes, const uint32_t *hidden, uint32_t hidden_count,
                                             enum layer_type activation, double dropout, struct error *error);
/*
 * Checks a list of layers against inputs and classes: at least one dense layer, the last of them without an activation
 * behind it and with `classes` units. Error pointers are relative to the model ("/layers/3/units").
 */
MUST_CHECK enum status model_spec_check(const struct model_spec *spec, struct error *error);

uint64_t model_spec_parameter_count(const struct model_spec *spec);
/* A layer's parameters, in canonical order (core/nn/model.h): first the weights, which l2 counts, then the others. */
struct layer_parameters {
    uint64_t weights, others; /* both 0: it has none */
};
struct layer_parameters model_spec_layer_parameters(const struct model_spec *spec, uint32_t layer);
/* Floating-point operations of one sample: forward (2 a weight), or forward and backward (4 in the first dense layer, 6
 * behind). */
uint64_t model_spec_flops(const struct model_spec *spec, int with_backward);

#endif
