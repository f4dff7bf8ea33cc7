/*
 * A metric's numbers are cells of 64 bits, one for each series (and for each bucket of a histogram, and for its sum). Times
 * are counted in whole nanoseconds, so that a sum is one addition, too.
 */
#include "server/monitor.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/prometheus.h"
#include "core/base/kernel_tier.h"
#include "server/version.h"

#define CACHE_LINE   64
#define LABELS_MAX   3
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Upper bounds of the buckets of all histograms, in seconds: from a request of a small job to a minute. */
static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
#define BOUNDS COUNT(bounds)

/* What an answer's status can be; one that is not here is counted as the last (a test sees to it that none is). */
static const uint16_t statuses[] = {0,   200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 406, 409, 410, 412,
                                    413, 415, 416, 417, 421, 422, 428, 429, 431, 500, 501, 503, 504, 507, 999};
#define STATUSES COUNT(statuses)
#define METHODS  ((size_t)METHOD_COUNT + 1) /* the last: a word that is no method */

enum labels { LABELS_NONE, LABELS_JOB_STATUS, LABELS_OUTCOME, LABELS_OPERATION, LABELS_REQUEST, LABELS_BUILD };
#define SERIES_NONE       ((size_t)1)
#define SERIES_JOB_STATUS ((size_t)JOB_STATUS_COUNT)
#define SERIES_OUTCOME    ((size_t)(JOB_STATUS_COUNT - JOB_SUCCEEDED))
#define SERIES_OPERATION  ((size_t)ROUTE_COUNT + 1) /* the last: no route */
#define SERIES_REQUEST    (SERIES_OPERATION * METHODS * STATUSES)
#define SERIES_BUILD      ((size_t)1)

#define CELLS_COUNTER   1
#define CELLS_GAUGE     1
#define CELLS_HISTOGRAM (BOUNDS + 2) /* a bucket for each bound and one beyond, then the sum */

typedef atomic_uint_fast64_t cell;

#define METRIC(NAME, TYPE, UNIT, LABELS, ...) static _Alignas(CACHE_LINE) cell cells_##NAME[SERIES_##LABELS * CELLS_##TYPE];
#include "server/monitor.def"
#undef METRIC

#define UNIT_ONE         1.0
#define UNIT_NANOSECONDS 1e9

