#include "api/merge_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json_validator.h"

static void assert_valid(const char *text)
{
    struct error error = {.status = STATUS_OK};

    assert_int_equal(json_validate(text, strlen(text), NULL, 0, NULL, &error), STATUS_OK);
}

static void assert_merged(const char *target, const char *patch, const char *wanted)
{
    struct text text = {.data = NULL};

    if (target != NULL) {
        assert_valid(target);
    }
    assert_valid(patch);
    merge_patch(target, target == NULL ? 0 : strlen(target), patch, strlen(patch), &text);
    assert_string_equal(text.data, wanted);
    assert_valid(text.data);
    text_release(&text);
}

/* RFC 7396, appendix A, in its order. */
static void the_examples_of_the_rfc_hold(void **state)
{
    static const struct {
        const char *target, *patch, *wanted;
    } rows[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_merged(rows[i].target, rows[i].patch, rows[i].wanted);
    }
}

static void blanks_and_quotes_do_not_mislead(void **state)
{
    (void)state;
    assert_merged(" { \"a\" : \"}\\\"{\" ,\n\t\"b\" : [ {\"a\":\"]\"} , 2 ] } ",
                  "\r\n{ \"c\" : { \"d\" : null , \"e\" : true } } ",
                  "{\"a\":\"}\\\"{\",\"b\":[ {\"a\":\"]\"} , 2 ],\"c\":{\"e\":true}}");
    assert_merged("{\"\\\\\":1,\"b\":2}", "{\"b\":3}", "{\"\\\\\":1,\"b\":3}");
}

static void a_key_is_what_it_means(void **state)
{
    (void)state;
    assert_merged("{\"caf\xC3\xA9\":1,\"b\":2}", "{\"caf\\u00e9\":null,\"\\u0062\":3}", "{\"b\":3}");
    assert_merged("{\"a\":1}", "{\"A\":2}", "{\"a\":1,\"A\":2}");
    assert_merged("{\"ab\":1}", "{\"a\":2,\"abc\":3}", "{\"ab\":1,\"a\":2,\"abc\":3}");
}

static void numbers_keep_their_digits(void **state)
{
    (void)state;
    assert_merged("{\"a\":18446744073709551615,\"b\":0.1000000000000000055511151231257827}", "{\"c\":1e400,\"d\":-0.0}",
                  "{\"a\":18446744073709551615,\"b\":0.1000000000000000055511151231257827,\"c\":1e400,\"d\":-0.0}");
}

/* A null removes a member; inside a list it is a value. */
static void nulls_of_lists_stay(void **state)
{
    (void)state;
    assert_merged("{\"a\":1}", "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}");
}

static void nothing_takes_a_patch_without_its_nulls(void **state)
{
    (void)state;
    assert_merged(NULL, "{\"a\":null,\"b\":{\"c\":null,\"d\":1}}", "{\"b\":{\"d\":1}}");
}

/* {"a":{"a": ... value}}, as deep as may be. */
static void write_nested(struct text *text, const char *value)
{
    for (int i = 0; i < JSON_MAX_DEPTH; i++) {
        text_string(text, "{\"a\":");
    }
    text_string(text, value);
    for (int i = 0; i < JSON_MAX_DEPTH; i++) {
        text_string(text, "}");
    }
}

static void the_deepest_allowed_nesting_is_merged(void **state)
{
    struct text target = {.data = NULL}, patch = {.data = NULL};

    (void)state;
    write_nested(&target, "1");
    write_nested(&patch, "2");
    assert_merged(target.data, patch.data, patch.data);
    text_release(&target);
    text_release(&patch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_hold),
        cmocka_unit_test(blanks_and_quotes_do_not_mislead),
        cmocka_unit_test(a_key_is_what_it_means),
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(nulls_of_lists_stay),
        cmocka_unit_test(nothing_takes_a_patch_without_its_nulls),
        cmocka_unit_test(the_deepest_allowed_nesting_is_merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
