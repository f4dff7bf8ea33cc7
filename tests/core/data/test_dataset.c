#include "core/data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "core/data/block.h"
#include "tests/assert_close.h"

#define ROWS     5
#define FEATURES 12

static const char *const CLASS_NAMES[] = {"cat", "dog", "\xC3\xA4pfel"};
static const char *const FEATURE_NAMES[FEATURES] = {"f0", "f1", "f2", "", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11"};
static const int32_t LABELS[ROWS] = {0, 2, 1, 2, 2};
static const float SOFT[ROWS * 3] = {1, 0, 0, 0.25f, 0.25f, 0.5f, 0, 1, 0, 0.5f, 0.5f, 0, 0, 0, 1};

/* The block of a small data set: byte or float features x[row][i] = row * 10 + i. */
static struct buffer_sink make_block(enum feature_type feature_type, enum label_type label_type, int names)
{
    struct buffer_sink block = {0};
    struct block_writer writer;
    struct dataset dataset = {
        .rows = ROWS,
        .features = FEATURES,
        .channels = 1,
        .height = 3,
        .width = 4,
        .is_image = 1,
        .feature_type = feature_type,
        .label_type = label_type,
        .classes = label_type == LABEL_NONE ? 0 : 3,
        .labels = LABELS,
        .soft_labels = SOFT,
        .class_names = CLASS_NAMES,
        .feature_names = names ? FEATURE_NAMES : NULL,
    };

    assert_int_equal(block_writer_init(&writer, buffer_sink(&block), NULL), STATUS_OK);
    for (int i = 0; i < ROWS * FEATURES; i++) {
        uint8_t byte = (uint8_t)(i / FEATURES * 10 + i % FEATURES);
        float value = byte;

        assert_int_equal(feature_type == FEATURE_U8 ? block_writer_put(&writer, &byte, sizeof byte, NULL)
                                                    : block_writer_put(&writer, &value, sizeof value, NULL),
                         STATUS_OK);
    }
    assert_int_equal(block_writer_finish(&writer, &dataset, NULL), STATUS_OK);
    block_writer_release(&writer);
    return block;
}

static struct block_trailer *trailer_of(const struct buffer_sink *block)
{
    return (void *)(block->data + block->size - sizeof(struct block_trailer));
}

static void dataset_reads_what_was_written(void **state)
{
    (void)state;
    for (enum feature_type type = FEATURE_U8; type <= FEATURE_F32; type++) {
        struct buffer_sink block = make_block(type, LABEL_CLASS, 1);
        struct dataset dataset;
        float row[FEATURES];

        assert_int_equal(dataset_open(&dataset, block.data, block.size, NULL), STATUS_OK);
        assert_int_equal(dataset.rows, ROWS);
        assert_int_equal(dataset.channels, 1);
        assert_int_equal(dataset.height, 3);
        assert_int_equal(dataset.width, 4);
        assert_int_equal(dataset.is_image, 1);
        assert_int_equal(dataset.feature_type, type);
        assert_memory_equal(dataset.labels, LABELS, sizeof LABELS);
        assert_string_equal(dataset.class_names[2], CLASS_NAMES[2]);
        assert_string_equal(dataset.feature_names[11], "f11");
        dataset_row(&dataset, 3, row);
        for (int i = 0; i < FEATURES; i++)
            assert_close((double)row[i], 30 + i, 0, 0);
        dataset_release(&dataset);
        buffer_sink_release(&block);
    }
}

static void dataset_block_has_zero_gaps_and_aligned_parts(void **state)
{
    struct buffer_sink block = make_block(FEATURE_U8, LABEL_CLASS, 0);
    const struct block_trailer *trailer = trailer_of(&block);

    (void)state;
    assert_int_equal(trailer->labels_offset, 64);
    assert_int_equal(trailer->names_offset, 128);
    assert_int_equal(trailer->names_size, 4 + 4 + 7);
    assert_int_equal(trailer->trailer_offset, 192);
    assert_int_equal(block.size, 192 + 128);
    for (size_t i = ROWS * FEATURES; i < 64; i++)
        assert_int_equal(block.data[i], 0);
    for (size_t i = 64 + sizeof LABELS; i < 128; i++)
        assert_int_equal(block.data[i], 0);
    for (size_t i = 128 + 15; i < 192; i++)
        assert_int_equal(block.data[i], 0);
    buffer_sink_release(&block);
}

static void dataset_may_lack_labels(void **state)
{
    struct buffer_sink block = make_block(FEATURE_U8, LABEL_NONE, 0);
    struct dataset dataset;

    (void)state;
    assert_int_equal(dataset_open(&dataset, block.data, block.size, NULL), STATUS_OK);
    assert_int_equal(dataset.label_type, LABEL_NONE);
    assert_int_equal(dataset.classes, 0);
    assert_null(dataset.labels);
    assert_null(dataset.soft_labels);
    assert_int_equal(dataset_label(&dataset, 0), -1);
    dataset_release(&dataset);
    buffer_sink_release(&block);
}

static void dataset_counts_rows_of_each_class(void **state)
{
    struct buffer_sink hard = make_block(FEATURE_U8, LABEL_CLASS, 0), soft = make_block(FEATURE_F32, LABEL_SOFT, 0);
    struct dataset dataset;
    uint64_t counts[3];

    (void)state;
    assert_int_equal(dataset_open(&dataset, hard.data, hard.size, NULL), STATUS_OK);
    dataset_class_counts(&dataset, counts);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 3);
    dataset_release(&dataset);
    assert_int_equal(dataset_open(&dataset, soft.data, soft.size, NULL), STATUS_OK);
    dataset_class_counts(&dataset, counts);
    assert_int_equal(counts[0], 2); /* the first of two equals wins */
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 2);
    dataset_release(&dataset);
    buffer_sink_release(&hard);
    buffer_sink_release(&soft);
}

