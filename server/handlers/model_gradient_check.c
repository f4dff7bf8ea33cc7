/*
 * POST /v1/models/{id}/gradient_check: backpropagation against central differences, by one thread of the executor. What it
 * may cost is bounded beforehand, and how many do it at a time (long_work.h).
 */
#include "server/handlers/handlers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/encode_gradient_check.h"
#include "api/gradient_check_request.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "core/data/match_labels.h"
#include "server/clock.h"
#include "server/handlers/long_work.h"
#include "server/handlers/reply.h"
#include "server/jobs/job_data.h"
#include "server/jobs/stored_spec.h"
#include "server/models/model_cache.h"
#include "server/store/jobs.h"

#define USUAL_FLOPS    UINT64_C(4000000000)  /* that "auto" aims at: about a second */
#define MOST_FLOPS     UINT64_C(40000000000) /* that may be asked for */
#define MOST_PARAMETER (UINT64_C(1) << 22)   /* of a model: four arrays of float64 are made of them */

/* Everything that a check holds. Zero-initialise; released whole. */
struct check {
    struct app *app;
    const char *id;
    struct gradient_check_request request;
    struct cached_model *held;
    struct job_dataset data;
    int32_t *labels; /* in the model's numbering; NULL: the data set's own fit */
    uint32_t rows[GRADIENT_CHECK_MAX_ROWS];
    uint32_t count;
    uint64_t parameters; /* of each layer */
    double *theta;
    struct pool *pool;
    struct network_objective *objective;
};

static void release(struct check *check)
{
    network_objective_free(check->objective);
    pool_free(check->pool);
    free(check->theta);
    free(check->labels);
    job_dataset_close(&check->data, check->app->store);
    if (check->held != NULL) {
        model_cache_put(check->app->models, check->held);
    }
    gradient_check_request_release(&check->request);
}

/* The data set of the job that made the model, if none was named. */
static enum status find_dataset(struct check *check, struct error *error)
{
    struct store *store = check->app->store;
    struct job_request spec = {.metadata = NULL};
    struct job_view job = {.spec = NULL};
    struct model_view model;
    struct error cause = {.status = STATUS_OK};
    enum status status;

    if (check->request.dataset.type != DATASET_REF_NONE) {
        return STATUS_OK;
    }
    status = models_get(store, check->id, &model, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = jobs_get(store, model.job, JOB_SPEC, &job, &cause);
    model_view_release(&model);
    if (status == STATUS_NOT_FOUND || status == STATUS_DELETED) {
        return error_set_pointer(error, STATUS_MISSING_FIELD, "/dataset",
                                 "the job that made the model is gone: a data set must be named");
    }
    if (status == STATUS_OK) {
        status = stored_spec_decode(&job, &spec, &cause);
    }
    if (status == STATUS_OK) {
        check->request.dataset = spec.dataset;
        spec.dataset = (struct dataset_ref){.type = DATASET_REF_NONE};
    } else {
        *error = cause;
    }
    job_request_release(&spec);
    job_view_release(&job);
    return status;
}

static enum status match(struct check *check, struct error *error)
{
    const struct model *model = cached_model_get(check->held);
    const struct dataset *dataset = &check->data.dataset;
    struct error cause = {.status = STATUS_OK};
    enum status status;

    if (dataset->features != model->spec.inputs) {
        return error_set_pointer(error, STATUS_FEATURE_COUNT_MISMATCH, "/dataset",
                                 "the data set has %u features, the model wants %u", dataset->features, model->spec.inputs);
    }
    status =
        dataset_match_labels(dataset, (const char *const *)model->class_names, model->spec.classes, &check->labels, &cause);
    return status == STATUS_OK ? STATUS_OK : error_set_pointer(error, status, "/dataset", "%s", cause.message);
}

/* Rows spread evenly over the data set, which may be sorted. */
static void choose_rows(struct check *check)
{
    uint64_t all = check->data.dataset.rows;

    check->count = all < check->request.rows ? (uint32_t)all : check->request.rows;
    for (uint32_t i = 0; i < check->count; i++) {
        check->rows[i] = (uint32_t)(i * all / check->count);
    }
}

/* How many of each layer's parameters are checked, within what it may cost. */
static enum status choose_parameters(struct check *check, struct error *error)
{
    const struct model_spec *spec = &cached_model_get(check->held)->spec;
    uint64_t all = model_spec_parameter_count(spec), limit = check->request.parameters > 0 ? MOST_FLOPS : USUAL_FLOPS;
    uint64_t most = all;

