/*
 * POST /v1/models/{id}/evaluate: scores on a stored data set, by one thread of the executor.
 *
 * A pass over a large data set takes a while; so that a few of them cannot hold up everybody else, at most half of the
 * executor's threads do it at a time, and more are refused at once.
 */
#include "server/handlers/handlers.h"

#include <stdlib.h>

#include "api/encode_model.h"
#include "api/evaluate_request.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "core/data/match_labels.h"
#include "server/clock.h"
#include "server/handlers/reply.h"
#include "server/models/model_cache.h"
#include "server/store/datasets.h"

/* How many are at work, in the whole process. */
static atomic_uint evaluations;

/* Everything that an evaluation holds. Zero-initialise; released whole. */
struct evaluation_data {
    struct cached_model *model;
    struct object_map map;
    struct dataset dataset; /* rows 0: not open */
    int32_t *labels;        /* in the model's numbering; NULL: the data set's own fit */
};

static void release(struct app *app, struct evaluation_data *data)
{
    free(data->labels);
    dataset_release(&data->dataset);
    object_unmap(app->store, &data->map);
    if (data->model != NULL) {
        model_cache_put(app->models, data->model);
    }
}

static enum status open_dataset(struct app *app, const char *id, struct evaluation_data *data, struct error *error)
{
    struct error cause = {.status = STATUS_OK};
    struct dataset_view view;

    enum status status = datasets_get(app->store, id, &view, &cause);
    if (status == STATUS_NOT_FOUND || status == STATUS_DELETED) {
        return error_set_pointer(error, STATUS_DATASET_NOT_FOUND, "/dataset", "there is no data set %s", id);
    }
    if (status != STATUS_OK) {
        return error_set(error, status, "%s", cause.message);
    }
    if (view.status != DATASET_READY) {
        status = error_set_pointer(error, STATUS_DATASET_NOT_READY, "/dataset", "data set %s still awaits its labels", id);
    } else {
        status = object_map(&data->map, app->store, view.sha256, error);
    }
    dataset_view_release(&view);
    return status == STATUS_OK ? dataset_open(&data->dataset, data->map.bytes, data->map.size, error) : status;
}

static enum status match(struct evaluation_data *data, struct error *error)
{
    const struct model *model = cached_model_get(data->model);
    struct error cause = {.status = STATUS_OK};

    if (data->dataset.features != model->spec.inputs) {
        return error_set_pointer(error, STATUS_FEATURE_COUNT_MISMATCH, "/dataset",
                                 "the data set has %u features, the model wants %u", data->dataset.features,
                                 model->spec.inputs);
    }
    enum status status = dataset_match_labels(&data->dataset, (const char *const *)model->class_names, model->spec.classes,
                                              &data->labels, &cause);
    return status == STATUS_OK ? STATUS_OK : error_set_pointer(error, status, "/dataset", "%s", cause.message);
}

static enum status score(struct app *app, struct evaluation_data *data, struct scores *scores, struct error *error)
{
    struct predictor *predictor;

    enum status status = model_cache_take_predictor(app->models, data->model, &predictor, error);
    if (status == STATUS_OK) {
        status = predictor_evaluate(predictor, &data->dataset, data->labels, scores, error);
        model_cache_give_predictor(app->models, data->model, predictor);
    }
    return status;
}

static enum status run(struct app *app, const char *id, const struct evaluate_request *wanted, struct json_writer *writer,
                       struct error *error)
{
    struct evaluation_data data = {.model = NULL};
    double begin = clock_monotonic_seconds();
    struct scores scores;

    enum status status = model_cache_get(app->models, id, &data.model, error);
    if (status == STATUS_OK) {
        status = open_dataset(app, wanted->dataset, &data, error);
    }
    if (status == STATUS_OK) {
        status = match(&data, error);
    }
    if (status == STATUS_OK) {
        status = score(app, &data, &scores, error);
    }
    if (status == STATUS_OK) {
        const struct model *model = cached_model_get(data.model);
        encode_evaluation(id, wanted->dataset, &scores, (const char *const *)model->class_names,
                          clock_monotonic_seconds() - begin, writer);
        scores_release(&scores);
    }
    release(app, &data);
    return status;
}

static enum status evaluate_now(struct app *app, const struct request *request, struct json_writer *writer,
                                struct problem *problem)
{
    uint64_t allowed = (app->config->http_threads + 1) / 2;
    struct error error = {.status = STATUS_OK};
    struct evaluate_request wanted;
    size_t size;
    const char *body = request_body(request, &size);

    enum status status = evaluate_request_decode(&wanted, body, size, problem);
    if (status != STATUS_OK) {
        return status;
    }
    if (atomic_fetch_add(&evaluations, 1) < allowed) {
        status = run(app, request_parameter(request, 0), &wanted, writer, &error);
    } else {
        status =
            error_set(&error, STATUS_OVERLOADED, "%llu data sets are being scored already", (unsigned long long)allowed);
    }
    atomic_fetch_sub(&evaluations, 1);
    problem_add(problem, &error);
    return status;
}

void evaluate(struct app *app, struct request *request)
{
    struct json_writer writer = {.depth = 0};
    struct problem problem;

    problem_init(&problem);
    /* The answer comes last: whoever has read it finds the thread free again. */
    if (evaluate_now(app, request, &writer, &problem) == STATUS_OK) {
        reply_json(request, 200, &writer);
    } else {
        request_respond_problem(request, &problem);
    }
    problem_release(&problem);
}
