#include "server/http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_range_is_cut_to_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint64_t whole, offset, size; /* size 0: refused */
    } rows[] = {
        {"bytes=0-0", 10, 0, 1},
        {"bytes=0-9", 10, 0, 10},
        {"bytes=0-10", 10, 0, 10},
        {"bytes=3-18446744073709551615", 10, 3, 7},
        {"bytes=9-", 10, 9, 1},
        {"bytes=-1", 10, 9, 1},
        {"bytes=-10", 10, 0, 10},
        {"bytes=-11", 10, 0, 10},
        {"bytes=10-", 10, 0, 0},
        {"bytes=10-11", 10, 0, 0},
        {"bytes=5-4", 10, 0, 0},
        {"bytes=-0", 10, 0, 0},
        {"bytes=-", 10, 0, 0},
        {"bytes=", 10, 0, 0},
        {"bytes=0-1,2-3", 10, 0, 0},
        {"bytes=0-1 ", 10, 0, 0},
        {"bytes= 0-1", 10, 0, 0},
        {"bytes=a-b", 10, 0, 0},
        {"bytes=0x1-2", 10, 0, 0},
        {"bytes=+1-2", 10, 0, 0},
        {"bytes=18446744073709551616-", 10, 0, 0},
        {"bytes=0-18446744073709551616", 10, 0, 0},
        {"Bytes=0-1", 10, 0, 0},
        {"", 10, 0, 0},
        {"bytes=0-0", 0, 0, 0},
        {"bytes=-1", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t offset = 0, size = 0;
        int given = range_parse(rows[i].value, rows[i].whole, &offset, &size);
        if (given != (rows[i].size > 0) || (given && (offset != rows[i].offset || size != rows[i].size)))
            fail_msg("%s of %u: %d, %u bytes from %u", rows[i].value, (unsigned)rows[i].whole, given, (unsigned)size,
                     (unsigned)offset);
    }
}

static void a_range_under_a_condition_needs_the_same_tag(void **state)
{
    (void)state;
    assert_true(range_applies(NULL, NULL));
    assert_true(range_applies(NULL, "\"a\""));
    assert_true(range_applies("\"a\"", "\"a\""));
    assert_false(range_applies("\"a\"", "\"b\""));
    assert_false(range_applies("\"a\"", NULL));
    assert_false(range_applies("Wed, 21 Oct 2015 07:28:00 GMT", "\"a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_cut_to_the_file),
        cmocka_unit_test(a_range_under_a_condition_needs_the_same_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
