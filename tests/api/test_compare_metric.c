#include "api/compare_metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/query.h"
#include "tests/assert_close.h"

static void the_query_has_the_metrics_in_this_order(void **state)
{
    const char *choices = query_parameter(PARAMETER_COMPARE_METRIC)->choices, *choice;
    size_t count = 0, size;

    (void)state;
    for (; (choice = query_choice(choices, count, &size)) != NULL; count++) {
        assert_true(count < compare_metric_count());
        assert_int_equal(size, strlen(compare_metric_get(count)->name));
        assert_memory_equal(choice, compare_metric_get(count)->name, size);
        if (compare_metric_is_curve(count)) {
            assert_string_equal(compare_metric_get(count)->name, curve_series_name((enum curve_series)count));
        }
    }
    assert_int_equal(count, compare_metric_count());
}

static double value_of(const char *name, const struct job_view *job, const struct metric_row *rows, size_t count,
                       enum compare_source *source)
{
    size_t metric = 0;

    while (strcmp(compare_metric_get(metric)->name, name) != 0) {
        metric++;
    }
    return compare_metric_value(metric, job, rows, count, source);
}

static const struct metric_row rows[] = {
    {.point = {.step = 10, .train_loss = 3, .gradient_norm = 7}, .seconds = 2},
    {.point = {.step = 20, .train_loss = (double)INFINITY, .gradient_norm = (double)NAN}, .seconds = 5},
};

static void results_go_before_curves(void **state)
{
    struct job_view job = {.progress = job_progress_none(), .memory_bytes = 4096};
    enum compare_source source;

    (void)state;
    job.progress.step = 20;
    job.progress.samples_per_second = 100;
    job.results = (char[]){"{\"splits\":{\"train\":{\"loss\":0.25},\"test\":{\"accuracy\":0.5}},"
                           "\"timing\":{\"train_seconds\":4,\"samples_per_second\":90}}"};
    assert_close(value_of("train_loss", &job, rows, 2, &source), 0.25, 0, 0);
    assert_int_equal(source, COMPARE_RESULTS);
    assert_close(value_of("test_accuracy", &job, rows, 2, &source), 0.5, 0, 0);
    assert_close(value_of("samples_per_second", &job, rows, 2, &source), 90, 0, 0);
    assert_close(value_of("step_seconds", &job, rows, 2, &source), 0.2, 1e-15, 0);
    assert_int_equal(source, COMPARE_RESULTS);
    assert_close(value_of("gradient_norm", &job, rows, 2, &source), 7, 0, 0); /* the last that is a number */
    assert_int_equal(source, COMPARE_JOB);
    assert_close(value_of("memory_bytes", &job, rows, 2, &source), 4096, 0, 0);
    assert_int_equal(source, COMPARE_JOB);
    assert_close(value_of("test_loss", &job, rows, 2, &source), NAN, 0, 0);
    assert_int_equal(source, COMPARE_NOTHING);
}

static void a_job_without_results_has_what_it_has_so_far(void **state)
{
    struct job_view job = {.progress = job_progress_none()};
    enum compare_source source;

    (void)state;
    assert_close(value_of("train_loss", &job, rows, 2, &source), 3, 0, 0);
    assert_int_equal(source, COMPARE_JOB);
    assert_close(value_of("step_seconds", &job, rows, 2, &source), 0.25, 0, 0);
    assert_close(value_of("step_seconds", &job, rows, 0, &source), NAN, 0, 0);
    assert_close(value_of("samples_per_second", &job, rows, 2, &source), NAN, 0, 0);
    assert_close(value_of("memory_bytes", &job, rows, 2, &source), NAN, 0, 0);
    assert_int_equal(source, COMPARE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_query_has_the_metrics_in_this_order),
        cmocka_unit_test(results_go_before_curves),
        cmocka_unit_test(a_job_without_results_has_what_it_has_so_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
