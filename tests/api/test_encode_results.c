#include "api/encode_results.h"

#include <math.h>

#include "tests/api/written.h"

static const char *const names[] = {"oak", "pine"};

/* Three rows of two classes: right, wrong, right. */
static void fill(struct scores *scores)
{
    static const double probabilities[3][2] = {{0.75, 0.25}, {0.625, 0.375}, {0.125, 0.875}};
    static const int32_t labels[] = {0, 1, 1};

    assert_int_equal(scores_init(scores, 2, NULL), STATUS_OK);
    assert_int_equal(scores_reserve(scores, 3, 0, NULL), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        scores_add(scores, -log(probabilities[i][labels[i]]), probabilities[i], labels[i], NULL);
    }
    scores_finish(scores);
}

static void scores_have_matrix_classes_and_calibration(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    fill(&scores);
    json_begin_object(&writer);
    encode_scores(&scores, (double)NAN, names, &writer);
    json_end_object(&writer);
    assert_has(&writer, "{\"samples\":3,\"loss\":0.");
    assert_has(&writer, ",\"accuracy\":0.6666666666666666,\"confusion_matrix\":[[1,0],[1,1]],\"per_class\":["
                        "{\"class\":\"oak\",\"precision\":0.5,\"recall\":1,\"f1\":0.6666666666666666,\"support\":1},"
                        "{\"class\":\"pine\",\"precision\":1,\"recall\":0.5,\"f1\":0.6666666666666666,\"support\":2}],"
                        "\"calibration\":{\"ece\":");
    assert_has(&writer, "\"bins\":[{\"from\":0,\"to\":0.06666666666666667,\"count\":0,\"confidence\":0,\"accuracy\":0},");
    assert_has(&writer, "{\"from\":0.6,\"to\":0.6666666666666666,\"count\":1,\"confidence\":0.625,\"accuracy\":0}");
    assert_null(strstr(writer.text.data, "objective"));
    discard(&writer);
    scores_release(&scores);
}

static void an_objective_stands_beside_the_loss(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    fill(&scores);
    json_begin_object(&writer);
    encode_scores(&scores, 1.5, names, &writer);
    assert_has(&writer, ",\"objective\":1.5,\"accuracy\":");
    discard(&writer);
    scores_release(&scores);
}

static void splits_that_a_job_has_not_got_are_absent(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    fill(&scores);
    struct results_view results = {
        .job = "job_1",
        .model = "mdl_1",
        .stop_reason = STOP_EPOCHS,
        .scores = {[PART_TRAIN] = &scores, [PART_TEST] = &scores},
        .objective = {[PART_TRAIN] = 2.5},
        .class_names = names,
        .best_metric = METRIC_TRAIN_LOSS,
        .best_value = 0.5,
        .best_step = 10,
        .digest = "ab",
        .digest_step = 12,
        .train_seconds = 2,
        .evaluate_seconds = 0.25,
        .samples_seen = 300,
        .threads = 2,
    };
    encode_results(&results, &writer);
    assert_has(&writer,
               "{\"object\":\"results\",\"job\":\"job_1\",\"stop_reason\":\"epochs\",\"splits\":{\"train\":{\"samples\":3,");
    assert_has(&writer, "},\"test\":{\"samples\":3,");
    assert_null(strstr(writer.text.data, "\"validation\""));
    assert_null(strstr(writer.text.data, "objective"));
    assert_has(&writer, "},\"calibration\":null,\"best\":{\"metric\":\"train_loss\",\"value\":0.5,\"step\":10},\"timing\":{"
                        "\"train_seconds\":2,"
                        "\"evaluate_seconds\":0.25,\"samples_seen\":300,\"samples_per_second\":150,\"threads\":2},"
                        "\"digest\":{\"parameters_sha256\":\"ab\",\"step\":12},\"model\":\"mdl_1\"}");
    discard(&writer);
    results.profile = &(struct profile){.threads = 2, .seconds = 1.5, .steps = 9, .gflops = 3, .peak_gflops = 12};
    encode_results(&results, &writer);
    assert_has(&writer,
               "\"threads\":2},\"profile\":{\"object\":\"profile\",\"job\":\"job_1\",\"threads\":2,\"seconds\":1.5,");
    assert_has(&writer, "\"share_of_peak\":0.25},\"digest\":");
    discard(&writer);
    results.with_objective = 1;
    results.best_step = 0;
    results.train_seconds = 0;
    encode_results(&results, &writer);
    assert_has(&writer, "\"objective\":2.5,");
    assert_has(&writer, "\"best\":null,");
    assert_has(&writer, "\"samples_per_second\":null,");
    discard(&writer);
    scores_release(&scores);
}

static void a_matrix_of_very_many_classes_is_left_out(void **state)
{
    static const char *many[RESULTS_CONFUSION_CLASSES + 1];
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    for (int k = 0; k <= RESULTS_CONFUSION_CLASSES; k++) {
        many[k] = "x";
    }
    for (uint32_t classes = RESULTS_CONFUSION_CLASSES; classes <= RESULTS_CONFUSION_CLASSES + 1; classes++) {
        assert_int_equal(scores_init(&scores, classes, NULL), STATUS_OK);
        scores_finish(&scores);
        json_begin_object(&writer);
        encode_scores(&scores, (double)NAN, many, &writer);
        assert_int_equal(strstr(writer.text.data, "\"confusion_matrix\":null") != NULL, classes > RESULTS_CONFUSION_CLASSES);
        discard(&writer);
        scores_release(&scores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_have_matrix_classes_and_calibration),
        cmocka_unit_test(an_objective_stands_beside_the_loss),
        cmocka_unit_test(splits_that_a_job_has_not_got_are_absent),
        cmocka_unit_test(a_matrix_of_very_many_classes_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
