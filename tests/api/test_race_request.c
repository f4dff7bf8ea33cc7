#include "api/race_request.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/job_request.h"
#include "tests/api/refusal.h"

#define GENERATED "\"dataset\":{\"generator\":\"blobs\",\"n\":60},\"model\":{\"type\":\"softmax_regression\"}"
#define INLINE    "\"dataset\":{\"x\":[[1],[2],[3]],\"y\":[0,1,0]},\"model\":{\"type\":\"softmax_regression\"}"

static const struct race_ids ids = {
    .race = "race_1", .dataset = "ds_aaaaaaaaaaaaaaaaaaaa", .test = "ds_bbbbbbbbbbbbbbbbbbbb"};

static enum status decode(const char *body, struct race_request *request, struct problem *problem)
{
    problem_init(problem);
    return race_request_decode(request, body, strlen(body), &ids, problem);
}

/* Decodes what must be right. */
static void decode_right(const char *body, struct race_request *request)
{
    struct problem problem;

    assert_int_equal(decode(body, request, &problem), STATUS_OK);
    problem_release(&problem);
}

static void assert_text(const struct race_request *request, size_t i, const char *want)
{
    struct error error = {.status = STATUS_OK};
    char *text;
    size_t size;

    assert_int_equal(race_request_text(request, i, &text, &size, &error), STATUS_OK);
    assert_string_equal(text, want);
    assert_int_equal(size, strlen(want));
    free(text);
}

/* Whether entry i's text has the part. */
static int has(const struct race_request *request, size_t i, const char *part)
{
    struct error error = {.status = STATUS_OK};
    char *text;
    size_t size;

    assert_int_equal(race_request_text(request, i, &text, &size, &error), STATUS_OK);
    int found = strstr(text, part) != NULL;
    free(text);
    return found;
}

static void each_entry_has_the_jobs_text_with_its_own_optimizer(void **state)
{
    struct race_request request;

    (void)state;
    decode_right("{\"job\": {\"name\":\"n\", " GENERATED ", \"optimizer\":{\"type\":\"adam\",\"beta1\":0.5}},"
                 " \"optimizers\":[{\"type\":\"sgd\", \"momentum\":0.90}, {\"name\":\"b\"}]}",
                 &request);
    assert_int_equal(request.count, 2);
    assert_text(&request, 0,
                "{\"name\":\"n - sgd\"," GENERATED ",\"optimizer\":{\"type\":\"sgd\","
                "\"momentum\":0.90},\"metadata\":{\"race\":\"race_1\"}}");
    assert_text(&request, 1,
                "{\"name\":\"n - b\"," GENERATED ",\"optimizer\":{},"
                "\"metadata\":{\"race\":\"race_1\"}}");
    race_request_release(&request);
}

static void variants_are_merged_into_the_job(void **state)
{
    struct race_request request;

    (void)state;
    decode_right("{\"job\":{" GENERATED ",\"training\":{\"seed\":1,\"epochs\":2},\"split\":{\"test\":0.5}},"
                 "\"variants\":[{\"training\":{\"seed\":7},\"split\":null,\"name\":\"x\"}]}",
                 &request);
    assert_text(&request, 0,
                "{" GENERATED ",\"training\":{\"seed\":7,\"epochs\":2},\"name\":\"x\","
                "\"metadata\":{\"race\":\"race_1\"}}");
    race_request_release(&request);
}

static void rows_that_come_along_are_read_once_and_named(void **state)
{
    struct race_request request;

    (void)state;
    decode_right("{\"job\":{" INLINE
                 ",\"test\":{\"dataset\":{\"x\":[[4],[5]],\"y\":[1,0]}}},\"optimizers\":[{},{\"type\":\"adam\"}]}",
                 &request);
    assert_int_equal(request.dataset.ref.type, DATASET_REF_INLINE);
    assert_int_equal(request.test.ref.type, DATASET_REF_INLINE);
    for (size_t i = 0; i < 2; i++) {
        struct job_request job;
        struct problem problem;
        struct error error = {.status = STATUS_OK};
        char *text;
        size_t size;

        problem_init(&problem);
        assert_int_equal(race_request_text(&request, i, &text, &size, &error), STATUS_OK);
        assert_int_equal(job_request_decode(&job, text, size, &problem), STATUS_OK);
        free(text);
        assert_string_equal(job.dataset.id, ids.dataset);
        assert_string_equal(job.test.id, ids.test);
        job_request_release(&job);
        problem_release(&problem);
    }
    race_request_release(&request);
}

