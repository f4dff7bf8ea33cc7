#include "compare_query.h"

#include <string.h>

#include "api/compare_metric.h"
#include "api/json_piece.h"
#include "api/problem.h"

static int stands_before(const struct compare_query *wanted, const char *id)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->jobs[i], id) == 0) {
            return 1;
        }
    }
    return 0;
}

static void add_job(struct compare_query *wanted, const char *id, size_t size, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    char *job = wanted->jobs[wanted->count];

    if (size == 0) {
        query_refuse(problem, STATUS_QUERY_INVALID, "jobs", "an id is empty");
        return;
    }
    if (size >= ID_TEXT) { /* no job has such an id */
        (void)error_set(&error, STATUS_NOT_FOUND, "there is no job %.*s", size < 64 ? (int)size : 64, id);
        problem_add(problem, &error);
        return;
    }
    memcpy(job, id, size);
    job[size] = '\0';
    if (stands_before(wanted, job)) {
        query_refuse(problem, STATUS_QUERY_DUPLICATE, "jobs", "%s stands twice", job);
        return;
    }
    wanted->count++;
}

static void decode_jobs(struct compare_query *wanted, const char *text, struct problem *problem)
{
    for (const char *at = text;; at++) {
        size_t size = strcspn(at, ",");

        if (wanted->count == COMPARE_MAX_JOBS) {
            query_refuse(problem, STATUS_QUERY_INVALID, "jobs", "at most %d jobs are compared", COMPARE_MAX_JOBS);
            return;
        }
        add_job(wanted, at, size, problem);
        at += size;
        if (*at == '\0') {
            return;
        }
    }
}

static const char *decode_pointer(const struct query *query, enum query_id id, struct problem *problem)
{
    const char *text = query_given(query, id) ? query_text(query, id) : NULL;
    const char *name = query_parameter(id)->name;

    if (text != NULL && (text[0] == '\0' || !json_pointer_is_valid(text))) {
        query_refuse(problem, STATUS_QUERY_INVALID, name, "%s is a JSON pointer like /optimizer/learning_rate", name);
    }
    return text;
}

/* What means nothing for points, or nothing without them. */
static void check_together(const struct compare_query *wanted, const struct query *query, struct problem *problem)
{
    static const enum query_id of_curves[] = {PARAMETER_ALIGN, PARAMETER_COMPARE_POINTS, PARAMETER_DOWNSAMPLE,
                                              PARAMETER_SMOOTH};

    for (size_t i = 0; wanted->against != NULL && i < sizeof of_curves / sizeof *of_curves; i++) {
        const char *name = query_parameter(of_curves[i])->name;

        if (query_given(query, of_curves[i])) {
            query_refuse(problem, STATUS_QUERY_INVALID, name, "with against there are no curves: leave %s out", name);
        }
    }
    if (wanted->against == NULL && wanted->group != NULL) {
        query_refuse(problem, STATUS_QUERY_INVALID, "group", "group needs against");
    }
    if (wanted->against == NULL && !compare_metric_is_curve(wanted->metric)) {
        query_refuse(problem, STATUS_QUERY_INVALID, "metric", "%s is one figure of a job: say against what",
                     compare_metric_get(wanted->metric)->name);
    }
}

enum status compare_query_decode(struct compare_query *wanted, const struct query *query, struct problem *problem)
{
    *wanted = (struct compare_query){
        .metric = (size_t)query_integer(query, PARAMETER_COMPARE_METRIC),
        .align = (enum compare_align)query_integer(query, PARAMETER_ALIGN),
        .options = {.max_points = (uint32_t)query_integer(query, PARAMETER_COMPARE_POINTS),
                    .minmax = query_integer(query, PARAMETER_DOWNSAMPLE) == 0,
                    .smooth = query_number(query, PARAMETER_SMOOTH)},
        .scale = (enum plot_scale)query_integer(query, PARAMETER_SCALE),
        .width = (uint32_t)query_integer(query, PARAMETER_WIDTH),
    };
    decode_jobs(wanted, query_text(query, PARAMETER_JOBS), problem);
    wanted->against = decode_pointer(query, PARAMETER_AGAINST, problem);
    wanted->group = decode_pointer(query, PARAMETER_GROUP, problem);
    check_together(wanted, query, problem);
    return problem->status;
}
