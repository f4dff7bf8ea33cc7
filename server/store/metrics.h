/* Rows of jobs' curves: what was shown once is never changed. Written by jobs_change, each with a metric event. */
#ifndef DESCENT_SERVER_STORE_METRICS_H
#define DESCENT_SERVER_STORE_METRICS_H

#include <stddef.h>

#include "server/store/store.h"

struct metric_list {
    struct metric_row *rows; /* [count], owned, steps ascending */
    size_t count;
    uint64_t total;     /* rows that the job has */
    uint64_t last_step; /* of all of them; 0: none */
    uint64_t version;   /* of the job that they are part of */
};
/* All rows with a step above after_step (-1: all), as of one version. STATUS_NOT_FOUND, STATUS_DELETED. */
MUST_CHECK enum status metrics_list(struct store *store, const char *job, int64_t after_step, struct metric_list *list,
                                    struct error *error);
void metric_list_release(struct metric_list *list);

#endif
