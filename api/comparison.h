/*
 * GET /v1/compare: one curve of several jobs over a common x. Built job by job, so that only one's rows are in memory.
 */
#ifndef DESCENT_API_COMPARISON_H
#define DESCENT_API_COMPARISON_H

#include "api/curve.h"
#include "api/plot.h"

#define COMPARE_MAX_JOBS 64

/* In the order of query.def's `align`. */
enum compare_align { ALIGN_STEP, ALIGN_EPOCH, ALIGN_SAMPLES, ALIGN_SECONDS, ALIGN_COUNT };
const char *compare_align_name(enum compare_align align); /* "step" */

struct comparison_series {
    char job[ID_TEXT], name[NAME_TEXT];
    enum job_status status;
    struct plot_point *points; /* [count], owned: where the series was measured; y infinite where it was */
    size_t count;
    uint64_t total_points; /* before thinning out */
    double last, best;     /* of all finite values as they were measured; NaN: none, or (best) meaningless */
    double best_x;
};

struct comparison {
    enum curve_series metric;
    enum compare_align align;
    struct comparison_series series[COMPARE_MAX_JOBS];
    size_t count;
};

/*
 * Adds a job, at most COMPARE_MAX_JOBS: rows [count] of its curves, from which `options` choose (their series is set here).
 * job->spec: needed for ALIGN_SAMPLES. STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status comparison_add(struct comparison *comparison, const struct job_view *job,
                                      const struct metric_row *rows, size_t count, const struct curve_options *options,
                                      struct error *error);
void comparison_release(struct comparison *comparison);

struct json_writer;
/*
 * {"object":"comparison","metric","align","series":[{"job","name","status","x":[…],"y":[…],"total_points","final","best":
 * {"value","x"}|null}]}; what is not finite is null.
 */
void comparison_encode(const struct comparison *comparison, struct json_writer *writer);
/* A line "job,name,x,value" and one for each point; not finite: inf or -inf. */
void comparison_csv(const struct comparison *comparison, struct text *out);
/* {"job","name","x","y"} a line; not finite: null. */
void comparison_ndjson(const struct comparison *comparison, struct text *out);

/* The same as a picture; width 0: as SVG, else for a terminal of so many columns. */
MUST_CHECK enum status comparison_draw(const struct comparison *comparison, enum plot_scale scale, uint32_t width,
                                       struct text *out, struct error *error);

#endif
