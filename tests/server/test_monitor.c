/* Process-wide numbers: each test looks at what they grow by. docs/operation.md is compared with the table here, too. */
#include "server/monitor.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/problem.h"
#include "tests/assert_close.h"
#include "tests/server/monitored.h"

/* A sample that is not shown has not happened. */
static double grown(const char *series, double before)
{
    return monitored(series) - (before < 0 ? 0 : before);
}

static void counters_add_up_and_gauges_go_both_ways(void **state)
{
    double steps = monitored("descentd_training_steps_total"), streams = monitored("descentd_event_streams");

    (void)state;
    monitor_add(MONITOR_STEPS, 3);
    monitor_add(MONITOR_STEPS, 4);
    monitor_add(MONITOR_EVENT_STREAMS, 2);
    monitor_subtract(MONITOR_EVENT_STREAMS, 1);
    assert_close(grown("descentd_training_steps_total", steps), 7, 0, 0);
    assert_close(grown("descentd_event_streams", streams), 1, 0, 0);
    monitor_set(MONITOR_WAL_BYTES, 4096);
    assert_close(monitored("descentd_database_wal_bytes"), 4096, 0, 0);
}

static void nanoseconds_are_shown_as_seconds(void **state)
{
    (void)state;
    monitor_set(MONITOR_PROCESS_CPU, 2500000000);
    assert_close(monitored("process_cpu_seconds_total"), 2.5, 0, 0);
}

static void what_nobody_knows_is_left_out(void **state)
{
    (void)state;
    monitor_set(MONITOR_DISK_BYTES, MONITOR_UNKNOWN);
    assert_close(monitored("descentd_disk_bytes"), -1, 0, 0);
    monitor_set(MONITOR_DISK_BYTES, 0);
    assert_close(monitored("descentd_disk_bytes"), 0, 0, 0);
}

static void every_status_of_jobs_is_always_shown(void **state)
{
    (void)state;
    for (int status = 0; status < JOB_STATUS_COUNT; status++) {
        char series[64];

        snprintf(series, sizeof series, "descentd_jobs{status=\"%s\"}", job_status_name((enum job_status)status));
        monitor_set_jobs((enum job_status)status, 0);
        assert_close(monitored(series), 0, 0, 0);
        monitor_set_jobs((enum job_status)status, 10 + (uint64_t)status);
        assert_close(monitored(series), 10 + status, 0, 0);
    }
}

static void ends_of_jobs_are_told_apart(void **state)
{
    double failed = monitored("descentd_jobs_finished_total{status=\"failed\"}");
    double cancelled = monitored("descentd_jobs_finished_total{status=\"cancelled\"}");

    (void)state;
    assert_true(failed >= 0 && cancelled >= 0);
    monitor_job_finished(JOB_FAILED);
    assert_close(grown("descentd_jobs_finished_total{status=\"failed\"}", failed), 1, 0, 0);
    assert_close(grown("descentd_jobs_finished_total{status=\"cancelled\"}", cancelled), 0, 0, 0);
}

#define SECONDS "descentd_checkpoint_write_duration_seconds"

static void an_observation_falls_into_the_bucket_of_its_bound(void **state)
{
    static const char *const series[] = {SECONDS "_bucket{le=\"0.001\"}",
                                         SECONDS "_bucket{le=\"0.0025\"}",
                                         SECONDS "_bucket{le=\"60\"}",
                                         SECONDS "_bucket{le=\"+Inf\"}",
                                         SECONDS "_count",
                                         SECONDS "_sum"};
    static const double wanted[] = {3, 4, 4, 5, 5, 61.002000001};
    double before[6];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        before[i] = monitored(series[i]);
    }
    monitor_observe(MONITOR_CHECKPOINT_SECONDS, 0);
    monitor_observe(MONITOR_CHECKPOINT_SECONDS, -5); /* a clock that runs back */
    monitor_observe(MONITOR_CHECKPOINT_SECONDS, 1000000);
    monitor_observe(MONITOR_CHECKPOINT_SECONDS, 1000001);
    monitor_observe(MONITOR_CHECKPOINT_SECONDS, 61000000000);
    for (size_t i = 0; i < 6; i++) {
        assert_close(grown(series[i], before[i]), wanted[i], 1e-12, 0);
    }
}

