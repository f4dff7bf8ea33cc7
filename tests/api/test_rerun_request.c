#include "api/rerun_request.h"

#include <stdlib.h>

#include "api/job_request.h"
#include "tests/api/refusal.h"

static enum status decode(const char *body, uint32_t *epochs, struct problem *problem)
{
    problem_init(problem);
    return rerun_request_decode(epochs, body, strlen(body), problem);
}

static void a_body_is_a_patch_or_an_extension(void **state)
{
    static const struct {
        const char *body;
        uint32_t epochs;
    } rows[] = {
        {"", 0},
        {"{}", 0},
        {"{\"name\":null,\"training\":{\"extend_epochs\":1}}", 0},
        {"{\"test\":null,\"stop\":{\"early\":null},\"optimizer\":{\"beta1\":null}}", 0},
        {"{\"metadata\":{\"team\":null},\"dataset\":{\"seed\":null,\"x\":null}}", 0},
        {"{\"extend_epochs\":1}", 1},
        {"{\"extend_epochs\":10000000}", 10000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problem problem;
        uint32_t epochs = 77;

        assert_int_equal(decode(rows[i].body, &epochs, &problem), STATUS_OK);
        assert_int_equal(epochs, rows[i].epochs);
        problem_release(&problem);
    }
}

static void another_form_is_refused(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } rows[] = {
        {"[]", STATUS_TYPE_MISMATCH, ""},
        {"null", STATUS_TYPE_MISMATCH, ""},
        {"{\"extend_epochs\":0}", STATUS_OUT_OF_RANGE, "/extend_epochs"},
        {"{\"extend_epochs\":1.5}", STATUS_NOT_INTEGER, "/extend_epochs"},
        {"{\"extend_epochs\":10000001}", STATUS_OUT_OF_RANGE, "/extend_epochs"},
        {"{\"extend_epochs\":null}", STATUS_TYPE_MISMATCH, "/extend_epochs"},
        {"{\"extend_epochs\":1,\"name\":\"x\"}", STATUS_CONFLICTING_FIELDS, "/extend_epochs"},
        {"{\"nam\":null}", STATUS_UNKNOWN_FIELD, "/nam"},
        {"{\"stop\":{\"erly\":null}}", STATUS_UNKNOWN_FIELD, "/stop/erly"},
        {"{\"stop\":{\"early\":{\"patienc\":null}}}", STATUS_UNKNOWN_FIELD, "/stop/early/patienc"},
        {"{\"optimizer\":{\"beta9\":null}}", STATUS_UNKNOWN_FIELD, "/optimizer/beta9"},
        {"{\"test\":{\"dataset\":{\"sed\":null}}}", STATUS_UNKNOWN_FIELD, "/test/dataset/sed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problem problem;
        uint32_t epochs;

        assert_int_not_equal(decode(rows[i].body, &epochs, &problem), STATUS_OK);
        assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer));
        problem_release(&problem);
    }
}

/* A job that was ended by its last epoch, 10 of 3 steps each. */
static struct job_view ended_job(void)
{
    return (struct job_view){.status = JOB_SUCCEEDED, .stop_reason = STOP_EPOCHS, .progress = {.step = 30}};
}

static struct job_request its_request(void)
{
    return (struct job_request){.train = {.epochs = 10, .schedule = {.type = SCHEDULE_CONSTANT}}};
}

static void assert_extension(const struct job_view *job, const struct job_request *request, uint32_t epochs,
                             enum status wanted, const char *words)
{
    struct error error = {.status = STATUS_OK};

    assert_int_equal(rerun_request_check_extension(job, request, epochs, &error), wanted);
    assert_non_null(strstr(error.message, words));
}

static void what_does_not_depend_on_the_length_is_extended(void **state)
{
    struct job_view job = ended_job();
    struct job_request request = its_request();

    (void)state;
    assert_extension(&job, &request, 1, STATUS_OK, "");
    request.train.schedule = (struct schedule_spec){.type = SCHEDULE_STEP, .every_epochs = 3, .warmup_steps = 100};
    assert_extension(&job, &request, 10000000 - 10, STATUS_OK, "");
    request.train.eval_every_steps = 15;
    assert_extension(&job, &request, 1, STATUS_OK, "");
    request.train.stop.max_steps = 31;
    assert_extension(&job, &request, 1, STATUS_OK, "");
}

static void what_would_be_another_training_is_not_extended(void **state)
{
    struct job_view job = ended_job();
    struct job_request request = its_request();

    (void)state;
    assert_extension(&job, &request, 10000000 - 9, STATUS_OUT_OF_RANGE, "10 epochs");
    request.train.schedule.type = SCHEDULE_COSINE;
    assert_extension(&job, &request, 1, STATUS_NOT_EXTENDABLE, "cosine");
    request.train.schedule.type = SCHEDULE_LINEAR;
    assert_extension(&job, &request, 1, STATUS_NOT_EXTENDABLE, "linear");
    request = its_request();
    request.train.eval_every_steps = 7;
    assert_extension(&job, &request, 1, STATUS_NOT_EXTENDABLE, "step 30");
    request = its_request();
    request.train.stop.max_steps = 30;
    assert_extension(&job, &request, 1, STATUS_NOT_EXTENDABLE, "max_steps");
    request = its_request();
    job.stop_reason = STOP_EARLY;
    assert_extension(&job, &request, 1, STATUS_NOT_EXTENDABLE, "early");
    job.status = JOB_FAILED;
    assert_extension(&job, &request, 1, STATUS_NOT_EXTENDABLE, "failed");
}

static void both_texts_are_checked_before_they_are_merged(void **state)
{
    static const char good[] = "{\"dataset\":{\"x\":[[1],[2]],\"y\":[0,1]},\"model\":{}}";
    static const char patch[] = "{\"dataset\":\"ds_a\",\"model\":null}";
    struct error error = {.status = STATUS_OK};
    char *merged = NULL;
    size_t size;

    (void)state;
    assert_int_equal(rerun_request_merge(good, strlen(good), patch, strlen(patch), &merged, &size, &error), STATUS_OK);
    assert_string_equal(merged, "{\"dataset\":\"ds_a\"}");
    assert_int_equal(size, strlen(merged));
    free(merged);
    assert_int_equal(rerun_request_merge("{", 1, patch, strlen(patch), &merged, &size, &error), STATUS_JSON_INVALID);
    error = (struct error){.status = STATUS_OK};
    assert_int_equal(rerun_request_merge(good, strlen(good), "{\"a\":1,\"a\":2}", 13, &merged, &size, &error),
                     STATUS_JSON_DUPLICATE_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_a_patch_or_an_extension),
        cmocka_unit_test(another_form_is_refused),
        cmocka_unit_test(what_does_not_depend_on_the_length_is_extended),
        cmocka_unit_test(what_would_be_another_training_is_not_extended),
        cmocka_unit_test(both_texts_are_checked_before_they_are_merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
