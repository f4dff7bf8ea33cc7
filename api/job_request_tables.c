#include "job_request_tables.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/job_request.h"

#define LARGEST         1e30 /* what float32 training can still multiply */
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const char *calibration_method_name(enum calibration_method method)
{
    static const char *const names[] = {[CALIBRATION_NONE] = "none", [CALIBRATION_TEMPERATURE] = "temperature"};

    return names[method];
}

/* Names of enums, as a table asks for them. */
#define CHOICE(function, type)                                                                                              \
    static const char *function##_choice(unsigned index)                                                                    \
    {                                                                                                                       \
        return function((enum type)index);                                                                                  \
    }
CHOICE(calibration_method_name, calibration_method)
CHOICE(initializer_name, initializer)
CHOICE(preprocessing_name, preprocessing)
CHOICE(shuffle_name, shuffle)
CHOICE(metric_name, metric)
CHOICE(generator_name, generator)
CHOICE(train_kind_name, train_kind)
CHOICE(precision_name, precision)

#define AT(member) .offset = offsetof(struct job_request, member)

static const struct field JOB[] = {
    {.name = "name", .kind = FIELD_NAME, AT(name), .default_value = NAN, .help = "for people; need not be unique"},
    {.name = "dataset",
     .kind = FIELD_OTHER,
     .required = 1,
     .json_type = "string or object",
     .help = "a data set's id, rows sent along {\"x\", \"y\"}, or a generator"},
    {.name = "split", .kind = FIELD_OTHER, .json_type = "object", .help = "rows that are kept from training"},
    {.name = "test", .kind = FIELD_OTHER, .json_type = "object", .help = "a test set of its own; classes match by name"},
    {.name = "model", .kind = FIELD_OTHER, .required = 1, .json_type = "object", .help = "what is trained"},
    {.name = "init",
     .kind = FIELD_OTHER,
     AT(train.initializer),
     .choice = initializer_name_choice,
     .choice_count = INITIALIZER_COUNT,
     .json_type = "string or object",
     .help = "how weights start: an initialiser's name, or a model; without it zeros for models without hidden layers, "
             "he_normal before relu and leaky_relu, glorot_uniform else"},
    {.name = "preprocessing",
     .kind = FIELD_CHOICE,
     AT(train.preprocessing),
     .default_value = NAN,
     .word = "auto",
     .word_flag = offsetof(struct job_request, preprocessing_auto),
     .word_is_default = 1,
     .choice = preprocessing_name_choice,
     .choice_count = PREPROCESS_COUNT,
     .help = "of the features; auto: scale_255 for images, standardize for tables"},
    {.name = "loss", .kind = FIELD_OTHER, .json_type = "object", .help = "cross-entropy and what is added to it"},
    {.name = "optimizer",
     .kind = FIELD_OTHER,
     .json_type = "object",
     .help = "the update rule; without it sgd, learning rate 0.05, momentum 0.9, Nesterov's lookahead"},
    {.name = "schedule", .kind = FIELD_OTHER, .json_type = "object", .help = "the learning rate over time; constant"},
    {.name = "training", .kind = FIELD_OTHER, .json_type = "object", .help = "epochs, batches, seed, curves"},
    {.name = "stop", .kind = FIELD_OTHER, .json_type = "object", .help = "reasons to end before the last epoch"},
    {.name = "calibration",
     .kind = FIELD_CHOICE,
     AT(calibration),
     .default_value = NAN,
     .word = "auto",
     .word_flag = offsetof(struct job_request, calibration_auto),
     .word_is_default = 1,
     .choice = calibration_method_name_choice,
     .choice_count = CALIBRATION_METHOD_COUNT,
     .help = "what is fitted on the validation rows for the model's probabilities; auto: a temperature where there are such "
             "rows"},
    {.name = "checkpoint", .kind = FIELD_OTHER, .json_type = "object", .help = "how often the state is saved"},
    {.name = "resources", .kind = FIELD_OTHER, .json_type = "object", .help = "threads and priority"},
    {.name = "metadata", .kind = FIELD_OTHER, .json_type = "object", .help = "up to 16 strings by name, to find jobs by"},
    {.name = "expect", .kind = FIELD_OTHER, .json_type = "object", .help = "what must hold for the same bits to come out"},
    {.name = "diagnostics",
     .kind = FIELD_OTHER,
     .json_type = "array",
     .help = "what is measured at the curves' points besides: sharpness, noise_scale, update_ratio, full_gradient_norm; "
             "changes no bit of the weights"},
    {.name = "kind",
     .kind = FIELD_CHOICE,
     AT(train.kind),
     .choice = train_kind_name_choice,
     .choice_count = TRAIN_KIND_COUNT,
     .help = "train; or lr_range_test: a sweep of the learning rate that ends with a suggestion instead of a model"},
    {.name = "range", .kind = FIELD_OTHER, .json_type = "object", .help = "of the learning rate, in a range test"},
    {.name = "precision",
     .kind = FIELD_CHOICE,
     AT(train.precision),
     .choice = precision_name_choice,
     .choice_count = PRECISION_COUNT,
     .help = "of the products of dense layers in training: f32; or bf16, whose operands are rounded to bfloat16 while sums, "
             "weights and all else stay float32: where GET /v1 names it"},
};

