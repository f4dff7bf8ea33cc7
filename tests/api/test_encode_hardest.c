#include "api/encode_hardest.h"

#include <math.h>

#include "tests/api/written.h"

static void rows_are_told_with_what_they_are_and_what_they_are_taken_for(void **state)
{
    static const char *const names[] = {"oak", "pine", "elm", "ash"};
    static const uint32_t rows[] = {17, 3}, truths[] = {1, 0}, predicted[] = {2, 0};
    static const float probabilities[] = {0.25f, 0, 0.625f, 0.125f, 0.5f, 0.25f, 0.125f, 0.125f};
    struct hard_row found[] = {{.place = 4, .loss = (double)INFINITY}, {.place = 1, .loss = 0.75}};
    const struct hardest hardest = {.rows = found, .count = 2};
    struct hardest_view view = {.job = "job_1",
                                .model = "mdl_1",
                                .dataset = "ds_1",
                                .part = PART_VALIDATION,
                                .samples = 40,
                                .hardest = &hardest,
                                .rows = rows,
                                .truths = truths,
                                .probabilities = probabilities,
                                .predicted = predicted,
                                .class_names = names,
                                .classes = 4};
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_hardest(&view, &writer);
    assert_written(
        &writer,
        "{\"object\":\"hardest\",\"job\":\"job_1\",\"model\":\"mdl_1\",\"split\":\"validation\",\"dataset\":\"ds_1\","
        "\"samples\":40,\"data\":[{\"row\":17,\"loss\":null,\"label\":\"pine\",\"probability\":0,\"predicted\":\"elm\","
        "\"predicted_probability\":0.625,\"top\":[{\"label\":\"elm\",\"probability\":0.625},{\"label\":\"oak\","
        "\"probability\":0.25},{\"label\":\"ash\",\"probability\":0.125}]},{\"row\":3,\"loss\":0.75,\"label\":\"oak\","
        "\"probability\":0.5,\"predicted\":\"oak\",\"predicted_probability\":0.5,\"top\":[{\"label\":\"oak\","
        "\"probability\":0.5},{\"label\":\"pine\",\"probability\":0.25},{\"label\":\"elm\",\"probability\":0.125}]}]}");
    view.dataset = "";
    encode_hardest(&view, &writer);
    assert_has(&writer, "\"dataset\":null,");
    discard(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_told_with_what_they_are_and_what_they_are_taken_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
