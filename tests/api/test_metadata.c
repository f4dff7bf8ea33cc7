#include "api/metadata.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/json.h"
#include "tests/api/refusal.h"

/* The text that comes of it, to be freed; NULL for `json`: not given. */
static char *decode(const char *json, struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};
    char *text;

    problem_init(problem);
    if (json != NULL) {
        assert_int_equal(json_parse(&document, json, strlen(json), NULL, 0, &error), STATUS_OK);
    }
    metadata_decode(document == NULL ? NULL : json_root(document), &text, problem);
    json_free(document);
    assert_non_null(text);
    return text;
}

static void strings_by_name_are_kept(void **state)
{
    static const char *const same[] = {"{}", "{\"team\":\"a\",\"caf\xC3\xA9\":\"\"}"};
    struct problem problem;
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        text = decode(same[i], &problem);
        assert_string_equal(text, same[i]);
        assert_int_equal(problem.status, STATUS_OK);
        free(text);
    }
    text = decode(NULL, &problem);
    assert_string_equal(text, "{}");
    free(text);
}

static void what_is_no_short_string_is_told_by_its_place(void **state)
{
    char long_key[METADATA_MAX_KEY + 20], long_value[METADATA_MAX_VALUE + 20];
    struct problem problem;

    (void)state;
    (void)snprintf(long_key, sizeof long_key, "{\"%0*d\":\"\"}", METADATA_MAX_KEY + 1, 0);
    (void)snprintf(long_value, sizeof long_value, "{\"a\":\"%0*d\"}", METADATA_MAX_VALUE + 1, 0);
    const struct {
        const char *json;
        enum status status;
    } rows[] = {
        {"{\"a\":1}", STATUS_TYPE_MISMATCH},
        {"{\"a\":null}", STATUS_TYPE_MISMATCH},
        {"{\"\":\"x\"}", STATUS_NAME_INVALID},
        {long_key, STATUS_STRING_TOO_LONG},
        {long_value, STATUS_STRING_TOO_LONG},
        {"[]", STATUS_TYPE_MISMATCH},
        {"{\"0\":\"\",\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":\"\",\"8\":\"\",\"9\":\"\","
         "\"a\":\"\","
         "\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\"}",
         STATUS_OUT_OF_RANGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = decode(rows[i].json, &problem);

        assert_int_equal(problem.field_total, 1);
        assert_int_equal(problem.fields[0].status, rows[i].status);
        assert_string_equal(text, "{}");
        problem_release(&problem);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_by_name_are_kept),
        cmocka_unit_test(what_is_no_short_string_is_told_by_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
