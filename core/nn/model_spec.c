#include "core/nn/model_spec.h"

#include <assert.h>
#include <stdio.h>

#include "core/data/dataset.h"
#include "core/nn/layer_shape.h"
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
    [MODEL_CNN] = "cnn",
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

/* The next layer of a list that is being written; lists too long are counted, not written. */
static void put_layer(struct model_spec *spec, const struct layer_spec *layer)
{
    if (spec->layer_count < MODEL_MAX_LAYERS) {
        spec->layers[spec->layer_count] = *layer;
    }
    spec->layer_count++;
}

static enum status put_convolutions(struct model_spec *spec, const struct cnn_spec *cnn, struct error *error)
{
    uint32_t height = spec->height, width = spec->width;
    char pointer[32];

    for (uint32_t i = 0; i < cnn->filter_count; i++, height /= 2, width /= 2) {
        enum status status;

        snprintf(pointer, sizeof(pointer), "/filters/%u", i);
        status = check_units(cnn->filters[i], pointer, error);
        if (status != STATUS_OK) {
            return status;
        }
        if (height < 2 || width < 2) {
            return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer,
                                     "the images are %u x %u there, too small to be pooled by 2 once more", height, width);
        }
        put_layer(spec, &(struct layer_spec){.type = LAYER_CONV2D,
                                             .units = cnn->filters[i],
                                             .kernel = {cnn->kernel[0], cnn->kernel[1]},
                                             .stride = {1, 1},
                                             .padding = {(cnn->kernel[0] - 1) / 2, (cnn->kernel[1] - 1) / 2}});
        if (cnn->batch_norm) {
            put_layer(spec, &(struct layer_spec){.type = LAYER_BATCH_NORM,
                                                 .momentum = LAYER_DEFAULT_MOMENTUM,
                                                 .epsilon = LAYER_DEFAULT_EPSILON});
        }
        put_layer(spec, &(struct layer_spec){.type = cnn->activation, .slope = LAYER_DEFAULT_SLOPE});
        put_layer(spec, &(struct layer_spec){.type = LAYER_MAX_POOL2D, .kernel = {2, 2}, .stride = {2, 2}});
    }
    return STATUS_OK;
}

enum status model_spec_cnn(struct model_spec *spec, const struct cnn_spec *cnn, struct error *error)
{
    enum status status = check_rate(cnn->dropout, "/dropout", error);
    char pointer[32];

    spec->type = MODEL_CNN;
    spec->layer_count = 0;
    if (status == STATUS_OK && spec->channels == 0) {
        status = error_set_pointer(error, STATUS_CONFLICTING_FIELDS, "/type",
                                   "a cnn needs images, the rows are %u values each; give input_shape where they are images",
                                   spec->inputs);
    }
    for (int i = 0; status == STATUS_OK && i < 2; i++) {
        if (cnn->kernel[i] % 2 == 0) {
            status = error_set_pointer(error, STATUS_OUT_OF_RANGE, "/kernel",
                                       "%u is even; the images keep their size only by odd kernels", cnn->kernel[i]);
        }
    }
    if (status == STATUS_OK) {
        status = put_convolutions(spec, cnn, error);
    }
    put_layer(spec, &(struct layer_spec){.type = LAYER_FLATTEN});
    for (uint32_t i = 0; status == STATUS_OK && i < cnn->hidden_count; i++) {
        snprintf(pointer, sizeof(pointer), "/hidden/%u", i);
        status = check_units(cnn->hidden[i], pointer, error);
        put_layer(spec, &(struct layer_spec){.type = LAYER_DENSE, .units = cnn->hidden[i]});
        put_layer(spec, &(struct layer_spec){.type = cnn->activation, .slope = LAYER_DEFAULT_SLOPE});
        if (cnn->dropout > 0) {
            put_layer(spec, &(struct layer_spec){.type = LAYER_DROPOUT, .rate = cnn->dropout});
        }
    }
    put_layer(spec, &(struct layer_spec){.type = LAYER_DENSE, .units = spec->classes});
    if (status == STATUS_OK && spec->layer_count > MODEL_MAX_LAYERS) {
        status = error_set_pointer(error, STATUS_OUT_OF_RANGE, "/filters", "%u layers in all, at most %d are allowed",
                                   spec->layer_count, MODEL_MAX_LAYERS);
    }
    return status;
}

/* A pair that must be whole numbers from `least` on. */
static enum status check_pair(const uint32_t pair[2], uint32_t least, uint32_t index, const char *member,
                              struct error *error)
{
    char pointer[48];

    for (int i = 0; i < 2; i++) {
        if (pair[i] < least || pair[i] > MODEL_MAX_WINDOW) {
            snprintf(pointer, sizeof(pointer), "/layers/%u/%s", index, member);
            return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer, "%u, %u to %d are allowed", pair[i], least,
                                     MODEL_MAX_WINDOW);
        }
    }
    return STATUS_OK;
}

static enum status check_window(const struct layer_spec *layer, uint32_t index, struct error *error)
{
    const int is_conv = layer->type == LAYER_CONV2D;
    char pointer[48];
    enum status status = check_pair(layer->kernel, 1, index, is_conv ? "kernel" : "size", error);

    snprintf(pointer, sizeof(pointer), "/layers/%u/filters", index);
    if (status == STATUS_OK) {
        status = check_pair(layer->stride, 1, index, "stride", error);
    }
    if (status == STATUS_OK) {
        status = check_pair(layer->padding, 0, index, "padding", error);
    }
    return status == STATUS_OK && is_conv ? check_units(layer->units, pointer, error) : status;
}

