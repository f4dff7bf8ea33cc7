#include "core/data/gunzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/data/gzip.h"

#define SIZE 200000

/* Feeds bytes in pieces of `piece`; the first one of at least two. */
static enum status unpack(const unsigned char *bytes, size_t size, size_t piece, struct buffer_sink *out,
                          struct error *error)
{
    struct gunzip *gunzip;
    enum status status;

    assert_int_equal(gunzip_new(&gunzip, buffer_sink(out), error), STATUS_OK);
    status = gunzip_feed(gunzip, bytes, size < 2 ? size : 2, error);
    for (size_t at = 2; at < size && !status; at += piece)
        status = gunzip_feed(gunzip, bytes + at, size - at < piece ? size - at : piece, error);
    if (!status)
        status = gunzip_finish(gunzip, error);
    gunzip_free(gunzip);
    return status;
}

/* Bytes that compress a little. */
static unsigned char *make_bytes(size_t size)
{
    unsigned char *bytes = malloc(size);
    uint32_t random = 1;

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        random = random * UINT32_C(1664525) + UINT32_C(1013904223);
        bytes[i] = (unsigned char)(random >> 28);
    }
    return bytes;
}

static void gunzip_gives_back_what_was_packed_however_it_is_cut(void **state)
{
    unsigned char *bytes = make_bytes(SIZE), *packed;
    size_t size;

    (void)state;
    packed = gzip_bytes(bytes, SIZE, &size);
    for (size_t piece = 1; piece <= size; piece = piece * 7 + 1) {
        struct buffer_sink out = {0};

        assert_int_equal(unpack(packed, size, piece, &out, NULL), STATUS_OK);
        assert_int_equal(out.size, SIZE);
        assert_memory_equal(out.data, bytes, SIZE);
        buffer_sink_release(&out);
    }
    free(packed);
    free(bytes);
}

static void gunzip_passes_plain_bytes_through(void **state)
{
    struct buffer_sink out = {0};

    (void)state;
    assert_int_equal(unpack((const unsigned char *)"\x1Fplain", 6, 1, &out, NULL), STATUS_OK);
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.data, "\x1Fplain", 6);
    buffer_sink_release(&out);
}

static void gunzip_reads_several_members(void **state)
{
    struct buffer_sink out = {0};
    size_t one_size, two_size;
    unsigned char *one = gzip_bytes((const unsigned char *)"one ", 4, &one_size),
                  *two = gzip_bytes((const unsigned char *)"two", 3, &two_size), both[256];

    (void)state;
    memcpy(both, one, one_size);
    memcpy(both + one_size, two, two_size);
    assert_int_equal(unpack(both, one_size + two_size, 5, &out, NULL), STATUS_OK);
    assert_int_equal(out.size, 7);
    assert_memory_equal(out.data, "one two", 7);
    buffer_sink_release(&out);
    free(one);
    free(two);
}

static void gunzip_refuses_every_truncation_and_what_follows_the_end(void **state)
{
    size_t size;
    unsigned char *packed = gzip_bytes((const unsigned char *)"some text, some text", 20, &size), longer[256];

    (void)state;
    for (size_t cut = 2; cut < size; cut++) {
        struct buffer_sink out = {0};

        assert_int_equal(unpack(packed, cut, 3, &out, NULL), STATUS_GZIP_CORRUPT);
        buffer_sink_release(&out);
    }
    struct buffer_sink out = {0};
    memcpy(longer, packed, size);
    longer[size] = 'x';
    assert_int_equal(unpack(longer, size + 1, 64, &out, NULL), STATUS_GZIP_CORRUPT);
    buffer_sink_release(&out);
    free(packed);
}

static void gunzip_refuses_wrong_checksums(void **state)
{
    struct buffer_sink out = {0};
    size_t size;
    unsigned char *packed = gzip_bytes((const unsigned char *)"some text, some text", 20, &size);

    (void)state;
    packed[size - 6] ^= 1;
    assert_int_equal(unpack(packed, size, 64, &out, NULL), STATUS_GZIP_CORRUPT);
    buffer_sink_release(&out);
    free(packed);
}

static void gunzip_stops_data_that_grow_out_of_proportion(void **state)
{
    size_t size, plain_size = 8 << 20;
    unsigned char *zeros = calloc(plain_size, 1), *packed;
    struct error first = {0};

    (void)state;
    assert_non_null(zeros);
    packed = gzip_bytes(zeros, plain_size, &size);
    for (size_t piece = 1; piece <= size; piece = piece * 13 + 1) {
        struct buffer_sink out = {0};
        struct error error = {0};

        assert_int_equal(unpack(packed, size, piece, &out, &error), STATUS_COMPRESSION_RATIO);
        assert_true(out.size < plain_size);
        if (piece == 1)
            first = error;
        assert_string_equal(error.message, first.message);
        buffer_sink_release(&out);
    }
    free(packed);
    /* small files may be all zeros */
    struct buffer_sink out = {0};
    packed = gzip_bytes(zeros, GUNZIP_RATIO_SLACK, &size);
    assert_int_equal(unpack(packed, size, 64, &out, NULL), STATUS_OK);
    buffer_sink_release(&out);
    free(packed);
    free(zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gunzip_gives_back_what_was_packed_however_it_is_cut),
        cmocka_unit_test(gunzip_passes_plain_bytes_through),
        cmocka_unit_test(gunzip_reads_several_members),
        cmocka_unit_test(gunzip_refuses_every_truncation_and_what_follows_the_end),
        cmocka_unit_test(gunzip_refuses_wrong_checksums),
        cmocka_unit_test(gunzip_stops_data_that_grow_out_of_proportion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
