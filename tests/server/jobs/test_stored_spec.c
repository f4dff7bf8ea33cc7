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

static void hash_of(struct store *store, const char *body, unsigned char hash[SHA256_BYTES])
{
    struct error error;
    struct job_request request;
    struct job_data data;
    open_request(store, body, &request, &data);
    assert_ok(stored_spec_hash(&request, hash, &error));
    job_data_release(&data);
    job_request_release(&request);
}

/* BASE with one piece of it replaced. */
#define BASE                                                                                                                \
    "{\"name\":\"n\",\"dataset\":{\"generator\":\"moons\",\"n\":50,\"seed\":3},\"model\":{\"type\":\"mlp\",\"hidden\":[8]}" \
    ","                                                                                                                     \
    "\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.5},\"training\":{\"epochs\":7,\"batch_size\":10,\"seed\":4},"      \
    "\"stop\":{\"max_steps\":1000,\"max_seconds\":50},\"resources\":{\"threads\":2,\"priority\":1},"                        \
    "\"checkpoint\":{\"every_seconds\":5,\"every_steps\":9,\"keep\":2},\"metadata\":{\"a\":\"b\"}}"
struct replacement {
    const char *what, *with;
};

static void replaced_hash(struct store *store, const struct replacement *replacement, unsigned char hash[SHA256_BYTES])
{
    char body[1000];
    const char *at = strstr(BASE, replacement->what);
    assert_non_null(at);
    snprintf(body, sizeof body, "%.*s%s%s", (int)(at - BASE), BASE, replacement->with, at + strlen(replacement->what));
    hash_of(store, body, hash);
}

static void the_hash_is_of_what_the_states_depend_on(void **state)
{
    static const struct replacement same[] = {
        {"\"n\"", "\"m\""},
        {"\"epochs\":7", "\"epochs\":9"},
        {"\"max_steps\":1000", "\"max_steps\":null"},
        {"\"max_seconds\":50", "\"max_seconds\":60"},
        {"\"threads\":2", "\"threads\":1"},
        {"\"priority\":1", "\"priority\":-1"},
        {"\"every_seconds\":5", "\"every_seconds\":6"},
        {"\"every_steps\":9", "\"every_steps\":null"},
        {"\"keep\":2", "\"keep\":3"},
        {"\"metadata\":{\"a\":\"b\"}", "\"metadata\":{}"},
        {"\"metadata\":{\"a\":\"b\"}", "\"calibration\":\"none\""}, /* nor had checkpoints from before it was there */
        {"\"generator\":\"moons\",\"n\":50", "\"generator\":\"moons\",\"n\":50,\"noise\":0.3"}, /* the data has its own */
    };
    static const struct replacement different[] = {
        {"\"hidden\":[8]", "\"hidden\":[9]"},
        {"\"learning_rate\":0.5", "\"learning_rate\":0.25"},
        {"\"type\":\"sgd\"", "\"type\":\"adam\""},
        {"\"batch_size\":10", "\"batch_size\":11"},
        {"\"seed\":4", "\"seed\":5"},
        {"\"learning_rate\":0.5", "\"learning_rate\":0.5},\"schedule\":{\"type\":\"cosine\""},
    };
    struct fixture *fixture = *state;
    unsigned char base[SHA256_BYTES], other[SHA256_BYTES];
    hash_of(fixture->store, BASE, base);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        replaced_hash(fixture->store, &same[i], other);
        if (memcmp(base, other, sizeof base) != 0) {
            fail_msg("%s changes the hash", same[i].with);
        }
    }
    for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
        replaced_hash(fixture->store, &different[i], other);
        if (memcmp(base, other, sizeof base) == 0) {
            fail_msg("%s does not change the hash", different[i].with);
        }
    }
}

/* Checkpoints have it: of jobs that began under an older program it must be found again. */
static void the_hash_is_that_of_checkpoints_from_before(void **state)
{
    static const struct {
        struct replacement body;
        const char *hash;
    } pinned[] = {
        {{"\"n\"", "\"n\""}, "c9825b7cd9dba04d8adba85b7fc1eca51fb1a2f5d951ac986b46c912d88cae8d"},
        {{"\"type\":\"sgd\"", "\"type\":\"adam\""}, "3ea2e572221e3d40bfd6a4db419e9a580b929759bff65279adc37f52070b0d9a"},
        {{"\"type\":\"mlp\",\"hidden\":[8]", "\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":8},{\"type\":"
                                             "\"relu\"},{\"type\":\"dense\",\"units\":2}]"},
         "c07fa39d8d34f3166175a994094e31cfd1831656d37953fed24e11f5932adb58"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
        unsigned char hash[SHA256_BYTES];
        char text[SHA256_TEXT] = "";
        replaced_hash(fixture->store, &pinned[i].body, hash);
        for (size_t k = 0; k < sizeof hash; k++) {
            snprintf(text + 2 * k, 3, "%02x", (unsigned)hash[k]);
        }
        assert_string_equal(text, pinned[i].hash);
    }
}

/* Where the learning rate of a step depends on how many there will be, their number belongs to it. */
static void epochs_count_where_the_schedule_depends_on_them(void **state)
{
    struct fixture *fixture = *state;
    unsigned char seven[SHA256_BYTES], nine[SHA256_BYTES];
    char bodies[2][400];
    for (int i = 0; i < 2; i++) {
        snprintf(bodies[i], sizeof bodies[i],
                 "{\"dataset\":{\"generator\":\"moons\",\"n\":50},\"model\":{\"type\":\"softmax_regression\"},\"optimizer\":"
                 "{\"type\":\"sgd\"},\"schedule\":{\"type\":\"cosine\"},\"training\":{\"epochs\":%d,\"seed\":1}}",
                 7 + 2 * i);
    }
    hash_of(fixture->store, bodies[0], seven);
    hash_of(fixture->store, bodies[1], nine);
    assert_memory_not_equal(seven, nine, sizeof seven);
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
        TEST(the_hash_is_of_what_the_states_depend_on),
        TEST(the_hash_is_that_of_checkpoints_from_before),
        TEST(epochs_count_where_the_schedule_depends_on_them),
        TEST(a_spec_that_cannot_be_read_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
