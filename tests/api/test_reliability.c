#include "api/reliability.h"

#include <math.h>
#include <stdio.h>

#include "api/encode_results.h"
#include "api/reliability_svg.h"
#include "tests/api/written.h"

static const char *const names[] = {"oak", "pine"};

/* 30 rows of confidence 0.75, `right` of them right; at the temperature 0.625. */
static void fill(struct scores *scores, int right, double temperature)
{
    static const double plain[2] = {0.75, 0.25}, calibrated[2] = {0.625, 0.375};

    assert_int_equal(scores_init(scores, 2, NULL), STATUS_OK);
    assert_int_equal(scores_reserve(scores, 30, temperature, NULL), STATUS_OK);
    for (int i = 0; i < 30; i++) {
        uint32_t predicted = scores_add(scores, 0.5, plain, i < right ? 0 : 1, NULL);

        if (temperature > 0) {
            scores_add_calibrated(scores, 0.25, calibrated, predicted, i < right ? 0 : 1, NULL);
        }
    }
    scores_finish(scores);
}

/* Results of the parts that have scores, as they are stored. */
static char *results(const struct scores *const scores[PART_COUNT])
{
    struct json_writer writer = {.depth = 0};
    struct results_view view = {.job = "job_1", .model = "mdl_1", .class_names = names, .digest = "ab"};
    char *text;

    for (int part = 0; part < PART_COUNT; part++) {
        view.scores[part] = scores[part];
    }
    encode_results(&view, &writer);
    text = json_writer_text(&writer);
    assert_non_null(text);
    return text;
}

static void the_test_split_is_shown_before_the_others(void **state)
{
    static const char *const rows[PART_COUNT] = {"training split", "validation split", "test split"};
    struct scores scores[PART_COUNT];

    (void)state;
    for (int part = 0; part < PART_COUNT; part++) {
        fill(&scores[part], 10 * (part + 1), 2);
    }
    for (int last = PART_COUNT - 1; last >= 0; last--) {
        const struct scores *parts[PART_COUNT] = {NULL};
        struct reliability reliability;

        for (int part = 0; part <= last; part++) {
            parts[part] = &scores[part];
        }
        char *text = results(parts);
        assert_int_equal(reliability_of_results(&reliability, text, strlen(text), NULL), STATUS_OK);
        assert_string_equal(reliability.rows, rows[last]);
        assert_int_equal(reliability.plain.samples, 30);
        assert_int_equal(reliability.plain.bins[11].count, 30); /* (11/15, 12/15] */
        assert_true(reliability.plain.confidence == 0.75 && reliability.calibrated.confidence == 0.625);
        assert_true(fabs(reliability.plain.accuracy - (last + 1) / 3.0) < 1e-15);
        assert_true(fabs(reliability.plain.ece - fabs((last + 1) / 3.0 - 0.75)) < 1e-15);
        assert_true(reliability.temperature == 2);
        free(text);
    }
    for (int part = 0; part < PART_COUNT; part++) {
        scores_release(&scores[part]);
    }
}

static void results_from_before_there_were_temperatures_are_shown(void **state)
{
    struct scores scores;
    struct reliability reliability;

    (void)state;
    fill(&scores, 20, 0);
    char *text = results((const struct scores *const[PART_COUNT]){[PART_TRAIN] = &scores});
    assert_int_equal(reliability_of_results(&reliability, text, strlen(text), NULL), STATUS_OK);
    assert_true(reliability.temperature == 0);
    free(text);
    scores_release(&scores);
}

static void what_was_never_written_is_corrupt(void **state)
{
    static const char *const wrong[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"splits\":3}",
        "{\"splits\":{\"test\":{}}}",
        "{\"splits\":{\"test\":{\"calibration\":{\"ece\":0.5,\"bins\":[]}}}}",
        "{\"splits\":{\"test\":{\"calibration\":{\"ece\":\"no\",\"bins\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}}}}",
        "{\"splits\":{\"test\":{\"calibration\":{\"ece\":0.5,\"bins\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {.status = STATUS_OK};
        struct reliability reliability;

        assert_int_equal(reliability_of_results(&reliability, wrong[i], strlen(wrong[i]), &error), STATUS_OBJECT_CORRUPT);
        assert_non_null(strstr(error.message, "stored results"));
    }
}

static void results_of_a_range_test_have_nothing_to_draw(void **state)
{
    struct range_result range = {.suggestion = 0.1, .steps = 100};
    struct results_view view = {.job = "j", .digest = "", .range = &range};
    struct json_writer writer = {.depth = 0};
    struct reliability reliability;
    struct error error = {.status = STATUS_OK};

    (void)state;
    encode_results(&view, &writer);
    assert_int_equal(reliability_of_results(&reliability, writer.text.data, writer.text.size, &error),
                     STATUS_NOT_ACCEPTABLE);
    assert_non_null(strstr(error.message, "range test"));
    discard(&writer);
}

