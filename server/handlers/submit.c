/*
 * POST /v1/jobs: decode, meet the data, resolve, plan, check against this server, store, queue.
 *
 * The executor thread does the work up to the store; the answer is sent when the job is durable, by the store's writer
 * thread, so that many submissions share one commit and no thread waits for it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/job_request.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "core/base/kernel_tier.h"
#include "server/dataset_import.h"
#include "server/failpoint.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/ids.h"
#include "server/jobs/job_data.h"
#include "server/jobs/scheduler.h"
#include "server/store/jobs.h"

/* An inline data set on its way into the store. */
struct inline_dataset {
    struct datasets_insert insert;
    struct dataset_view view;
    struct object object;
};

/* A submission; lives until it is answered. */
struct submission {
    struct app *app;
    struct request *request;
    struct job_request decoded;
    struct job_data data;
    struct train_plan plan;
    struct job_view job;
    struct inline_dataset dataset, test;
    struct jobs_insert insert;
    int reserved; /* holds a place in the queue */
};

static void submission_free(struct submission *submission)
{
    if (submission->reserved) {
        scheduler_release(submission->app->scheduler);
    }
    dataset_view_release(&submission->dataset.view);
    dataset_view_release(&submission->test.view);
    object_release(&submission->dataset.object);
    object_release(&submission->test.object);
    job_view_release(&submission->job);
    job_data_release(&submission->data);
    job_request_release(&submission->decoded);
    free(submission);
}

/* ---- checks against this server ---- */

static enum status check_expectations(const struct submission *submission, struct error *error)
{
    const struct job_request *decoded = &submission->decoded;

    if (decoded->expect_dataset_sha256[0] != '\0' &&
        strcmp(decoded->expect_dataset_sha256, submission->data.train.sha256) != 0) {
        return error_set_pointer(error, STATUS_EXPECTATION_NOT_MET, "/expect/dataset_sha256", "the data set's SHA-256 is %s",
                                 submission->data.train.sha256);
    }
    if (decoded->expect_kernel_tier[0] != '\0' && strcmp(decoded->expect_kernel_tier, kernel_tier()) != 0) {
        return error_set_pointer(error, STATUS_EXPECTATION_NOT_MET, "/expect/kernel_tier",
                                 "this server's kernel tier is %.96s", kernel_tier());
    }
    return STATUS_OK;
}

static enum status check_plan(struct submission *submission, struct error *error)
{
    const struct app *app = submission->app;
    uint32_t threads = submission->decoded.threads > 0 ? submission->decoded.threads : app->threads;
    enum status status =
        trainer_plan(&submission->plan, &submission->decoded.train, submission->data.split.train_count, threads, error);

    if (status == STATUS_MODEL_TOO_LARGE) {
        snprintf(error->pointer, sizeof error->pointer, "/model");
    }
    if (status == STATUS_OK && submission->plan.bytes > app->memory_bytes) {
        status = error_set(error, STATUS_MEMORY_ESTIMATE_EXCEEDED,
                           "the job would need %" PRIu64 " bytes, this server has %" PRIu64, submission->plan.bytes,
                           app->memory_bytes);
    }
    return status;
}

/* ---- what is stored ---- */

static enum status write_object(struct inline_dataset *out, struct store *store, const struct buffer_sink *block,
                                struct error *error)
{
    struct object_writer *writer = NULL;
    enum status status = object_writer_new(&writer, store, 0, error);

    if (status == STATUS_OK) {
        struct sink sink = object_writer_sink(writer);

        status = sink.write(sink.context, block->data, block->size, error);
    }
    if (status == STATUS_OK) {
        status = object_writer_finish(writer, &out->object, error);
    }
    object_writer_free(writer);
    return status;
}

/* Makes a stored data set of one that came inline; *insert stays NULL for others. */
static enum status take_inline(struct inline_dataset *out, struct store *store, struct dataset_ref *ref,
                               const struct job_dataset *opened, struct datasets_insert **insert, struct error *error)
{
    enum status status;

    *insert = NULL;
    if (ref->type != DATASET_REF_INLINE) {
        return STATUS_OK;
    }
    status = dataset_describe(&opened->dataset, "inline", &out->view, error);
    if (status == STATUS_OK) {
        status = write_object(out, store, &ref->block, error);
    }
    if (status == STATUS_OK) {
        id_new(out->view.id, "ds_");
        ref->type = DATASET_REF_ID; /* the spec names it; the job's row has the last word (stored_spec.h) */
        snprintf(ref->id, sizeof ref->id, "%s", out->view.id);
        out->insert = (struct datasets_insert){.dataset = &out->view, .object = &out->object};
        *insert = &out->insert;
    }
    return status;
}

static enum status describe_job(struct submission *submission, struct error *error)
{
    struct job_request *decoded = &submission->decoded;
    struct job_view *job = &submission->job;
    struct json_writer writer = {0};
    size_t size;

