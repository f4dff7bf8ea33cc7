/* POST /v1/models/{id}/evaluate: scores on a stored data set, by one thread of the executor (long_work.h). */
#include "server/handlers/handlers.h"

#include <stdlib.h>

#include "api/encode_model.h"
#include "api/evaluate_request.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/reliability_svg.h"
#include "core/data/match_labels.h"
#include "server/clock.h"
#include "server/handlers/long_work.h"
#include "server/handlers/reply.h"
#include "server/models/model_cache.h"
#include "server/store/datasets.h"

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

/* What is asked of which model, and how the answer is to look. */
struct question {
    struct evaluate_request wanted;
    const char *model; /* id */
    enum media media;
    double begin; /* monotonic seconds */
};

static void encode(const struct question *question, const struct model *model, const struct scores *scores,
                   struct json_writer *writer)
{
    struct reliability reliability;

    if (question->media == MEDIA_SVG) {
        reliability_of_scores(&reliability, scores, question->wanted.dataset);
        reliability_svg(&reliability, question->model, &writer->text);
    } else {
        encode_evaluation(question->model, question->wanted.dataset, scores, (const char *const *)model->class_names,
                          clock_monotonic_seconds() - question->begin, writer);
    }
}

static enum status run(struct app *app, const struct question *question, struct json_writer *writer, struct error *error)
{
    struct evaluation_data data = {.model = NULL};
    struct scores scores;

    enum status status = model_cache_get(app->models, question->model, &data.model, error);
    if (status == STATUS_OK) {
        status = open_dataset(app, question->wanted.dataset, &data, error);
    }
    if (status == STATUS_OK) {
        status = match(&data, error);
    }
    if (status == STATUS_OK) {
        status = score(app, &data, &scores, error);
    }
    if (status == STATUS_OK) {
        encode(question, cached_model_get(data.model), &scores, writer);
        scores_release(&scores);
    }
    release(app, &data);
    return status;
}

static enum status evaluate_now(struct app *app, const struct request *request, enum media media, struct json_writer *writer,
                                struct problem *problem)
{
    struct question question = {.model = request_parameter(request, 0), .media = media, .begin = clock_monotonic_seconds()};
    struct error error = {.status = STATUS_OK};
    size_t size;
    const char *body = request_body(request, &size);

    enum status status = evaluate_request_decode(&question.wanted, body, size, problem);
    if (status != STATUS_OK) {
        return status;
    }
    status = long_work_begin(app, &error);
    if (status == STATUS_OK) {
        status = run(app, &question, writer, &error);
        long_work_end();
    }
    problem_add(problem, &error);
    return status;
}

void evaluate(struct app *app, struct request *request)
{
    struct json_writer writer = {.depth = 0};
    struct error error = {.status = STATUS_OK};
    struct problem problem;
    enum media media;

    if (reply_negotiate(request, PARAMETER_PICTURE_FORMAT, &media, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    problem_init(&problem);
    /* The answer comes last: whoever has read it finds the thread free again. */
    if (evaluate_now(app, request, media, &writer, &problem) == STATUS_OK) {
        reply_text(request, 200, media, &writer);
    } else {
        request_respond_problem(request, &problem);
    }
    problem_release(&problem);
}
