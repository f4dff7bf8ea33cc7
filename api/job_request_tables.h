/* The tables behind POST /v1/jobs, for those who describe them: GET /v1/algorithms, OpenAPI. */
#ifndef DESCENT_API_JOB_REQUEST_TABLES_H
#define DESCENT_API_JOB_REQUEST_TABLES_H

#include "api/fields.h"

/*
 * Table `index` (0, 1, 2 ...) into *table; 0 past the last one. In order: "job" (the whole request), "dataset" (variant
 * "generator"; variant "inline"), "split", "test", "model" (a variant for each type), "layer" (likewise), "loss",
 * "optimizer" (likewise, "gd" too), "schedule" (likewise), "training", "stop", "stop.early", "checkpoint", "resources",
 * "expect".
 */
int job_request_table(size_t index, struct field_table *table);

#endif