static const struct field GENERATOR[] = {
    {.name = "generator",
     .kind = FIELD_CHOICE,
     .required = 1,
     .offset = offsetof(struct generator_spec, type),
     .default_value = NAN,
     .choice = generator_name_choice,
     .choice_count = GENERATOR_COUNT,
     .help = "the shape of the classes in the plane"},
    {.name = "n",
     .kind = FIELD_COUNT32,
     .offset = offsetof(struct generator_spec, n),
     .default_value = 1000,
     .minimum = 2,
     .maximum = GENERATOR_MAX_ROWS,
     .help = "rows, at least one a class"},
    {.name = "classes",
     .kind = FIELD_COUNT32,
     .offset = offsetof(struct generator_spec, classes),
     .default_value = 2,
     .minimum = 2,
     .maximum = GENERATOR_MAX_CLASSES,
     .help = "classes; moons have 2"},
    {.name = "noise",
     .kind = FIELD_NUMBER,
     .offset = offsetof(struct generator_spec, noise),
     .default_value = 0.1,
     .minimum = 0,
     .maximum = GENERATOR_MAX_NOISE,
     .help = "standard deviation of each coordinate"},
    {.name = "seed",
     .kind = FIELD_SEED,
     .offset = offsetof(struct generator_spec, seed),
     .maximum = FIELD_EXACT_INTEGER,
     .help = "the same seed gives the same rows"},
};

static const struct field INLINE[] = {
    {.name = "x", .kind = FIELD_OTHER, .required = 1, .json_type = "array", .help = "rows of numbers, all of one length"},
    {.name = "y",
     .kind = FIELD_OTHER,
     .required = 1,
     .json_type = "array",
     .help = "a label for each row (strings or numbers), or a row of class probabilities for each"},
};

static const struct field SPLIT[] = {
    {.name = "validation",
     .kind = FIELD_NUMBER,
     AT(split.validation),
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "fraction of the rows to validate on"},
    {.name = "test",
     .kind = FIELD_NUMBER,
     AT(split.test),
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "fraction of the rows to test the final model on"},
    {.name = "stratified",
     .kind = FIELD_FLAG,
     AT(split.stratified),
     .default_value = 1,
     .help = "the same fraction of every class"},
};

static const struct field TEST[] = {
    {.name = "dataset", .kind = FIELD_OTHER, .required = 1, .json_type = "string or object", .help = "as for the job"},
};

static const char *const LOSSES[] = {"cross_entropy"};
static const char *const REDUCTIONS[] = {[REDUCTION_WEIGHTED_MEAN] = "weighted_mean", [REDUCTION_MEAN] = "mean"};

