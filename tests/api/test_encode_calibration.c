#include "api/encode_calibration.h"

#include <math.h>

#include "tests/api/written.h"

/* Two rows of two classes, one right; at the temperature their confidences are smaller. */
static void fill(struct scores *scores, double temperature)
{
    static const double plain[2][2] = {{0.75, 0.25}, {0.625, 0.375}}, calibrated[2][2] = {{0.5625, 0.4375}, {0.5, 0.5}};

    assert_int_equal(scores_init(scores, 2, NULL), STATUS_OK);
    assert_int_equal(scores_reserve(scores, 2, temperature, NULL), STATUS_OK);
    for (int32_t i = 0; i < 2; i++) {
        uint32_t predicted = scores_add(scores, 0.5, plain[i], i, NULL);

        if (temperature > 0) {
            scores_add_calibrated(scores, 0.25, calibrated[i], predicted, i, NULL);
        }
    }
    scores_finish(scores);
}

static void every_measure_is_told_with_its_counts(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    fill(&scores, 0);
    json_begin_object(&writer);
    encode_calibration(&scores, &writer);
    json_end_object(&writer);
    assert_has(&writer, "{\"calibration\":{\"ece\":0.4375,\"mce\":0.625,\"brier\":0.453125,\"rmsce\":0.47598");
    assert_has(&writer,
               ",\"ace\":0.4375,\"classwise_ece\":0.4375,\"nll\":0.5,\"confidence\":0.6875,\"accuracy\":0.5,\"gap\":0.1875,"
               "\"samples\":2,\"bin_count\":15,\"bins\":[{\"from\":0,\"to\":0.06666666666666667,\"count\":0,");
    assert_has(&writer, "{\"from\":0.6,\"to\":0.6666666666666666,\"count\":1,\"confidence\":0.625,\"accuracy\":0}");
    assert_null(strstr(writer.text.data, "temperature"));
    assert_null(strstr(writer.text.data, "calibrated"));
    discard(&writer);
    scores_release(&scores);
}

static void those_at_the_temperature_stand_beside_them(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    fill(&scores, 2.5);
    json_begin_object(&writer);
    encode_calibration(&scores, &writer);
    json_end_object(&writer);
    assert_has(&writer, "{\"calibration\":{\"ece\":0.4375,");
    assert_has(&writer, "],\"temperature\":2.5,\"calibrated\":{\"ece\":0.46875,\"mce\":0.5,");
    assert_has(&writer, "\"nll\":0.25,\"confidence\":0.53125,\"accuracy\":0.5,\"gap\":0.03125,");
    discard(&writer);
    scores_release(&scores);
}

static void a_fit_is_told_with_what_it_changes_on_its_rows(void **state)
{
    struct temperature_fit fit = {.temperature = 2.5, .slope = -0.0078125, .rows = 2, .passes = 7};
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    fill(&scores, 2.5);
    encode_temperature(&fit, &scores, &writer);
    assert_written(&writer,
                   "{\"method\":\"temperature\",\"temperature\":2.5,\"at_limit\":false,\"fitted_on\":\"validation\","
                   "\"samples\":2,\"passes\":7,\"slope\":-0.0078125,\"nll_before\":0.5,\"nll_after\":0.25,"
                   "\"ece_before\":0.4375,\"ece_after\":0.46875}");
    fit.outcome = TEMPERATURE_AT_LIMIT;
    encode_temperature(&fit, &scores, &writer);
    assert_has(&writer, "\"at_limit\":true");
    discard(&writer);
    fit.outcome = TEMPERATURE_UNDEFINED;
    encode_temperature(&fit, &scores, &writer);
    assert_written(&writer, "null");
    encode_temperature(NULL, &scores, &writer);
    assert_written(&writer, "null");
    scores_release(&scores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_is_told_with_its_counts),
        cmocka_unit_test(those_at_the_temperature_stand_beside_them),
        cmocka_unit_test(a_fit_is_told_with_what_it_changes_on_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
