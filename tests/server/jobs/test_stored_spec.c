/* A spec on its way into the store and back; the data sets' ids come from the job's row. */
#include "server/jobs/stored_spec.h"

#include "tests/server/jobs/submitted.h"

#define BODY                                                                                                                \
    "{\"name\":\"n\",\"dataset\":{\"generator\":\"moons\",\"n\":50,\"noise\":0.1,\"seed\":3},\"model\":{\"type\":\"mlp\","  \
    "\"hidden\":[8,4]},\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.015},\"training\":{\"epochs\":7,\"seed\":42},"  \
    "\"stop\":{\"max_seconds\":2.5},\"resources\":{\"threads\":3,\"priority\":-4},\"metadata\":{\"a\":\"b\"}}"

static char *spec_of(struct store *store, const char *body)
{
    struct error error;
    struct job_request request;
    struct job_data data;
    struct json_writer writer = {0};
    char *text;
    size_t size;
    open_request(store, body, &request, &data);
    job_request_encode(&request, data.train.sha256, "a tier", &writer);
    assert_ok(json_writer_take(&writer, &text, &size, &error));
    job_data_release(&data);
    job_request_release(&request);
    return text;
}

static char *encoded(const struct job_view *job)
{
    struct error error;
    struct json_writer writer = {0};
    char *text;
    size_t size;
    assert_ok(stored_spec_encode(job, &writer, &error));
    assert_ok(json_writer_take(&writer, &text, &size, &error));
    return text;
}

static void a_spec_comes_back_as_it_was_stored(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct job_request request;
    struct job_view job = {
        .name = "n", .priority = -4, .metadata = copy_text("{\"a\":\"b\"}"), .spec = spec_of(fixture->store, BODY)};
    char *text = encoded(&job);
    assert_string_equal(text, job.spec);
    assert_ok(stored_spec_decode(&job, &request, &error));
    assert_int_equal(request.threads, 3);
    assert_int_equal(request.priority, -4);
    assert_int_equal(request.train.seed, 42);
    assert_int_equal(request.train.epochs, 7);
    assert_int_equal(request.dataset.type, DATASET_REF_GENERATOR);
    assert_string_equal(request.expect_kernel_tier, "a tier");
    assert_string_equal(request.metadata, "{\"a\":\"b\"}");
    job_request_release(&request);
    free(text);
    job_view_release(&job);
}

static void the_ids_are_those_of_the_row(void **state)
{
    struct error error;
    struct job_request request;
    struct job_view job = {.spec = copy_text("{\"dataset\":\"ds_aaaaaaaaaaaaaaaaaaaa\",\"test\":{\"dataset\":"
                                             "\"ds_bbbbbbbbbbbbbbbbbbbb\"},\"model\":{\"type\":\"softmax_regression\"}}"),
                           .dataset = "ds_cccccccccccccccccccc",
                           .test_dataset = "ds_dddddddddddddddddddd"};
    (void)state;
    assert_ok(stored_spec_decode(&job, &request, &error));
    assert_string_equal(request.dataset.id, job.dataset);
    assert_string_equal(request.test.id, job.test_dataset);
    job_request_release(&request);
    char *text = encoded(&job);
    assert_non_null(strstr(text, "ds_cccccccccccccccccccc"));
    assert_non_null(strstr(text, "ds_dddddddddddddddddddd"));
    assert_null(strstr(text, "ds_aaaaaaaaaaaaaaaaaaaa"));
    free(text);
    job_view_release(&job);
}

/* What PATCH changed. */
static void name_metadata_and_priority_are_those_of_the_row(void **state)
{
    struct fixture *fixture = *state;
    struct job_view job = {
        .spec = spec_of(fixture->store, BODY), .metadata = copy_text("{\"x\":\"y\"}"), .name = "other", .priority = 7};
    char *text = encoded(&job);
    assert_non_null(strstr(text, "{\"name\":\"other\","));
    assert_non_null(strstr(text, "\"priority\":7"));
    assert_non_null(strstr(text, "\"metadata\":{\"x\":\"y\"}"));
    free(text);
    job_view_release(&job);
}

static void assert_request(const struct job_view *job, const char *wanted)
{
    struct error error = {.status = STATUS_OK};
    char *text;
    size_t size;
    assert_ok(stored_request_encode(job, &text, &size, &error));
    assert_string_equal(text, wanted);
    assert_int_equal(size, strlen(text));
    free(text);
}

