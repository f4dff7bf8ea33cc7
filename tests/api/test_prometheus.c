#include "api/prometheus.h"

#include <math.h>

#include "tests/api/written.h"

/* What was written, and then let go of. */
static void assert_text(struct text *out, const char *wanted)
{
    assert_false(out->failed);
    assert_non_null(out->data);
    assert_string_equal(out->data, wanted);
    text_release(out);
}

static void a_family_begins_with_its_help_and_type(void **state)
{
    static const struct prometheus_label labels[] = {{"method", "GET"}, {"status", "200"}};
    const struct prometheus_series plain = {.family = "x_total"};
    const struct prometheus_series labelled = {.family = "y_bytes", .labels = labels, .label_count = 2};
    struct text out = {.data = NULL};

    (void)state;
    prometheus_family(&out, "x_total", PROMETHEUS_COUNTER, "Things since the start.");
    prometheus_sample(&out, &plain, 1048576);
    prometheus_family(&out, "y_bytes", PROMETHEUS_GAUGE, "Bytes.");
    prometheus_sample(&out, &labelled, 0.1);
    assert_text(&out, "# HELP x_total Things since the start.\n"
                      "# TYPE x_total counter\n"
                      "x_total 1048576\n"
                      "# HELP y_bytes Bytes.\n"
                      "# TYPE y_bytes gauge\n"
                      "y_bytes{method=\"GET\",status=\"200\"} 0.1\n");
}

static void labels_and_help_are_escaped_each_in_its_way(void **state)
{
    static const struct prometheus_label label = {"name", "C:\\a \"b\"\n\xc3\xa9"};
    const struct prometheus_series series = {.family = "x", .labels = &label, .label_count = 1};
    struct text out = {.data = NULL};

    (void)state;
    prometheus_family(&out, "x", PROMETHEUS_GAUGE, "C:\\a \"b\"\nend");
    prometheus_sample(&out, &series, 1);
    assert_text(&out, "# HELP x C:\\\\a \"b\"\\nend\n"
                      "# TYPE x gauge\n"
                      "x{name=\"C:\\\\a \\\"b\\\"\\n\xc3\xa9\"} 1\n");
}

static void values_that_are_no_numbers_have_their_words(void **state)
{
    const struct prometheus_series series = {.family = "x"};
    struct text out = {.data = NULL};

    (void)state;
    prometheus_sample(&out, &series, (double)NAN);
    prometheus_sample(&out, &series, (double)INFINITY);
    prometheus_sample(&out, &series, -(double)INFINITY);
    prometheus_sample(&out, &series, 9007199254740993.0);
    prometheus_sample(&out, &series, -1e-9);
    assert_text(&out, "x NaN\nx +Inf\nx -Inf\nx 9007199254740992\nx -1e-09\n");
}

static void buckets_are_cumulative_up_to_infinity(void **state)
{
    static const struct prometheus_label label = {"operation", "get_job"};
    static const double bounds[] = {0.001, 0.5, 60};
    static const uint64_t counts[] = {2, 0, 3, 1};
    const struct prometheus_histogram histogram = {.bounds = bounds, .counts = counts, .bound_count = 3, .sum = 99.25};
    const struct prometheus_series series = {.family = "x_seconds", .labels = &label, .label_count = 1};
    struct text out = {.data = NULL};

    (void)state;
    prometheus_family(&out, "x_seconds", PROMETHEUS_HISTOGRAM, "Seconds.");
    prometheus_histogram(&out, &series, &histogram);
    assert_text(&out, "# HELP x_seconds Seconds.\n"
                      "# TYPE x_seconds histogram\n"
                      "x_seconds_bucket{operation=\"get_job\",le=\"0.001\"} 2\n"
                      "x_seconds_bucket{operation=\"get_job\",le=\"0.5\"} 2\n"
                      "x_seconds_bucket{operation=\"get_job\",le=\"60\"} 5\n"
                      "x_seconds_bucket{operation=\"get_job\",le=\"+Inf\"} 6\n"
                      "x_seconds_sum{operation=\"get_job\"} 99.25\n"
                      "x_seconds_count{operation=\"get_job\"} 6\n");
}

static void a_histogram_without_labels_has_its_bounds_alone(void **state)
{
    static const double bound = 1;
    static const uint64_t counts[2] = {0, 0};
    const struct prometheus_histogram histogram = {.bounds = &bound, .counts = counts, .bound_count = 1, .sum = 0};
    const struct prometheus_series series = {.family = "x_seconds"};
    struct text out = {.data = NULL};

    (void)state;
    prometheus_histogram(&out, &series, &histogram);
    assert_text(&out, "x_seconds_bucket{le=\"1\"} 0\n"
                      "x_seconds_bucket{le=\"+Inf\"} 0\n"
                      "x_seconds_sum 0\n"
                      "x_seconds_count 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_begins_with_its_help_and_type),
        cmocka_unit_test(labels_and_help_are_escaped_each_in_its_way),
        cmocka_unit_test(values_that_are_no_numbers_have_their_words),
        cmocka_unit_test(buckets_are_cumulative_up_to_infinity),
        cmocka_unit_test(a_histogram_without_labels_has_its_bounds_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
