#include "api/evaluate_request.h"

#include "tests/api/refusal.h"

static void the_data_set_is_read(void **state)
{
    static const char body[] = "{\"dataset\": \"ds_00000000000000000000\"}";
    struct evaluate_request request;
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_equal(evaluate_request_decode(&request, body, strlen(body), &problem), STATUS_OK);
    assert_string_equal(request.dataset, "ds_00000000000000000000");
    problem_release(&problem);
}

static void every_error_is_told_at_its_place(void **state)
{
    static const struct {
        const char *body, *pointer;
        enum status status;
    } rows[] = {
        {"{}", "/dataset", STATUS_MISSING_FIELD},
        {"{\"dataset\":7}", "/dataset", STATUS_TYPE_MISMATCH},
        {"{\"dataset\":null}", "/dataset", STATUS_TYPE_MISMATCH},
        {"{\"dataset\":\"ds_0000000000000000000000000000\"}", "/dataset", STATUS_STRING_TOO_LONG},
        {"{\"dataset\":\"ds_0\",\"top_k\":1}", "/top_k", STATUS_UNKNOWN_FIELD},
        {"\"ds_0\"", "", STATUS_TYPE_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct evaluate_request request;
        struct problem problem;

        problem_init(&problem);
        assert_int_equal(evaluate_request_decode(&request, rows[i].body, strlen(rows[i].body), &problem),
                         STATUS_VALIDATION_FAILED);
        assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer));
        problem_release(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_data_set_is_read),
        cmocka_unit_test(every_error_is_told_at_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
