/*
 * GET /v1/compare. Job after job is read and cut down to what is shown before the next one is, so that no more than one
 * job's curves are in memory.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/compare_query.h"
#include "api/json_writer.h"
#include "api/point_comparison.h"
#include "api/problem.h"
#include "api/routes.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/jobs/stored_spec.h"
#include "server/store/jobs.h"
#include "server/store/metrics.h"

/* One of the two, by whether the query has `against`. */
struct work {
    struct compare_query wanted;
    struct comparison curves;
    struct point_comparison points;
    uint64_t versions; /* a hash of all that was read */
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(1099511628211); /* FNV-1a, a number at a time */
}

/* The spec as clients see it, in place of the stored one. */
static enum status refresh_spec(struct job_view *job, struct error *error)
{
    struct json_writer writer = {0};
    char *text = NULL;
    size_t size;
    enum status status = stored_spec_encode(job, &writer, error);

    if (status == STATUS_OK) {
        status = json_writer_take(&writer, &text, &size, error);
    }
    json_writer_release(&writer);
    if (status == STATUS_OK) {
        free(job->spec);
        job->spec = text;
    }
    return status;
}

/* The curves first: what the job says is then at least as new. */
static enum status add_job(struct app *app, struct work *work, const char *id, struct error *error)
{
    struct metric_list rows = {.rows = NULL};
    struct job_view job = {.spec = NULL};
    enum status status = metrics_list(app->store, id, -1, &rows, error);

    if (status != STATUS_OK) {
        return status;
    }
    status = jobs_get(app->store, id, JOB_SPEC | JOB_RESULTS, &job, error);
    if (status == STATUS_OK) {
        work->versions = mix(mix(work->versions, rows.version), job.version);
        status = refresh_spec(&job, error);
    }
    if (status == STATUS_OK && work->wanted.against != NULL) {
        point_comparison_add(&work->points, &job, rows.rows, rows.count);
    } else if (status == STATUS_OK) {
        status = comparison_add(&work->curves, &job, rows.rows, rows.count, &work->wanted.options, error);
    }
    job_view_release(&job);
    metric_list_release(&rows);
    return status;
}

static enum status read_jobs(struct app *app, struct work *work, struct problem *problem)
{
    const struct compare_query *wanted = &work->wanted;
    struct error error = {0};

    work->curves.metric = (enum curve_series)wanted->metric;
    work->curves.align = wanted->align;
    work->points.metric = wanted->metric;
    work->points.against = wanted->against;
    work->points.group = wanted->group;
    for (size_t i = 0; i < wanted->count; i++) {
        if (add_job(app, work, wanted->jobs[i], &error) != STATUS_OK) {
            problem_add(problem, &error);
            return problem->status;
        }
    }
    if (wanted->against != NULL && !point_comparison_has_x(&work->points)) {
        query_refuse(problem, STATUS_QUERY_INVALID, "against", "no job's spec has %s", wanted->against);
    }
    if (wanted->group != NULL && !point_comparison_has_group(&work->points)) {
        query_refuse(problem, STATUS_QUERY_INVALID, "group", "no job's spec has %s", wanted->group);
    }
    return problem->status;
}

static enum status write_picture(const struct work *work, uint32_t width, struct text *out, struct error *error)
{
    enum plot_scale scale = work->wanted.scale;

    return work->wanted.against != NULL ? point_comparison_draw(&work->points, scale, width, out, error)
                                        : comparison_draw(&work->curves, scale, width, out, error);
}

static enum status write_answer(const struct work *work, enum media media, struct json_writer *writer, struct error *error)
{
    int points = work->wanted.against != NULL;

    switch (media) {
    case MEDIA_SVG:
        return write_picture(work, 0, &writer->text, error);
    case MEDIA_ASCII:
        return write_picture(work, work->wanted.width, &writer->text, error);
    case MEDIA_CSV:
        points ? point_comparison_csv(&work->points, &writer->text) : comparison_csv(&work->curves, &writer->text);
        break;
    case MEDIA_NDJSON:
        points ? point_comparison_ndjson(&work->points, &writer->text) : comparison_ndjson(&work->curves, &writer->text);
        break;
    default:
        points ? point_comparison_encode(&work->points, writer) : comparison_encode(&work->curves, writer);
        break;
    }
    return STATUS_OK;
}

static void answer(struct request *request, struct work *work, enum media media)
{
    struct json_writer writer = {0};
    struct response response;
    char tag[REPLY_TAG_TEXT];
    struct error error = {0};

    for (const char *at = request_target(request); *at != '\0'; at++) { /* tags of different queries differ */
        work->versions = mix(work->versions, (unsigned char)*at);
    }
    reply_tag(tag, "%s-%016" PRIx64, media_word(media), work->versions);
    if (reply_not_modified(request, tag)) {
        return;
    }
    if (write_answer(work, media, &writer, &error) != STATUS_OK) {
        json_writer_release(&writer);
        request_respond_error(request, &error);
        return;
    }
    reply_text_response(&response, request, 200, media, &writer);
    reply_add_tag(&response, tag);
    request_respond(request, &response);
}

static void compare(struct app *app, struct request *request, struct work *work)
{
    const struct query *query = request_query(request);
    struct problem problem;
    struct error error = {0};
    enum media media;

    if (reply_negotiate(request, PARAMETER_METRICS_FORMAT, &media, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    problem_init(&problem);
    if (compare_query_decode(&work->wanted, query, &problem) != STATUS_OK || read_jobs(app, work, &problem) != STATUS_OK) {
        request_respond_problem(request, &problem);
    } else {
        answer(request, work, media);
    }
    problem_release(&problem);
}

void compare_jobs(struct app *app, struct request *request)
{
    struct work *work = calloc(1, sizeof *work);

    if (work == NULL) {
        reply_error(request, STATUS_OUT_OF_MEMORY, "no memory for this comparison");
        return;
    }
    work->versions = UINT64_C(14695981039346656037);
    compare(app, request, work);
    comparison_release(&work->curves);
    free(work);
}
