/* Predictions (POST /v1/models/{id}/predict, and of jobs that train): on the executor's thread, with a predictor that is
 * kept for the next request. */
#include "server/handlers/predicting.h"

#include <stdlib.h>

#include "api/encode_model.h"
#include "api/json_writer.h"
#include "api/predict_request.h"
#include "api/problem.h"
#include "api/routes.h"
#include "server/handlers/reply.h"
#include "server/models/model_cache.h"

static enum status decode(struct request *request, struct predict_request *wanted, uint32_t features,
                          struct problem *problem)
{
    size_t size;
    const char *body = request_body(request, &size);

    return request_body_media(request) == MEDIA_CSV ? predict_request_decode_csv(wanted, body, size, features, problem)
                                                    : predict_request_decode(wanted, body, size, features, problem);
}

/* What the model says of the rows. Zero-initialise; released whole. */
struct outputs {
    float *probabilities; /* [rows][classes] */
    uint32_t *labels;     /* [rows] */
    double temperature;   /* that was applied; 0: none */
};

static void release(struct outputs *outputs)
{
    free(outputs->probabilities);
    free(outputs->labels);
}

static enum status run(struct app *app, struct cached_model *model, const struct predict_request *wanted,
                       struct outputs *outputs, struct error *error)
{
    const struct model *trained = cached_model_get(model);
    struct predictor *predictor;
    enum status status;

    outputs->temperature = wanted->calibrated ? trained->temperature : 0;
    outputs->probabilities = malloc(wanted->rows * trained->spec.classes * sizeof *outputs->probabilities);
    outputs->labels = malloc(wanted->rows * sizeof *outputs->labels);
    if (outputs->probabilities == NULL || outputs->labels == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %llu rows", (unsigned long long)wanted->rows);
    }
    status = model_cache_take_predictor(app->models, model, &predictor, error);
    if (status == STATUS_OK) {
        predictor_run(predictor, wanted->x, wanted->rows, outputs->temperature > 0 ? outputs->temperature : 1,
                      outputs->probabilities, outputs->labels);
        model_cache_give_predictor(app->models, model, predictor);
    }
    return status;
}

static void answer(struct request *request, const struct model *model, const struct predict_request *wanted,
                   const struct outputs *outputs, enum media media)
{
    struct json_writer writer = {0};
    struct predictions predictions = {.model = request_parameter(request, 0),
                                      .class_names = (const char *const *)model->class_names,
                                      .classes = model->spec.classes,
                                      .rows = wanted->rows,
                                      .probabilities = outputs->probabilities,
                                      .labels = outputs->labels,
                                      .temperature = outputs->temperature,
                                      .with_label = wanted->with_label,
                                      .with_probabilities = wanted->with_probabilities,
                                      .top_k = wanted->top_k};

    if (media == MEDIA_CSV) {
        encode_predictions_csv(&predictions, &writer.text);
    } else {
        encode_predictions(&predictions, &writer);
    }
    reply_text(request, 200, media, &writer);
}

/* With the model in hand. */
static void predict_with(struct app *app, struct request *request, struct cached_model *model, enum media media)
{
    const struct model *trained = cached_model_get(model);
    struct predict_request wanted;
    struct problem problem;
    struct error error = {0};
    struct outputs outputs = {.temperature = 0};

    problem_init(&problem);
    if (decode(request, &wanted, trained->spec.inputs, &problem) != STATUS_OK) {
        request_respond_problem(request, &problem);
    } else if (run(app, model, &wanted, &outputs, &error) != STATUS_OK) {
        request_respond_error(request, &error);
    } else {
        answer(request, trained, &wanted, &outputs, media);
    }
    release(&outputs);
    predict_request_release(&wanted);
    problem_release(&problem);
}

enum status predict_from(struct app *app, struct request *request, const char *name, struct error *error)
{
    struct cached_model *model;
    enum media media;
    enum status status = route_negotiate(request_route(request), NULL, request_header(request, "Accept"), &media, error);

    if (status == STATUS_OK) {
        status = model_cache_get(app->models, name, &model, error);
    }
    if (status == STATUS_OK) {
        predict_with(app, request, model, media);
        model_cache_put(app->models, model);
    }
    return status;
}

void predict(struct app *app, struct request *request)
{
    struct error error = {0};

    if (predict_from(app, request, request_parameter(request, 0), &error) != STATUS_OK) {
        request_respond_error(request, &error);
    }
}
