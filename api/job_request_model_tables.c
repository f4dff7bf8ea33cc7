/* The forms of a job's model, and of the layers that it may be given by. */
#include <assert.h>
#include <math.h>

#include "api/job_request.h"
#include "api/job_request_tables.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define AT(member)      .offset = offsetof(struct job_request, member)

/* The activations of an mlp are the layer types in between. */
static const enum layer_type ACTIVATIONS[] = {LAYER_RELU, LAYER_LEAKY_RELU, LAYER_TANH, LAYER_SIGMOID};

static const char *const PADDINGS[] = {[PADDING_VALID] = "valid", [PADDING_SAME] = "same"};

static const char *activation_choice(unsigned index)
{
    return layer_type_name(ACTIVATIONS[index]);
}

static_assert(LAYER_LEAKY_RELU == LAYER_RELU + 1 && LAYER_TANH == LAYER_RELU + 2 && LAYER_SIGMOID == LAYER_RELU + 3,
              "an activation is stored as its index and LAYER_RELU");

static const struct field MLP[] = {
    {.name = "hidden", .kind = FIELD_OTHER, .required = 1, .json_type = "array", .help = "units of each hidden layer"},
    {.name = "activation",
     .kind = FIELD_CHOICE,
     AT(activation),
     .choice = activation_choice,
     .choice_count = COUNT_OF(ACTIVATIONS),
     .help = "behind each hidden layer"},
    {.name = "dropout",
     .kind = FIELD_NUMBER,
     AT(dropout),
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "probability with which training zeroes a hidden value"},
};

#define INPUT_SHAPE                                                                                                         \
    {                                                                                                                       \
        .name = "input_shape", .kind = FIELD_OTHER, .json_type = "array",                                                   \
        .help = "[channels, height, width] of a table's rows that are images; image data sets have their own"               \
    }

static const struct field LAYERS[] = {
    {.name = "layers", .kind = FIELD_OTHER, .required = 1, .json_type = "array", .help = "from the features to the logits"},
    INPUT_SHAPE,
};

static const struct field CNN[] = {
    {.name = "filters",
     .kind = FIELD_OTHER,
     .json_type = "array",
     .help = "of each convolution, behind which the image is halved by max_pool2d; [32, 64]"},
    {.name = "kernel",
     .kind = FIELD_PAIR,
     AT(kernel),
     .default_value = 3,
     .minimum = 1,
     .maximum = MODEL_MAX_WINDOW,
     .help = "height and width of the filters, odd; images keep their size"},
    {.name = "hidden", .kind = FIELD_OTHER, .json_type = "array", .help = "units of each dense hidden layer; [128]"},
    {.name = "activation",
     .kind = FIELD_CHOICE,
     AT(activation),
     .choice = activation_choice,
     .choice_count = COUNT_OF(ACTIVATIONS),
     .help = "behind each convolution and hidden layer"},
    {.name = "dropout",
     .kind = FIELD_NUMBER,
     AT(dropout),
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "probability with which training zeroes a value of a dense hidden layer"},
    {.name = "batch_norm", .kind = FIELD_FLAG, AT(batch_norm), .help = "between each convolution and its activation"},
    INPUT_SHAPE,
};

#define LAYER_AT(member) .offset = offsetof(struct layer_spec, member)

static const struct field CONV2D[] = {
    {.name = "filters",
     .kind = FIELD_COUNT32,
     .required = 1,
     LAYER_AT(units),
     .default_value = NAN,
     .minimum = 1,
     .maximum = MODEL_MAX_UNITS,
     .help = "channels of the output"},
    {.name = "kernel",
     .kind = FIELD_PAIR,
     LAYER_AT(kernel),
     .default_value = 3,
     .minimum = 1,
     .maximum = MODEL_MAX_WINDOW,
     .help = "height and width of a filter"},
    {.name = "stride",
     .kind = FIELD_PAIR,
     LAYER_AT(stride),
     .default_value = 1,
     .minimum = 1,
     .maximum = MODEL_MAX_WINDOW,
     .help = "steps of a filter, down and across"},
    {.name = "padding",
     .kind = FIELD_PAIR,
     LAYER_AT(padding),
     .maximum = MODEL_MAX_WINDOW,
     .choices = PADDINGS,
     .choice_count = COUNT_OF(PADDINGS),
     .help = "zeros above and below, left and right; valid: 0; same: (kernel - 1) / 2, for odd kernels"},
};