/* The copy ends where its memory ends, so that a read beyond it is seen. */
static enum status open_copy(const unsigned char *bytes, size_t size)
{
    size_t room = (size + 63) / 64 * 64;
    unsigned char *copy = aligned_alloc(64, room > 0 ? room : 64);
    struct dataset dataset;
    struct error error = {0};
    enum status status;

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    status = dataset_open(&dataset, copy, size, &error);
    if (status == STATUS_OK) {
        float row[FEATURES];
        uint64_t counts[DATASET_MAX_CLASSES];

        if (dataset.features <= FEATURES)
            dataset_row(&dataset, dataset.rows - 1, row);
        dataset_class_counts(&dataset, counts);
    } else {
        assert_int_equal(status, STATUS_OBJECT_CORRUPT);
        assert_true(strlen(error.message) > 0);
        assert_null(dataset.owned);
    }
    dataset_release(&dataset);
    free(copy);
    return status;
}

static void dataset_refuses_every_truncation(void **state)
{
    struct buffer_sink block = make_block(FEATURE_F32, LABEL_SOFT, 1);

    (void)state;
    for (size_t size = 0; size < block.size; size++)
        assert_int_equal(open_copy(block.data, size), STATUS_OBJECT_CORRUPT);
    assert_int_equal(open_copy(block.data, block.size), STATUS_OK);
    buffer_sink_release(&block);
}

