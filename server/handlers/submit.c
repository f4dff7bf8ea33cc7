/*
 * Requests that make jobs: a new one, and one like another.
 *
 * A rerun is a request again: the old one's with the patch, or its resolved spec with more epochs. From there on it goes the
 * way of any other, so that nothing can differ.
 */
#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"
#include "api/problem.h"
#include "api/rerun_request.h"
#include "server/handlers/reply.h"
#include "server/handlers/submission.h"
#include "server/jobs/stored_spec.h"
#include "server/store/jobs.h"

void create_job(struct app *app, struct request *request)
{
    struct submission *submission = submission_new(app, request);
    size_t size;

    if (submission != NULL) {
        const char *body = request_body(request, &size);

        submission_submit(submission, body, size, NULL);
    }
}

/* ---- reruns ---- */

/* What is submitted in the place of a body. */
struct document {
    char *text; /* owned */
    size_t size;
};

static enum status patched_request(const struct job_view *job, const char *patch, size_t patch_size, struct document *out,
                                   struct error *error)
{
    char *original = NULL;
    size_t size;
    enum status status = stored_request_encode(job, &original, &size, error);

    if (status == STATUS_OK) {
        status = rerun_request_merge(original, size, patch_size > 0 ? patch : "{}", patch_size > 0 ? patch_size : 2,
                                     &out->text, &out->size, error);
    }
    free(original);
    return status;
}

/* What the longer training differs in, and what must hold for it to be the same up to there. */
static enum status write_longer(const struct job_view *job, uint32_t epochs, struct document *out, struct error *error)
{
    struct json_writer writer = {0};

    json_begin_object(&writer);
    json_key(&writer, "training");
    json_begin_object(&writer);
    json_member_uint(&writer, "epochs", epochs);
    json_end_object(&writer);
    if (job->kernel_tier[0] != '\0') { /* otherwise the spec's own holds */
        json_key(&writer, "expect");
        json_begin_object(&writer);
        json_member_string(&writer, "kernel_tier", job->kernel_tier);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    return json_writer_take(&writer, &out->text, &out->size, error);
}

static enum status extended_spec(const struct job_view *job, uint32_t epochs, struct document *out, struct error *error)
{
    struct job_request request = {.metadata = NULL};
    struct json_writer writer = {0};
    struct document spec = {.text = NULL}, longer = {.text = NULL};
    enum status status = stored_spec_decode(job, &request, error);

    if (status == STATUS_OK) {
        status = rerun_request_check_extension(job, &request, epochs, error);
    }
    if (status == STATUS_OK) {
        status = stored_spec_encode(job, &writer, error);
    }
    if (status == STATUS_OK) {
        status = json_writer_take(&writer, &spec.text, &spec.size, error);
    }
    if (status == STATUS_OK) {
        status = write_longer(job, request.train.epochs + epochs, &longer, error);
    }
    if (status == STATUS_OK) {
        status = rerun_request_merge(spec.text, spec.size, longer.text, longer.size, &out->text, &out->size, error);
    }
    free(spec.text);
    free(longer.text);
    json_writer_release(&writer);
    job_request_release(&request);
    return status;
}

/* 409 with what may be asked of the job as long as it has not ended. */
static void refuse_early(const struct job_view *job, struct problem *problem)
{
    char actions[JOB_ACTIONS_TEXT];
    struct error error = {0};

    (void)error_set(&error, STATUS_STATE_CONFLICT, "the job is %s; it can be extended once it has succeeded",
                    job_status_name(job->status));
    problem_add(problem, &error);
    job_allowed_actions(job->status, actions);
    problem_add_member(problem, "allowed_actions", actions);
}

/* The text that makes the new job; `problem` says why there is none. *extends: it goes on from the old one's end. */
static enum status make_document(const struct job_view *job, const struct request *request, struct document *out,
                                 int *extends, struct problem *problem)
{
    struct error error = {0};
    uint32_t epochs = 0;
    size_t size;
    const char *body = request_body(request, &size);
    enum status status = rerun_request_decode(&epochs, body, size, problem);

    *extends = epochs > 0;
    if (status != STATUS_OK) {
        return status;
    }
    if (*extends && !job_status_is_terminal(job->status)) {
        refuse_early(job, problem);
        return problem->status;
    }
    status = *extends ? extended_spec(job, epochs, out, &error) : patched_request(job, body, size, out, &error);
    problem_add(problem, &error);
    return status;
}

void rerun_job(struct app *app, struct request *request)
{
    struct submission *submission = submission_new(app, request);
    struct document document = {.text = NULL};
    struct job_view job = {.spec = NULL};
    struct problem problem;
    struct error error = {0};
    int extends = 0;

    if (submission == NULL) {
        return;
    }
    problem_init(&problem);
    enum status status = jobs_get(app->store, request_parameter(request, 0), JOB_SPEC | JOB_REQUEST, &job, &error);
    problem_add(&problem, &error);
    if (status == STATUS_OK) {
        status = make_document(&job, request, &document, &extends, &problem);
    }
    if (status == STATUS_OK) {
        submission_submit(submission, document.text, document.size, extends ? job.id : NULL);
    } else {
        submission_refuse(submission, &problem);
    }
    free(document.text);
    job_view_release(&job);
    problem_release(&problem);
}
