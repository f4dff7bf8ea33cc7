#include "core/nn/model_spec.h"

#include <assert.h>
#include <stdio.h>

#include "core/data/dataset.h"
#include "core/nn/loss.h"

static_assert(DATASET_MAX_CLASSES <= LOSS_MAX_CLASSES, "every data set's classes fit the loss");

static const struct {
    const char *name, *formula, *help;
} layer_types[LAYER_TYPE_COUNT] = {
#define LAYER(NAME, name, formula, help) [LAYER_##NAME] = {#name, formula, help},
#include "core/nn/layer_types.def"
#undef LAYER
};

static const char *const model_types[MODEL_TYPE_COUNT] = {
    [MODEL_SOFTMAX_REGRESSION] = "softmax_regression",
    [MODEL_MLP] = "mlp",
    [MODEL_LAYERS] = "layers",
};

static const char *const initializers[INITIALIZER_COUNT] = {
    [INIT_ZEROS] = "zeros",
    [INIT_HE_NORMAL] = "he_normal",
    [INIT_HE_UNIFORM] = "he_uniform",
    [INIT_GLOROT_NORMAL] = "glorot_normal",
    [INIT_GLOROT_UNIFORM] = "glorot_uniform",
};

const char *layer_type_name(enum layer_type type)
{
    assert((unsigned)type < LAYER_TYPE_COUNT);
    return layer_types[type].name;
}

const char *layer_type_formula(enum layer_type type)
{
    assert((unsigned)type < LAYER_TYPE_COUNT);
    return layer_types[type].formula;
}

const char *layer_type_help(enum layer_type type)
{
    assert((unsigned)type < LAYER_TYPE_COUNT);
    return layer_types[type].help;
}

const char *model_type_name(enum model_type type)
{
    assert((unsigned)type < MODEL_TYPE_COUNT);
    return model_types[type];
}

const char *initializer_name(enum initializer initializer)
{
    assert((unsigned)initializer < INITIALIZER_COUNT);
    return initializers[initializer];
}

static enum status check_units(uint64_t units, const char *pointer, struct error *error)
{
    if (units < 1 || units > MODEL_MAX_UNITS) {
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer, "%llu units, 1 to %d are allowed",
                                 (unsigned long long)units, MODEL_MAX_UNITS);
    }
    return STATUS_OK;
}

/* `rate` is NaN-proof: what is not below 1 is refused. */
static enum status check_rate(double rate, const char *pointer, struct error *error)
{
    if (!(rate >= 0 && rate < 1)) {
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer,
                                 "dropout rate is %g, it must be at least 0 and below 1", rate);
    }
    return STATUS_OK;
}

enum status model_spec_perceptron(struct model_spec *spec, enum model_type type, uint32_t inputs, uint32_t classes,
                                  const uint32_t *hidden, uint32_t hidden_count, enum layer_type activation, double dropout,
                                  struct error *error)
{
    const uint32_t per_hidden = dropout > 0 ? 3 : 2, limit = (MODEL_MAX_LAYERS - 1) / per_hidden;
    enum status status = check_rate(dropout, "/dropout", error);
    uint32_t count = 0;

    if (status != STATUS_OK) {
        return status;
    }
    if (hidden_count > limit) {
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, "/hidden", "%u hidden layers, at most %u are allowed",
                                 hidden_count, limit);
    }
    *spec = (struct model_spec){.type = type, .inputs = inputs, .classes = classes};
    for (uint32_t i = 0; i < hidden_count; i++) {
        char pointer[32];

        snprintf(pointer, sizeof(pointer), "/hidden/%u", i);
        status = check_units(hidden[i], pointer, error);
        if (status != STATUS_OK) {
            return status;
        }
        spec->layers[count++] = (struct layer_spec){.type = LAYER_DENSE, .units = hidden[i]};
        spec->layers[count++] = (struct layer_spec){.type = activation, .slope = LAYER_DEFAULT_SLOPE};
        if (dropout > 0) {
            spec->layers[count++] = (struct layer_spec){.type = LAYER_DROPOUT, .rate = dropout};
        }
    }
    spec->layers[count++] = (struct layer_spec){.type = LAYER_DENSE, .units = classes};
    spec->layer_count = count;
    return STATUS_OK;
}

static enum status check_layer(const struct layer_spec *layer, uint32_t index, struct error *error)
{
    char pointer[48];

