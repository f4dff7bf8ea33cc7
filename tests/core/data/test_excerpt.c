#include "core/data/excerpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void excerpt_is_short_and_printable(void **state)
{
    char out[EXCERPT_SIZE], bytes[256];

    (void)state;
    assert_string_equal(excerpt_of(out, "plain text", 10), "plain text");
    assert_string_equal(excerpt_of(out, "", 0), "");
    assert_string_equal(excerpt_of(out, "a\"b\\c\n\x7F\xC3\xA4", 9), "a\\x22b\\x5cc\\x0a\\x7f\\xc3\\xa4");
    assert_string_equal(excerpt_of(out, "01234567890123456789012345678901", 32), "01234567890123456789012345678901");
    assert_string_equal(excerpt_of(out, "012345678901234567890123456789012", 33), "01234567890123456789012345678901...");
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(strlen(excerpt_of(out, bytes, sizeof bytes)), 32 * 4 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excerpt_is_short_and_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
