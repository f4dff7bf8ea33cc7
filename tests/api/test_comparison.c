#include "api/comparison.h"

#include <math.h>
#include <stdio.h>

#include "tests/api/written.h"
#include "tests/assert_close.h"

#define NOT_MEASURED (double)NAN

/* Two epochs and one step of three steps each (10, 10 and 5 rows), trained on the way to the third. */
static struct metric_row rows[7];
static struct job_view job;
static char spec[] = "{\"training\":{\"batch_size\":10}}", full_spec[] = "{\"training\":{\"batch_size\":\"full\"}}";
static const struct curve_options all = {.max_points = 100, .minmax = 1};

static int make_job(void **state)
{
    static const double losses[] = {4, 2, 3, 1, (double)INFINITY, 1.5, 2.5};

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        int ends = (i + 1) % 3 == 0;

        rows[i] = (struct metric_row){.point = {.step = i + 1,
                                                .epoch = (double)(i + 1) / 3,
                                                .batch_loss = losses[i],
                                                .train_loss = ends ? 10 - (double)i : NOT_MEASURED,
                                                .train_accuracy = ends ? 0.1 * (double)i : NOT_MEASURED,
                                                .validation_loss = NOT_MEASURED,
                                                .validation_accuracy = NOT_MEASURED,
                                                .learning_rate = 0.5,
                                                .gradient_norm = NOT_MEASURED,
                                                .step_size = NOT_MEASURED},
                                      .seconds = 0.25 * (double)(i + 1)};
    }
    job = (struct job_view){.id = "job_1", .name = "r - a", .status = JOB_RUNNING, .progress = job_progress_none()};
    job.progress.step = 7;
    job.progress.samples_seen = 60;
    job.spec = spec;
    return 0;
}

static void x_is_steps_epochs_samples_or_seconds(void **state)
{
    static const double x[ALIGN_COUNT][7] = {
        [ALIGN_STEP] = {1, 2, 3, 4, 5, 6, 7},
        [ALIGN_EPOCH] = {1. / 3, 2. / 3, 1, 4. / 3, 5. / 3, 2, 7. / 3},
        [ALIGN_SAMPLES] = {10, 20, 25, 35, 45, 50, 60},
        [ALIGN_SECONDS] = {0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75},
    };

    (void)state;
    for (int align = 0; align < ALIGN_COUNT; align++) {
        struct comparison comparison = {.metric = CURVE_BATCH_LOSS, .align = (enum compare_align)align};

        assert_int_equal(comparison_add(&comparison, &job, rows, 7, &all, NULL), STATUS_OK);
        assert_int_equal(comparison.series[0].count, 7);
        for (size_t i = 0; i < 7; i++) {
            assert_close(comparison.series[0].points[i].x, x[align][i], 1e-15, 0);
        }
        comparison_release(&comparison);
    }
}

static void samples_are_known_before_the_first_epoch_ends(void **state)
{
    struct comparison comparison = {.metric = CURVE_BATCH_LOSS, .align = ALIGN_SAMPLES};
    struct job_view young = job;

    (void)state;
    young.progress.step = 2;
    young.progress.samples_seen = 20;
    assert_int_equal(comparison_add(&comparison, &young, rows, 2, &all, NULL), STATUS_OK);
    assert_close(comparison.series[0].points[1].x, 20, 0, 0);
    comparison_release(&comparison);
}

static void a_full_batch_is_one_step_an_epoch(void **state)
{
    struct comparison comparison = {.metric = CURVE_BATCH_LOSS, .align = ALIGN_SAMPLES};
    struct job_view full = job;
    struct metric_row steps[2] = {rows[0], rows[1]};

    (void)state;
    full.spec = full_spec;
    full.progress.step = 2;
    full.progress.samples_seen = 50;
    steps[0].point.epoch = 1;
    steps[1].point.epoch = 2;
    assert_int_equal(comparison_add(&comparison, &full, steps, 2, &all, NULL), STATUS_OK);
    assert_close(comparison.series[0].points[0].x, 25, 0, 0);
    assert_close(comparison.series[0].points[1].x, 50, 0, 0);
    comparison_release(&comparison);
}

static void last_and_best_are_as_measured(void **state)
{
    static const struct {
        enum curve_series metric;
        double last, best, best_x;
    } expected[] = {
        {CURVE_BATCH_LOSS, 2.5, 1, 4},
        {CURVE_TRAIN_LOSS, 5, 5, 6},
        {CURVE_TRAIN_ACCURACY, 0.5, 0.5, 6},
        {CURVE_LEARNING_RATE, 0.5, NOT_MEASURED, NOT_MEASURED},
        {CURVE_GRADIENT_NORM, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED},
    };
    const struct curve_options thin = {.max_points = 2, .minmax = 1, .smooth = 0.9};

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct comparison comparison = {.metric = expected[i].metric};

        assert_int_equal(comparison_add(&comparison, &job, rows, 7, &thin, NULL), STATUS_OK);
        assert_close(comparison.series[0].last, expected[i].last, 0, 0);
        assert_close(comparison.series[0].best, expected[i].best, 0, 0);
        assert_close(comparison.series[0].best_x, expected[i].best_x, 0, 0);
        assert_true(comparison.series[0].count <= 2);
        comparison_release(&comparison);
    }
}

