#include "api/dataset_path.h"

#include <stdio.h>

#include "tests/api/refusal.h"

static void paths_and_format_are_read(void **state)
{
    static const char body[] = "{\"path\": \"a/b.gz\", \"labels\": \"a/c.gz\", \"format\": \"idx\"}";
    struct dataset_path request;
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_equal(dataset_path_decode(&request, body, strlen(body), &problem), STATUS_OK);
    assert_string_equal(request.path, "a/b.gz");
    assert_string_equal(request.labels, "a/c.gz");
    assert_int_equal(request.format, DATA_IDX);
    problem_release(&problem);
}

static void every_error_is_told_at_its_place(void **state)
{
    static const struct {
        const char *body, *pointer;
        enum status status;
    } rows[] = {
        {"{\"format\":\"csv\"}", "/path", STATUS_MISSING_FIELD},
        {"{\"path\":\"a\"}", "/format", STATUS_MISSING_FIELD},
        {"{\"path\":7,\"format\":\"csv\"}", "/path", STATUS_TYPE_MISMATCH},
        {"{\"path\":\"\",\"format\":\"csv\"}", "/path", STATUS_PATH_INVALID},
        {"{\"path\":\"a\",\"format\":\"cvs\"}", "/format", STATUS_UNKNOWN_VALUE},
        {"{\"path\":\"a\",\"format\":\"csv\",\"label\":\"b\"}", "/label", STATUS_UNKNOWN_FIELD},
        {"{\"path\":\"a\",\"format\":\"csv\",\"labels\":\"b\"}", "/labels", STATUS_CONFLICTING_FIELDS},
        {"[]", "", STATUS_TYPE_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dataset_path request;
        struct problem problem;

        problem_init(&problem);
        assert_int_equal(dataset_path_decode(&request, rows[i].body, strlen(rows[i].body), &problem),
                         STATUS_VALIDATION_FAILED);
        assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer));
        problem_release(&problem);
    }
}

static void a_path_may_not_be_of_any_length(void **state)
{
    char body[DATASET_PATH_TEXT + 64];
    struct dataset_path request;
    struct problem problem;

    (void)state;
    problem_init(&problem);
    snprintf(body, sizeof body, "{\"format\":\"csv\",\"path\":\"%0*d\"}", DATASET_PATH_TEXT, 1);
    assert_int_equal(dataset_path_decode(&request, body, strlen(body), &problem), STATUS_VALIDATION_FAILED);
    assert_int_equal(problem.fields[0].status, STATUS_STRING_TOO_LONG);
    problem_release(&problem);
}

static void what_is_no_json_is_malformed(void **state)
{
    struct dataset_path request;
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_equal(dataset_path_decode(&request, "{\"path\":", 8, &problem), STATUS_JSON_INVALID);
    problem_release(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_format_are_read),
        cmocka_unit_test(every_error_is_told_at_its_place),
        cmocka_unit_test(a_path_may_not_be_of_any_length),
        cmocka_unit_test(what_is_no_json_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
