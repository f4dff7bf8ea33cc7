/*
 * What the server counts of itself, for GET /metrics: a table of metrics (monitor.def), and process-wide numbers behind
 * it that any thread may change at any time.
 *
 * Changing one is a relaxed atomic addition: no lock, no order, nothing that a training thread would notice; a metric
 * without labels has a cache line of its own. So numbers that change together may be seen one before the other; each by
 * itself is right. What is not counted as it happens (memory, disk, queue) is set by whoever answers the scrape.
 */
#ifndef DESCENT_SERVER_MONITOR_H
#define DESCENT_SERVER_MONITOR_H

#include <stdint.h>

#include "api/routes.h"
#include "api/text.h"
#include "api/views.h"

enum monitor_metric {
#define METRIC(NAME, ...) MONITOR_##NAME,
#include "server/monitor.def"
#undef METRIC
    MONITOR_COUNT
};

/* For metrics without labels. */

void monitor_add(enum monitor_metric metric, uint64_t amount);      /* counters, gauges */
void monitor_subtract(enum monitor_metric metric, uint64_t amount); /* gauges */
/* In the unit of the table. Also for counters that somebody else counts. MONITOR_UNKNOWN: shown without a value. */
void monitor_set(enum monitor_metric metric, uint64_t value);
#define MONITOR_UNKNOWN UINT64_MAX
void monitor_observe(enum monitor_metric metric, int64_t nanoseconds); /* histograms; below 0 counts as 0 */

/* MONITOR_JOBS: so many are in this status now. */
void monitor_set_jobs(enum job_status status, uint64_t count);
/* MONITOR_JOBS_FINISHED: one more has come to this terminal status. */
void monitor_job_finished(enum job_status outcome);

/* MONITOR_HTTP_REQUESTS and MONITOR_HTTP_SECONDS: a request has ended. */
struct monitor_request {
    const struct route *route; /* NULL: refused before it was known */
    const char *method;        /* as it was sent */
    unsigned status;           /* of the answer; 0: the client left first */
    int64_t nanoseconds;       /* that it took */
};
void monitor_request(const struct monitor_request *request);

/* All of it in Prometheus' text format. */
void monitor_write(struct text *out);

#endif