/* A confusion matrix of 256 classes has more values than a JSON tree may have. */
static void results_of_many_classes_are_read(void **state)
{
    static const char *many[RESULTS_CONFUSION_CLASSES];
    struct json_writer writer = {.depth = 0};
    struct reliability reliability;
    struct scores scores;

    (void)state;
    for (int k = 0; k < RESULTS_CONFUSION_CLASSES; k++) {
        many[k] = "x";
    }
    assert_int_equal(scores_init(&scores, RESULTS_CONFUSION_CLASSES, NULL), STATUS_OK);
    scores_finish(&scores);
    struct results_view view = {
        .job = "j", .model = "m", .class_names = many, .digest = "", .scores = {[PART_TEST] = &scores}};
    encode_results(&view, &writer);
    assert_int_equal(reliability_of_results(&reliability, writer.text.data, writer.text.size, NULL), STATUS_OK);
    assert_int_equal(reliability.plain.samples, 0);
    discard(&writer);
    scores_release(&scores);
}

/* How often `piece` stands in the text. */
static int count(const char *text, const char *piece)
{
    int found = 0;

    for (text = strstr(text, piece); text != NULL; text = strstr(text + 1, piece)) {
        found++;
    }
    return found;
}

static void a_picture_has_a_bar_and_a_gap_for_each_bin_that_has_rows(void **state)
{
    struct scores scores;
    struct reliability reliability;
    struct text text = {.data = NULL};

    (void)state;
    fill(&scores, 15, 2.5);
    reliability_of_scores(&reliability, &scores, "test split");
    reliability_svg(&reliability, "a < b", &text);
    assert_false(text.failed);
    assert_non_null(strstr(text.data, "<title>a &lt; b: reliability, ECE 0.2500</title>"));
    assert_non_null(strstr(text.data, ">test split, 30 rows, 15 bins<"));
    assert_non_null(strstr(text.data, ">as the model says: ECE 0.2500, gap +0.2500<"));
    assert_non_null(strstr(text.data, ">at T = 2.5: ECE 0.1250, gap +0.1250<"));
    assert_int_equal(count(text.data, "<title>30 rows, confidence 0."), 2);
    assert_int_equal(count(text.data, "<rect class=\"bar\""), 1 + 2 * 2); /* key, diagrams, histograms */
    assert_int_equal(count(text.data, "<rect class=\"over\""), 1 + 2);    /* too confident in both */
    assert_int_equal(count(text.data, "<rect class=\"under\""), 1);
    assert_int_equal(count(text.data, "<svg "), 1);
    assert_int_equal(count(text.data, "</svg>"), 1);
    assert_null(strstr(text.data, "nan"));
    text_release(&text);

    reliability.temperature = 0;
    reliability_svg(&reliability, "", &text);
    assert_null(strstr(text.data, "at T"));
    assert_int_equal(count(text.data, "<rect class=\"bar\""), 1 + 2);
    text_release(&text);
    scores_release(&scores);
}

/* 15 of 30 right at a confidence of 0.75: the bar ends at half the height, what it lacks at three quarters. */
static void bars_are_as_high_as_the_accuracy(void **state)
{
    struct scores scores;
    struct reliability reliability;
    struct text text = {.data = NULL};
    double bar = 0, over = 0;

    (void)state;
    fill(&scores, 15, 0);
    reliability_of_scores(&reliability, &scores, "test split");
    reliability_svg(&reliability, "", &text);
    const char *group = strstr(text.data, "<g>");
    assert_non_null(group);
    assert_int_equal(
        sscanf(strstr(group, "class=\"bar\""), "class=\"bar\" x=\"%*f\" y=\"%*f\" width=\"%*f\" height=\"%lf", &bar), 1);
    assert_int_equal(
        sscanf(strstr(group, "class=\"over\""), "class=\"over\" x=\"%*f\" y=\"%*f\" width=\"%*f\" height=\"%lf", &over), 1);
    assert_true(bar == 150 && over == 75);
    text_release(&text);
    scores_release(&scores);
}

static void no_rows_make_an_empty_picture(void **state)
{
    struct reliability reliability = {.rows = "test split", .temperature = 1};
    struct text text = {.data = NULL};

    (void)state;
    reliability_svg(&reliability, "empty", &text);
    assert_false(text.failed);
    assert_int_equal(count(text.data, "<g"), 0);
    assert_null(strstr(text.data, "nan"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_split_is_shown_before_the_others),
        cmocka_unit_test(results_from_before_there_were_temperatures_are_shown),
        cmocka_unit_test(what_was_never_written_is_corrupt),
        cmocka_unit_test(results_of_a_range_test_have_nothing_to_draw),
        cmocka_unit_test(results_of_many_classes_are_read),
        cmocka_unit_test(a_picture_has_a_bar_and_a_gap_for_each_bin_that_has_rows),
        cmocka_unit_test(bars_are_as_high_as_the_accuracy),
        cmocka_unit_test(no_rows_make_an_empty_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
