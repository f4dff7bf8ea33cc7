#include "api/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "tests/assert_close.h"

static struct json_document *parse(const char *text)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    assert_int_equal(json_parse(&document, text, strlen(text), NULL, 0, &error), STATUS_OK);
    return document;
}

static void values_are_what_was_written(void **state)
{
    struct json_document *document =
        parse("{\"n\":-1.25e2,\"s\":\"\\u00e9\",\"t\":true,\"f\":false,\"z\":null,\"l\":[1,2,3],\"o\":{}}");
    const struct json_value *root = json_root(document);

    (void)state;
    assert_int_equal(json_type(root), JSON_OBJECT);
    assert_int_equal(json_count(root), 7);
    assert_close(json_to_number(json_get(root, "n")), -125, 0, 0);
    assert_string_equal(json_to_string(json_get(root, "s")), "\xC3\xA9");
    assert_true(json_is_true(json_get(root, "t")));
    assert_false(json_is_true(json_get(root, "f")));
    assert_int_equal(json_type(json_get(root, "f")), JSON_BOOL);
    assert_int_equal(json_type(json_get(root, "z")), JSON_NULL);
    assert_int_equal(json_type(json_get(root, "l")), JSON_ARRAY);
    assert_int_equal(json_type(json_get(root, "o")), JSON_OBJECT);
    assert_int_equal(json_count(json_get(root, "l")), 3);
    assert_null(json_first(json_get(root, "o")));
    assert_string_equal(json_name(json_first(root)), "n");
    json_free(document);
}

static void keys_are_case_sensitive(void **state)
{
    struct json_document *document = parse("{\"LR\":1}");

    (void)state;
    assert_null(json_get(json_root(document), "lr"));
    assert_non_null(json_get(json_root(document), "LR"));
    json_free(document);
}

static void nothing_is_found_in_what_is_no_object(void **state)
{
    static const char *const TEXTS[] = {"[{\"a\":1}]", "3", "\"a\"", "null"};

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct json_document *document = parse(TEXTS[i]);

        assert_null(json_get(json_root(document), "a"));
        json_free(document);
    }
}

static void numbers_beyond_a_double_are_infinite_and_tiny_ones_are_0(void **state)
{
    struct json_document *document = parse("[1e999,-1e999,1e-999,9007199254740993]");
    const struct json_value *value = json_first(json_root(document));

    (void)state;
    assert_true(json_to_number(value) > 1.7e308);
    value = json_next(value);
    assert_true(json_to_number(value) < -1.7e308);
    value = json_next(value);
    assert_true(json_to_number(value) == 0);
    value = json_next(value);
    assert_true(json_to_number(value) == 9007199254740992.0);
    json_free(document);
}

static void a_number_of_64_characters_is_read_whole(void **state)
{
    struct json_document *document = parse("[1000000000000000000000000000000000000000000000000000000000000001]");

    (void)state;
    assert_close(json_to_number(json_first(json_root(document))), 1e63, 1e-15, 0);
    json_free(document);
}

static void bulk_arrays_are_empty_in_the_tree_and_whole_beside_it(void **state)
{
    static const char *const BULK[] = {"/b", "/a", "/c"};
    static const char TEXT[] = "{\"a\":[1,[2]], \"k\":7, \"b\":[] ,\"c\":3}";
    struct json_document *document;
    struct error error = {.status = STATUS_OK};

    (void)state;
    assert_int_equal(json_parse(&document, TEXT, strlen(TEXT), BULK, 3, &error), STATUS_OK);
    const struct json_value *root = json_root(document);
    assert_int_equal(json_count(root), 4);
    assert_int_equal(json_type(json_get(root, "a")), JSON_ARRAY);
    assert_int_equal(json_count(json_get(root, "a")), 0);
    assert_close(json_to_number(json_get(root, "k")), 7, 0, 0);
    assert_memory_equal(json_bulk(document, 1)->text, "[1,[2]]", 7);
    assert_int_equal(json_bulk(document, 1)->size, 7);
    assert_int_equal(json_bulk(document, 0)->count, 0);
    assert_null(json_bulk(document, 2));
    json_free(document);
}

static int allocations_left;

static void *scarce_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void every_failing_allocation_of_the_tree_is_out_of_memory(void **state)
{
    static const char TEXT[] = "{\"a\":[1,\"two\",{\"b\":null}],\"c\":\"d\"}";
    cJSON_Hooks scarce = {.malloc_fn = scarce_malloc, .free_fn = free};
    int failures = 0;
    enum status status;

    (void)state;
    cJSON_InitHooks(&scarce);
    do {
        struct json_document *document = NULL;
        struct error error = {.status = STATUS_OK};

        allocations_left = failures;
        status = json_parse(&document, TEXT, strlen(TEXT), NULL, 0, &error);
        assert_true(status == STATUS_OK || status == STATUS_OUT_OF_MEMORY);
        assert_int_equal(document != NULL, status == STATUS_OK);
        json_free(document);
        failures += status != STATUS_OK;
    } while (status != STATUS_OK);
    cJSON_InitHooks(NULL);
    assert_true(failures > 5);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_what_was_written),
        cmocka_unit_test(keys_are_case_sensitive),
        cmocka_unit_test(nothing_is_found_in_what_is_no_object),
        cmocka_unit_test(numbers_beyond_a_double_are_infinite_and_tiny_ones_are_0),
        cmocka_unit_test(a_number_of_64_characters_is_read_whole),
        cmocka_unit_test(bulk_arrays_are_empty_in_the_tree_and_whole_beside_it),
        cmocka_unit_test(every_failing_allocation_of_the_tree_is_out_of_memory),
        cmocka_unit_test(freeing_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
