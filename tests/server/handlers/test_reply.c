#include "server/handlers/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_tag_stands_in_quotes(void **state)
{
    char tag[REPLY_TAG_TEXT];

    (void)state;
    reply_tag(tag, "%d.%s", 7, "csv");
    assert_string_equal(tag, "\"7.csv\"");
}

static void a_tag_matches_itself_in_lists_weak_or_not(void **state)
{
    static const char *const matching[] = {
        "\"7\"", "W/\"7\"", "*", "\"1\", \"7\"", "\"1\",\"7\"", "\"a,b\" , W/\"7\"", ",, \"7\"",
    };
    static const char *const others[] = {"",        "7",       "\"77\"", "\"\"",          "\"7",    "W/7",
                                         "w/\"7\"", "\"1\" 7", "**",     "\"1\", *\"7\"", "\"7 \"", "\"W/7\""};

    (void)state;
    for (size_t i = 0; i < sizeof matching / sizeof *matching; i++) {
        assert_true(reply_tag_matches(matching[i], "\"7\""));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(reply_tag_matches(others[i], "\"7\""));
    }
    assert_false(reply_tag_matches(NULL, "\"7\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_stands_in_quotes),
        cmocka_unit_test(a_tag_matches_itself_in_lists_weak_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