static void a_request_comes_back_as_it_was_sent_with_what_the_row_has(void **state)
{
    struct job_view job = {
        .request = copy_text(
            "{\"name\":\"n\",\"dataset\":{\"generator\":\"moons\",\"n\":5e1},\"model\":{\"type\":\"mlp\",\"hidden\":[8]},"
            "\"metadata\":{\"a\":\"b\"},\"expect\":{\"kernel_tier\":\"t\"}}"),
        .metadata = copy_text("{\"x\":\"y\"}"),
        .priority = 3};
    (void)state;
    assert_request(&job, "{\"dataset\":{\"generator\":\"moons\",\"n\":5e1},\"model\":{\"type\":\"mlp\",\"hidden\":[8]},"
                         "\"expect\":{\"kernel_tier\":\"t\"},\"resources\":{\"priority\":3},\"metadata\":{\"x\":\"y\"}}");
    snprintf(job.name, sizeof job.name, "new");
    snprintf(job.dataset, sizeof job.dataset, "ds_cccccccccccccccccccc");
    snprintf(job.test_dataset, sizeof job.test_dataset, "ds_dddddddddddddddddddd");
    assert_request(&job,
                   "{\"name\":\"new\",\"dataset\":\"ds_cccccccccccccccccccc\",\"model\":{\"type\":\"mlp\",\"hidden\":[8]},"
                   "\"expect\":{\"kernel_tier\":\"t\"},\"resources\":{\"priority\":3},"
                   "\"test\":{\"dataset\":\"ds_dddddddddddddddddddd\"},\"metadata\":{\"x\":\"y\"}}");
    job_view_release(&job);
}

static void without_the_request_the_spec_serves_but_what_it_expects(void **state)
{
    struct job_view job = {.spec = copy_text("{\"dataset\":\"ds_a\",\"expect\":{\"kernel_tier\":\"t\"},\"metadata\":{}}")};
    (void)state;
    assert_request(&job, "{\"dataset\":\"ds_a\",\"resources\":{\"priority\":0},\"metadata\":{}}");
    job_view_release(&job);
}

static void a_request_that_cannot_be_read_is_corrupt(void **state)
{
    struct error error = {.status = STATUS_OK};
    struct job_view job = {.id = "job_aaaaaaaaaaaaaaaaaaaa", .request = copy_text("{\"dataset\":")};
    char *text;
    size_t size;
    (void)state;
    assert_int_equal(stored_request_encode(&job, &text, &size, &error), STATUS_OBJECT_CORRUPT);
    assert_non_null(strstr(error.message, job.id));
    job_view_release(&job);
}

static void a_job_that_the_clock_ended_says_its_step(void **state)
{
    struct fixture *fixture = *state;
    struct job_view job = {.spec = spec_of(fixture->store, BODY)};
    char *text = encoded(&job);
    assert_non_null(strstr(text, "\"max_seconds\":2.5"));
    assert_non_null(strstr(text, "\"max_steps\":null"));
    free(text);
    job.stop_reason = STOP_MAX_SECONDS;
    job.progress.step = 1234;
    text = encoded(&job);
    assert_non_null(strstr(text, "\"max_seconds\":null"));
    assert_non_null(strstr(text, "\"max_steps\":1234"));
    free(text);
    job_view_release(&job);
}

static void a_spec_that_cannot_be_read_is_corrupt(void **state)
{
    const char *const specs[] = {"", "{", "[]", "{\"model\":7}", "{\"dataset\":\"ds_aaaaaaaaaaaaaaaaaaaa\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct error error;
        struct job_request request;
        struct json_writer writer = {0};
        struct job_view job = {.id = "job_aaaaaaaaaaaaaaaaaaaa", .spec = copy_text(specs[i])};
        assert_status(STATUS_OBJECT_CORRUPT, stored_spec_decode(&job, &request, &error));
        assert_non_null(strstr(error.message, job.id));
        job_request_release(&request);
        assert_status(STATUS_OBJECT_CORRUPT, stored_spec_encode(&job, &writer, &error));
        json_writer_release(&writer);
        job_view_release(&job);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_spec_comes_back_as_it_was_stored),
        TEST(the_ids_are_those_of_the_row),
        TEST(name_metadata_and_priority_are_those_of_the_row),
        cmocka_unit_test(a_request_comes_back_as_it_was_sent_with_what_the_row_has),
        cmocka_unit_test(without_the_request_the_spec_serves_but_what_it_expects),
        cmocka_unit_test(a_request_that_cannot_be_read_is_corrupt),
        TEST(a_job_that_the_clock_ended_says_its_step),
        TEST(a_spec_that_cannot_be_read_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
