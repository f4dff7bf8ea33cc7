#include "server/process_figures.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void each_open_file_counts(void **state)
{
    struct process_figures before = process_figures();
    int first = open("/dev/null", O_RDONLY), second = open("/dev/null", O_RDONLY);
    (void)state;
    assert_true(first >= 0 && second >= 0);
    assert_int_equal(process_figures().open_fds, before.open_fds + 2);
    close(first);
    close(second);
    assert_int_equal(process_figures().open_fds, before.open_fds);
}

static void memory_that_is_touched_is_resident(void **state)
{
    const size_t size = (size_t)64 << 20;
    uint64_t before = process_figures().resident_bytes;
    char *block = malloc(size);
    (void)state;
    assert_non_null(block);
    memset(block, 1, size);
    uint64_t after = process_figures().resident_bytes;
    assert_int_equal(block[size - 1], 1);
    free(block);
    assert_true(before != PROCESS_UNKNOWN && before > 0);
    assert_true(after >= before + size / 2);
}

static void the_processor_s_time_grows(void **state)
{
    uint64_t before = process_figures().cpu_nanoseconds;
    (void)state;
    while (process_figures().cpu_nanoseconds < before + 1000000) {
        /* works */
    }
    assert_true(process_figures().cpu_nanoseconds > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_open_file_counts),
        cmocka_unit_test(memory_that_is_touched_is_resident),
        cmocka_unit_test(the_processor_s_time_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