static void rows_that_a_variant_changes_stay_in_the_texts(void **state)
{
    struct race_request request;

    (void)state;
    decode_right("{\"job\":{" INLINE "},\"variants\":[{\"dataset\":{\"y\":[1,1,0]}},{}]}", &request);
    assert_int_equal(request.dataset.ref.type, DATASET_REF_NONE);
    assert_true(has(&request, 0, "{\"x\":[[1],[2],[3]],\"y\":[1,1,0]}"));
    assert_true(has(&request, 1, "{\"x\":[[1],[2],[3]],\"y\":[0,1,0]}"));
    race_request_release(&request);
    decode_right("{\"job\":{\"test\":{" INLINE "}},\"variants\":[{\"test\":{\"dataset\":{\"y\":[1,1,0]}}},{}]}", &request);
    assert_int_equal(request.test.ref.type, DATASET_REF_NONE);
    assert_true(has(&request, 0, "{\"x\":[[1],[2],[3]],\"y\":[1,1,0]}"));
    race_request_release(&request);
}

static void rows_are_in_no_text_where_variants_name_others_or_none(void **state)
{
    struct race_request request;

    (void)state;
    decode_right("{\"job\":{" INLINE ",\"test\":{\"dataset\":{\"x\":[[4],[5]],\"y\":[1,0]}}},\"variants\":[{},"
                 "{\"dataset\":\"ds_0\",\"test\":{\"dataset\":\"ds_1\"}},{\"dataset\":null,\"test\":{\"dataset\":null}},"
                 "{\"test\":null},{\"test\":{\"top\":1}}]}",
                 &request);
    assert_int_equal(request.dataset.ref.type, DATASET_REF_INLINE);
    assert_int_equal(request.test.ref.type, DATASET_REF_INLINE);
    for (size_t i = 0; i < request.count; i++) {
        assert_false(has(&request, i, "[["));
    }
    assert_true(has(&request, 0, "\"dataset\":\"ds_aaaaaaaaaaaaaaaaaaaa\""));
    assert_true(has(&request, 1, "\"dataset\":\"ds_0\""));
    assert_true(has(&request, 1, "\"test\":{\"dataset\":\"ds_1\"}"));
    assert_false(has(&request, 2, "ds_"));
    assert_false(has(&request, 3, "ds_b"));
    assert_true(has(&request, 4, "\"dataset\":\"ds_bbbbbbbbbbbbbbbbbbbb\""));
    race_request_release(&request);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } rows[] = {
        {"[]", STATUS_TYPE_MISMATCH, ""},
        {"{\"optimizers\":[{}]}", STATUS_MISSING_FIELD, "/job"},
        {"{\"job\":[],\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/job"},
        {"{\"job\":{}}", STATUS_MISSING_FIELD, "/optimizers"},
        {"{\"job\":{},\"optimizers\":[{}],\"variants\":[{}]}", STATUS_CONFLICTING_FIELDS, "/variants"},
        {"{\"job\":{},\"optimizers\":{}}", STATUS_TYPE_MISMATCH, "/optimizers"},
        {"{\"job\":{},\"variants\":[]}", STATUS_OUT_OF_RANGE, "/variants"},
        {"{\"job\":{},\"variants\":[{},3]}", STATUS_TYPE_MISMATCH, "/variants/1"},
        {"{\"job\":{},\"variants\":[{\"name\":7}]}", STATUS_TYPE_MISMATCH, "/variants/0/name"},
        {"{\"job\":{},\"optimizers\":[{\"name\":\"\"}]}", STATUS_NAME_INVALID, "/optimizers/0/name"},
        {"{\"job\":{\"name\":\"a/b\"},\"variants\":[{},{\"name\":\"q\"}]}", STATUS_NAME_INVALID, "/job/name"},
        {"{\"job\":{\"name\":\"\"},\"optimizers\":[{}]}", STATUS_NAME_INVALID, "/job/name"},
        {"{\"job\":{\"name\":\"////////////////////////////////////////////////////////////////////////////////\"},"
         "\"optimizers\":[{}]}",
         STATUS_STRING_TOO_LONG, "/job/name"},
        {"{\"job\":{\"name\":7},\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/job/name"},
        {"{\"job\":{},\"optimizers\":[{\"name\":\"a\"},{},{\"name\":\"a\"}]}", STATUS_CONFLICTING_FIELDS,
         "/optimizers/2/name"},
        {"{\"job\":{},\"variants\":[{\"split\":{\"tset\":null}}]}", STATUS_UNKNOWN_FIELD, "/variants/0/split/tset"},
        {"{\"job\":{},\"optimizer\":[{}],\"optimizers\":[{}]}", STATUS_UNKNOWN_FIELD, "/optimizer"},
        {"{\"job\":{\"dataset\":{\"x\":[[1],[1,2]],\"y\":[0,1]}},\"optimizers\":[{}]}", STATUS_FEATURE_COUNT_MISMATCH,
         "/job/dataset/x/1"},
        {"{\"job\":{\"test\":{\"dataset\":{\"x\":[[1]]}}},\"optimizers\":[{}]}", STATUS_MISSING_FIELD,
         "/job/test/dataset/y"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct race_request request;
        struct problem problem;

        assert_int_not_equal(decode(rows[i].body, &request, &problem), STATUS_OK);
        if (refusal_find(&problem, rows[i].status, rows[i].pointer) == NULL) {
            assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer)); /* says what there is */
        }
        race_request_release(&request);
        problem_release(&problem);
    }
}

