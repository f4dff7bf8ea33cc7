/* Decode, meet the data, resolve, plan, check against this server, make ready for the store. */
#include "server/handlers/job_draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"
#include "api/problem.h"
#include "api/rerun_request.h"
#include "core/base/kernel_tier.h"
#include "server/dataset_import.h"
#include "server/handlers/handlers.h"
#include "server/ids.h"

/* ---- checks against this server ---- */

/* Of what can run here: it has a kernel tier. */
static enum status check_expectations(const struct job_draft *draft, struct error *error)
{
    const struct job_request *decoded = &draft->decoded;
    const char *tier = kernel_tier_of(decoded->train.precision);

    if (decoded->expect_dataset_sha256[0] != '\0' && strcmp(decoded->expect_dataset_sha256, draft->data.train.sha256) != 0) {
        return error_set_pointer(error, STATUS_EXPECTATION_NOT_MET, "/expect/dataset_sha256", "the data set's SHA-256 is %s",
                                 draft->data.train.sha256);
    }
    if (decoded->expect_kernel_tier[0] != '\0' && strcmp(decoded->expect_kernel_tier, tier) != 0) {
        return error_set_pointer(error, STATUS_EXPECTATION_NOT_MET, "/expect/kernel_tier",
                                 "this server's kernel tier is %.112s", tier);
    }
    return STATUS_OK;
}

static enum status check_plan(struct job_draft *draft, const struct app *app, struct error *error)
{
    uint32_t threads = draft->decoded.threads > 0 ? draft->decoded.threads : app->threads;
    const struct train_data data = job_data_for_training(&draft->data);
    const struct train_sizes rows = train_data_sizes(&data);
    enum status status = trainer_plan(&draft->plan, &draft->decoded.train, &rows, threads, error);

    if (status == STATUS_MODEL_TOO_LARGE) {
        snprintf(error->pointer, sizeof error->pointer, "/model");
    } else if (status == STATUS_NOT_SUPPORTED) {
        snprintf(error->pointer, sizeof error->pointer, "/precision");
    }
    if (status == STATUS_OK && draft->plan.bytes > app->memory_bytes) {
        status = error_set(error, STATUS_MEMORY_ESTIMATE_EXCEEDED,
                           "the job would need %" PRIu64 " bytes, this server has %" PRIu64, draft->plan.bytes,
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

enum status inline_dataset_make(struct inline_dataset *out, struct store *store, const struct dataset *opened,
                                const struct buffer_sink *block, const char *id, struct error *error)
{
    enum status status = dataset_describe(opened, "inline", &out->view, error);

    if (status == STATUS_OK) {
        status = write_object(out, store, block, error);
    }
    if (status == STATUS_OK) {
        snprintf(out->view.id, sizeof out->view.id, "%s", id);
        out->insert = (struct datasets_insert){.dataset = &out->view, .object = &out->object};
    }
    return status;
}

void inline_dataset_release(struct inline_dataset *dataset)
{
    dataset_view_release(&dataset->view);
    object_release(&dataset->object);
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
    id_new(ref->id, "ds_");
    status = inline_dataset_make(out, store, &opened->dataset, &ref->block, ref->id, error);
    if (status == STATUS_OK) {
        ref->type = DATASET_REF_ID; /* the spec names it; the job's row has the last word (stored_spec.h) */
        *insert = &out->insert;
    }
    return status;
}

/*
 * The request as it was sent. Rows that came along are data sets now and named by their ids; the job's row has the last word
 * on those (stored_spec.h).
 */
static enum status keep_request(struct job_draft *draft, const char *text, size_t text_size, struct error *error)
{
    struct json_writer writer = {0};
    char *ids = NULL;
    size_t ids_size, size;
    enum status status;

    json_begin_object(&writer);
    if (draft->insert.dataset != NULL) {
        json_member_string(&writer, "dataset", draft->decoded.dataset.id);
    }
    if (draft->insert.test != NULL) {
        json_key(&writer, "test");
        json_begin_object(&writer);
        json_member_string(&writer, "dataset", draft->decoded.test.id);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    status = json_writer_take(&writer, &ids, &ids_size, error);
    if (status == STATUS_OK) {
        status = rerun_request_merge(text, text_size, ids, ids_size, &draft->job.request, &size, error);
    }
    free(ids);
    return status;
}

static enum status describe_job(struct job_draft *draft, struct error *error)
{
    struct job_request *decoded = &draft->decoded;
    struct job_view *job = &draft->job;
    struct json_writer writer = {0};
    size_t size;

    snprintf(job->name, sizeof job->name, "%s", decoded->name);
    job->seed = decoded->train.seed;
    job->priority = decoded->priority;
    job->progress = job_progress_none();
    job->progress.total_steps = draft->plan.total_steps;
    job->progress.best_metric = decoded->train.stop.early_metric;
    job->memory_bytes = draft->plan.bytes;
    snprintf(job->initial_model, sizeof job->initial_model, "%s", decoded->init.id);
    snprintf(job->dataset_sha256, sizeof job->dataset_sha256, "%s", draft->data.train.sha256);
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
    job_request_encode(decoded, draft->data.train.sha256, kernel_tier_of(decoded->train.precision), &writer);
    return json_writer_take(&writer, &job->spec, &size, error);
}

enum status job_draft_make(struct job_draft *draft, struct app *app, const char *text, size_t size, struct error *error)
{
    struct job_request *decoded = &draft->decoded;
    struct jobs_insert *insert = &draft->insert;
    enum status status;

    insert->job = &draft->job;
    status = take_inline(&draft->dataset, app->store, &decoded->dataset, &draft->data.train, &insert->dataset, error);
    if (status == STATUS_OK) {
        status = take_inline(&draft->test, app->store, &decoded->test, &draft->data.test, &insert->test, error);
    }
    if (status == STATUS_OK) {
        status = keep_request(draft, text, size, error);
    }
    return status == STATUS_OK ? describe_job(draft, error) : status;
}

enum status job_draft_check(struct job_draft *draft, struct app *app, const char *text, size_t size,
                            const struct known_dataset *known, struct problem *problem)
{
    struct job_request *decoded = &draft->decoded;
    struct job_data *data = &draft->data;
    struct error error = {0};
    enum status status = job_request_decode(decoded, text, size, problem);

    if (status == STATUS_OK) {
        status = job_data_open_with(data, app->store, decoded, known, problem);
    }
    if (status == STATUS_OK) {
        decoded->init.model = data->has_initial_model ? &data->initial_model : NULL;
        status = job_request_resolve(decoded, &data->train.dataset, &data->split,
                                     data->has_test ? &data->test.dataset : NULL, problem);
    }
    if (status == STATUS_OK) {
        status = check_plan(draft, app, &error);
        if (status == STATUS_OK) {
            status = check_expectations(draft, &error);
        }
        problem_add(problem, &error);
    }
    return status;
}

void job_draft_release_data(struct job_draft *draft)
{
    job_data_release(&draft->data);
    job_request_release(&draft->decoded);
}

void job_draft_release(struct job_draft *draft)
{
    inline_dataset_release(&draft->dataset);
    inline_dataset_release(&draft->test);
    job_view_release(&draft->job);
    job_draft_release_data(draft);
}