static const struct field LOSS[] = {
    {.name = "type",
     .kind = FIELD_OTHER,
     .choices = LOSSES,
     .choice_count = COUNT_OF(LOSSES),
     .json_type = "string",
     .help = "cross_entropy"},
    {.name = "label_smoothing",
     .kind = FIELD_NUMBER,
     AT(train.loss.label_smoothing),
     .maximum = 1,
     .maximum_excluded = 1,
     .help = "targets become (1 - s) u + s / K"},
    {.name = "class_weights",
     .kind = FIELD_OTHER,
     .json_type = "null, string or array",
     .help = "null: all alike; \"balanced\": rows / (classes * rows of the class), of the training split; or a positive "
             "number for each class"},
    {.name = "class_weight_reduction",
     .kind = FIELD_CHOICE,
     AT(train.loss.reduction),
     .choices = REDUCTIONS,
     .choice_count = COUNT_OF(REDUCTIONS),
     .help = "the weighted losses' sum is divided by the sum of the weights, or by the number of rows"},
    {.name = "l2",
     .kind = FIELD_NUMBER,
     AT(train.loss.l2),
     .maximum = LARGEST,
     .help = "adds (l2 / 2) * sum of squared weights, biases excluded"},
};

static const struct field TRAINING[] = {
    {.name = "epochs",
     .kind = FIELD_COUNT32,
     AT(train.epochs),
     .default_value = 10,
     .minimum = 1,
     .maximum = 10000000,
     .help = "passes over the training rows; without it 10, for lbfgs and newton_cg 2000"},
    {.name = "batch_size",
     .kind = FIELD_COUNT64,
     AT(train.batch_size),
     .default_value = NAN,
     .minimum = 1,
     .maximum = DATASET_MAX_ROWS,
     .word = "full",
     .word_flag = offsetof(struct job_request, batch_full),
     .help = "rows of a minibatch; full: all training rows (batch gradient descent); without it 128, or all if there are "
             "fewer; for gd, lbfgs and newton_cg full"},
    {.name = "shuffle",
     .kind = FIELD_CHOICE,
     AT(train.shuffle),
     .choice = shuffle_name_choice,
     .choice_count = SHUFFLE_COUNT,
     .help = "the order of the rows"},
    {.name = "seed",
     .kind = FIELD_SEED,
     AT(train.seed),
     .maximum = FIELD_EXACT_INTEGER,
     .help = "of everything random: split, weights, order, dropout; beyond 2^53 - 1 as a string"},
    {.name = "shards", .kind = FIELD_OTHER, .json_type = "integer", .help = "1; more are not supported yet"},
    {.name = "clip_norm",
     .kind = FIELD_NUMBER,
     AT(train.clip_norm),
     .minimum = 1e-30,
     .maximum = LARGEST,
     .word = "null",
     .help = "longest gradient; a longer one is shortened to it"},
    {.name = "eval_every",
     .kind = FIELD_COUNT64,
     AT(train.eval_every_steps),
     .minimum = 1,
     .maximum = FIELD_EXACT_INTEGER,
     .word = "epoch",
     .help = "steps between two evaluations; epoch: at the end of each"},
    {.name = "log_every_steps",
     .kind = FIELD_COUNT64,
     AT(train.log_every_steps),
     .default_value = NAN,
     .minimum = 1,
     .maximum = FIELD_EXACT_INTEGER,
     .word = "auto",
     .word_flag = offsetof(struct job_request, log_auto),
     .word_is_default = 1,
     .help = "steps between two points of the curves; auto: about 2,000 points. Ends of epochs (2,000 at most) and "
             "evaluations are points, too; 100,000 are allowed in all"},
};

static const struct field STOP[] = {
    {.name = "gradient_norm",
     .kind = FIELD_NUMBER,
     AT(train.stop.gradient_norm),
     .minimum = 1e-30,
     .maximum = LARGEST,
     .word = "null",
     .help = "stop when the gradient over the training set is as short as this"},
    {.name = "max_steps",
     .kind = FIELD_COUNT64,
     AT(train.stop.max_steps),
     .minimum = 1,
     .maximum = FIELD_EXACT_INTEGER,
     .word = "null",
     .help = "stop after so many updates"},
    {.name = "max_seconds",
     .kind = FIELD_NUMBER,
     AT(train.stop.max_seconds),
     .minimum = 1e-3,
     .maximum = 1e9,
     .word = "null",
     .help = "stop after so many seconds of training"},
    {.name = "early",
     .kind = FIELD_OTHER,
     .json_type = "object or null",
     .help = "stop when it gets no better; null: never"},
};

