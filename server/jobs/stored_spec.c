/* See the header; both ways go through the decoder that checked the spec when it was submitted. */
#include "stored_spec.h"

#include <stdio.h>
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

enum status stored_spec_encode(const struct job_view *job, struct json_writer *writer, struct error *error)
{
    struct job_request request;
    enum status status = stored_spec_decode(job, &request, error);

    if (status == STATUS_OK && job->stop_reason == STOP_MAX_SECONDS) {
        /* ended by the clock: the step that it reached is what gives the same bits again */
        request.train.stop.max_seconds = 0;
        request.train.stop.max_steps = job->progress.step;
    }
    if (status == STATUS_OK) {
        job_request_encode(&request, request.expect_dataset_sha256, request.expect_kernel_tier, writer);
    }
    job_request_release(&request);
    return status;
}