static void errors_of_a_text_point_to_where_it_comes_from(void **state)
{
    static const struct {
        size_t entry;
        const char *pointer, *want;
    } rows[] = {
        {0, "/training/seed", "/variants/0/training/seed"},
        {0, "/training/epochs", "/job/training/epochs"},
        {0, "/split", "/variants/0/split"},
        {0, "/split/test", "/job/split/test"},
        {0, "/split/validation", "/variants/0/split/validation"},
        {0, "/model/hidden/3", "/variants/0/model/hidden/3"},
        {1, "/training/seed", "/job/training/seed"},
        {1, "/metadata/a~1b", "/variants/1/metadata/a~1b"},
        {1, "", "/job"},
    };
    struct race_request variants, optimizers;
    char pointer[FIELD_POINTER_TEXT];

    (void)state;
    decode_right(
        "{\"job\":{},\"variants\":[{\"training\":{\"seed\":0},\"split\":{\"validation\":1},\"model\":{\"hidden\":[1]}},"
        "{\"metadata\":{\"a/b\":1}}]}",
        &variants);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        race_request_pointer(&variants, rows[i].entry, rows[i].pointer, pointer);
        assert_string_equal(pointer, rows[i].want);
    }
    decode_right("{\"job\":{},\"optimizers\":[{},{\"type\":\"adam\"}]}", &optimizers);
    race_request_pointer(&optimizers, 1, "/optimizer/beta1", pointer);
    assert_string_equal(pointer, "/optimizers/1/beta1");
    race_request_pointer(&optimizers, 0, "/optimizer", pointer);
    assert_string_equal(pointer, "/optimizers/0");
    race_request_pointer(&optimizers, 0, "/optimizerx", pointer);
    assert_string_equal(pointer, "/job/optimizerx");
    race_request_release(&variants);
    race_request_release(&optimizers);
}

static void an_error_of_all_entries_is_told_once(void **state)
{
    struct race_request request;
    struct problem own, problem;

    (void)state;
    decode_right("{\"job\":{},\"optimizers\":[{},{\"type\":\"adam\"}]}", &request);
    problem_init(&own);
    problem_init(&problem);
    problem_add_field(&own, STATUS_MISSING_FIELD, "/model", NULL, "model is required");
    problem_add_field(&own, STATUS_OUT_OF_RANGE, "/optimizer/learning_rate", "\"value\":0", "0 is too small");
    for (size_t i = 0; i < 2; i++) {
        race_request_add_problem(&request, i, &own, &problem);
    }
    assert_int_equal(problem.field_total, 3);
    assert_non_null(refusal_find(&problem, STATUS_MISSING_FIELD, "/job/model"));
    assert_non_null(refusal_find(&problem, STATUS_OUT_OF_RANGE, "/optimizers/0/learning_rate"));
    assert_string_equal(refusal_find(&problem, STATUS_OUT_OF_RANGE, "/optimizers/1/learning_rate")->extra, "\"value\":0");
    problem_release(&own);
    problem_release(&problem);
    race_request_release(&request);
}

static void metadata_gets_the_race_where_it_has_room(void **state)
{
    struct race_request request;
    char body[2048] = "{\"job\":{\"metadata\":{";

    (void)state;
    for (int i = 0; i < 16; i++) {
        snprintf(body + strlen(body), sizeof body - strlen(body), "%s\"k%d\":\"v\"", i > 0 ? "," : "", i);
    }
    snprintf(body + strlen(body), sizeof body - strlen(body), "%s",
             "}},\"variants\":[{},{\"metadata\":{\"k3\":null}},{\"metadata\":{\"race\":\"mine\",\"k3\":null}}]}");
    decode_right(body, &request);
    assert_false(has(&request, 0, "race"));
    assert_true(has(&request, 1, "\"race\":\"race_1\""));
    assert_true(has(&request, 2, "\"race\":\"mine\""));
    race_request_release(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_has_the_jobs_text_with_its_own_optimizer),
        cmocka_unit_test(variants_are_merged_into_the_job),
        cmocka_unit_test(rows_that_come_along_are_read_once_and_named),
        cmocka_unit_test(rows_that_a_variant_changes_stay_in_the_texts),
        cmocka_unit_test(rows_are_in_no_text_where_variants_name_others_or_none),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(errors_of_a_text_point_to_where_it_comes_from),
        cmocka_unit_test(an_error_of_all_entries_is_told_once),
        cmocka_unit_test(metadata_gets_the_race_where_it_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
