/* See the header; both ways go through the decoder that checked the spec when it was submitted. */
#include "stored_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"
#include "api/rerun_request.h"

static void place_id(struct dataset_ref *ref, const char *id)
{
    if (id[0] != '\0') {
        ref->type = DATASET_REF_ID;
        snprintf(ref->id, sizeof ref->id, "%s", id);
    }
}

/* What the row has the last word on: data sets, and what can be patched. */
static enum status place_row(const struct job_view *job, struct job_request *request, struct error *error)
{
    char *metadata = strdup(job->metadata != NULL ? job->metadata : "{}");

    if (metadata == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the metadata of %s", job->id);
    }
    free(request->metadata);
    request->metadata = metadata;
    snprintf(request->name, sizeof request->name, "%s", job->name);
    request->priority = job->priority;
    place_id(&request->dataset, job->dataset);
    place_id(&request->test, job->test_dataset);
    return STATUS_OK;
}

enum status stored_spec_decode(const struct job_view *job, struct job_request *request, struct error *error)
{
    struct problem problem;
    enum status status;

    problem_init(&problem);
    status = job_request_decode(request, job->spec, strlen(job->spec), &problem);
    if (status == STATUS_OK) {
        status = place_row(job, request, error);
    } else {
        const char *detail = problem.field_count > 0 ? problem.fields[0].detail : problem.whole.message;

        status = error_set(error, STATUS_OBJECT_CORRUPT, "the stored spec of %s cannot be read: %s", job->id, detail);
    }
    problem_release(&problem);
    return status;
}

enum status stored_spec_hash(const struct job_request *request, unsigned char hash[SHA256_BYTES], struct error *error)
{
    static const struct job_request nothing = {.metadata = NULL};
    struct job_request path = *request;
    struct json_writer writer = {0};
    char *text;

    path.name[0] = '\0';
    path.metadata = NULL;
    path.dataset = nothing.dataset;
    path.test = nothing.test;
    path.calibration_auto = 1; /* which is not written: nor was it before there were temperatures */
    path.threads = 0;
    path.priority = 0;
    path.checkpoint_every_seconds = 0;
    path.checkpoint_every_steps = 0;
    path.checkpoint_keep = 0;
    path.train.stop.max_steps = 0;
    path.train.stop.max_seconds = 0;
    if (!schedule_depends_on_length(path.train.schedule.type)) {
        path.train.epochs = 0;
    }
    job_request_encode(&path, NULL, NULL, &writer);
    text = json_writer_text(&writer);
    if (text == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the spec's hash");
    }
    sha256_bytes(text, strlen(text), hash);
    free(text);
    return STATUS_OK;
}

/*
 * A job that was ended by the clock or by its user: the step of its model is what gives the same bits again. (Its user gets
 * the best model, which is the one after digest_step updates.)
 */
static void end_at_its_step(const struct job_view *job, struct job_request *request)
{
    if (job->stop_reason == STOP_MAX_SECONDS) {
        request->train.stop.max_seconds = 0;
        request->train.stop.max_steps = job->progress.step;
    } else if (job->stop_reason == STOP_USER && job->digest_step > 0) {
        request->train.stop.max_steps = job->digest_step;
    }
}

enum status stored_spec_encode(const struct job_view *job, struct json_writer *writer, struct error *error)
{
    struct job_request request;
    enum status status = stored_spec_decode(job, &request, error);

    if (status == STATUS_OK) {
        end_at_its_step(job, &request);
        job_request_encode(&request, request.expect_dataset_sha256,
                           job->kernel_tier[0] != '\0' ? job->kernel_tier : request.expect_kernel_tier, writer);
    }
    job_request_release(&request);
    return status;
}

/* ---- the request as it was sent ---- */

/* {"name": ..., "resources": {"priority": ...}, "dataset": ..., "test": {"dataset": ...}, "metadata": ...}: a merge patch.
 */
static void write_row(const struct job_view *job, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "name", job->name[0] != '\0' ? job->name : NULL);
    json_key(writer, "resources");
    json_begin_object(writer);
    json_member_int(writer, "priority", job->priority);
    json_end_object(writer);
    if (job->dataset[0] != '\0') {
        json_member_string(writer, "dataset", job->dataset);
    }
    if (job->test_dataset[0] != '\0') {
        json_key(writer, "test");
        json_begin_object(writer);
        json_member_string(writer, "dataset", job->test_dataset);
        json_end_object(writer);
    }
    json_member_raw(writer, "metadata", job->metadata != NULL ? job->metadata : "{}");
    json_end_object(writer);
}

static enum status place_row_in_text(const struct job_view *job, char **text, size_t *size, struct error *error)
{
    /* Metadata is replaced, not merged. What a resolved spec expects is not what the client did. */
    const char *drop = job->request != NULL ? "{\"metadata\":null}" : "{\"metadata\":null,\"expect\":null}";
    const char *base = job->request != NULL ? job->request : job->spec;
    struct json_writer writer = {0};
    char *row = NULL, *bare = NULL;
    size_t row_size, bare_size;
    enum status status;

    *text = NULL;
    write_row(job, &writer);
    status = json_writer_take(&writer, &row, &row_size, error);
    if (status == STATUS_OK) {
        status = rerun_request_merge(base, strlen(base), drop, strlen(drop), &bare, &bare_size, error);
    }
    if (status == STATUS_OK) {
        status = rerun_request_merge(bare, bare_size, row, row_size, text, size, error);
    }
    free(row);
    free(bare);
    return status;
}

enum status stored_request_encode(const struct job_view *job, char **text, size_t *size, struct error *error)
{
    struct error reason = {0};
    enum status status = place_row_in_text(job, text, size, &reason);

    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    return status == STATUS_OUT_OF_MEMORY
               ? error_set(error, status, "%s", reason.message)
               : error_set(error, STATUS_OBJECT_CORRUPT, "the stored request of %s cannot be read: %s", job->id,
                           reason.message);
}