static void the_forms_tell_all_points(void **state)
{
    struct comparison comparison = {.metric = CURVE_TRAIN_LOSS};
    struct json_writer writer = {.depth = 0};

    (void)state;
    assert_int_equal(comparison_add(&comparison, &job, rows, 7, &all, NULL), STATUS_OK);
    comparison_encode(&comparison, &writer);
    assert_written(&writer,
                   "{\"object\":\"comparison\",\"metric\":\"train_loss\",\"align\":\"step\",\"series\":[{\"job\":\"job_1\","
                   "\"name\":\"r - a\",\"status\":\"running\",\"x\":[3,6],\"y\":[8,5],\"total_points\":2,\"final\":5,"
                   "\"best\":{\"value\":5,\"x\":6}}]}");
    comparison_csv(&comparison, &writer.text);
    assert_text_written(&writer.text, "job,name,x,value\njob_1,r - a,3,8\njob_1,r - a,6,5\n");
    comparison_ndjson(&comparison, &writer.text);
    assert_text_written(&writer.text, "{\"job\":\"job_1\",\"name\":\"r - a\",\"x\":3,\"y\":8}\n"
                                      "{\"job\":\"job_1\",\"name\":\"r - a\",\"x\":6,\"y\":5}\n");
    comparison_release(&comparison);
}

static void infinities_are_null_in_json(void **state)
{
    struct comparison comparison = {.metric = CURVE_BATCH_LOSS};
    struct json_writer writer = {.depth = 0};

    (void)state;
    assert_int_equal(comparison_add(&comparison, &job, rows + 4, 1, &all, NULL), STATUS_OK);
    comparison_encode(&comparison, &writer);
    assert_has(&writer, "\"x\":[5],\"y\":[null],\"total_points\":1,\"final\":null,\"best\":null");
    discard(&writer);
    comparison_csv(&comparison, &writer.text);
    assert_text_written(&writer.text, "job,name,x,value\njob_1,r - a,5,inf\n");
    comparison_ndjson(&comparison, &writer.text);
    assert_text_written(&writer.text, "{\"job\":\"job_1\",\"name\":\"r - a\",\"x\":5,\"y\":null}\n");
    comparison_release(&comparison);
}

static void no_name_is_null_in_json(void **state)
{
    struct comparison comparison = {.metric = CURVE_TRAIN_LOSS};
    struct job_view nameless = job;
    struct json_writer writer = {.depth = 0};

    (void)state;
    nameless.name[0] = '\0';
    assert_int_equal(comparison_add(&comparison, &nameless, rows, 3, &all, NULL), STATUS_OK);
    comparison_encode(&comparison, &writer);
    assert_has(&writer, "\"job\":\"job_1\",\"name\":null,");
    discard(&writer);
    comparison_ndjson(&comparison, &writer.text);
    assert_text_written(&writer.text, "{\"job\":\"job_1\",\"name\":null,\"x\":3,\"y\":8}\n");
    comparison_release(&comparison);
}

static void a_picture_leaves_out_what_all_names_begin_with(void **state)
{
    struct comparison comparison = {.metric = CURVE_TRAIN_LOSS, .align = ALIGN_EPOCH};
    struct job_view other = job;
    struct json_writer writer = {.depth = 0};

    (void)state;
    snprintf(other.name, sizeof other.name, "r - b");
    other.status = JOB_FAILED;
    assert_int_equal(comparison_add(&comparison, &job, rows, 7, &all, NULL), STATUS_OK);
    assert_int_equal(comparison_add(&comparison, &other, rows, 7, &all, NULL), STATUS_OK);
    assert_int_equal(comparison_draw(&comparison, PLOT_SCALE_AUTO, 0, &writer.text, NULL), STATUS_OK);
    assert_has(&writer, ">a</text><text class=\"end\" x=\"774\" y=\"96.0\">5</text>");
    assert_has(&writer, ">b</text><text class=\"end\" x=\"774\" y=\"114.0\">failed</text>");
    assert_has(&writer, ">r - 2 jobs</text>");
    assert_has(&writer, ">training loss (nats)</text>");
    discard(&writer);
    snprintf(comparison.series[1].name, sizeof comparison.series[1].name, "s - b");
    assert_int_equal(comparison_draw(&comparison, PLOT_SCALE_AUTO, 80, &writer.text, NULL), STATUS_OK);
    assert_has(&writer, "\na  r - a  5\nb  s - b  failed\n");
    discard(&writer);
    comparison_release(&comparison);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x_is_steps_epochs_samples_or_seconds),
        cmocka_unit_test(samples_are_known_before_the_first_epoch_ends),
        cmocka_unit_test(a_full_batch_is_one_step_an_epoch),
        cmocka_unit_test(last_and_best_are_as_measured),
        cmocka_unit_test(the_forms_tell_all_points),
        cmocka_unit_test(infinities_are_null_in_json),
        cmocka_unit_test(no_name_is_null_in_json),
        cmocka_unit_test(a_picture_leaves_out_what_all_names_begin_with),
    };

    return cmocka_run_group_tests(tests, make_job, NULL);
}