    snprintf(job->name, sizeof job->name, "%s", decoded->name);
    job->seed = decoded->train.seed;
    job->priority = decoded->priority;
    job->progress = job_progress_none();
    job->progress.total_steps = submission->plan.total_steps;
    job->progress.best_metric = decoded->train.stop.early_metric;
    snprintf(job->dataset_sha256, sizeof job->dataset_sha256, "%s", submission->data.train.sha256);
    if (decoded->dataset.type == DATASET_REF_ID) {
        snprintf(job->dataset, sizeof job->dataset, "%s", decoded->dataset.id);
    }
    if (decoded->test.type == DATASET_REF_ID) {
        snprintf(job->test_dataset, sizeof job->test_dataset, "%s", decoded->test.id);
    }
    job->metadata = strdup(decoded->metadata);
    if (job->metadata == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the job's metadata");
    }
    job_request_encode(decoded, submission->data.train.sha256, kernel_tier(), &writer);
    return json_writer_take(&writer, &job->spec, &size, error);
}

static enum status prepare(struct submission *submission, struct error *error)
{
    struct store *store = submission->app->store;
    struct job_request *decoded = &submission->decoded;
    struct jobs_insert *insert = &submission->insert;
    enum status status = scheduler_reserve(submission->app->scheduler, error);

    if (status != STATUS_OK) {
        return status;
    }
    submission->reserved = 1;
    insert->job = &submission->job;
    status = take_inline(&submission->dataset, store, &decoded->dataset, &submission->data.train, &insert->dataset, error);
    if (status == STATUS_OK) {
        status = take_inline(&submission->test, store, &decoded->test, &submission->data.test, &insert->test, error);
    }
    return status == STATUS_OK ? describe_job(submission, error) : status;
}

/* ---- answers ---- */

static void stored(void *context, enum status status, const struct error *error)
{
    struct submission *submission = context;
    struct json_writer writer = {0};
    struct response response;

    FAILPOINT(JOB_AFTER_COMMIT);
    if (status != STATUS_OK) {
        request_respond_error(submission->request, error);
        submission_free(submission);
        return;
    }
    encode_job(&submission->job, &writer);
    reply_json_response(&response, submission->request, 201, &writer);
    response_header(&response, "Location", "/v1/jobs/%s", submission->job.id);
    response_header(&response, "ETag", "\"%" PRIu64 "\"", submission->job.version);
    FAILPOINT(JOB_BEFORE_REPLY);
    request_respond(submission->request, &response);
    FAILPOINT(JOB_REPLIED);
    submission->reserved = 0;
    scheduler_enqueue(submission->app->scheduler, submission->job.id, submission->job.priority);
    submission_free(submission);
}

static void answer_estimate(struct submission *submission)
{
    struct json_writer writer = {0};

    encode_job_estimate(&submission->decoded, submission->data.train.sha256, kernel_tier(), &submission->plan, &writer);
    reply_json(submission->request, 200, &writer);
}

/* Everything that can be wrong with the request itself. */
static enum status check(struct submission *submission, struct problem *problem)
{
    struct request *request = submission->request;
    struct error error = {0};
    size_t size;
    const char *body = request_body(request, &size);
    enum status status = job_request_decode(&submission->decoded, body, size, problem);

    if (status == STATUS_OK) {
        status = job_data_open(&submission->data, submission->app->store, &submission->decoded, problem);
    }
    if (status == STATUS_OK) {
        status = job_request_resolve(&submission->decoded, &submission->data.train.dataset, &submission->data.split,
                                     submission->data.has_test ? &submission->data.test.dataset : NULL, problem);
    }
    if (status == STATUS_OK) {
        status = check_expectations(submission, &error);
        if (status == STATUS_OK) {
            status = check_plan(submission, &error);
        }
        problem_add(problem, &error);
    }
    return status;
}

void create_job(struct app *app, struct request *request)
{
    struct submission *submission = calloc(1, sizeof *submission);
    struct problem problem;
    struct error error = {0};

    if (submission == NULL) {
        reply_error(request, STATUS_OUT_OF_MEMORY, "no memory for this request");
        return;
    }
    submission->app = app;
    submission->request = request;
    problem_init(&problem);
    if (check(submission, &problem) != STATUS_OK) {
        request_respond_problem(request, &problem);
        submission_free(submission);
    } else if (query_integer(request_query(request), PARAMETER_VALIDATE_ONLY)) {
        answer_estimate(submission);
        submission_free(submission);
    } else if (atomic_load(&app->phase) != APP_READY) {
        reply_error(request, STATUS_NOT_READY, "the server is draining and takes no more jobs");
        submission_free(submission);
    } else if (prepare(submission, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        submission_free(submission);
    } else {
        store_submit(app->store, jobs_insert(&submission->insert), stored, submission);
    }
    problem_release(&problem);
}
