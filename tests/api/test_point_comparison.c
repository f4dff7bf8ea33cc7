#include "api/point_comparison.h"

#include <math.h>
#include <stdio.h>

#include "tests/api/written.h"
#include "tests/assert_close.h"

enum { JOBS = 4 };
static struct job_view jobs[JOBS];
static char specs[JOBS][128] = {
    "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.1},\"model\":{\"hidden\":[8,4]}}",
    "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.001}}",
    "{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.1,\"beta1\":0.5}}",
    "{\"optimizer\":{\"type\":\"a, b\",\"learning_rate\":10}}",
};
static char good[] = "{\"splits\":{\"test\":{\"accuracy\":0.75,\"loss\":0.5}},\"timing\":{\"train_seconds\":2.5}}";
static char poor[] = "{\"splits\":{\"test\":{\"accuracy\":0.25,\"loss\":null}}}";

/* The metric of a name. */
static size_t metric(const char *name)
{
    size_t found = 0;

    while (found < compare_metric_count() && strcmp(compare_metric_get(found)->name, name) != 0) {
        found++;
    }
    assert_true(found < compare_metric_count());
    return found;
}

static int make_jobs(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct job_view){.status = JOB_SUCCEEDED, .progress = job_progress_none(), .spec = specs[i]};
        snprintf(jobs[i].id, sizeof jobs[i].id, "job_%zu", i);
        jobs[i].progress.step = 50;
        jobs[i].memory_bytes = 1000 + i;
    }
    jobs[0].results = good;
    jobs[1].results = poor;
    jobs[2].status = JOB_RUNNING;
    jobs[3].status = JOB_FAILED;
    jobs[3].results = jobs[0].results; /* there are none; if there were, they would not count */
    return 0;
}

static void add_all(struct point_comparison *comparison)
{
    for (size_t i = 0; i < JOBS; i++) {
        point_comparison_add(comparison, &jobs[i], NULL, 0);
    }
}

static void points_have_their_specs_values_and_their_results(void **state)
{
    struct point_comparison comparison = {
        .metric = metric("test_accuracy"), .against = "/optimizer/learning_rate", .group = "/optimizer/type"};
    struct json_writer writer = {.depth = 0};

    (void)state;
    add_all(&comparison);
    assert_true(point_comparison_has_x(&comparison) && point_comparison_has_group(&comparison));
    point_comparison_encode(&comparison, &writer);
    assert_written(
        &writer,
        "{\"object\":\"comparison\",\"metric\":\"test_accuracy\",\"against\":\"/optimizer/learning_rate\",\"group\":"
        "\"/optimizer/type\",\"points\":["
        "{\"job\":\"job_0\",\"name\":null,\"status\":\"succeeded\",\"group\":\"sgd\",\"x\":0.1,\"y\":0.75,\"source\":"
        "\"results\"},"
        "{\"job\":\"job_1\",\"name\":null,\"status\":\"succeeded\",\"group\":\"sgd\",\"x\":0.001,\"y\":0.25,\"source\":"
        "\"results\"},"
        "{\"job\":\"job_2\",\"name\":null,\"status\":\"running\",\"group\":\"adam\",\"x\":0.1,\"y\":null,\"source\":null},"
        "{\"job\":\"job_3\",\"name\":null,\"status\":\"failed\",\"group\":\"a, b\",\"x\":10,\"y\":null,\"source\":null}],"
        "\"failed\":[\"job_3\"]}");
    point_comparison_csv(&comparison, &writer.text);
    assert_text_written(&writer.text,
                        "job,name,status,group,x,y\njob_0,,succeeded,sgd,0.1,0.75\njob_1,,succeeded,sgd,0.001,0.25\n"
                        "job_2,,running,adam,0.1,\njob_3,,failed,\"a, b\",10,\n");
    point_comparison_ndjson(&comparison, &writer.text);
    assert_true(strncmp(writer.text.data, "{\"job\":\"job_0\"", 14) == 0 && writer.text.data[writer.text.size - 1] == '\n');
    discard(&writer);
}

static void what_a_spec_does_not_have_has_no_x(void **state)
{
    struct point_comparison comparison = {.metric = metric("memory_bytes"), .against = "/optimizer/beta1"};

    (void)state;
    add_all(&comparison);
    assert_true(point_comparison_has_x(&comparison));
    assert_false(point_comparison_has_group(&comparison));
    assert_false(comparison.points[0].x.is_there);
    assert_true(comparison.points[2].x.is_number && comparison.points[2].x.number == 0.5);
    comparison = (struct point_comparison){.metric = 0, .against = "/model/hidden"};
    add_all(&comparison);
    assert_string_equal(comparison.points[0].x.words, "[8,4]");
    comparison = (struct point_comparison){.metric = 0, .against = "/luck"};
    add_all(&comparison);
    assert_false(point_comparison_has_x(&comparison));
}

static void a_picture_draws_a_line_a_group(void **state)
{
    struct point_comparison comparison = {
        .metric = metric("memory_bytes"), .against = "/optimizer/learning_rate", .group = "/optimizer/type"};
    struct json_writer writer = {.depth = 0};

    (void)state;
    add_all(&comparison);
    assert_int_equal(point_comparison_draw(&comparison, PLOT_SCALE_AUTO, 0, &writer.text, NULL), STATUS_OK);
    assert_has(&writer, "memory_bytes against learning_rate");
    assert_has(&writer, "4 jobs, 1 failed");
    assert_has(&writer, ">sgd</text>");
    assert_has(&writer, ">adam</text>");
    assert_has(&writer, "<path class=\"line c0\" d=\"M");
    assert_has(&writer, "<path class=\"line c2\" d=\"\"/>"); /* one job, that failed */
    discard(&writer);
}

static void jobs_with_the_same_x_are_dots(void **state)
{
    struct point_comparison comparison = {.metric = metric("memory_bytes"), .against = "/optimizer/learning_rate"};
    struct json_writer writer = {.depth = 0};

    (void)state;
    add_all(&comparison); /* 0.1 twice */
    assert_int_equal(point_comparison_draw(&comparison, PLOT_SCALE_AUTO, 0, &writer.text, NULL), STATUS_OK);
    assert_null(strstr(writer.text.data, "<path class=\"line c0\""));
    assert_has(&writer, "<circle class=\"dot c0\"");
    discard(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_have_their_specs_values_and_their_results),
        cmocka_unit_test(what_a_spec_does_not_have_has_no_x),
        cmocka_unit_test(a_picture_draws_a_line_a_group),
        cmocka_unit_test(jobs_with_the_same_x_are_dots),
    };

    return cmocka_run_group_tests(tests, make_jobs, NULL);
}
