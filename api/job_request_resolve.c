/* The request meets its data: what it left open is filled in, what cannot be is refused. */
#include "job_request.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/fields.h"
#include "api/job_request_decoder.h"
#include "api/job_request_tables.h"
#include "core/nn/layer_shape.h"
#include "core/nn/network_plan.h"
#include "core/train/diagnostics.h"

struct resolver {
    struct job_request *request;
    const struct dataset *dataset;
    const struct split *split;
    const struct dataset *test;
    struct problem *problem;
    int model_fits; /* its layers were found to fit each other */
};

/* ---- the model ---- */

/* Errors of model_spec.h point into the model. */
static void add_model_error(struct resolver *r, const struct error *error)
{
    struct error placed = *error;

    snprintf(placed.pointer, sizeof placed.pointer, "/model%.180s", error->pointer);
    problem_add(r->problem, &placed);
}

static int needs_shape(const struct model_spec *model)
{
    for (uint32_t i = 0; i < model->layer_count; i++) {
        enum layer_type type = model->layers[i].type;

        if (type == LAYER_CONV2D || type == LAYER_MAX_POOL2D || type == LAYER_AVG_POOL2D || type == LAYER_BATCH_NORM) {
            return 1;
        }
    }
    return model->type == MODEL_CNN;
}

/* An image data set's shape is its own; a table's is what the request says, if anything. */
static enum status resolve_shape(struct resolver *r, struct error *error)
{
    struct model_spec *model = &r->request->train.model;
    const struct dataset *dataset = r->dataset;
    int is_given = model->channels > 0;

    if (!dataset->is_image || (!is_given && !needs_shape(model))) {
        return STATUS_OK;
    }
    if (is_given &&
        (model->channels != dataset->channels || model->height != dataset->height || model->width != dataset->width)) {
        return error_set_pointer(error, STATUS_CONFLICTING_FIELDS, "/input_shape",
                                 "the data set's images are %u x %u x %u; leave this out", dataset->channels,
                                 dataset->height, dataset->width);
    }
    model->channels = dataset->channels;
    model->height = dataset->height;
    model->width = dataset->width;
    return STATUS_OK;
}

static enum status build_cnn(struct job_request *request, struct error *error)
{
    struct cnn_spec cnn = {.filters = request->filters,
                           .filter_count = request->filter_count,
                           .kernel = {request->kernel[0], request->kernel[1]},
                           .hidden = request->hidden,
                           .hidden_count = request->hidden_count,
                           .activation = (enum layer_type)(LAYER_RELU + (int)request->activation),
                           .dropout = request->dropout,
                           .batch_norm = request->batch_norm};

    return model_spec_cnn(&request->train.model, &cnn, error);
}