static const struct family {
    enum prometheus_type type;
    double unit; /* what one of the family's unit is in that of the cells */
    enum labels labels;
    size_t series;
    const char *family, *help;
    cell *cells;
} table[MONITOR_COUNT] = {
#define METRIC(NAME, TYPE, UNIT, LABELS, family, help)                                                                      \
    [MONITOR_##NAME] = {PROMETHEUS_##TYPE, UNIT_##UNIT, LABELS_##LABELS, SERIES_##LABELS, family, help, cells_##NAME},
#include "server/monitor.def"
#undef METRIC
};

/* ---- counting ---- */

static void increase(cell *place, uint64_t amount)
{
    atomic_fetch_add_explicit(place, amount, memory_order_relaxed);
}

static const struct family *plain(enum monitor_metric metric)
{
    assert(table[metric].series == 1 && table[metric].type != PROMETHEUS_HISTOGRAM);
    return &table[metric];
}

void monitor_add(enum monitor_metric metric, uint64_t amount)
{
    increase(plain(metric)->cells, amount);
}

void monitor_subtract(enum monitor_metric metric, uint64_t amount)
{
    assert(plain(metric)->type == PROMETHEUS_GAUGE);
    atomic_fetch_sub_explicit(table[metric].cells, amount, memory_order_relaxed);
}

void monitor_set(enum monitor_metric metric, uint64_t value)
{
    atomic_store_explicit(plain(metric)->cells, value, memory_order_relaxed);
}

static void observe(enum monitor_metric metric, size_t series, int64_t nanoseconds)
{
    const struct family *row = &table[metric];
    cell *cells = row->cells + series * CELLS_HISTOGRAM;
    size_t bucket = 0;

    assert(row->type == PROMETHEUS_HISTOGRAM && series < row->series);
    if (nanoseconds < 0)
        nanoseconds = 0;
    while (bucket < BOUNDS && (double)nanoseconds > bounds[bucket] * row->unit)
        bucket++;
    increase(&cells[bucket], 1);
    increase(&cells[BOUNDS + 1], (uint64_t)nanoseconds);
}

void monitor_observe(enum monitor_metric metric, int64_t nanoseconds)
{
    observe(metric, 0, nanoseconds);
}

void monitor_set_jobs(enum job_status status, uint64_t count)
{
    atomic_store_explicit(&cells_JOBS[status], count, memory_order_relaxed);
}

void monitor_job_finished(enum job_status outcome)
{
    assert(job_status_is_terminal(outcome));
    increase(&cells_JOBS_FINISHED[outcome - JOB_SUCCEEDED], 1);
}

static size_t method_place(const char *name)
{
    size_t place = 0;
    while (place < METHOD_COUNT && strcmp(name, method_name((enum method)place)) != 0)
        place++;
    return place;
}

static size_t status_place(unsigned status)
{
    size_t place = 0;
    while (place < STATUSES - 1 && statuses[place] != status)
        place++;
    return place;
}

void monitor_request(const struct monitor_request *request)
{
    size_t operation = request->route != NULL ? request->route->id : ROUTE_COUNT;
    size_t series = (operation * METHODS + method_place(request->method)) * STATUSES + status_place(request->status);
    increase(&cells_HTTP_REQUESTS[series], 1);
    observe(MONITOR_HTTP_SECONDS, operation, request->nanoseconds);
}

/* ---- showing ---- */

static uint64_t look(const cell *place)
{
    return atomic_load_explicit(place, memory_order_relaxed);
}

/* What tells a series apart. */
struct series_name {
    struct prometheus_label labels[LABELS_MAX];
    size_t count;
    char status[8];
};

static void add_label(struct series_name *name, const char *label, const char *value)
{
    name->labels[name->count++] = (struct prometheus_label){label, value};
}

static void add_operation(struct series_name *name, size_t place)
{
    add_label(name, "operation", place < ROUTE_COUNT ? route_get((enum route_id)place)->operation : "none");
}

static void name_request(struct series_name *name, size_t series)
{
    size_t method = series / STATUSES % METHODS;
    snprintf(name->status, sizeof(name->status), "%u", (unsigned)statuses[series % STATUSES]);
    add_operation(name, series / STATUSES / METHODS);
    add_label(name, "method", method < METHOD_COUNT ? method_name((enum method)method) : "other");
    add_label(name, "status", name->status);
}

static void name_series(struct series_name *name, enum labels labels, size_t series)
{
    name->count = 0;
    switch (labels) {
    case LABELS_NONE:
        break;
    case LABELS_JOB_STATUS:
        add_label(name, "status", job_status_name((enum job_status)series));
        break;
    case LABELS_OUTCOME:
        add_label(name, "status", job_status_name((enum job_status)(JOB_SUCCEEDED + series)));
        break;
    case LABELS_OPERATION:
        add_operation(name, series);
        break;
    case LABELS_REQUEST:
        name_request(name, series);
        break;
    case LABELS_BUILD:
        add_label(name, "version", version_text);
        add_label(name, "commit", version_commit);
        add_label(name, "kernel_tier", kernel_tier());
        break;
    }
}

/* 0: nothing to show, because it has not happened (of what is only shown then), or nobody knows. */
static int is_shown(const struct family *row, uint64_t seen)
{
    int sparse = row->labels == LABELS_OPERATION || row->labels == LABELS_REQUEST;
    return seen != MONITOR_UNKNOWN && (seen > 0 || !sparse);
}

static void write_histogram(struct text *out, const struct family *row, size_t place)
{
    const cell *cells = row->cells + place * CELLS_HISTOGRAM;
    struct series_name name;
    uint64_t counts[BOUNDS + 1], seen = 0;
    for (size_t i = 0; i <= BOUNDS; i++)
        seen += counts[i] = look(&cells[i]);
    if (!is_shown(row, seen))
        return;
    name_series(&name, row->labels, place);
    prometheus_histogram(
        out, &(struct prometheus_series){row->family, name.labels, name.count},
        &(struct prometheus_histogram){bounds, counts, BOUNDS, (double)look(&cells[BOUNDS + 1]) / row->unit});
}

static void write_sample(struct text *out, const struct family *row, size_t place)
{
    uint64_t value = look(&row->cells[place]);
    struct series_name name;
    if (!is_shown(row, value))
        return;
    name_series(&name, row->labels, place);
    prometheus_sample(out, &(struct prometheus_series){row->family, name.labels, name.count}, (double)value / row->unit);
}

void monitor_write(struct text *out)
{
    for (size_t metric = 0; metric < MONITOR_COUNT; metric++) {
        const struct family *row = &table[metric];
        prometheus_family(out, row->family, row->type, row->help);
        for (size_t place = 0; place < row->series; place++)
            (row->type == PROMETHEUS_HISTOGRAM ? write_histogram : write_sample)(out, row, place);
    }
}