    if (all > MOST_PARAMETER || gradient_check_flops(spec, check->count, 1) > MOST_FLOPS) {
        return error_set(error, STATUS_MODEL_TOO_LARGE,
                         "%" PRIu64 " parameters on %u rows are too many to check a gradient of", all, check->count);
    }
    while (most > 1 && gradient_check_flops(spec, check->count, most) > limit) {
        most /= 2;
    }
    if (check->request.parameters > most && most < all) {
        return error_set_pointer(error, STATUS_OUT_OF_RANGE, "/parameters",
                                 "%u parameters of each layer would take too long, %" PRIu64 " are allowed",
                                 check->request.parameters, most);
    }
    check->parameters = check->request.parameters > 0 ? check->request.parameters : most;
    return STATUS_OK;
}

/* The objective: plain cross-entropy, dropout as in training with masks that stay. */
static enum status make_objective(struct check *check, struct error *error)
{
    const struct model *model = cached_model_get(check->held);
    const struct dataset *dataset = &check->data.dataset;
    struct network_objective_setup setup = {.model = &model->spec,
                                            .dataset = dataset,
                                            .scaler = &model->scaler,
                                            .labels = check->labels != NULL ? check->labels : dataset->labels,
                                            .rows = check->rows,
                                            .count = check->count,
                                            .loss = {.scale = 1.0 / check->count},
                                            .with_dropout = 1};
    enum status status = pool_new(&check->pool, 1, error);

    if (status == STATUS_OK) {
        check->theta = calloc(model->parameter_count, sizeof *check->theta);
        status = check->theta != NULL ? STATUS_OK
                                      : error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %" PRIu64 " parameters",
                                                  model->parameter_count);
    }
    if (status != STATUS_OK) {
        return status;
    }
    for (uint64_t i = 0; i < model->parameter_count; i++) {
        check->theta[i] = (double)model->parameters[i];
    }
    setup.pool = check->pool;
    return network_objective_new(&check->objective, &setup, error);
}

static enum status prepare(struct check *check, struct error *error)
{
    enum status status = model_cache_get(check->app->models, check->id, &check->held, error);

    if (status == STATUS_OK) {
        status = find_dataset(check, error);
    }
    if (status == STATUS_OK) {
        status = job_dataset_open(&check->data, check->app->store, &check->request.dataset, "/dataset", error);
    }
    if (status == STATUS_OK) {
        status = match(check, error);
    }
    if (status == STATUS_OK) {
        choose_rows(check);
        status = choose_parameters(check, error);
    }
    return status == STATUS_OK ? make_objective(check, error) : status;
}

static enum status run(struct check *check, struct json_writer *writer, struct error *error)
{
    double begin = clock_monotonic_seconds();
    struct gradient_check_report report;
    enum status status = prepare(check, error);

    if (status == STATUS_OK) {
        status = gradient_check(check->objective, &cached_model_get(check->held)->spec, check->theta, check->parameters,
                                check->request.h, 0, &report, error);
    }
    if (status == STATUS_OK) {
        int is_stored = check->request.dataset.type == DATASET_REF_ID;
        struct gradient_check_view view = {.model = check->id,
                                           .dataset = is_stored ? check->request.dataset.id : NULL,
                                           .rows = check->count,
                                           .h = check->request.h,
                                           .seconds = clock_monotonic_seconds() - begin,
                                           .report = &report};

        encode_gradient_check(&view, writer);
    }
    return status;
}

static enum status check_now(struct check *check, const struct request *request, struct json_writer *writer,
                             struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    size_t size;
    const char *body = request_body(request, &size);
    enum status status = gradient_check_request_decode(&check->request, body, size, problem);

    if (status != STATUS_OK) {
        return status;
    }
    status = long_work_begin(check->app, &error);
    if (status == STATUS_OK) {
        status = run(check, writer, &error);
        long_work_end();
    }
    problem_add(problem, &error);
    return status;
}

void check_gradient(struct app *app, struct request *request)
{
    struct check check = {.app = app, .id = request_parameter(request, 0)};
    struct json_writer writer = {.depth = 0};
    struct problem problem;

    problem_init(&problem);
    enum status status = check_now(&check, request, &writer, &problem);
    release(&check);
    if (status == STATUS_OK) {
        reply_json(request, 200, &writer);
    } else {
        request_respond_problem(request, &problem);
    }
    problem_release(&problem);
}
