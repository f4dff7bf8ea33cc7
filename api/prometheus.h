/*
 * Writing the Prometheus text format, version 0.0.4: families of samples, each begun by its HELP and TYPE lines.
 *
 * Pure. Numbers round-trip; help texts and the values of labels are escaped; names are the program's own and are not
 * checked. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef DESCENT_API_PROMETHEUS_H
#define DESCENT_API_PROMETHEUS_H

#include <stddef.h>
#include <stdint.h>

#include "api/text.h"

enum prometheus_type { PROMETHEUS_COUNTER, PROMETHEUS_GAUGE, PROMETHEUS_HISTOGRAM };
const char *prometheus_type_name(enum prometheus_type type); /* "counter" */

struct prometheus_label {
    const char *name, *value; /* value: any UTF-8 */
};

/* One line of a family in time, told apart by its labels. */
struct prometheus_series {
    const char *family;
    const struct prometheus_label *labels; /* [label_count] */
    size_t label_count;
};

/* Begins a family; all of its samples must follow before the next one begins. */
void prometheus_family(struct text *out, const char *family, enum prometheus_type type, const char *help);

/* A counter's or gauge's value; any double. */
void prometheus_sample(struct text *out, const struct prometheus_series *series, double value);

/*
 * A histogram: its buckets, cumulative and up to +Inf, its sum and its count.
 *
 * bounds  [bound_count], ascending: a bucket's largest value
 * counts  [bound_count + 1]: observations in each bucket alone, the last beyond all bounds
 * sum     of all observations, in the unit of the bounds
 */
struct prometheus_histogram {
    const double *bounds;
    const uint64_t *counts;
    size_t bound_count;
    double sum;
};
void prometheus_histogram(struct text *out, const struct prometheus_series *series,
                          const struct prometheus_histogram *histogram);

#endif
