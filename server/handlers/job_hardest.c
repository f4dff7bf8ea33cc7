/*
 * GET /v1/jobs/{id}/hardest: the rows of a split that cost the job's model most, found by a pass over the split each time
 * that somebody asks. The split is made again from the job's spec, as at every start of the job.
 */
#include <stdlib.h>

#include "api/encode_hardest.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "server/handlers/handlers.h"
#include "server/handlers/long_work.h"
#include "server/handlers/reply.h"
#include "server/jobs/job_data.h"
#include "server/jobs/stored_spec.h"
#include "server/models/model_cache.h"
#include "server/store/jobs.h"

/* Everything that a pass holds. Zero-initialise; released whole. */
struct pass {
    struct job_view job;
    struct job_request spec;
    struct job_data data;
    struct cached_model *model;
    enum split_part part;
    struct predictor_rows rows; /* of that part */
    struct hardest hardest;
    uint32_t *numbers, *truths, *predicted; /* [hardest.count] */
    float *probabilities;                   /* [hardest.count][classes] */
};

static void release(struct app *app, struct pass *pass)
{
    free(pass->numbers);
    free(pass->truths);
    free(pass->predicted);
    free(pass->probabilities);
    hardest_release(&pass->hardest);
    if (pass->model != NULL) {
        model_cache_put(app->models, pass->model);
    }
    job_data_release(&pass->data);
    job_request_release(&pass->spec);
    job_view_release(&pass->job);
}

static enum status find_model(struct app *app, const char *id, struct pass *pass, struct error *error)
{
    enum status status = jobs_get(app->store, id, JOB_SPEC, &pass->job, error);

    if (status != STATUS_OK) {
        pass->job = (struct job_view){.spec = NULL};
        return status;
    }
    if (pass->job.model[0] == '\0') {
        return error_set(error, STATUS_MODEL_NOT_READY,
                         job_status_is_terminal(pass->job.status) ? "the job is %s: it has no model"
                                                                  : "the job is %s; it has a model when it has succeeded",
                         job_status_name(pass->job.status));
    }
    return model_cache_get(app->models, pass->job.model, &pass->model, error);
}

/* A data set that is not there any more was deleted: the job could not have been made without. */
static enum status open_data(struct app *app, struct pass *pass, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct problem inner;
    enum status status = stored_spec_decode(&pass->job, &pass->spec, &error);

    if (status != STATUS_OK) {
        problem_add(problem, &error);
        return status;
    }
    pass->spec.init.id[0] = '\0'; /* what its weights began with may be gone */
    problem_init(&inner);
    status = job_data_open(&pass->data, app->store, &pass->spec, &inner);
    if (status == STATUS_DATASET_NOT_FOUND) {
        status = error_set(&error, STATUS_DELETED, "a data set of the job was deleted");
        problem_add(problem, &error);
    } else if (status != STATUS_OK) {
        status = error_set(&error, status, "the job's data cannot be read any more: %s", inner.whole.message);
        problem_add(problem, &error);
    }
    problem_release(&inner);
    return status;
}

static struct predictor_rows rows_of(const struct job_data *data, enum split_part part)
{
    const struct split_rows rows = split_rows_of(&data->split, part);

    if (part == PART_TEST && data->has_test) {
        return (struct predictor_rows){
            .dataset = &data->test.dataset, .count = data->test.dataset.rows, .labels = data->test_labels};
    }
    return (struct predictor_rows){.dataset = &data->train.dataset, .rows = rows.rows, .count = rows.count};
}

static enum status choose_part(const struct query *query, struct pass *pass, struct error *error)
{
    static const enum split_part preferred[] = {PART_TEST, PART_VALIDATION, PART_TRAIN};

    if (query_given(query, PARAMETER_SPLIT)) {
        pass->part = (enum split_part)query_integer(query, PARAMETER_SPLIT);
        pass->rows = rows_of(&pass->data, pass->part);
    }
    for (size_t i = 0; !query_given(query, PARAMETER_SPLIT) && pass->rows.count == 0 && i < PART_COUNT; i++) {
        pass->part = preferred[i];
        pass->rows = rows_of(&pass->data, pass->part);
    }
    return pass->rows.count > 0
               ? STATUS_OK
               : error_set(error, STATUS_SPLIT_EMPTY, "the job has no %s rows", split_part_name(pass->part));
}

