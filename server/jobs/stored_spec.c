/* See the header; both ways go through the decoder that checked the spec when it was submitted. */
#include "stored_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"

static void place_id(struct dataset_ref *ref, const char *id)
{
    if (id[0] != '\0') {
        ref->type = DATASET_REF_ID;
        snprintf(ref->id, sizeof ref->id, "%s", id);
    }
}

enum status stored_spec_decode(const struct job_view *job, struct job_request *request, struct error *error)
{
    struct problem problem;
    enum status status;

    problem_init(&problem);
    status = job_request_decode(request, job->spec, strlen(job->spec), &problem);
    if (status == STATUS_OK) {
        place_id(&request->dataset, job->dataset);
        place_id(&request->test, job->test_dataset);
    } else {
        const char *detail = problem.field_count > 0 ? problem.fields[0].detail : problem.whole.message;

        status = error_set(error, STATUS_OBJECT_CORRUPT, "the stored spec of %s cannot be read: %s", job->id, detail);
    }
    problem_release(&problem);
    return status;
}

/* Does the learning rate of a step depend on how many there will be? */
static int depends_on_length(const struct schedule_spec *schedule)
{
    return schedule->type == SCHEDULE_LINEAR || schedule->type == SCHEDULE_COSINE;
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
    path.threads = 0;
    path.priority = 0;
    path.checkpoint_every_seconds = 0;
    path.checkpoint_every_steps = 0;
    path.checkpoint_keep = 0;
    path.train.stop.max_steps = 0;
    path.train.stop.max_seconds = 0;
    if (!depends_on_length(&path.train.schedule)) {
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