static const struct field EARLY[] = {
    {.name = "metric",
     .kind = FIELD_CHOICE,
     AT(train.stop.early_metric),
     .default_value = NAN,
     .choice = metric_name_choice,
     .choice_count = METRIC_COUNT,
     .help = "what is to get better; validation_loss, or train_loss without a validation split"},
    {.name = "patience",
     .kind = FIELD_COUNT32,
     AT(train.stop.patience),
     .default_value = 3,
     .minimum = 1,
     .maximum = 1000000,
     .help = "evaluations without an improvement"},
    {.name = "min_delta",
     .kind = FIELD_NUMBER,
     AT(train.stop.min_delta),
     .maximum = LARGEST,
     .help = "what counts as an improvement is larger than this"},
};

static const struct field CHECKPOINT[] = {
    {.name = "every_seconds",
     .kind = FIELD_NUMBER,
     AT(checkpoint_every_seconds),
     .default_value = 30,
     .minimum = 0.1,
     .maximum = 86400,
     .word = "null",
     .help = "seconds between two checkpoints"},
    {.name = "every_steps",
     .kind = FIELD_COUNT64,
     AT(checkpoint_every_steps),
     .minimum = 1,
     .maximum = FIELD_EXACT_INTEGER,
     .word = "null",
     .help = "steps between two checkpoints"},
    {.name = "keep",
     .kind = FIELD_COUNT32,
     AT(checkpoint_keep),
     .default_value = 2,
     .minimum = 1,
     .maximum = 100,
     .help = "checkpoints that are kept"},
};

static const struct field RESOURCES[] = {
    {.name = "threads",
     .kind = FIELD_COUNT32,
     AT(threads),
     .minimum = 1,
     .maximum = 64,
     .word = "auto",
     .help = "threads to train with; auto: as many as the work is worth. The result is the same for any number"},
    {.name = "priority",
     .kind = FIELD_INT32,
     AT(priority),
     .minimum = -100,
     .maximum = 100,
     .help = "higher ones leave the queue first"},
};

static const struct field EXPECT[] = {
    {.name = "dataset_sha256", .kind = FIELD_OTHER, .json_type = "string", .help = "SHA-256 of the data set's content"},
    {.name = "kernel_tier",
     .kind = FIELD_OTHER,
     .json_type = "string",
     .help = "as GET /v1 tells it, of the job's precision"},
};

static const struct field INITIAL_MODEL[] = {
    {.name = "model",
     .kind = FIELD_OTHER,
     .required = 1,
     .json_type = "string",
     .help = "its id; features, classes and layers must be the job's, rates of dropout may differ"},
    {.name = "sha256",
     .kind = FIELD_OTHER,
     .json_type = "string",
     .help = "SHA-256 of its parameters: refused with 409 where they are others"},
};

static const struct field RANGE[] = {
    {.name = "start",
     .kind = FIELD_NUMBER,
     AT(train.range.start),
     .default_value = 1e-6,
     .minimum = 1e-12,
     .maximum = 1e6,
     .help = "learning rate of the first update"},
    {.name = "end",
     .kind = FIELD_NUMBER,
     AT(train.range.end),
     .default_value = 10,
     .minimum = 1e-12,
     .maximum = 1e6,
     .help = "learning rate of the last update, above start; each is the one before times the same factor"},
    {.name = "steps",
     .kind = FIELD_COUNT32,
     AT(train.range.steps),
     .default_value = 200,
     .minimum = RANGE_TEST_MIN_STEPS,
     .maximum = RANGE_TEST_MAX_STEPS,
     .help = "updates of the sweep, which ends before where the smoothed loss is above 4 times its least"},
};

/*
 * Every form of every object but models and layers (job_request_model_tables.c), and optimizers and schedules, whose rows
 * come from their hyper-parameters.
 */