static const struct field POOL2D[] = {
    {.name = "size",
     .kind = FIELD_PAIR,
     LAYER_AT(kernel),
     .default_value = 2,
     .minimum = 1,
     .maximum = MODEL_MAX_WINDOW,
     .help = "height and width of a window"},
    {.name = "stride",
     .kind = FIELD_PAIR,
     LAYER_AT(stride),
     .default_value = NAN,
     .minimum = 1,
     .maximum = MODEL_MAX_WINDOW,
     .help = "from window to window, down and across; without it the size"},
};

static const struct field BATCH_NORM[] = {
    {.name = "momentum",
     .kind = FIELD_NUMBER,
     LAYER_AT(momentum),
     .default_value = LAYER_DEFAULT_MOMENTUM,
     .minimum_excluded = 1,
     .maximum = 1,
     .help = "what a minibatch adds to the running statistics: running = (1 - momentum) running + momentum batch"},
    {.name = "epsilon",
     .kind = FIELD_NUMBER,
     LAYER_AT(epsilon),
     .default_value = LAYER_DEFAULT_EPSILON,
     .minimum = LAYER_LEAST_EPSILON,
     .maximum = 1,
     .help = "added to the variance"},
};

static const struct field DENSE[] = {
    {.name = "units",
     .kind = FIELD_COUNT32,
     .offset = offsetof(struct layer_spec, units),
     .default_value = NAN,
     .minimum = 1,
     .maximum = MODEL_MAX_UNITS,
     .help = "outputs; of the last layer the classes, and need not be given"},
};

static const struct field LEAKY_RELU[] = {
    {.name = "slope",
     .kind = FIELD_NUMBER,
     .offset = offsetof(struct layer_spec, slope),
     .default_value = LAYER_DEFAULT_SLOPE,
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "factor of values below 0"},
};

static const struct field DROPOUT[] = {
    {.name = "rate",
     .kind = FIELD_NUMBER,
     .required = 1,
     .offset = offsetof(struct layer_spec, rate),
     .default_value = NAN,
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "probability with which training zeroes a value"},
};

struct form {
    const char *variant, *help;
    const struct field *fields;
    size_t count;
};
#define FIELDS(array) .fields = (array), .count = COUNT_OF(array)

static const struct form MODELS[MODEL_FORM_COUNT] = {
    [MODEL_FORM_SOFTMAX] = {"softmax_regression", "one dense layer; convex", NULL, 0},
    [MODEL_FORM_LOGISTIC] = {"logistic_regression", "softmax regression for exactly 2 classes", NULL, 0},
    [MODEL_FORM_MLP] = {"mlp", "dense hidden layers, each with an activation", FIELDS(MLP)},
    [MODEL_FORM_LAYERS] = {"layers", "any list of layers that ends in a dense one", FIELDS(LAYERS)},
    [MODEL_FORM_CNN] = {"cnn", "convolutions, each with an activation and a pool; then as mlp", FIELDS(CNN)},
};

/* Layers that have fields. */
static const struct form LAYER_FORMS[LAYER_TYPE_COUNT] = {
    [LAYER_DENSE] = {FIELDS(DENSE)},           [LAYER_LEAKY_RELU] = {FIELDS(LEAKY_RELU)},
    [LAYER_DROPOUT] = {FIELDS(DROPOUT)},       [LAYER_CONV2D] = {FIELDS(CONV2D)},
    [LAYER_MAX_POOL2D] = {FIELDS(POOL2D)},     [LAYER_AVG_POOL2D] = {FIELDS(POOL2D)},
    [LAYER_BATCH_NORM] = {FIELDS(BATCH_NORM)},
};

void job_model_table(enum model_form form, struct field_table *table)
{
    table->variant = MODELS[form].variant;
    table->help = MODELS[form].help;
    field_table_append(table, MODELS[form].fields, MODELS[form].count);
}

void job_layer_table(enum layer_type type, struct field_table *table)
{
    table->variant = layer_type_name(type);
    table->help = layer_type_formula(type);
    field_table_append(table, LAYER_FORMS[type].fields, LAYER_FORMS[type].count);
}
