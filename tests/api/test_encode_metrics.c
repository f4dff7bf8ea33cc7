#include "api/encode_metrics.h"

#include <math.h>

#include "tests/api/written.h"

/* Three points; the second has an infinite loss, the third the end of an epoch. */
static struct curve three_points(void)
{
    struct metric_row rows[3] = {{.seconds = 0.5}, {.seconds = 1}, {.seconds = 1.0 / 3 + 1}};
    const struct curve_options options = {
        .series = CURVE_BIT(CURVE_BATCH_LOSS) | CURVE_BIT(CURVE_TRAIN_ACCURACY), .max_points = 100, .minmax = 1};
    struct curve curve;

    for (int i = 0; i < 3; i++) {
        rows[i].point = train_point_at((uint64_t)i + 1);
        rows[i].point.epoch = (i + 1) / 4.0;
    }
    rows[0].point.batch_loss = 0.1;
    rows[1].point.batch_loss = (double)INFINITY;
    rows[2].point.batch_loss = 2.0 / 3;
    rows[2].point.train_accuracy = 1;
    assert_int_equal(curve_select(&curve, rows, 3, &options, NULL), STATUS_OK);
    return curve;
}

static void json_has_columns_rows_and_the_steps_that_were_not_finite(void **state)
{
    struct curve curve = three_points();
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_metrics_json(&curve, "job_1", &writer);
    curve_release(&curve);
    assert_written(&writer,
                   "{\"object\":\"curves\",\"job\":\"job_1\",\"columns\":[\"step\",\"epoch\",\"seconds\",\"batch_loss\","
                   "\"train_accuracy\"],\"data\":[[1,0.25,0.5,0.1,null],[2,0.5,1,null,null],"
                   "[3,0.75,1.3333333333333333,0.6666666666666666,1]],\"total_points\":3,\"last_step\":3,\"has_more\":false,"
                   "\"nonfinite\":[2]}");
}

static void csv_has_a_header_and_empty_fields_for_what_was_not_measured(void **state)
{
    struct curve curve = three_points();
    struct text text = {.data = NULL};

    (void)state;
    encode_metrics_csv(&curve, &text);
    curve_release(&curve);
    assert_text_written(&text, "step,epoch,seconds,batch_loss,train_accuracy\n1,0.25,0.5,0.1,\n2,0.5,1,inf,\n"
                               "3,0.75,1.3333333333333333,0.6666666666666666,1\n");
}

static void ndjson_has_an_object_a_line_of_what_was_measured(void **state)
{
    struct curve curve = three_points();
    struct text text = {.data = NULL};

    (void)state;
    encode_metrics_ndjson(&curve, &text);
    curve_release(&curve);
    assert_text_written(&text, "{\"step\":1,\"epoch\":0.25,\"seconds\":0.5,\"batch_loss\":0.1}\n"
                               "{\"step\":2,\"epoch\":0.5,\"seconds\":1,\"batch_loss\":null}\n"
                               "{\"step\":3,\"epoch\":0.75,\"seconds\":1.3333333333333333,\"batch_loss\":0.6666666666666666,"
                               "\"train_accuracy\":1}\n");
}

static void no_points_are_a_header_and_nothing_else(void **state)
{
    const struct curve_options options = {.series = CURVE_BIT(CURVE_TRAIN_LOSS), .max_points = 10, .minmax = 1};
    struct json_writer writer = {.depth = 0};
    struct text csv = {.data = NULL}, ndjson = {.data = NULL};
    struct curve curve;

    (void)state;
    assert_int_equal(curve_select(&curve, NULL, 0, &options, NULL), STATUS_OK);
    encode_metrics_json(&curve, "job_1", &writer);
    encode_metrics_csv(&curve, &csv);
    encode_metrics_ndjson(&curve, &ndjson);
    curve_release(&curve);
    assert_has(
        &writer,
        "\"columns\":[\"step\",\"epoch\",\"seconds\",\"train_loss\"],\"data\":[],\"total_points\":0,\"last_step\":0,");
    discard(&writer);
    assert_text_written(&csv, "step,epoch,seconds,train_loss\n");
    assert_text_written(&ndjson, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_columns_rows_and_the_steps_that_were_not_finite),
        cmocka_unit_test(csv_has_a_header_and_empty_fields_for_what_was_not_measured),
        cmocka_unit_test(ndjson_has_an_object_a_line_of_what_was_measured),
        cmocka_unit_test(no_points_are_a_header_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
