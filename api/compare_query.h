/* GET /v1/compare: which jobs are compared, and how; what its parameters say about each other. */
#ifndef DESCENT_API_COMPARE_QUERY_H
#define DESCENT_API_COMPARE_QUERY_H

#include "api/comparison.h"
#include "api/query.h"

struct compare_query {
    char jobs[COMPARE_MAX_JOBS][ID_TEXT]; /* [count], no two equal */
    size_t count;
    size_t metric; /* of compare_metric.h */
    enum compare_align align;
    const char *against, *group;  /* NULL: none; borrowed from the query */
    struct curve_options options; /* without series */
    enum plot_scale scale;
    uint32_t width;
};

/*
 * Errors go to `problem`, all of them, with their parameters; returns STATUS_OK or the problem's status:
 * STATUS_QUERY_INVALID, STATUS_QUERY_DUPLICATE for a job that stands twice, STATUS_NOT_FOUND for an id that cannot be one.
 */
MUST_CHECK enum status compare_query_decode(struct compare_query *wanted, const struct query *query,
                                            struct problem *problem);

#endif