static void a_request_counts_by_operation_method_and_status(void **state)
{
    static const char *const created =
        "descentd_http_requests_total{operation=\"create_job\",method=\"POST\",status=\"201\"}";
    static const char *const strange = "descentd_http_requests_total{operation=\"none\",method=\"other\",status=\"0\"}";
    static const char *const slow = "descentd_http_request_duration_seconds_bucket{operation=\"create_job\",le=\"0.25\"}";
    static const char *const slower = "descentd_http_request_duration_seconds_bucket{operation=\"create_job\",le=\"0.5\"}";
    const struct monitor_request request = {
        .route = route_get(ROUTE_CREATE_JOB), .method = "POST", .status = 201, .nanoseconds = 300000000};

    (void)state;
    assert_close(monitored(created), -1, 0, 0); /* what has not happened has no line */
    assert_close(monitored(slower), -1, 0, 0);
    monitor_request(&request);
    monitor_request(&request);
    monitor_request(&(struct monitor_request){.route = NULL, .method = "BREW \"tea\"", .status = 0});
    assert_close(monitored(created), 2, 0, 0);
    assert_close(monitored(slow), 0, 0, 0);
    assert_close(monitored(slower), 2, 0, 0);
    assert_close(monitored("descentd_http_request_duration_seconds_sum{operation=\"create_job\"}"), 0.6, 1e-12, 0);
    assert_close(monitored(strange), 1, 0, 0);
}

/* A status that has no place of its own is counted as 999. */
static void every_status_of_an_answer_has_a_place(void **state)
{
    static const char *const lost = "descentd_http_requests_total{operation=\"get_info\",method=\"HEAD\",status=\"999\"}";
    struct monitor_request request = {.route = route_get(ROUTE_INFO), .method = "HEAD"};

    (void)state;
    for (int status = STATUS_OK + 1; status < STATUS_COUNT; status++) {
        request.status = (unsigned)status_http((enum status)status);
        monitor_request(&request);
    }
    for (int id = 0; id < ROUTE_COUNT; id++) {
        const struct route *route = route_get((enum route_id)id);

        for (size_t i = 0; i < ROUTE_ANSWERS_MAX && route->answers[i].status != 0; i++) {
            request.status = (unsigned)route->answers[i].status;
            monitor_request(&request);
        }
    }
    assert_close(monitored(lost), -1, 0, 0);
    request.status = 777;
    monitor_request(&request);
    assert_close(monitored(lost), 1, 0, 0);
}

#define THREADS 4
#define ROUNDS  20000

static void *add_many(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        monitor_add(MONITOR_SAMPLES, 1);
        monitor_observe(MONITOR_STORE_COMMIT_SECONDS, 1000);
    }
    return argument;
}

static void nothing_is_lost_between_threads(void **state)
{
    double samples = monitored("descentd_training_samples_total");
    double commits = monitored("descentd_store_commit_duration_seconds_count");
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_close(grown("descentd_training_samples_total", samples), THREADS * ROUNDS, 0, 0);
    assert_close(grown("descentd_store_commit_duration_seconds_count", commits), THREADS * ROUNDS, 0, 0);
}

/* ---- the document ---- */

#define TYPE_COUNTER     "counter"
#define TYPE_GAUGE       "gauge"
#define TYPE_HISTOGRAM   "histogram"
#define NAMES_NONE       ""
#define NAMES_JOB_STATUS "`status`"
#define NAMES_OUTCOME    "`status`"
#define NAMES_OPERATION  "`operation`"
#define NAMES_REQUEST    "`operation`, `method`, `status`"
#define NAMES_BUILD      "`version`, `commit`, `kernel_tier`"

static const char *const documented = "| metric | type | labels | |\n| --- | --- | --- | --- |\n"
#define METRIC(NAME, TYPE, UNIT, LABELS, family, help) "| `" family "` | " TYPE_##TYPE " | " NAMES_##LABELS " | " help " |\n"
#include "server/monitor.def"
#undef METRIC
                                      "\n";

static int manual_has(const char *text)
{
    static char manual[256 * 1024];
    FILE *file = fopen("docs/operation.md", "rb");

    assert_non_null(file);
    size_t size = fread(manual, 1, sizeof manual - 1, file);
    assert_int_equal(fclose(file), 0);
    manual[size] = '\0';
    return strstr(manual, text) != NULL;
}

/* Where it does not, the right table is left in build/, to be looked at and copied. */
static void the_manual_lists_every_metric(void **state)
{
    (void)state;
    if (!manual_has(documented)) {
        FILE *file = fopen("build/monitoring.md", "wb");
        assert_non_null(file);
        assert_int_equal(fputs(documented, file) >= 0, 1);
        assert_int_equal(fclose(file), 0);
        fail_msg("docs/operation.md, Monitoring, is not what monitor.def says: look at build/monitoring.md and copy it");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_add_up_and_gauges_go_both_ways),
        cmocka_unit_test(nanoseconds_are_shown_as_seconds),
        cmocka_unit_test(what_nobody_knows_is_left_out),
        cmocka_unit_test(every_status_of_jobs_is_always_shown),
        cmocka_unit_test(ends_of_jobs_are_told_apart),
        cmocka_unit_test(an_observation_falls_into_the_bucket_of_its_bound),
        cmocka_unit_test(a_request_counts_by_operation_method_and_status),
        cmocka_unit_test(every_status_of_an_answer_has_a_place),
        cmocka_unit_test(nothing_is_lost_between_threads),
        cmocka_unit_test(the_manual_lists_every_metric),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
