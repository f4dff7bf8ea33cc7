/* One job: checked and made as a draft (job_draft.c), stored, queued, answered. */
#include "server/handlers/submission.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/query.h"
#include "core/base/kernel_tier.h"
#include "server/failpoint.h"
#include "server/handlers/idempotency.h"
#include "server/handlers/job_draft.h"
#include "server/handlers/reply.h"
#include "server/jobs/scheduler.h"
#include "server/store/jobs.h"

/* Lives until the request is answered. */
struct submission {
    struct app *app;
    struct request *request;
    struct idempotency_claim claim;
    struct job_draft draft;
    int reserved; /* holds a place in the queue */
};

static void submission_free(struct submission *submission)
{
    idempotency_end(&submission->claim);
    if (submission->reserved) {
        scheduler_release(submission->app->scheduler, 1);
    }
    job_draft_release(&submission->draft);
    free(submission);
}

static enum status prepare(struct submission *submission, const char *text, size_t size, struct error *error)
{
    enum status status = scheduler_reserve(submission->app->scheduler, 1, error);

    if (status != STATUS_OK) {
        return status;
    }
    submission->reserved = 1;
    status = job_draft_make(&submission->draft, submission->app, text, size, error);
    submission->draft.insert.key = idempotency_key(&submission->claim);
    return status;
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
    const struct job_view *job = &submission->draft.job;
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
    const struct job_ticket ticket = job_ticket_of(&submission->draft.job);
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
    const struct job_draft *draft = &submission->draft;
    struct json_writer writer = {0};

    encode_job_estimate(&draft->decoded, draft->data.train.sha256, kernel_tier_of(draft->decoded.train.precision),
                        &draft->plan, &writer);
    reply_json(submission->request, 200, &writer); /* without a claim */
    submission_free(submission);
}

/* ---- the whole way ---- */

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
        store_submit(app->store, jobs_insert(&submission->draft.insert), stored, submission);
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
        snprintf(submission->draft.job.extended_from, sizeof submission->draft.job.extended_from, "%s", extended_from);
    }
    problem_init(&problem);
    if (job_draft_check(&submission->draft, submission->app, text, size, NULL, &problem) != STATUS_OK) {
        submission_refuse(submission, &problem);
    } else if (is_trial(submission->request)) {
        answer_estimate(submission);
    } else {
        store_job(submission, text, size);
    }
    problem_release(&problem);
}
