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

#define MODEL_MAX_LAYERS       64
#define MODEL_MAX_UNITS        65536
#define MODEL_MAX_VALUES       4194304 /* of one sample behind a layer: what dropout's masks can number and more */
#define MODEL_MAX_WINDOW       1024    /* a kernel's height or width, a stride, a padding */
#define LAYER_DEFAULT_SLOPE    0.01
#define LAYER_DEFAULT_MOMENTUM 0.1 /* of batch_norm, PyTorch's, as are */
#define LAYER_DEFAULT_EPSILON  1e-5
#define LAYER_LEAST_EPSILON    1e-12

enum layer_type {
#define LAYER(NAME, name, formula, help) LAYER_##NAME,
#include "core/nn/layer_types.def"
#undef LAYER
    LAYER_TYPE_COUNT
};

enum model_type { MODEL_SOFTMAX_REGRESSION, MODEL_MLP, MODEL_LAYERS, MODEL_CNN, MODEL_TYPE_COUNT };

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
    uint32_t units;      /* dense; conv2d: its filters */
    uint32_t kernel[2];  /* height, width: conv2d; of the pools their size */
    uint32_t stride[2];  /* conv2d, pools */
    uint32_t padding[2]; /* conv2d: rows of zeros above and below, columns left and right */
    double slope;        /* leaky_relu, in [0, 1), default LAYER_DEFAULT_SLOPE */
    double rate;         /* dropout, in [0, 1) */
    double momentum;     /* batch_norm, in (0, 1]: what a minibatch adds to the running statistics */
    double epsilon;      /* batch_norm, > 0 */
};

struct model_spec {
    enum model_type type;
    uint32_t inputs;                  /* features */
    uint32_t channels, height, width; /* of the features, where they are images; 0: they are not */
    uint32_t classes;                 /* units of the last dense layer */
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
/* What a convolutional network is made of, where it is not given layer by layer. */
struct cnn_spec {
    const uint32_t *filters; /* [filter_count] of the convolutions */
    uint32_t filter_count;
    uint32_t kernel[2];     /* of all of them, odd; the images keep their size */
    const uint32_t *hidden; /* [hidden_count] units of the dense layers before the last */
    uint32_t hidden_count;
    enum layer_type activation;
    double dropout;
    int batch_norm;
};
/*
 * The list of layers for a convolutional network on images of spec->channels, height, width (set by the caller, with
 * inputs and classes): per convolution conv2d, batch_norm where it is asked for, activation, max_pool2d of 2; flatten; per
 * hidden layer dense, activation and, if dropout > 0, dropout; then dense(classes).
 */
MUST_CHECK enum status model_spec_cnn(struct model_spec *spec, const struct cnn_spec *cnn, struct error *error);
/*
 * Checks a list of layers against inputs and classes: shapes that fit each other, at least one dense layer, the last of them
 * without an activation behind it and with `classes` units. Error pointers are relative to the model ("/layers/3/units").
 */
MUST_CHECK enum status model_spec_check(const struct model_spec *spec, struct error *error);

/* Whether statistics of a whole minibatch are needed. */
int model_spec_has_batch_norm(const struct model_spec *spec);

/* Values in the model's file, running statistics of batch_norm included. */
uint64_t model_spec_parameter_count(const struct model_spec *spec);
/*
 * A layer's values in canonical order (core/nn/model.h): first the weights, which l2 counts, then the other parameters, then
 * running statistics, which nothing trains. All 0: it has none.
 */
struct layer_parameters {
    uint64_t weights, others, statistics;
};
struct layer_parameters model_spec_layer_parameters(const struct model_spec *spec, uint32_t layer);
/*
 * Floating-point operations of one sample: in dense and convolutional layers forward 2 a weight and position, forward and
 * backward 4 in the first of them and 6 behind; in pools 1 for each value of each window, and as many backward. Activations,
 * dropout and batch_norm do a few a value, which what is in front of them outweighs: they are not counted.
 */
uint64_t model_spec_flops(const struct model_spec *spec, int with_backward);

#endif
