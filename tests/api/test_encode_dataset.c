#include "api/encode_dataset.h"

#include "tests/api/written.h"

static char feature_name[] = "size";
static struct class_view classes[] = {{(char[]){"oak, red"}, 2}, {(char[]){"pine"}, 1}};

static struct dataset_view table_view(void)
{
    static struct feature_view features[] = {
        {feature_name, {.minimum = 1, .maximum = 4, .mean = 2.5, .deviation = 1.125}},
        {NULL, {.minimum = -0.1f, .maximum = 0.1f, .mean = 0, .deviation = 0.1}},
    };

    return (struct dataset_view){
        .id = "ds_0123456789abcdefghij",
        .name = "trees",
        .status = DATASET_READY,
        .created_at = 1772357400125,
        .rows = 3,
        .features = 2,
        .channels = 1,
        .height = 1,
        .width = 2,
        .format = "csv",
        .feature_type = "f32",
        .bytes = 192,
        .sha256 = "00ff",
        .class_count = 2,
        .class_list = classes,
        .feature_count = 2,
        .feature_list = features,
        .overall = {.minimum = -0.1f, .maximum = 4, .mean = 1.25, .deviation = 1},
    };
}

static void a_table_is_described_with_classes_and_statistics(void **state)
{
    struct dataset_view view = table_view();
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_dataset(&view, &writer);
    assert_written(&writer,
                   "{\"object\":\"dataset\",\"id\":\"ds_0123456789abcdefghij\",\"name\":\"trees\",\"status\":\"ready\","
                   "\"created_at\":\"2026-03-01T09:30:00.125Z\",\"format\":\"csv\",\"rows\":3,\"features\":2,\"shape\":[2],"
                   "\"feature_type\":\"f32\",\"soft_labels\":false,\"classes\":[{\"name\":\"oak, red\",\"count\":2},"
                   "{\"name\":\"pine\",\"count\":1}],\"statistics\":{\"min\":-0.1,\"max\":4,\"mean\":1.25,\"std\":1},"
                   "\"feature_statistics\":[{\"name\":\"size\",\"min\":1,\"max\":4,\"mean\":2.5,\"std\":1.125},"
                   "{\"name\":null,\"min\":-0.1,\"max\":0.1,\"mean\":0,\"std\":0.1}],\"bytes\":192,\"sha256\":\"00ff\","
                   "\"links\":{\"self\":\"/v1/datasets/ds_0123456789abcdefghij\","
                   "\"rows\":\"/v1/datasets/ds_0123456789abcdefghij/rows\"}}");
}

static void images_have_a_shape_and_may_await_their_labels(void **state)
{
    struct dataset_view view = table_view();
    struct json_writer writer = {.depth = 0};

    (void)state;
    view.is_image = 1;
    view.height = 28;
    view.width = 14;
    view.class_count = view.feature_count = 0;
    view.status = DATASET_AWAITING_LABELS;
    view.name[0] = '\0';
    encode_dataset(&view, &writer);
    assert_has(&writer, "\"name\":null,\"status\":\"awaiting_labels\"");
    assert_has(&writer, "\"shape\":[1,28,14]");
    assert_has(&writer, "\"classes\":[]");
    assert_has(&writer, "\"feature_statistics\":null");
    assert_has(&writer, "\"labels\":\"/v1/datasets/ds_0123456789abcdefghij/labels\"}}");
    discard(&writer);
}

static void a_page_of_data_sets_names_its_first_and_last(void **state)
{
    struct dataset_view views[] = {table_view(), table_view()};
    struct json_writer writer = {.depth = 0};

    (void)state;
    memcpy(views[1].id, "ds_9", sizeof "ds_9");
    encode_dataset_list(views, 2, 0, &writer);
    assert_has(&writer, "],\"first_id\":\"ds_0123456789abcdefghij\",\"last_id\":\"ds_9\",\"has_more\":false}");
    discard(&writer);
    encode_dataset_list(NULL, 0, 0, &writer);
    assert_written(&writer, "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,\"has_more\":false}");
}

static const char *const class_names[] = {"oak, red", "pine"};
static const float table_x[] = {1, 2, 3, 4.5f, 0.1f, -6};
static const int32_t table_labels[] = {0, 1, 0};
static const float table_soft[] = {1, 0, 0.25f, 0.75f, 0.5f, 0.5f};

static struct dataset table(enum label_type type)
{
    return (struct dataset){
        .rows = 3,
        .features = 2,
        .feature_type = FEATURE_F32,
        .label_type = type,
        .classes = 2,
        .x = table_x,
        .labels = table_labels,
        .soft_labels = table_soft,
        .class_names = class_names,
    };
}

static void assert_rows(enum label_type type, uint64_t offset, uint64_t limit, const char *want)
{
    const struct dataset dataset = table(type);
    struct json_writer writer = {.depth = 0};

    assert_int_equal(encode_dataset_rows(&dataset, "ds_1", offset, limit, &writer, NULL), STATUS_OK);
    assert_written(&writer, want);
}

static void rows_are_shown_as_they_are_stored(void **state)
{
    (void)state;
    assert_rows(
        LABEL_CLASS, 1, 2,
        "{\"object\":\"list\",\"dataset\":\"ds_1\",\"data\":[{\"row\":1,\"features\":[3,4.5],\"label\":\"pine\"},"
        "{\"row\":2,\"features\":[0.1,-6],\"label\":\"oak, red\"}],\"offset\":1,\"total_rows\":3,\"has_more\":false}");
    assert_rows(LABEL_CLASS, 0, 1,
                "{\"object\":\"list\",\"dataset\":\"ds_1\",\"data\":[{\"row\":0,\"features\":[1,2],\"label\":\"oak, red\"}],"
                "\"offset\":0,\"total_rows\":3,\"has_more\":true}");
    assert_rows(LABEL_NONE, 2, 100,
                "{\"object\":\"list\",\"dataset\":\"ds_1\",\"data\":[{\"row\":2,\"features\":[0.1,-6],\"label\":null}],"
                "\"offset\":2,\"total_rows\":3,\"has_more\":false}");
}

static void soft_labels_show_their_probabilities_and_the_first_most_probable_class(void **state)
{
    (void)state;
    assert_rows(LABEL_SOFT, 1, 100,
                "{\"object\":\"list\",\"dataset\":\"ds_1\",\"data\":[{\"row\":1,\"features\":[3,4.5],\"label\":\"pine\","
                "\"probabilities\":[0.25,0.75]},{\"row\":2,\"features\":[0.1,-6],\"label\":\"oak, red\","
                "\"probabilities\":[0.5,0.5]}],\"offset\":1,\"total_rows\":3,\"has_more\":false}");
}

static void behind_the_end_there_are_no_rows(void **state)
{
    static const uint64_t offsets[] = {3, 4, UINT64_MAX};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct dataset dataset = table(LABEL_CLASS);
        struct json_writer writer = {.depth = 0};

        assert_int_equal(encode_dataset_rows(&dataset, "ds_1", offsets[i], UINT64_MAX, &writer, NULL), STATUS_OK);
        assert_has(&writer, "\"data\":[],");
        assert_has(&writer, "\"has_more\":false}");
        discard(&writer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_described_with_classes_and_statistics),
        cmocka_unit_test(images_have_a_shape_and_may_await_their_labels),
        cmocka_unit_test(a_page_of_data_sets_names_its_first_and_last),
        cmocka_unit_test(rows_are_shown_as_they_are_stored),
        cmocka_unit_test(soft_labels_show_their_probabilities_and_the_first_most_probable_class),
        cmocka_unit_test(behind_the_end_there_are_no_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
