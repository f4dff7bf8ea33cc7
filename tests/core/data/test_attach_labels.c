#include "core/data/attach_labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t PIXELS[] = {1, 2, 3, 4, 5, 6};
static const struct dataset IMAGES = {
    .rows = 3, .features = 2, .channels = 1, .height = 1, .width = 2, .is_image = 1, .x = PIXELS};

static enum status attach(const int32_t *labels, uint64_t count, struct error *error)
{
    struct buffer_sink block = {0};
    enum status status = dataset_attach_labels(&IMAGES, labels, count, buffer_sink(&block), error);

    if (status)
        assert_int_equal(block.size, 0);
    buffer_sink_release(&block);
    return status;
}

static void attach_labels_gives_a_labelled_data_set(void **state)
{
    const int32_t labels[] = {2, 0, 2};
    struct buffer_sink block = {0};
    struct dataset dataset;
    uint64_t counts[3];

    (void)state;
    assert_int_equal(dataset_attach_labels(&IMAGES, labels, 3, buffer_sink(&block), NULL), STATUS_OK);
    assert_int_equal(dataset_open(&dataset, block.data, block.size, NULL), STATUS_OK);
    assert_int_equal(dataset.rows, 3);
    assert_int_equal(dataset.is_image, 1);
    assert_memory_equal(dataset.x, PIXELS, sizeof PIXELS);
    assert_memory_equal(dataset.labels, labels, sizeof labels);
    assert_int_equal(dataset.classes, 3);
    assert_string_equal(dataset.class_names[0], "0");
    assert_string_equal(dataset.class_names[2], "2");
    dataset_class_counts(&dataset, counts);
    assert_int_equal(counts[1], 0); /* a class may have no row */
    dataset_release(&dataset);
    buffer_sink_release(&block);
}

static void attach_labels_wants_one_label_a_row(void **state)
{
    const int32_t labels[] = {0, 1, 0, 1};

    (void)state;
    assert_int_equal(attach(labels, 2, NULL), STATUS_ROW_COUNT_MISMATCH);
    assert_int_equal(attach(labels, 4, NULL), STATUS_ROW_COUNT_MISMATCH);
    assert_int_equal(attach(labels, 3, NULL), STATUS_OK);
}

static void attach_labels_refuses_classes_out_of_range(void **state)
{
    const int32_t negative[] = {0, -1, 1}, sparse[] = {0, 1, 1000000000}, largest[] = {0, 1, DATASET_MAX_CLASSES - 1},
                  beyond[] = {0, 1, DATASET_MAX_CLASSES};
    struct error error = {0};

    (void)state;
    assert_int_equal(attach(negative, 3, &error), STATUS_LABEL_OUT_OF_RANGE);
    assert_int_equal(error.line, 2);
    assert_int_equal(attach(sparse, 3, NULL), STATUS_LABEL_OUT_OF_RANGE);
    assert_int_equal(attach(beyond, 3, NULL), STATUS_LABEL_OUT_OF_RANGE);
    assert_int_equal(attach(largest, 3, NULL), STATUS_OK);
}

static void attach_labels_refuses_a_single_class(void **state)
{
    const int32_t labels[] = {1, 1, 1};

    (void)state;
    assert_int_equal(attach(labels, 3, NULL), STATUS_LABELS_SINGLE_CLASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attach_labels_gives_a_labelled_data_set),
        cmocka_unit_test(attach_labels_wants_one_label_a_row),
        cmocka_unit_test(attach_labels_refuses_classes_out_of_range),
        cmocka_unit_test(attach_labels_refuses_a_single_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