static void dataset_survives_every_flipped_bit(void **state)
{
    (void)state;
    for (enum label_type type = LABEL_NONE; type <= LABEL_SOFT; type++) {
        struct buffer_sink block = make_block(FEATURE_U8, type, 1);

        for (size_t bit = 0; bit < block.size * 8; bit++) {
            block.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            (void)open_copy(block.data, block.size);
            block.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        buffer_sink_release(&block);
    }
}

static void dataset_refuses_trailers_that_lie(void **state)
{
    struct buffer_sink block = make_block(FEATURE_U8, LABEL_CLASS, 1);
    struct block_trailer good = *trailer_of(&block), *bad = trailer_of(&block);

    (void)state;
#define REFUSE(change)                                                                                                      \
    do {                                                                                                                    \
        *bad = good;                                                                                                        \
        bad->change;                                                                                                        \
        assert_int_equal(open_copy(block.data, block.size), STATUS_OBJECT_CORRUPT);                                         \
    } while (0)
    REFUSE(magic[0] = 'X');
    REFUSE(version = 2);
    REFUSE(feature_type = 2);
    REFUSE(feature_type = FEATURE_F32);
    REFUSE(label_type = 3);
    REFUSE(label_type = LABEL_NONE);
    REFUSE(label_type = LABEL_SOFT);
    REFUSE(is_image = 2);
    REFUSE(has_feature_names = 2);
    REFUSE(has_feature_names = 0);
    REFUSE(rows = 0);
    REFUSE(rows = 6000);
    REFUSE(rows = UINT64_MAX);
    REFUSE(rows = UINT64_C(1) << 62);
    REFUSE(features = 0);
    REFUSE(features = UINT32_MAX);
    REFUSE(channels = 0);
    REFUSE(channels = 1u << 31);
    REFUSE(height = 0);
    REFUSE(height = UINT32_MAX);
    REFUSE(width = 5);
    REFUSE(classes = 0);
    REFUSE(classes = 1);
    REFUSE(classes = 2);
    REFUSE(classes = 4);
    REFUSE(classes = DATASET_MAX_CLASSES + 1);
    REFUSE(labels_offset = 0);
    REFUSE(names_offset = UINT64_MAX);
    REFUSE(names_size = UINT64_MAX);
    REFUSE(names_size -= 1);
    REFUSE(trailer_offset = 0);
#undef REFUSE
    buffer_sink_release(&block);
}

static void dataset_refuses_labels_and_names_that_are_none(void **state)
{
    struct buffer_sink hard = make_block(FEATURE_U8, LABEL_CLASS, 0), soft = make_block(FEATURE_U8, LABEL_SOFT, 0);
    int32_t *labels = (void *)(hard.data + trailer_of(&hard)->labels_offset);
    float *probabilities = (void *)(soft.data + trailer_of(&soft)->labels_offset);
    unsigned char *names = hard.data + trailer_of(&hard)->names_offset;

    (void)state;
    labels[1] = 3;
    assert_int_equal(open_copy(hard.data, hard.size), STATUS_OBJECT_CORRUPT);
    labels[1] = -1;
    assert_int_equal(open_copy(hard.data, hard.size), STATUS_OBJECT_CORRUPT);
    labels[1] = 2;
    names[1] = 0xFF;
    assert_int_equal(open_copy(hard.data, hard.size), STATUS_OBJECT_CORRUPT);
    names[1] = 0;
    assert_int_equal(open_copy(hard.data, hard.size), STATUS_OBJECT_CORRUPT);
    names[1] = 'a';
    assert_int_equal(open_copy(hard.data, hard.size), STATUS_OK);
    probabilities[4] = NAN;
    assert_int_equal(open_copy(soft.data, soft.size), STATUS_OBJECT_CORRUPT);
    probabilities[4] = -1;
    assert_int_equal(open_copy(soft.data, soft.size), STATUS_OBJECT_CORRUPT);
    buffer_sink_release(&hard);
    buffer_sink_release(&soft);
}

static void dataset_refuses_memory_that_is_not_aligned(void **state)
{
    struct buffer_sink block = make_block(FEATURE_U8, LABEL_CLASS, 0);
    unsigned char *copy = aligned_alloc(64, block.size + 64);
    struct dataset dataset;

    (void)state;
    assert_non_null(copy);
    memcpy(copy + 4, block.data, block.size);
    assert_int_equal(dataset_open(&dataset, copy + 4, block.size, NULL), STATUS_OBJECT_CORRUPT);
    free(copy);
    buffer_sink_release(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dataset_reads_what_was_written),
        cmocka_unit_test(dataset_block_has_zero_gaps_and_aligned_parts),
        cmocka_unit_test(dataset_may_lack_labels),
        cmocka_unit_test(dataset_counts_rows_of_each_class),
        cmocka_unit_test(dataset_refuses_every_truncation),
        cmocka_unit_test(dataset_survives_every_flipped_bit),
        cmocka_unit_test(dataset_refuses_trailers_that_lie),
        cmocka_unit_test(dataset_refuses_labels_and_names_that_are_none),
        cmocka_unit_test(dataset_refuses_memory_that_is_not_aligned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
