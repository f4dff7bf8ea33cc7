/* Jobs: reading and deleting. (Submitting: submit.c; pause, resume, stop, cancel: job_actions.c.) */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/job_request.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "api/reliability_svg.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_answers.h"
#include "server/handlers/reply.h"
#include "server/http/waiters.h"
#include "server/jobs/stored_spec.h"
#include "server/store/jobs.h"

void list_jobs(struct app *app, struct request *request)
{
    const struct query *query = request_query(request);
    struct page_query page = reply_page_query(request);
    struct job_label labels[QUERY_METADATA_MAX];
    struct job_filter filter = {.labels = labels, .label_count = query->metadata_count};
    struct json_writer writer = {0};
    struct job_list list;
    struct error error = {0};

    if (query_given(query, PARAMETER_JOB_STATUS)) {
        filter.statuses = JOB_SET(query_integer(query, PARAMETER_JOB_STATUS));
    }
    for (uint32_t i = 0; i < query->metadata_count; i++) {
        labels[i] = (struct job_label){query->metadata[i].key, query->metadata[i].value};
    }
    if (jobs_list(app->store, &page, &filter, &list, &error) != STATUS_OK) {
        reply_page_error(request, &error);
        return;
    }
    encode_job_list(list.items, list.count, list.has_more, &writer);
    reply_page(request, &writer, list.count > 0 ? list.items[list.count - 1].id : NULL, list.has_more);
    job_list_release(&list);
}

/* ---- one job, now or when there is news ---- */

/* What a client that says nothing of what it knows has seen: the version at its first look, kept while it waits. */
static uint64_t first_version(struct request *request, uint64_t now)
{
    uint64_t *first = request_state(request);

    if (first == NULL) {
        first = malloc(sizeof *first);
        if (first == NULL) {
            return 0; /* answers at once instead of waiting */
        }
        *first = now;
        request_set_state(request, first, free);
    }
    return *first;
}

/* What a waiting client waits for: the end, or another version than it knows. One that never was is news in any case. */
static int has_news(struct request *request, const struct job_answer *job, const char *tag)
{
    const struct query *query = request_query(request);
    const char *known = request_header(request, "If-None-Match");
    uint64_t since = query_given(query, PARAMETER_SINCE) ? (uint64_t)query_integer(query, PARAMETER_SINCE) : job->version;

    if (job_status_is_terminal(job->status) || since > job->version) {
        return 1;
    }
    if (query_given(query, PARAMETER_UNTIL)) {
        return 0;
    }
    if (query_given(query, PARAMETER_SINCE)) {
        return job->version != since;
    }
    return known != NULL ? !reply_tag_matches(known, tag) : job->version != first_version(request, job->version);
}

/* Takes the job. */
static void answer_job(struct request *request, const struct job_answer *job, const char *tag)
{
    void *held = (void *)(uintptr_t)job; /* only ever released */
    struct response response;

    if (reply_not_modified(request, tag)) {
        job_answer_release(held);
        return;
    }
    response_borrowed(&response, 200, MEDIA_JSON, job->text, job->size, job_answer_release, held);
    reply_add_tag(&response, tag);
    request_respond(request, &response);
}

void get_job(struct app *app, struct request *request)
{
    const char *id = request_parameter(request, 0);
    double wait = query_number(request_query(request), PARAMETER_WAIT);
    uint64_t ticket = request_ticket(request, id);
    char tag[REPLY_TAG_TEXT];
    const struct job_answer *job;
    struct error error = {0};

    if (job_answers_get(app->job_answers, id, &job, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    reply_tag(tag, "%" PRIu64, job->version);
    if (wait > 0 && !has_news(request, job, tag) && !request_wait_is_over(request)) {
        job_answer_release((void *)(uintptr_t)job);
        request_wait(request, id, ticket, (int64_t)(wait * 1000));
        return;
    }
    answer_job(request, job, tag);
}

void get_job_at_once(struct app *app, struct request *request)
{
    const struct job_answer *job = NULL;
    char tag[REPLY_TAG_TEXT];

    if (query_number(request_query(request), PARAMETER_WAIT) == 0) {
        job = job_answers_find(app->job_answers, request_parameter(request, 0));
    }
    if (job != NULL) {
        reply_tag(tag, "%" PRIu64, job->version);
        answer_job(request, job, tag);
    }
}

void get_job_spec(struct app *app, struct request *request)
{
    struct json_writer writer = {0};
    struct job_view job;
    struct error error = {0};
    enum status status = jobs_get(app->store, request_parameter(request, 0), JOB_SPEC, &job, &error);

    if (status == STATUS_OK) {
        status = stored_spec_encode(&job, &writer, &error);
        job_view_release(&job);
    }
    if (status != STATUS_OK) {
        json_writer_release(&writer);
        request_respond_error(request, &error);
        return;
    }
    reply_json(request, 200, &writer);
}

static void answer_results(struct request *request, const struct job_view *job, enum media media)
{
    struct json_writer writer = {0};
    struct reliability reliability;
    struct error error = {0};

    if (media == MEDIA_JSON) {
        json_raw(&writer, job->results);
        reply_json(request, 200, &writer);
    } else if (reliability_of_results(&reliability, job->results, strlen(job->results), &error) == STATUS_OK) {
        reliability_svg(&reliability, job->id, &writer.text);
        reply_text(request, 200, media, &writer);
    } else {
        request_respond_error(request, &error);
    }
}

void get_job_results(struct app *app, struct request *request)
{
    struct job_view job;
    struct error error = {0};
    enum media media;
    enum status status = reply_negotiate(request, PARAMETER_PICTURE_FORMAT, &media, &error);

    if (status == STATUS_OK) {
        status = jobs_get(app->store, request_parameter(request, 0), JOB_RESULTS, &job, &error);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    if (job.results != NULL) {
        answer_results(request, &job, media);
    } else if (job_status_is_terminal(job.status)) {
        reply_error(request, STATUS_RESULTS_NOT_READY, "the job is %s: it has no results", job_status_name(job.status));
    } else {
        reply_error(request, STATUS_RESULTS_NOT_READY, "the job is %s; its results come when it has succeeded",
                    job_status_name(job.status));
    }
    job_view_release(&job);
}

/* ---- changes ---- */

void delete_job(struct app *app, struct request *request)
{
    struct jobs_delete deletion = {.id = request_parameter(request, 0)};
    struct error error = {0};
    enum status status = store_wait(app->store, jobs_delete(&deletion), &error);

    if (status == STATUS_STATE_CONFLICT) {
        reply_state_conflict(request, deletion.current);
    } else if (status != STATUS_OK) {
        request_respond_error(request, &error);
    } else {
        reply_empty(request, 204);
    }
}
