#include "core/data/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void buffer_sink_keeps_everything_aligned(void **state)
{
    struct buffer_sink buffer = {0};
    struct sink sink = buffer_sink(&buffer);

    (void)state;
    for (int i = 0; i < 30000; i++) {
        unsigned char byte = (unsigned char)(i * 7);

        assert_int_equal(sink.write(sink.context, &byte, 1, NULL), STATUS_OK);
    }
    assert_int_equal(buffer.size, 30000);
    assert_int_equal((uintptr_t)buffer.data % 64, 0);
    for (int i = 0; i < 30000; i++)
        assert_int_equal(buffer.data[i], (unsigned char)(i * 7));
    buffer_sink_release(&buffer);
    assert_null(buffer.data);
}

static void buffer_sink_refuses_more_than_its_limit(void **state)
{
    struct buffer_sink buffer = {.limit = 10};
    struct sink sink = buffer_sink(&buffer);

    (void)state;
    assert_int_equal(sink.write(sink.context, "0123456", 7, NULL), STATUS_OK);
    assert_int_equal(sink.write(sink.context, "0123", 4, NULL), STATUS_DATASET_TOO_LARGE);
    assert_int_equal(sink.write(sink.context, "789", 3, NULL), STATUS_OK);
    assert_memory_equal(buffer.data, "0123456789", 10);
    buffer_sink_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_sink_keeps_everything_aligned),
        cmocka_unit_test(buffer_sink_refuses_more_than_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
