/*
 * Which part of a job's curves is shown: series, range of steps, smoothing, and thinning out that loses no peak.
 *
 * In the order in which it is done: series are chosen, each is smoothed over all the rows given, rows up to after_step
 * are dropped, rows in which none of the series was measured are dropped, and the rest is thinned out to max_points.
 */
#ifndef DESCENT_API_CURVE_H
#define DESCENT_API_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "api/views.h"
#include "core/base/status.h"

#define CURVE_MAX_POINTS 10000

/* In the order of query.def's `names`, so that its bit set is ours. */
enum curve_series {
#define SERIES(NAME, name, place) CURVE_##NAME,
    TRAIN_POINT_VALUES(SERIES)
#undef SERIES
        CURVE_SERIES_COUNT
};
#define CURVE_BIT(series) (1u << (series))
/* What charts show unless told otherwise. */
#define CURVE_CHART_SERIES                                                                                                  \
    (CURVE_BIT(CURVE_BATCH_LOSS) | CURVE_BIT(CURVE_TRAIN_LOSS) | CURVE_BIT(CURVE_VALIDATION_LOSS) |                         \
     CURVE_BIT(CURVE_TRAIN_ACCURACY) | CURVE_BIT(CURVE_VALIDATION_ACCURACY) | CURVE_BIT(CURVE_SMOOTHED_LOSS))

const char *curve_series_name(enum curve_series series); /* "train_loss" */
/* NaN: not measured at this step. */
double curve_value(const struct metric_row *row, enum curve_series series);

struct curve_options {
    unsigned series;     /* CURVE_BIT(...) | ..., 0: all that occur */
    uint64_t after_step; /* only rows with a greater step; 0: all */
    uint32_t max_points; /* 2 ... CURVE_MAX_POINTS */
    int minmax;          /* 1: thin out, extremes survive; 0: the first max_points rows */
    double smooth;       /* weight of the past in [0, 1) */
};

struct curve {
    enum curve_series series[CURVE_SERIES_COUNT];
    uint32_t series_count;
    struct metric_row *rows; /* [count], owned, steps ascending; values are the smoothed ones */
    size_t count;
    uint64_t total_points; /* rows after after_step, before thinning out */
    uint64_t last_step;    /* of the last row there is; 0: none */
    int has_more;          /* rows after the last one shown were cut off (never with minmax) */
    uint64_t *nonfinite;   /* [nonfinite_count], owned: steps after after_step at which a chosen series was infinite */
    size_t nonfinite_count;
};

/* rows [count], steps ascending, borrowed for the call. STATUS_OUT_OF_MEMORY. Free with curve_release. */
MUST_CHECK enum status curve_select(struct curve *curve, const struct metric_row *rows, size_t count,
                                    const struct curve_options *options, struct error *error);
void curve_release(struct curve *curve);

#endif