    switch (layer->type) {
    case LAYER_DENSE:
        snprintf(pointer, sizeof(pointer), "/layers/%u/units", index);
        return check_units(layer->units, pointer, error);
    case LAYER_DROPOUT:
        snprintf(pointer, sizeof(pointer), "/layers/%u/rate", index);
        return check_rate(layer->rate, pointer, error);
    case LAYER_LEAKY_RELU:
        if (!(layer->slope >= 0 && layer->slope < 1)) {
            snprintf(pointer, sizeof(pointer), "/layers/%u/slope", index);
            return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer, "slope is %g, it must be at least 0 and below 1",
                                     layer->slope);
        }
        return STATUS_OK;
    case LAYER_RELU:
    case LAYER_TANH:
    case LAYER_SIGMOID:
        return STATUS_OK;
    case LAYER_TYPE_COUNT:
        break;
    }
    snprintf(pointer, sizeof(pointer), "/layers/%u/type", index);
    return error_set_pointer(error, STATUS_UNKNOWN_VALUE, pointer, "%d is no type of layer", (int)layer->type);
}

enum status model_spec_check(const struct model_spec *spec, struct error *error)
{
    char pointer[48];

    if (spec->inputs < 1 || spec->inputs > DATASET_MAX_FEATURES) {
        return error_set(error, STATUS_OUT_OF_RANGE, "%u features, 1 to %d are allowed", spec->inputs, DATASET_MAX_FEATURES);
    }
    if (spec->classes < 2 || spec->classes > DATASET_MAX_CLASSES) {
        return error_set(error, STATUS_OUT_OF_RANGE, "%u classes, 2 to %d are allowed", spec->classes, DATASET_MAX_CLASSES);
    }
    if (spec->layer_count < 1 || spec->layer_count > MODEL_MAX_LAYERS) {
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, "/layers", "%u layers, 1 to %d are allowed", spec->layer_count,
                                 MODEL_MAX_LAYERS);
    }
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        enum status status = check_layer(&spec->layers[i], i, error);

        if (status != STATUS_OK) {
            return status;
        }
    }
    const uint32_t last = spec->layer_count - 1;
    if (spec->layers[last].type != LAYER_DENSE) {
        snprintf(pointer, sizeof(pointer), "/layers/%u/type", last);
        return error_set_pointer(error, STATUS_CONFLICTING_FIELDS, pointer,
                                 "the last layer is %s; it must be dense, the softmax after it belongs to the loss",
                                 layer_types[spec->layers[last].type].name);
    }
    if (spec->layers[last].units != spec->classes) {
        snprintf(pointer, sizeof(pointer), "/layers/%u/units", last);
        return error_set_pointer(error, STATUS_CONFLICTING_FIELDS, pointer, "the last layer has %u units for %u classes",
                                 spec->layers[last].units, spec->classes);
    }
    return STATUS_OK;
}

uint64_t model_spec_parameter_count(const struct model_spec *spec)
{
    uint64_t count = 0, inputs = spec->inputs;

    for (uint32_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].type == LAYER_DENSE) {
            count += (inputs + 1) * spec->layers[i].units;
            inputs = spec->layers[i].units;
        }
    }
    return count;
}

struct layer_parameters model_spec_layer_parameters(const struct model_spec *spec, uint32_t layer)
{
    uint64_t inputs = spec->inputs;

    if (spec->layers[layer].type != LAYER_DENSE) {
        return (struct layer_parameters){0, 0};
    }
    for (uint32_t i = 0; i < layer; i++) {
        inputs = spec->layers[i].type == LAYER_DENSE ? spec->layers[i].units : inputs;
    }
    return (struct layer_parameters){.weights = inputs * spec->layers[layer].units, .others = spec->layers[layer].units};
}

uint64_t model_spec_flops(const struct model_spec *spec, int with_backward)
{
    uint64_t count = 0, inputs = spec->inputs;
    int is_first = 1;

    for (uint32_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].type == LAYER_DENSE) {
            /* forward, gradient of the weights and, behind the first layer, of what came in: 2 each */
            count += (with_backward ? (is_first ? 4 : 6) : 2) * inputs * spec->layers[i].units;
            inputs = spec->layers[i].units;
            is_first = 0;
        }
    }
    return count;
}
