#include "api/job_patch.h"

#include <stdio.h>

#include "tests/api/refusal.h"

static struct job_view job_with(const char *name, char *metadata, int32_t priority)
{
    struct job_view job = {.metadata = metadata, .priority = priority};

    (void)snprintf(job.name, sizeof job.name, "%s", name);
    return job;
}

static void a_patch_is_merged_into_what_the_job_has(void **state)
{
    static const struct {
        const char *body, *name, *metadata;
        int32_t priority;
        int given[3]; /* name, metadata, priority */
    } rows[] = {
        {"{}", "old", "{\"a\":\"1\",\"b\":\"2\"}", 5, {0, 0, 0}},
        {"{\"name\":\"new\"}", "new", "{\"a\":\"1\",\"b\":\"2\"}", 5, {1, 0, 0}},
        {"{\"name\":null,\"priority\":null,\"metadata\":null}", "", "{}", 0, {1, 1, 1}},
        {"{\"metadata\":{\"a\":null,\"c\":\"3\"},\"priority\":-100}", "old", "{\"b\":\"2\",\"c\":\"3\"}", -100, {0, 1, 1}},
        {"{\"metadata\":{}}", "old", "{\"a\":\"1\",\"b\":\"2\"}", 5, {0, 1, 0}},
        {"{\"metadata\":{\"A\":null}}", "old", "{\"a\":\"1\",\"b\":\"2\"}", 5, {0, 1, 0}},
    };
    char metadata[] = "{\"a\":\"1\",\"b\":\"2\"}";
    struct job_view job = job_with("old", metadata, 5);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job_patch patch;
        struct problem problem;

        problem_init(&problem);
        assert_int_equal(job_patch_decode(&patch, &job, rows[i].body, strlen(rows[i].body), &problem), STATUS_OK);
        assert_string_equal(patch.name, rows[i].name);
        assert_string_equal(patch.metadata, rows[i].metadata);
        assert_int_equal(patch.priority, rows[i].priority);
        assert_int_equal(patch.name_given, rows[i].given[0]);
        assert_int_equal(patch.metadata_given, rows[i].given[1]);
        assert_int_equal(patch.priority_given, rows[i].given[2]);
        job_patch_release(&patch);
        problem_release(&problem);
    }
}

static void what_means_nothing_is_told_by_its_place(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } rows[] = {
        {"{\"nam\":null}", STATUS_UNKNOWN_FIELD, "/nam"},
        {"{\"status\":\"queued\"}", STATUS_UNKNOWN_FIELD, "/status"},
        {"{\"name\":\"\"}", STATUS_NAME_INVALID, "/name"},
        {"{\"name\":{}}", STATUS_TYPE_MISMATCH, "/name"},
        {"{\"priority\":101}", STATUS_OUT_OF_RANGE, "/priority"},
        {"{\"priority\":\"high\"}", STATUS_TYPE_MISMATCH, "/priority"},
        {"{\"metadata\":[]}", STATUS_TYPE_MISMATCH, "/metadata"},
        {"{\"metadata\":{\"k\":{\"l\":null}}}", STATUS_TYPE_MISMATCH, "/metadata/k"},
        {"[]", STATUS_TYPE_MISMATCH, ""},
        {"null", STATUS_TYPE_MISMATCH, ""},
    };
    char metadata[] = "{}";
    struct job_view job = job_with("", metadata, 0);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job_patch patch;
        struct problem problem;

        problem_init(&problem);
        assert_int_not_equal(job_patch_decode(&patch, &job, rows[i].body, strlen(rows[i].body), &problem), STATUS_OK);
        assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer));
        job_patch_release(&patch);
        problem_release(&problem);
    }
}

static void limits_hold_for_what_comes_out(void **state)
{
    char metadata[] = "{\"0\":\"\",\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":\"\",\"8\":\"\","
                      "\"9\":\"\",\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\"}";
    static const char one_more[] = "{\"metadata\":{\"g\":\"x\"}}", one_instead[] = "{\"metadata\":{\"g\":\"x\",\"f\":null}}";
    struct job_view job = job_with("", metadata, 0);
    struct job_patch patch;
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_not_equal(job_patch_decode(&patch, &job, one_more, strlen(one_more), &problem), STATUS_OK);
    assert_true(refusal_is_only(&problem, STATUS_OUT_OF_RANGE, "/metadata"));
    job_patch_release(&patch);
    problem_release(&problem);
    problem_init(&problem);
    assert_int_equal(job_patch_decode(&patch, &job, one_instead, strlen(one_instead), &problem), STATUS_OK);
    job_patch_release(&patch);
    problem_release(&problem);
}

static void text_that_is_no_json_is_refused(void **state)
{
    char metadata[] = "{}";
    struct job_view job = job_with("", metadata, 0);
    struct job_patch patch;
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_equal(job_patch_decode(&patch, &job, "{\"name\":", 8, &problem), STATUS_JSON_INVALID);
    job_patch_release(&patch);
    problem_release(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_is_merged_into_what_the_job_has),
        cmocka_unit_test(what_means_nothing_is_told_by_its_place),
        cmocka_unit_test(limits_hold_for_what_comes_out),
        cmocka_unit_test(text_that_is_no_json_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
