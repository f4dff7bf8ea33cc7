#include "api/predict_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/problem.h"
#include "tests/api/refusal.h"
#include "tests/assert_close.h"

typedef enum status decoder(struct predict_request *request, const char *body, size_t size, uint32_t features,
                            struct problem *problem);

/* The text stands in a block of exactly its size and a NUL, as a body does. */
static enum status decode(decoder *decode_body, const char *text, struct predict_request *request, struct problem *problem)
{
    char *body = strdup(text);
    enum status status;

    assert_non_null(body);
    problem_init(problem);
    status = decode_body(request, body, strlen(body), 2, problem);
    free(body);
    assert_int_equal(status, problem->status);
    return status;
}

static void release(struct predict_request *request, struct problem *problem)
{
    predict_request_release(request);
    problem_release(problem);
}

static void rows_are_read_and_both_answers_are_wanted(void **state)
{
    static const float WANTED[] = {1, 2.5f, -3, 4e5f};
    struct predict_request request;
    struct problem problem;

    (void)state;
    assert_int_equal(decode(predict_request_decode, "{\"instances\":[[1,2.5],[-3,4e5]]}", &request, &problem), STATUS_OK);
    assert_int_equal(request.rows, 2);
    assert_all_close_f32(request.x, WANTED, 4, 0, 0);
    assert_true(request.with_label && request.with_probabilities);
    assert_int_equal(request.top_k, 0);
    release(&request, &problem);
}

static void the_answer_may_be_chosen(void **state)
{
    struct predict_request request;
    struct problem problem;

    (void)state;
    assert_int_equal(decode(predict_request_decode,
                            "{\"return\":[\"probabilities\"],\"instances\":[[1,2]],\"top_k\":3,\"calibrated\":false}",
                            &request, &problem),
                     STATUS_OK);
    assert_false(request.with_label);
    assert_true(request.with_probabilities);
    assert_int_equal(request.top_k, 3);
    assert_false(request.calibrated);
    release(&request, &problem);
}

static void a_bad_instance_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } ROWS[] = {
        {"{\"instances\":[[1,2],[1]]}", STATUS_FEATURE_COUNT_MISMATCH, "/instances/1"},
        {"{\"instances\":[[1,2,3]]}", STATUS_FEATURE_COUNT_MISMATCH, "/instances/0"},
        {"{\"instances\":[[]]}", STATUS_FEATURE_COUNT_MISMATCH, "/instances/0"},
        {"{\"instances\":[[1,2],[1,null]]}", STATUS_TYPE_MISMATCH, "/instances/1/1"},
        {"{\"instances\":[[\"a\",2]]}", STATUS_TYPE_MISMATCH, "/instances/0/0"},
        {"{\"instances\":[3]}", STATUS_TYPE_MISMATCH, "/instances/0"},
        {"{\"instances\":3}", STATUS_TYPE_MISMATCH, "/instances"},
        {"{\"instances\":{}}", STATUS_TYPE_MISMATCH, "/instances"},
        {"{\"instances\":[[1,2],[1,1e999]]}", STATUS_NUMBER_OUT_OF_RANGE, "/instances/1/1"},
        {"{\"instances\":[[1,1e39]]}", STATUS_NUMBER_OUT_OF_RANGE, "/instances/0/1"},
        {"{\"instances\":[]}", STATUS_OUT_OF_RANGE, "/instances"},
        {"{}", STATUS_MISSING_FIELD, "/instances"},
        {"[]", STATUS_TYPE_MISMATCH, ""},
        {"{\"instances\":[[1,2]],\"retrun\":[]}", STATUS_UNKNOWN_FIELD, "/retrun"},
        {"{\"instances\":[[1,2]],\"return\":[\"odds\"]}", STATUS_UNKNOWN_VALUE, "/return/0"},
        {"{\"instances\":[[1,2]],\"return\":[\"label\",1]}", STATUS_TYPE_MISMATCH, "/return/1"},
        {"{\"instances\":[[1,2]],\"return\":\"label\"}", STATUS_TYPE_MISMATCH, "/return"},
        {"{\"instances\":[[1,2]],\"top_k\":-1}", STATUS_OUT_OF_RANGE, "/top_k"},
        {"{\"instances\":[[1,2]],\"calibrated\":1}", STATUS_TYPE_MISMATCH, "/calibrated"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct predict_request request;
        struct problem problem;

        assert_int_equal(decode(predict_request_decode, ROWS[i].body, &request, &problem), STATUS_VALIDATION_FAILED);
        if (!refusal_is_only(&problem, ROWS[i].status, ROWS[i].pointer)) {
            fail_msg("%s", ROWS[i].body);
        }
        release(&request, &problem);
    }
}

