#include "core/data/idx_labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/data/dataset.h"
#include "tests/core/data/gzip.h"

struct labels {
    enum status status;
    struct error error;
    int32_t *values;
    uint64_t count;
};

static struct labels parse_pieces(const void *bytes, size_t size, size_t piece, uint64_t max_rows)
{
    struct labels labels = {0};
    struct idx_labels_parser *parser;

    labels.status = idx_labels_parser_new(&parser, max_rows, &labels.error);
    for (size_t at = 0; at < size && !labels.status; at += piece)
        labels.status = idx_labels_parser_feed(parser, (const unsigned char *)bytes + at,
                                               size - at < piece ? size - at : piece, &labels.error);
    if (!labels.status)
        labels.status = idx_labels_parser_finish(parser, &labels.error);
    if (!labels.status)
        labels.values = idx_labels_parser_take(parser, &labels.count);
    idx_labels_parser_free(parser);
    return labels;
}

static struct labels parse(const void *bytes, size_t size)
{
    struct labels whole = parse_pieces(bytes, size, size + 1, 0);

    for (size_t piece = 1; piece < size; piece += 3) {
        struct labels cut = parse_pieces(bytes, size, piece, 0);

        assert_int_equal(cut.status, whole.status);
        assert_string_equal(cut.error.message, whole.error.message);
        assert_int_equal(cut.count, whole.count);
        if (whole.count > 0)
            assert_memory_equal(cut.values, whole.values, whole.count * sizeof *whole.values);
        free(cut.values);
    }
    return whole;
}

#define REFUSE(text, wanted) refuse(text, sizeof text - 1, wanted)
static struct error refuse(const char *bytes, size_t size, enum status status)
{
    struct labels labels = parse(bytes, size);

    assert_string_equal(status_code(labels.status), status_code(status));
    assert_null(labels.values);
    return labels.error;
}

static void idx_labels_read_all_integer_types(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } FILES[] = {
        {"\0\0\x08\x01\0\0\0\x03\x05\0\x7F", 11},
        {"\0\0\x09\x01\0\0\0\x03\x05\0\x7F", 11},
        {"\0\0\x0B\x01\0\0\0\x03\0\x05\0\0\0\x7F", 14},
        {"\0\0\x0C\x01\0\0\0\x03\0\0\0\x05\0\0\0\0\0\0\0\x7F", 20},
    };
    const int32_t want[] = {5, 0, 127};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct labels labels = parse(FILES[i].bytes, FILES[i].size);

        assert_int_equal(labels.status, STATUS_OK);
        assert_int_equal(labels.count, 3);
        assert_memory_equal(labels.values, want, sizeof want);
        free(labels.values);
    }
}

static void idx_labels_may_be_zipped(void **state)
{
    size_t size;
    unsigned char *packed = gzip_bytes((const unsigned char *)"\0\0\x08\x01\0\0\0\x03\x05\0\x07", 11, &size);
    struct labels labels = parse(packed, size);

    (void)state;
    assert_int_equal(labels.status, STATUS_OK);
    assert_int_equal(labels.count, 3);
    assert_int_equal(labels.values[2], 7);
    free(labels.values);
    free(packed);
}

static void idx_labels_name_the_row_of_a_class_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(REFUSE("\0\0\x09\x01\0\0\0\x03\0\xFF\0", STATUS_LABEL_OUT_OF_RANGE).line, 2);
    assert_int_equal(REFUSE("\0\0\x0C\x01\0\0\0\x02\0\0\0\0\x3B\x9A\xCA\0", STATUS_LABEL_OUT_OF_RANGE).line, 2);
    assert_int_equal(REFUSE("\0\0\x0B\x01\0\0\0\x01\x10\0", STATUS_LABEL_OUT_OF_RANGE).line, 1);
    struct labels largest = parse("\0\0\x0B\x01\0\0\0\x01\x0F\xFF", 10);
    assert_int_equal(largest.status, STATUS_OK);
    assert_int_equal(largest.values[0], DATASET_MAX_CLASSES - 1);
    free(largest.values);
}

static void idx_labels_refuse_what_holds_no_labels(void **state)
{
    (void)state;
    REFUSE("", STATUS_DATASET_EMPTY);
    REFUSE("\0\0\x08\x01\0\0\0\0", STATUS_DATASET_EMPTY);
    REFUSE("\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x01\0", STATUS_IDX_BAD_RANK);
    REFUSE("\0\0\x0D\x01\0\0\0\x01\0\0\0\0", STATUS_IDX_BAD_TYPE);
    REFUSE("\0\0\x0E\x01\0\0\0\x01\0\0\0\0\0\0\0\0", STATUS_IDX_BAD_TYPE);
    REFUSE("\0\0\x08\x01\0\0\0\x03\0\x01", STATUS_IDX_TRUNCATED);
    REFUSE("\0\0\x08\x01\0\0", STATUS_IDX_TRUNCATED);
    REFUSE("\0\0\x08\x01\0\0\0\x03\0\x01\0\x01", STATUS_IDX_TRAILING_BYTES);
    REFUSE("label\n1\n2\n", STATUS_IDX_BAD_MAGIC);
    REFUSE("\x89PNG\r\n\x1A\n........", STATUS_FORMAT_MISMATCH);
}

static void idx_labels_are_limited_in_number(void **state)
{
    struct labels labels = parse_pieces("\0\0\x08\x01\0\0\0\x03\0\x01\0", 11, 11, 2);

    (void)state;
    assert_int_equal(labels.status, STATUS_DATASET_TOO_LARGE);
}

/* 4 GB are declared; memory must follow what came. */
static void idx_labels_do_not_believe_the_header(void **state)
{
    (void)state;
    REFUSE("\0\0\x08\x01\x7F\xFF\xFF\xFF\0\x01\0\x01", STATUS_IDX_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_labels_read_all_integer_types),
        cmocka_unit_test(idx_labels_may_be_zipped),
        cmocka_unit_test(idx_labels_name_the_row_of_a_class_out_of_range),
        cmocka_unit_test(idx_labels_refuse_what_holds_no_labels),
        cmocka_unit_test(idx_labels_are_limited_in_number),
        cmocka_unit_test(idx_labels_do_not_believe_the_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