struct form {
    const char *variant, *help;
    const struct field *fields;
    size_t count;
};
#define FIELDS(array) .fields = (array), .count = COUNT_OF(array)

static const struct form DATASETS[DATASET_FORM_COUNT] = {
    [DATASET_FORM_GENERATOR] = {"generator", "points in the plane, made here", FIELDS(GENERATOR)},
    [DATASET_FORM_INLINE] = {"inline", "rows that the request brings along", FIELDS(INLINE)},
};
static const struct {
    const char *name, *help;
    struct form form;
} SINGLE[JOB_TABLE_COUNT] = {
    [JOB_TABLE_JOB] = {"job", "a training job", {FIELDS(JOB)}},
    [JOB_TABLE_DATASET] = {"dataset", "", {.fields = NULL}},
    [JOB_TABLE_SPLIT] = {"split", "rows that are kept from training", {FIELDS(SPLIT)}},
    [JOB_TABLE_TEST] = {"test", "a test set of its own", {FIELDS(TEST)}},
    [JOB_TABLE_MODEL] = {"model", "", {.fields = NULL}},
    [JOB_TABLE_LAYER] = {"layer", "", {.fields = NULL}},
    [JOB_TABLE_LOSS] = {"loss", "mean softmax cross-entropy", {FIELDS(LOSS)}},
    [JOB_TABLE_OPTIMIZER] = {"optimizer", "", {.fields = NULL}},
    [JOB_TABLE_SCHEDULE] = {"schedule", "", {.fields = NULL}},
    [JOB_TABLE_TRAINING] = {"training", "epochs, batches, seed, curves", {FIELDS(TRAINING)}},
    [JOB_TABLE_STOP] = {"stop", "reasons to end before the last epoch", {FIELDS(STOP)}},
    [JOB_TABLE_EARLY] = {"stop.early", "early stopping: the best model is kept", {FIELDS(EARLY)}},
    [JOB_TABLE_CHECKPOINT] = {"checkpoint", "how often the state is saved", {FIELDS(CHECKPOINT)}},
    [JOB_TABLE_RESOURCES] = {"resources", "what a job may use, and when", {FIELDS(RESOURCES)}},
    [JOB_TABLE_INITIAL_MODEL] = {"initial_model",
                                 "start from a model's weights and its preprocessing's constants",
                                 {FIELDS(INITIAL_MODEL)}},
    [JOB_TABLE_RANGE] = {"range",
                         "a range test's learning rates; it replaces schedule, stops, epochs and evaluations",
                         {FIELDS(RANGE)}},
    [JOB_TABLE_EXPECT] = {"expect", "refused with 409 where it does not hold", {FIELDS(EXPECT)}},
};

void field_table_append(struct field_table *table, const struct field *fields, size_t count)
{
    assert(table->count + count <= FIELD_TABLE_MAX);
    if (count > 0) {
        memcpy(table->fields + table->count, fields, count * sizeof *fields);
    }
    table->count += count;
}

static void set_form(struct field_table *table, const struct form *form)
{
    table->variant = form->variant;
    table->help = form->help;
    field_table_append(table, form->fields, form->count);
}

/* The learning rates that usually work, since the rules themselves have none: PyTorch's, or the authors' own. */
static const double LEARNING_RATES[OPTIMIZER_COUNT] = {
    [OPTIMIZER_SGD] = 0.05,    [OPTIMIZER_ADAGRAD] = 0.01,        [OPTIMIZER_RMSPROP] = 0.01,
    [OPTIMIZER_ADAM] = 0.001,  [OPTIMIZER_ADAMW] = 0.001,         [OPTIMIZER_ADADELTA] = 1,
    [OPTIMIZER_NADAM] = 0.002, [OPTIMIZER_RADAM] = 0.001,         [OPTIMIZER_ADAMAX] = 0.002,
    [OPTIMIZER_LION] = 0.0001, [OPTIMIZER_SCHEDULE_FREE_SGD] = 1, [OPTIMIZER_SCHEDULE_FREE_ADAMW] = 0.0025,
    [OPTIMIZER_MUON] = 0.02,
};

