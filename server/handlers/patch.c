/*
 * PATCH /v1/jobs/{id}. Read, merge, write: guarded by the version that was read wherever the outcome depends on it, so that
 * of two who patch at once neither undoes what the other did.
 */
#include <inttypes.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/job_patch.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/jobs/scheduler.h"
#include "server/store/jobs.h"

#define TRIES 64 /* against versions that pass by: a running job has several a second */

static void answer_job(struct app *app, struct request *request, const char *id)
{
    struct json_writer writer = {0};
    struct response response;
    struct job_view job;
    struct error error = {0};
    char tag[REPLY_TAG_TEXT];

    if (jobs_get(app->store, id, 0, &job, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    reply_tag(tag, "%" PRIu64, job.version);
    encode_job(&job, &writer);
    job_view_release(&job);
    reply_json_response(&response, request, 200, &writer);
    reply_add_tag(&response, tag);
    request_respond(request, &response);
}

/* Does the client insist on a version? "*" is any. */
static int is_conditional(const struct request *request)
{
    const char *if_match = request_header(request, "If-Match");

    return if_match != NULL && strcmp(if_match, "*") != 0;
}

/* What the client asks for, against the job as it is; `problem` has what is wrong. */
static enum status decode(const struct request *request, const struct job_view *job, struct job_patch *patch,
                          struct problem *problem)
{
    struct error error = {0};
    char tag[REPLY_TAG_TEXT];
    size_t size;
    const char *body = request_body(request, &size);

    *patch = (struct job_patch){.metadata = NULL};
    reply_tag(tag, "%" PRIu64, job->version);
    if (!reply_may_change(request_header(request, "If-Match"), tag)) {
        (void)error_set(&error, STATUS_PRECONDITION_FAILED, "the job is at version %" PRIu64, job->version);
        problem_add(problem, &error);
        return problem->status;
    }
    return job_patch_decode(patch, job, body, size, problem);
}

/* With the version that has it: of two who rank a job at the same moment the later one in the store is the later one here.
 */
static enum status tell_priority(struct app *app, const char *id, struct error *error)
{
    struct job_view job;
    enum status status = jobs_get(app->store, id, 0, &job, error);

    if (status == STATUS_OK) {
        scheduler_tell(app->scheduler, &job);
        job_view_release(&job);
    }
    return status;
}

static enum status write_patch(struct app *app, const struct job_view *job, const struct job_patch *patch, int guarded,
                               struct error *error)
{
    struct jobs_patch operation = {
        .id = job->id,
        .name = patch->name_given ? patch->name : NULL,
        .metadata = patch->metadata_given ? patch->metadata : NULL,
        .priority = patch->priority_given ? &patch->priority : NULL,
        .if_version = guarded || patch->metadata_given ? job->version : 0,
    };
    enum status status = STATUS_OK;

    if (patch->name_given || patch->metadata_given || patch->priority_given) {
        status = store_wait(app->store, jobs_patch(&operation), error);
    }
    return status == STATUS_OK && patch->priority_given ? tell_priority(app, job->id, error) : status;
}

/* One try. STATUS_PRECONDITION_FAILED: the job has changed since it was read. */
static enum status try_patch(struct app *app, struct request *request, const char *id, struct problem *problem)
{
    struct job_view job = {.spec = NULL};
    struct job_patch patch = {.metadata = NULL};
    struct error error = {0};
    enum status status = jobs_get(app->store, id, 0, &job, &error);

    if (status == STATUS_OK) {
        status = decode(request, &job, &patch, problem);
    }
    if (status == STATUS_OK) {
        status = write_patch(app, &job, &patch, is_conditional(request), &error);
    }
    problem_add(problem, &error);
    job_patch_release(&patch);
    job_view_release(&job);
    return status;
}

void patch_job(struct app *app, struct request *request)
{
    const char *id = request_parameter(request, 0);
    enum status status = STATUS_PRECONDITION_FAILED;
    struct problem problem;

    problem_init(&problem);
    for (int tries = is_conditional(request) ? 1 : TRIES; status == STATUS_PRECONDITION_FAILED && tries > 0; tries--) {
        problem_release(&problem);
        problem_init(&problem);
        status = try_patch(app, request, id, &problem);
    }
    if (status == STATUS_OK) {
        answer_job(app, request, id);
    } else {
        request_respond_problem(request, &problem);
    }
    problem_release(&problem);
}
