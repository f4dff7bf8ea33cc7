/*
 * What jobs can be compared by: every series of the curves, and figures that a job has one of. One table says where each
 * comes from. The curves' names come first, in the order of enum curve_series; all stand in query.def's `metric` in this
 * order.
 */
#ifndef DESCENT_API_COMPARE_METRIC_H
#define DESCENT_API_COMPARE_METRIC_H

#include <stddef.h>

#include "api/curve.h"

struct compare_metric {
    const char *name;    /* "validation_loss" */
    const char *axis;    /* what it is called on an axis: "validation loss (nats)" */
    int best;            /* -1: small is good, 1: large is good, 0: neither */
    int logarithmic;     /* may its axis be? */
    const char *results; /* pointer into a job's results; NULL: it is not there */
};

size_t compare_metric_count(void);
const struct compare_metric *compare_metric_get(size_t metric);
/* Is it a series of the curves (whose enum it then is)? */
int compare_metric_is_curve(size_t metric);

/* Where a figure comes from: from the results of a job that has succeeded, or as it stands in the curves and the job. */
enum compare_source { COMPARE_NOTHING, COMPARE_RESULTS, COMPARE_JOB };

/*
 * The one figure of a job: of its results, where it has some and they hold it; else the last finite value of the curve, or
 * what the job object says. NaN and COMPARE_NOTHING: there is none (yet). job: with results, if it has any; rows [count]: of
 * its curves.
 */
double compare_metric_value(size_t metric, const struct job_view *job, const struct metric_row *rows, size_t count,
                            enum compare_source *source);

#endif