static void set_optimizer(struct field_table *table, size_t variant)
{
    enum optimizer_type type = variant == OPTIMIZER_GD ? OPTIMIZER_SGD : (enum optimizer_type)variant;
    struct hyperparameter parameter;

    table->variant = variant == OPTIMIZER_GD ? "gd" : optimizer_name(type);
    table->help = optimizer_formula(type);
    for (size_t i = 0; optimizer_hyperparameter(type, i, &parameter); i++) {
        struct field field = field_of_hyperparameter(&parameter);

        if (parameter.offset == offsetof(struct optimizer_spec, learning_rate)) {
            field.default_value = LEARNING_RATES[type];
            field.required = 0;
        }
        field_table_append(table, &field, 1);
    }
}

static void set_schedule(struct field_table *table, enum schedule_type type)
{
    struct hyperparameter parameter;

    table->variant = schedule_name(type);
    table->help = schedule_formula(type);
    for (size_t i = 0; schedule_hyperparameter(type, i, &parameter); i++) {
        struct field field = field_of_hyperparameter(&parameter);

        field_table_append(table, &field, 1);
    }
}

size_t job_table_variants(enum job_table id)
{
    switch (id) {
    case JOB_TABLE_DATASET:
        return DATASET_FORM_COUNT;
    case JOB_TABLE_MODEL:
        return MODEL_FORM_COUNT;
    case JOB_TABLE_LAYER:
        return LAYER_TYPE_COUNT;
    case JOB_TABLE_OPTIMIZER:
        return OPTIMIZER_FORM_COUNT;
    case JOB_TABLE_SCHEDULE:
        return SCHEDULE_COUNT;
    default:
        return 1;
    }
}

void job_table(enum job_table id, size_t variant, struct field_table *table)
{
    static const struct field TYPE = {
        .name = "type", .kind = FIELD_OTHER, .json_type = "string", .default_value = NAN, .help = "which one"};

    assert(variant < job_table_variants(id));
    *table = (struct field_table){.name = SINGLE[id].name};
    switch (id) {
    case JOB_TABLE_DATASET:
        set_form(table, &DATASETS[variant]);
        break;
    case JOB_TABLE_MODEL:
        field_table_append(table, &TYPE, 1);
        job_model_table((enum model_form)variant, table);
        break;
    case JOB_TABLE_LAYER:
        field_table_append(table, &TYPE, 1);
        job_layer_table((enum layer_type)variant, table);
        break;
    case JOB_TABLE_OPTIMIZER:
        field_table_append(table, &TYPE, 1);
        set_optimizer(table, variant);
        break;
    case JOB_TABLE_SCHEDULE:
        field_table_append(table, &TYPE, 1);
        set_schedule(table, (enum schedule_type)variant);
        break;
    default:
        set_form(table, &SINGLE[id].form);
        table->help = SINGLE[id].help;
        break;
    }
}

enum job_table job_table_of(const struct field_table *object, const struct field *field)
{
    char path[64];
    struct field_table table;

    (void)snprintf(path, sizeof path, "%s.%s", object->name, field->name);
    for (int id = JOB_TABLE_JOB + 1; id < JOB_TABLE_COUNT && field->kind == FIELD_OTHER; id++) {
        size_t size;

        job_table((enum job_table)id, 0, &table);
        size = strlen(table.name);
        if (strcmp(table.name, field->name) == 0 || strcmp(table.name, path) == 0 ||
            (strncmp(table.name, field->name, size) == 0 && strcmp(field->name + size, "s") == 0)) {
            return (enum job_table)id;
        }
    }
    return JOB_TABLE_COUNT;
}

const char *const *job_table_later(enum job_table id)
{
    static const char *const LAYER_WORDS[] = {"gelu", NULL};

    return id == JOB_TABLE_LAYER ? LAYER_WORDS : NULL;
}

int job_request_table(size_t index, struct field_table *table)
{
    for (int id = 0; id < JOB_TABLE_COUNT; id++) {
        size_t variants = job_table_variants((enum job_table)id);

        if (index < variants) {
            job_table((enum job_table)id, index, table);
            return 1;
        }
        index -= variants;
    }
    return 0;
}
