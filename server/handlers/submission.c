/* Decode, meet the data, resolve, plan, check against this server, store, queue. */
#include "server/handlers/submission.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/job_request.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/rerun_request.h"
#include "core/base/kernel_tier.h"
#include "server/dataset_import.h"
#include "server/failpoint.h"
#include "server/handlers/idempotency.h"
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

/* Lives until the request is answered. */
struct submission {
    struct app *app;
    struct request *request;
    struct idempotency_claim claim;
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
    idempotency_end(&submission->claim);
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

/*
 * The request as it was sent. Rows that came along are data sets now and named by their ids; the job's row has the last word
 * on those (stored_spec.h).
 */
static enum status keep_request(struct submission *submission, const char *text, size_t text_size, struct error *error)
{
    struct json_writer writer = {0};
    char *ids = NULL;
    size_t ids_size, size;
    enum status status;

    json_begin_object(&writer);
    if (submission->insert.dataset != NULL) {
        json_member_string(&writer, "dataset", submission->decoded.dataset.id);
    }
    if (submission->insert.test != NULL) {
        json_key(&writer, "test");
        json_begin_object(&writer);
        json_member_string(&writer, "dataset", submission->decoded.test.id);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    status = json_writer_take(&writer, &ids, &ids_size, error);
    if (status == STATUS_OK) {
        status = rerun_request_merge(text, text_size, ids, ids_size, &submission->job.request, &size, error);
    }
    free(ids);
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
    job->memory_bytes = submission->plan.bytes;
    snprintf(job->initial_model, sizeof job->initial_model, "%s", decoded->init.id);
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

static enum status prepare(struct submission *submission, const char *text, size_t size, struct error *error)
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
    insert->key = idempotency_key(&submission->claim);
    status = take_inline(&submission->dataset, store, &decoded->dataset, &submission->data.train, &insert->dataset, error);
    if (status == STATUS_OK) {
        status = take_inline(&submission->test, store, &decoded->test, &submission->data.test, &insert->test, error);
    }
    if (status == STATUS_OK) {
        status = keep_request(submission, text, size, error);
    }
    return status == STATUS_OK ? describe_job(submission, error) : status;
}

/* ---- answers ---- */

/* Each of these ends the claim first: whoever has read the answer may use the key again. */

/* error may be the store operation's, which is the submission's. */
static void refuse(struct submission *submission, const struct error *error)
{
    idempotency_end(&submission->claim);
    request_respond_error(submission->request, error);
    submission_free(submission);
}

void submission_refuse(struct submission *submission, const struct problem *problem)
{
    idempotency_end(&submission->claim);
    request_respond_problem(submission->request, problem);
    submission_free(submission);
}

static void answer_created(struct submission *submission)
{
    const struct job_view *job = &submission->job;
    struct json_writer writer = {0};
    struct response response;

    encode_job(job, &writer);
    reply_json_response(&response, submission->request, 201, &writer);
    response_header(&response, "Location", "/v1/jobs/%s", job->id);
    response_header(&response, "ETag", "\"%" PRIu64 "\"", job->version);
    idempotency_end(&submission->claim);
    FAILPOINT(JOB_BEFORE_REPLY);
    request_respond(submission->request, &response);
    FAILPOINT(JOB_REPLIED);
    submission_free(submission);
}

static void stored(void *context, enum status status, const struct error *error)
{
    struct submission *submission = context;
    const struct job_ticket ticket = job_ticket_of(&submission->job);
    struct error raced = {0};

    FAILPOINT(JOB_AFTER_COMMIT);
    if (status == STATUS_IDEMPOTENCY_KEY_REUSED) { /* since it was looked up: asking again gets that one's answer */
        (void)error_set(&raced, STATUS_IDEMPOTENCY_IN_PROGRESS, "another request with this key has just been carried out");
        refuse(submission, &raced);
        return;
    }
    if (status != STATUS_OK) {
        refuse(submission, error);
        return;
    }
    submission->reserved = 0;
    scheduler_enqueue(submission->app->scheduler, &ticket);
    answer_created(submission);
}

static void answer_estimate(struct submission *submission)
{
    struct json_writer writer = {0};

    encode_job_estimate(&submission->decoded, submission->data.train.sha256, kernel_tier(), &submission->plan, &writer);
    reply_json(submission->request, 200, &writer); /* without a claim */
    submission_free(submission);
}

/* ---- the whole way ---- */

/* Everything that can be wrong with the request itself. */
static enum status check(struct submission *submission, const char *text, size_t size, struct problem *problem)
{
    struct job_request *decoded = &submission->decoded;
    struct job_data *data = &submission->data;
    struct error error = {0};
    enum status status = job_request_decode(decoded, text, size, problem);

    if (status == STATUS_OK) {
        status = job_data_open(data, submission->app->store, decoded, problem);
    }
    if (status == STATUS_OK) {
        decoded->init.model = data->has_initial_model ? &data->initial_model : NULL;
        status = job_request_resolve(decoded, &data->train.dataset, &data->split,
                                     data->has_test ? &data->test.dataset : NULL, problem);
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

static void store_job(struct submission *submission, const char *text, size_t size)
{
    struct app *app = submission->app;
    struct error error = {0};

    if (atomic_load(&app->phase) != APP_READY) {
        (void)error_set(&error, STATUS_NOT_READY, "the server is draining and takes no more jobs");
        refuse(submission, &error);
    } else if (prepare(submission, text, size, &error) != STATUS_OK) {
        refuse(submission, &error);
    } else {
        store_submit(app->store, jobs_insert(&submission->insert), stored, submission);
    }
}

static int is_trial(const struct request *request)
{
    return query_integer(request_query(request), PARAMETER_VALIDATE_ONLY) != 0;
}

struct submission *submission_new(struct app *app, struct request *request)
{
    struct submission *submission = calloc(1, sizeof *submission);

    if (submission == NULL) {
        reply_error(request, STATUS_OUT_OF_MEMORY, "no memory for this request");
        return NULL;
    }
    submission->app = app;
    submission->request = request;
    if (!is_trial(request) && !idempotency_begin(&submission->claim, &app->claims, app->store, request)) {
        submission_free(submission);
        return NULL;
    }
    return submission;
}

void submission_submit(struct submission *submission, const char *text, size_t size, const char *extended_from)
{
    struct problem problem;

    if (extended_from != NULL) {
        snprintf(submission->job.extended_from, sizeof submission->job.extended_from, "%s", extended_from);
    }
    problem_init(&problem);
    if (check(submission, text, size, &problem) != STATUS_OK) {
        submission_refuse(submission, &problem);
    } else if (is_trial(submission->request)) {
        answer_estimate(submission);
    } else {
        store_job(submission, text, size);
    }
    problem_release(&problem);
}
