/* What optimizers that are solvers of convex models ask of the rest of a request. */
#include <stdio.h>

#include "job_request_decoder.h"

/* One dense layer, which may lay out images in a row before; or no layers at all: that was told before. */
static int is_one_dense_layer(const struct model_spec *model)
{
    uint32_t i = 0;

    while (i < model->layer_count && model->layers[i].type == LAYER_FLATTEN) {
        i++;
    }
    return i == model->layer_count || (i + 1 == model->layer_count && model->layers[i].type == LAYER_DENSE);
}

/* Why the model is none that a solver takes; NULL: it is one. */
static const char *fault_of_model(const struct model_spec *model)
{
    switch (model->type) {
    case MODEL_SOFTMAX_REGRESSION:
        return NULL;
    case MODEL_LAYERS:
        return is_one_dense_layer(model) ? NULL : "there is more in them than one dense layer";
    case MODEL_MLP:
    case MODEL_CNN:
    case MODEL_TYPE_COUNT:
        break;
    }
    return "a network with hidden layers is not convex";
}

static void conflict(struct decoder *d, const char *pointer, const char *why)
{
    problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, pointer, NULL, "%s %s",
                      optimizer_name(d->request->train.optimizer.type), why);
}

static int is_given(const struct decoder *d, const char *object, const char *key)
{
    const struct json_value *value = json_get(d->root, object);

    return value != NULL && json_type(value) == JSON_OBJECT && json_get(value, key) != NULL;
}

void job_check_convex(struct decoder *d)
{
    struct train_spec *train = &d->request->train;
    const char *fault = fault_of_model(&train->model);

    if (!optimizer_has(train->optimizer.type, OPTIMIZER_CONVEX_SOLVER)) {
        return;
    }
    if (fault != NULL) {
        problem_add_field(
            d->problem, STATUS_CONFLICTING_FIELDS, "/optimizer/type", NULL,
            "%s is for convex models (softmax_regression, or layers with one dense layer, flatten before it or not): %s",
            optimizer_name(train->optimizer.type), fault);
    }
    if (train->schedule.type != SCHEDULE_CONSTANT) {
        conflict(d, "/schedule/type", "finds the length of each step by itself; constant is allowed");
    }
    if (train->schedule.warmup_steps > 0) {
        conflict(d, "/schedule/warmup_steps", "finds the length of each step by itself; 0 is allowed");
    }
    if (train->kind == TRAIN_LR_RANGE_TEST) {
        conflict(d, "/kind", "finds the length of each step by itself: there is no learning rate to test");
    }
    if (train->diagnostics != 0) {
        conflict(d, "/diagnostics", "knows the full gradient in each step; diagnostics are of minibatches");
    }
    if (train->clip_norm > 0) {
        conflict(d, "/training/clip_norm", "needs the gradient as it is; null is allowed");
    }
    if (train->shuffle == SHUFFLE_WITH_REPLACEMENT) {
        conflict(d, "/training/shuffle", "needs every row in each step; with_replacement is not allowed");
    }
    if (!is_given(d, "training", "epochs")) {
        train->epochs = CONVEX_DEFAULT_EPOCHS;
    }
}

void job_resolve_convex_batch(struct job_request *request, uint64_t rows, struct problem *problem)
{
    if (optimizer_has(request->train.optimizer.type, OPTIMIZER_CONVEX_SOLVER) && request->train.batch_size < rows) {
        char extra[96];

        snprintf(extra, sizeof extra, "\"value\":%llu,\"minimum\":%llu", (unsigned long long)request->train.batch_size,
                 (unsigned long long)rows);
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/training/batch_size", extra,
                          "%s works on all %llu training rows at once; \"full\" is allowed",
                          optimizer_name(request->train.optimizer.type), (unsigned long long)rows);
    }
}
