/* gzip data for tests, made by zlib. */
#ifndef DESCENT_TESTS_CORE_DATA_GZIP_H
#define DESCENT_TESTS_CORE_DATA_GZIP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

/* bytes [size] as one gzip member, malloc'ed; its size through *packed_size. */
static inline unsigned char *gzip_bytes(const unsigned char *bytes, size_t size, size_t *packed_size)
{
    size_t capacity = size + size / 100 + 1024;
    unsigned char *packed = malloc(capacity);
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes,
                       .avail_in = (uInt)size,
                       .next_out = packed,
                       .avail_out = (uInt)capacity};

    assert_non_null(packed);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *packed_size = capacity - stream.avail_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return packed;
}

#endif