static void a_batch_has_at_most_4096_rows(void **state)
{
    static char json[16 + 8 * 4097], csv[8 * 4097];

    (void)state;
    for (int rows = PREDICT_MAX_ROWS; rows <= PREDICT_MAX_ROWS + 1; rows++) {
        enum status wanted = rows == PREDICT_MAX_ROWS ? STATUS_OK : STATUS_BATCH_TOO_LARGE;
        struct predict_request request;
        struct problem problem;
        size_t at = 0, line = 0;

        for (int i = 0; i < rows; i++) {
            at += (size_t)snprintf(json + at, sizeof json - at, "%s[1,2]", i == 0 ? "{\"instances\":[" : ",");
            line += (size_t)snprintf(csv + line, sizeof csv - line, "1,2\n");
        }
        (void)snprintf(json + at, sizeof json - at, "]}");
        assert_int_equal(decode(predict_request_decode, json, &request, &problem), wanted);
        assert_int_equal(problem_http_status(&problem), wanted == STATUS_OK ? 200 : 413);
        release(&request, &problem);
        assert_int_equal(decode(predict_request_decode_csv, csv, &request, &problem), wanted);
        release(&request, &problem);
    }
}

static void lines_of_numbers_are_rows(void **state)
{
    static const char *const TEXTS[] = {"1,2\n-3,4e1\n", "1,2\r\n-3,40", "1.0,+2\n-3,40.\n"};
    static const float WANTED[] = {1, 2, -3, 40};

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct predict_request request;
        struct problem problem;

        assert_int_equal(decode(predict_request_decode_csv, TEXTS[i], &request, &problem), STATUS_OK);
        assert_int_equal(request.rows, 2);
        assert_all_close_f32(request.x, WANTED, 4, 0, 0);
        release(&request, &problem);
    }
}

static void a_bad_line_is_named(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        int64_t line, column;
    } ROWS[] = {
        {"1,2\n1\n", STATUS_FEATURE_COUNT_MISMATCH, 2, 0},
        {"1,2,3\n", STATUS_FEATURE_COUNT_MISMATCH, 1, 0},
        {"1,x\n", STATUS_CSV_NOT_NUMBER, 1, 2},
        {"1,2\n,2\n", STATUS_CSV_NOT_NUMBER, 2, 1},
        {"1,nan\n", STATUS_NON_FINITE_VALUE, 1, 2},
        {"1e99,2\n", STATUS_NON_FINITE_VALUE, 1, 1},
        {"", STATUS_DATASET_EMPTY, 0, 0},
        {"1,2\n\n", STATUS_CSV_NOT_NUMBER, 2, 1},
        {"a,b\n1,2\n", STATUS_CSV_NOT_NUMBER, 1, 1},
        {"1,\"2\"\n", STATUS_CSV_NOT_NUMBER, 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct predict_request request;
        struct problem problem;

        assert_int_equal(decode(predict_request_decode_csv, ROWS[i].text, &request, &problem), ROWS[i].status);
        assert_int_equal(problem.whole.line, ROWS[i].line);
        assert_int_equal(problem.whole.column, ROWS[i].column);
        release(&request, &problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_and_both_answers_are_wanted),
        cmocka_unit_test(the_answer_may_be_chosen),
        cmocka_unit_test(a_bad_instance_is_refused_at_its_place),
        cmocka_unit_test(a_batch_has_at_most_4096_rows),
        cmocka_unit_test(lines_of_numbers_are_rows),
        cmocka_unit_test(a_bad_line_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
