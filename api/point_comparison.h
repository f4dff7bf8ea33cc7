/*
 * GET /v1/compare?against=…: one figure of each job against a value of its spec, the final accuracy against the learning
 * rate; jobs with the same value of another member form a line.
 */
#ifndef DESCENT_API_POINT_COMPARISON_H
#define DESCENT_API_POINT_COMPARISON_H

#include "api/compare_metric.h"
#include "api/comparison.h"

#define COMPARE_WORDS_TEXT 64

/* A value of a spec. */
struct compare_value {
    int is_there, is_number;
    double number;
    char words[COMPARE_WORDS_TEXT]; /* what it is in words, a number too */
};

struct compared_point {
    char job[ID_TEXT], name[NAME_TEXT];
    enum job_status status;
    struct compare_value x, group;
    double y; /* NaN: none (yet), or the job failed */
    enum compare_source source;
};

struct point_comparison {
    size_t metric;
    const char *against, *group; /* JSON pointers into the spec, borrowed; group NULL: one line */
    struct compared_point points[COMPARE_MAX_JOBS];
    size_t count;
};

/* Adds a job, at most COMPARE_MAX_JOBS: with its spec, and results if it has any; rows [count]: of its curves. */
void point_comparison_add(struct point_comparison *comparison, const struct job_view *job, const struct metric_row *rows,
                          size_t count);
/* Does any job's spec have what is at the pointer `against` (or `group`)? */
int point_comparison_has_x(const struct point_comparison *comparison);
int point_comparison_has_group(const struct point_comparison *comparison);

/*
 * {"object":"comparison","metric","against","group","points":[{"job","name","status","group","x","y","source"}],
 * "failed":[ids]}. x and group: numbers as such, anything else in words, null where the spec has none; y is null and source
 * null for jobs that failed or have no such figure (yet). source: "results", or "job": as it stands now.
 */
void point_comparison_encode(const struct point_comparison *comparison, struct json_writer *writer);
/* "job,name,status,group,x,y"; what is not there is empty. */
void point_comparison_csv(const struct point_comparison *comparison, struct text *out);
/* The members of points, an object a line. */
void point_comparison_ndjson(const struct point_comparison *comparison, struct text *out);

/* As comparison_draw; lines by group, as far as no two of their points have the same x. */
MUST_CHECK enum status point_comparison_draw(const struct point_comparison *comparison, enum plot_scale scale,
                                             uint32_t width, struct text *out, struct error *error);

#endif