static uint32_t true_class(const struct predictor_rows *rows, uint32_t row)
{
    return (uint32_t)(rows->labels != NULL ? rows->labels[row] : dataset_label(rows->dataset, row));
}

/* The rows that were found, as a part of their own, with what the model says of them. */
static enum status look_closer(struct pass *pass, struct predictor *predictor, uint32_t classes, struct error *error)
{
    const uint64_t count = pass->hardest.count;
    struct predictor_rows found = pass->rows;

    pass->numbers = calloc(count, sizeof *pass->numbers);
    pass->truths = calloc(count, sizeof *pass->truths);
    pass->predicted = calloc(count, sizeof *pass->predicted);
    pass->probabilities = calloc(count * classes, sizeof *pass->probabilities);
    if (pass->numbers == NULL || pass->truths == NULL || pass->predicted == NULL || pass->probabilities == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the %llu hardest rows", (unsigned long long)count);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place = pass->hardest.rows[i].place;

        pass->numbers[i] = pass->rows.rows != NULL ? pass->rows.rows[place] : (uint32_t)place;
        pass->truths[i] = true_class(&pass->rows, pass->numbers[i]);
    }
    found.rows = pass->numbers;
    found.count = count;
    predictor_run_rows(predictor, &found, pass->probabilities, pass->predicted);
    return STATUS_OK;
}

static enum status search(struct app *app, const struct query *query, struct pass *pass, struct error *error)
{
    uint32_t classes = cached_model_get(pass->model)->spec.classes;
    struct predictor *predictor;
    enum status status = choose_part(query, pass, error);

    if (status == STATUS_OK) {
        status = hardest_init(&pass->hardest, (uint64_t)query_integer(query, PARAMETER_HARDEST), error);
    }
    if (status == STATUS_OK) {
        status = model_cache_take_predictor(app->models, pass->model, &predictor, error);
    }
    if (status == STATUS_OK) {
        predictor_hardest(predictor, &pass->rows, &pass->hardest);
        status = look_closer(pass, predictor, classes, error);
        model_cache_give_predictor(app->models, pass->model, predictor);
    }
    return status;
}

static void encode(const struct pass *pass, struct json_writer *writer)
{
    const struct model *model = cached_model_get(pass->model);
    int has_own = pass->part == PART_TEST && pass->data.has_test;
    const struct hardest_view view = {.job = pass->job.id,
                                      .model = pass->job.model,
                                      .dataset = has_own ? pass->job.test_dataset : pass->job.dataset,
                                      .part = pass->part,
                                      .samples = pass->rows.count,
                                      .hardest = &pass->hardest,
                                      .rows = pass->numbers,
                                      .truths = pass->truths,
                                      .probabilities = pass->probabilities,
                                      .predicted = pass->predicted,
                                      .class_names = (const char *const *)model->class_names,
                                      .classes = model->spec.classes};

    encode_hardest(&view, writer);
}

static enum status run(struct app *app, const struct request *request, struct json_writer *writer, struct problem *problem)
{
    struct pass pass = {.model = NULL};
    struct error error = {.status = STATUS_OK};
    enum status status = find_model(app, request_parameter(request, 0), &pass, &error);

    if (status == STATUS_OK) {
        status = open_data(app, &pass, problem);
    }
    if (status == STATUS_OK) {
        status = search(app, request_query(request), &pass, &error);
    }
    if (status == STATUS_OK) {
        encode(&pass, writer);
    }
    release(app, &pass);
    problem_add(problem, &error);
    return status;
}

void get_job_hardest(struct app *app, struct request *request)
{
    struct json_writer writer = {.depth = 0};
    struct error error = {.status = STATUS_OK};
    struct problem problem;
    enum status status;

    problem_init(&problem);
    status = long_work_begin(app, &error);
    problem_add(&problem, &error);
    if (status == STATUS_OK) {
        status = run(app, request, &writer, &problem);
        long_work_end();
    }
    if (status == STATUS_OK) {
        reply_json(request, 200, &writer);
    } else {
        request_respond_problem(request, &problem);
    }
    problem_release(&problem);
}