/* Comparisons are NaN-proof. */
static enum status check_batch_norm(const struct layer_spec *layer, uint32_t index, struct error *error)
{
    char pointer[48];

    if (!(layer->momentum > 0 && layer->momentum <= 1)) {
        snprintf(pointer, sizeof(pointer), "/layers/%u/momentum", index);
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer, "momentum is %g, it must be above 0 and at most 1",
                                 layer->momentum);
    }
    if (!(layer->epsilon >= LAYER_LEAST_EPSILON && layer->epsilon <= 1)) {
        snprintf(pointer, sizeof(pointer), "/layers/%u/epsilon", index);
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, pointer, "epsilon is %g, it must be %g to 1", layer->epsilon,
                                 LAYER_LEAST_EPSILON);
    }
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
    case LAYER_CONV2D:
    case LAYER_MAX_POOL2D:
    case LAYER_AVG_POOL2D:
        return check_window(layer, index, error);
    case LAYER_BATCH_NORM:
        return check_batch_norm(layer, index, error);
    case LAYER_RELU:
    case LAYER_TANH:
    case LAYER_SIGMOID:
    case LAYER_FLATTEN:
        return STATUS_OK;
    case LAYER_TYPE_COUNT:
        break;
    }
    snprintf(pointer, sizeof(pointer), "/layers/%u/type", index);
    return error_set_pointer(error, STATUS_UNKNOWN_VALUE, pointer, "%d is no type of layer", (int)layer->type);
}

/* The features' own shape: none, or one of that many values. */
static enum status check_shape(const struct model_spec *spec, struct error *error)
{
    const int is_flat = spec->channels == 0 && spec->height == 0 && spec->width == 0;

    /* two steps: the product of two is at most inputs before the third comes in */
    if (is_flat || ((uint64_t)spec->channels * spec->height <= spec->inputs &&
                    (uint64_t)spec->channels * spec->height * spec->width == spec->inputs)) {
        return STATUS_OK;
    }
    return error_set_pointer(error, STATUS_FEATURE_COUNT_MISMATCH, "/input_shape",
                             "%u x %u x %u is not the shape of %u features", spec->channels, spec->height, spec->width,
                             spec->inputs);
}

enum status model_spec_check(const struct model_spec *spec, struct error *error)
{
    enum status status;
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
    status = check_shape(spec, error);
    struct layer_shape shape = layer_shape_of_inputs(spec);

    for (uint32_t i = 0; status == STATUS_OK && i < spec->layer_count; i++) {
        status = check_layer(&spec->layers[i], i, error);
        if (status == STATUS_OK) {
            status = layer_shape_step(&spec->layers[i], i, &shape, error);
        }
    }
    if (status != STATUS_OK) {
        return status;
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

int model_spec_has_batch_norm(const struct model_spec *spec)
{
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].type == LAYER_BATCH_NORM) {
            return 1;
        }
    }
    return 0;
}

uint64_t model_spec_parameter_count(const struct model_spec *spec)
{
    struct layer_shape shape = layer_shape_of_inputs(spec), shapes[MODEL_MAX_LAYERS];
    uint64_t count = 0;

    layer_shapes(spec, shapes);
    for (uint32_t i = 0; i < spec->layer_count; shape = shapes[i++]) {
        count += layer_parameters(&spec->layers[i], &shape);
    }
    return count;
}

struct layer_parameters model_spec_layer_parameters(const struct model_spec *spec, uint32_t layer)
{
    const struct layer_spec *of = &spec->layers[layer];
    struct layer_shape shapes[MODEL_MAX_LAYERS], input = layer_shape_of_inputs(spec);
    uint64_t weights = 0, all;

    layer_shapes(spec, shapes);
    input = layer > 0 ? shapes[layer - 1] : input;
    all = layer_parameters(of, &input);
    if (of->type == LAYER_BATCH_NORM) { /* scale and shift; running mean and variance */
        return (struct layer_parameters){.others = all / 2, .statistics = all / 2};
    }
    if (of->type == LAYER_DENSE || of->type == LAYER_CONV2D) {
        weights = layer_fan_in(of, &input) * of->units;
    }
    return (struct layer_parameters){.weights = weights, .others = all - weights};
}

uint64_t model_spec_flops(const struct model_spec *spec, int with_backward)
{
    struct layer_shape shape = layer_shape_of_inputs(spec), shapes[MODEL_MAX_LAYERS];
    uint64_t count = 0;
    int is_first = 1;

    layer_shapes(spec, shapes);
    for (uint32_t i = 0; i < spec->layer_count; shape = shapes[i++]) {
        const struct layer_spec *layer = &spec->layers[i];

        if (layer->type == LAYER_DENSE || layer->type == LAYER_CONV2D) {
            /* forward, gradient of the weights and, behind the first layer, of what came in: 2 each */
            count += (with_backward ? (is_first ? 4 : 6) : 2) * layer_fan_in(layer, &shape) * layer_shape_values(&shapes[i]);
            is_first = 0;
        } else if (layer->type == LAYER_MAX_POOL2D || layer->type == LAYER_AVG_POOL2D) {
            count +=
                (with_backward ? 2 : 1) * (uint64_t)layer->kernel[0] * layer->kernel[1] * layer_shape_values(&shapes[i]);
        }
    }
    return count;
}
