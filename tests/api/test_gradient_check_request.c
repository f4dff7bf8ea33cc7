#include "api/gradient_check_request.h"

#include "tests/api/refusal.h"

static void decode(const char *body, struct gradient_check_request *request, struct problem *problem)
{
    problem_init(problem);
    enum status status = gradient_check_request_decode(request, body, strlen(body), problem);

    assert_int_equal(status, problem->status);
}

static void what_is_not_given_is_as_documented(void **state)
{
    static const char *const bodies[] = {"", "{}", "{\"parameters\":\"auto\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct gradient_check_request request;
        struct problem problem;

        decode(bodies[i], &request, &problem);
        assert_int_equal(problem.status, STATUS_OK);
        assert_int_equal(request.dataset.type, DATASET_REF_NONE);
        assert_int_equal(request.rows, 32);
        assert_int_equal(request.parameters, 0);
        assert_true(request.h == 1e-5);
        problem_release(&problem);
    }
}

static void a_data_set_comes_in_each_form(void **state)
{
    static const struct {
        const char *body;
        enum dataset_ref_type type;
    } rows[] = {{"{\"dataset\":\"ds_0123456789abcdefghij\",\"rows\":7,\"h\":1e-4}", DATASET_REF_ID},
                {"{\"dataset\":{\"x\":[[1],[2]],\"y\":[0,1]},\"rows\":7,\"h\":1e-4}", DATASET_REF_INLINE},
                {"{\"dataset\":{\"generator\":\"moons\",\"n\":9},\"rows\":7,\"h\":1e-4}", DATASET_REF_GENERATOR}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gradient_check_request request;
        struct problem problem;

        decode(rows[i].body, &request, &problem);
        assert_int_equal(problem.status, STATUS_OK);
        assert_int_equal(request.dataset.type, rows[i].type);
        assert_int_equal(request.rows, 7);
        assert_true(request.h == 1e-4);
        gradient_check_request_release(&request);
        problem_release(&problem);
    }
}

static void every_error_is_told_at_its_place(void **state)
{
    static const struct {
        const char *body, *pointer;
        enum status status;
    } rows[] = {
        {"{\"rows\":0}", "/rows", STATUS_OUT_OF_RANGE},
        {"{\"rows\":257}", "/rows", STATUS_OUT_OF_RANGE},
        {"{\"rows\":1.5}", "/rows", STATUS_NOT_INTEGER},
        {"{\"parameters\":0}", "/parameters", STATUS_OUT_OF_RANGE},
        {"{\"parameters\":\"all\"}", "/parameters", STATUS_TYPE_MISMATCH},
        {"{\"h\":0}", "/h", STATUS_OUT_OF_RANGE},
        {"{\"h\":null}", "/h", STATUS_TYPE_MISMATCH},
        {"{\"dataset\":null}", "/dataset", STATUS_TYPE_MISMATCH},
        {"{\"parameter\":3}", "/parameter", STATUS_UNKNOWN_FIELD},
        {"[]", "", STATUS_TYPE_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gradient_check_request request;
        struct problem problem;

        decode(rows[i].body, &request, &problem);
        assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer));
        gradient_check_request_release(&request);
        problem_release(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_is_as_documented),
        cmocka_unit_test(a_data_set_comes_in_each_form),
        cmocka_unit_test(every_error_is_told_at_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