static enum status build_model(struct resolver *r, struct error *error)
{
    struct job_request *request = r->request;
    struct model_spec *model = &request->train.model;
    uint32_t inputs = r->dataset->features, classes = r->dataset->classes;
    enum status status = resolve_shape(r, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (model->type == MODEL_CNN) {
        model->inputs = inputs;
        model->classes = classes;
        return build_cnn(request, error);
    }
    if (model->type != MODEL_LAYERS) {
        return model_spec_perceptron(model, model->type, inputs, classes, request->hidden, request->hidden_count,
                                     (enum layer_type)(LAYER_RELU + (int)request->activation), request->dropout, error);
    }
    model->inputs = inputs;
    model->classes = classes;
    struct layer_spec *last = &model->layers[model->layer_count - 1];
    if (last->units == 0) {
        last->units = classes;
    }
    return STATUS_OK;
}

/* Some optimizers are made for hidden layers. */
static void check_hidden_layers(struct resolver *r)
{
    const struct model_spec *model = &r->request->train.model;
    enum optimizer_type optimizer = r->request->train.optimizer.type;
    uint32_t dense = 0;

    for (uint32_t i = 0; i < model->layer_count; i++) {
        dense += model->layers[i].type == LAYER_DENSE;
    }
    if (optimizer_has(optimizer, OPTIMIZER_HIDDEN_LAYERS) && dense < 2) {
        problem_add_field(r->problem, STATUS_CONFLICTING_FIELDS, "/optimizer/type", NULL,
                          "%s needs a hidden dense layer, the model has none; adamw is what it is without one",
                          optimizer_name(optimizer));
    }
}

static void resolve_model(struct resolver *r)
{
    const struct model_spec *model = &r->request->train.model;
    struct error error = {.status = STATUS_OK};
    char pointer[FIELD_POINTER_TEXT];
    enum status status;

    if (r->request->logistic && r->dataset->classes != 2) {
        problem_add_field(r->problem, STATUS_CLASS_COUNT_MISMATCH, "/model/type", NULL,
                          "logistic regression is for 2 classes, the data set has %u; softmax_regression takes any number",
                          r->dataset->classes);
    }
    status = build_model(r, &error);
    if (status == STATUS_OK && model->layers[model->layer_count - 1].units != model->classes) {
        snprintf(pointer, sizeof pointer, "/model/layers/%u/units", model->layer_count - 1);
        problem_add_field(r->problem, STATUS_CLASS_COUNT_MISMATCH, pointer, NULL, "%u units for %u classes",
                          model->layers[model->layer_count - 1].units, model->classes);
        return;
    }
    if (status == STATUS_OK) {
        status = model_spec_check(model, &error);
    }
    r->model_fits = status == STATUS_OK;
    if (status != STATUS_OK) {
        add_model_error(r, &error);
        return;
    }
    check_hidden_layers(r);
}

/* ---- data ---- */

static void resolve_preprocessing(struct resolver *r)
{
    if (r->request->preprocessing_auto) {
        r->request->train.preprocessing = r->dataset->is_image ? PREPROCESS_SCALE_255 : PREPROCESS_STANDARDIZE;
        r->request->preprocessing_auto = 0;
    }
}

static void check_test(struct resolver *r)
{
    if (r->test != NULL && r->test->features != r->dataset->features) {
        problem_add_field(r->problem, STATUS_FEATURE_COUNT_MISMATCH, "/test/dataset", NULL,
                          "the test set has %u features, the training set %u", r->test->features, r->dataset->features);
    }
}

/* Whether some batch_norm has one value of each channel a row: then one row has no variance. */
static int has_norm_of_single_values(const struct model_spec *model)
{
    struct layer_shape shapes[MODEL_MAX_LAYERS];

    layer_shapes(model, shapes);
    for (uint32_t i = 0; i < model->layer_count; i++) {
        if (model->layers[i].type == LAYER_BATCH_NORM && shapes[i].height == 1 && shapes[i].width == 1) {
            return 1;
        }
    }
    return 0;
}

/* Statistics are those of the whole minibatch. */
static void check_batch_norm(struct resolver *r)
{
    const uint64_t batch = r->request->train.batch_size;
    const struct model_spec *model = &r->request->train.model;
    char extra[96];

    if (!r->model_fits || !model_spec_has_batch_norm(model)) {
        return;
    }
    uint64_t least = has_norm_of_single_values(model) ? 2 : 1;

    if (batch < least || batch > NETWORK_NORM_ROWS) {
        snprintf(extra, sizeof extra, "\"value\":%llu,\"minimum\":%llu,\"maximum\":%d", (unsigned long long)batch,
                 (unsigned long long)least, NETWORK_NORM_ROWS);
        problem_add_field(r->problem, batch < least ? STATUS_OUT_OF_RANGE : STATUS_BATCH_TOO_LARGE, "/training/batch_size",
                          extra,
                          "batch_norm takes the statistics of a whole minibatch, of %llu to %d rows here, not of %llu",
                          (unsigned long long)least, NETWORK_NORM_ROWS, (unsigned long long)batch);
    }
}

static void resolve_batch(struct resolver *r)
{
    struct job_request *request = r->request;
    uint64_t rows = r->split->train_count;

    if (!request->batch_given) {
        request->batch_full =
            request->gradient_descent || optimizer_has(request->train.optimizer.type, OPTIMIZER_CONVEX_SOLVER);
        request->train.batch_size = rows < DEFAULT_BATCH_SIZE ? rows : DEFAULT_BATCH_SIZE;
        request->batch_given = 1;
    }
    if (request->batch_full) {
        request->train.batch_size = rows;
    }
    if (request->train.batch_size > rows) {
        char extra[96];

        snprintf(extra, sizeof extra, "\"value\":%llu,\"maximum\":%llu", (unsigned long long)request->train.batch_size,
                 (unsigned long long)rows);
        problem_add_field(r->problem, STATUS_BATCH_TOO_LARGE, "/training/batch_size", extra,
                          "a batch of %llu rows, there are %llu to train on", (unsigned long long)request->train.batch_size,
                          (unsigned long long)rows);
    }
    job_resolve_convex_batch(request, rows, r->problem);
}

/* ---- class weights ---- */

/* rows / (classes * rows of the class), over the training split (scikit-learn's "balanced"). */
static void balance(struct resolver *r, const uint64_t *counts)
{
    uint32_t classes = r->dataset->classes;

    for (uint32_t c = 0; c < classes; c++) {
        if (counts[c] == 0) {
            problem_add_field(r->problem, STATUS_CLASS_COUNT_MISMATCH, "/loss/class_weights", NULL,
                              "class \"%.64s\" has no row to train on, so it has no balanced weight",
                              r->dataset->class_names[c]);
            return;
        }
        r->request->class_weights[c] = (double)r->split->train_count / ((double)classes * (double)counts[c]);
    }
}

static void resolve_balanced(struct resolver *r)
{
    struct job_request *request = r->request;
    uint64_t *counts = calloc(r->dataset->classes, sizeof *counts);

    free(request->class_weights);
    request->class_weights = calloc(r->dataset->classes, sizeof *request->class_weights);
    if (counts == NULL || request->class_weights == NULL) {
        struct error error = {.status = STATUS_OK};

        (void)error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %u class weights", r->dataset->classes);
        problem_add(r->problem, &error);
    } else {
        request->class_weight_count = r->dataset->classes;
        for (uint64_t i = 0; i < r->split->train_count; i++) {
            counts[dataset_label(r->dataset, r->split->train[i])]++;
        }
        balance(r, counts);
    }
    free(counts);
}

static void resolve_class_weights(struct resolver *r)
{
    struct job_request *request = r->request;

    if (request->train.loss.weighting == CLASS_WEIGHTS_BALANCED) {
        resolve_balanced(r);
    } else if (request->train.loss.weighting == CLASS_WEIGHTS_LIST && request->class_weight_count != r->dataset->classes) {
        problem_add_field(r->problem, STATUS_CLASS_COUNT_MISMATCH, "/loss/class_weights", NULL, "%u weights for %u classes",
                          request->class_weight_count, r->dataset->classes);
    }
    request->train.loss.class_weights = request->class_weights;
}

/* ---- stops and curves ---- */

static void resolve_metric(struct resolver *r)
{
    struct stop_spec *stop = &r->request->train.stop;
    int validates = r->split->validation_count > 0;

    if (!stop->early || !r->request->metric_given) {
        stop->early_metric = validates ? METRIC_VALIDATION_LOSS : METRIC_TRAIN_LOSS;
    } else if (!validates &&
               (stop->early_metric == METRIC_VALIDATION_LOSS || stop->early_metric == METRIC_VALIDATION_ACCURACY)) {
        problem_add_field(r->problem, STATUS_CONFLICTING_FIELDS, "/stop/early/metric", NULL,
                          "%s needs rows to validate on; set /split/validation", metric_name(stop->early_metric));
    }
    r->request->metric_given = stop->early;
}

static void resolve_calibration(struct resolver *r)
{
    struct job_request *request = r->request;
    int validates = r->split->validation_count > 0 && request->train.kind != TRAIN_LR_RANGE_TEST;

    if (request->calibration_auto) {
        request->calibration = validates ? CALIBRATION_TEMPERATURE : CALIBRATION_NONE;
        request->calibration_auto = 0;
    } else if (request->calibration == CALIBRATION_TEMPERATURE && !validates) {
        problem_add_field(r->problem, STATUS_CONFLICTING_FIELDS, "/calibration", NULL,
                          request->train.kind == TRAIN_LR_RANGE_TEST
                              ? "a range test makes no model to calibrate"
                              : "a temperature is fitted on rows to validate on; set /split/validation");
    }
}

/* ---- kinds and diagnostics ---- */

static void resolve_diagnostics(struct resolver *r)
{
    const struct train_spec *train = &r->request->train;
    uint32_t layers = 0;

    for (uint32_t i = 0; r->model_fits && i < train->model.layer_count; i++) {
        layers += model_spec_layer_parameters(&train->model, i).others > 0;
    }
    if ((train->diagnostics & DIAGNOSTIC_BIT(DIAGNOSTIC_UPDATE_RATIO)) != 0 && layers > TRAIN_POINT_LAYERS) {
        problem_add_field(r->problem, STATUS_OUT_OF_RANGE, "/diagnostics", NULL,
                          "update_ratio is measured of up to %d layers with parameters, the model has %u",
                          TRAIN_POINT_LAYERS, layers);
    }
}

/* What a range test has instead of the usual: a sweep of its own length, each step of it a row. Needs the batch. */
static void resolve_range(struct resolver *r)
{
    struct train_spec *train = &r->request->train;
    uint64_t batch = train->batch_size > 0 ? train->batch_size : 1;
    uint64_t steps_per_epoch = (r->split->train_count + batch - 1) / batch;

    if (train->kind != TRAIN_LR_RANGE_TEST || steps_per_epoch == 0) {
        return;
    }
    schedule_defaults(&train->schedule, SCHEDULE_CONSTANT);
    train->stop = (struct stop_spec){.early_metric = METRIC_COUNT};
    train->eval_every_steps = 0;
    train->epochs = (uint32_t)((train->range.steps + steps_per_epoch - 1) / steps_per_epoch);
    if (r->request->log_auto) {
        train->log_every_steps = 1;
        r->request->log_auto = 0;
    }
}

/* Rows of the curves. Needs the batch, which is not 0 unless the split has no rows to train on. */
static void resolve_log(struct resolver *r)
{
    struct train_spec *train = &r->request->train;
    uint64_t batch = train->batch_size > 0 ? train->batch_size : 1;
    uint64_t steps_per_epoch = (r->split->train_count + batch - 1) / batch;
    uint64_t steps = steps_per_epoch * train->epochs; /* at most 2^31 * 10^7 */
    uint64_t least, points;

    steps = train->kind == TRAIN_LR_RANGE_TEST ? train->range.steps : steps;
    if (train->stop.max_steps > 0 && train->stop.max_steps < steps) {
        steps = train->stop.max_steps;
    }
    if (r->request->log_auto) {
        train->log_every_steps = steps > 0 ? (steps + JOB_AUTO_METRICS_ROWS - 1) / JOB_AUTO_METRICS_ROWS : 1;
        r->request->log_auto = 0;
    }
    points = train_spec_points(train, steps_per_epoch, steps);
    least = steps / JOB_MAX_METRICS_ROWS + (steps % JOB_MAX_METRICS_ROWS > 0);
    if (train->log_every_steps < least) {
        char extra[96];

        snprintf(extra, sizeof extra, "\"value\":%llu,\"minimum\":%llu", (unsigned long long)train->log_every_steps,
                 (unsigned long long)least);
        problem_add_field(r->problem, STATUS_OUT_OF_RANGE, "/training/log_every_steps", extra,
                          "%llu steps would make more than %d points", (unsigned long long)steps, JOB_MAX_METRICS_ROWS);
    } else if (points > JOB_MAX_METRICS_ROWS) {
        problem_add_field(r->problem, STATUS_OUT_OF_RANGE,
                          train->eval_every_steps > 0 ? "/training/eval_every" : "/training/log_every_steps", NULL,
                          "%llu steps would make %llu points, %d are allowed", (unsigned long long)steps,
                          (unsigned long long)points, JOB_MAX_METRICS_ROWS);
    }
}

enum status job_request_resolve(struct job_request *request, const struct dataset *dataset, const struct split *split,
                                const struct dataset *test, struct problem *problem)
{
    struct resolver r = {.request = request, .dataset = dataset, .split = split, .test = test, .problem = problem};

    resolve_model(&r);
    if (request->init.model != NULL) {
        job_resolve_initial_model(request, dataset, problem);
    }
    resolve_preprocessing(&r);
    check_test(&r);
    resolve_batch(&r);
    check_batch_norm(&r);
    resolve_class_weights(&r);
    resolve_diagnostics(&r);
    resolve_range(&r);
    resolve_metric(&r);
    resolve_calibration(&r);
    resolve_log(&r);
    return problem->status;
}
