/* From a request to its data: the same whether it is generated, inline or stored; what does not fit is told by place. */
#include "server/jobs/job_data.h"

#include "tests/server/jobs/submitted.h"

#define BLOBS "{\"generator\":\"blobs\",\"n\":60,\"classes\":3,\"noise\":0.4,\"seed\":7}"
#define MODEL "\"model\":{\"type\":\"softmax_regression\"}"

/* Opens what `body` asks for, which must fail with this status; its words and place go to `error`. */
static void refuse(struct store *store, const char *body, enum status wanted, struct error *error)
{
    struct job_request request;
    struct job_data data;
    struct problem problem;
    problem_init(&problem);
    assert_int_equal(job_request_decode(&request, body, strlen(body), &problem), STATUS_OK);
    enum status status = job_data_open(&data, store, &request, &problem);
    assert_string_equal(status_code(status), status_code(wanted));
    assert_int_not_equal(problem.status, STATUS_OK);
    *error = problem.whole;
    if (problem.field_count > 0) {
        const struct problem_field *field = &problem.fields[0];
        *error = (struct error){.status = field->status};
        snprintf(error->message, sizeof(error->message), "%s", field->detail);
        snprintf(error->pointer, sizeof(error->pointer), "%s", field->pointer);
    }
    assert_int_equal(error->status, wanted);
    job_data_release(&data);
    job_data_release(&data); /* again: nothing */
    problem_release(&problem);
    job_request_release(&request);
}

static void a_stored_data_set_is_the_generated_one(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], body[300];
    struct job_request requests[2] = {0};
    struct job_data data[2] = {0};
    store_generated(fixture->store, BLOBS, id);
    snprintf(body, sizeof(body), "{\"dataset\":\"%s\",\"split\":{\"validation\":0.2}," MODEL "}", id);
    open_request(fixture->store, body, &requests[0], &data[0]);
    open_request(fixture->store, "{\"dataset\":" BLOBS ",\"split\":{\"validation\":0.2}," MODEL "}", &requests[1], &data[1]);
    assert_string_equal(data[0].train.sha256, data[1].train.sha256);
    assert_int_equal(data[0].train.dataset.rows, 60);
    assert_int_equal(data[0].split.train_count, 48);
    assert_int_equal(data[0].split.validation_count, 12);
    assert_memory_equal(data[0].split.validation, data[1].split.validation, 12 * sizeof(uint32_t));
    struct train_data training = job_data_for_training(&data[0]);
    assert_ptr_equal(training.dataset, &data[0].train.dataset);
    assert_null(training.test);
    for (int i = 0; i < 2; i++) {
        job_data_release(&data[i]);
        job_request_release(&requests[i]);
    }
}

static void a_test_set_is_matched_by_class_name(void **state)
{
    struct fixture *fixture = *state;
    struct job_request request;
    struct job_data data;
    open_request(fixture->store,
                 "{\"dataset\":{\"x\":[[1],[2],[3],[4]],\"y\":[\"a\",\"b\",\"c\",\"a\"]},"
                 "\"test\":{\"dataset\":{\"x\":[[1],[2],[3]],\"y\":[\"c\",\"a\",\"c\"]}}," MODEL "}",
                 &request, &data);
    struct train_data training = job_data_for_training(&data);
    assert_ptr_equal(training.test, &data.test.dataset);
    const int32_t wanted[] = {2, 0, 2};
    assert_memory_equal(training.test_labels, wanted, sizeof(wanted));
    job_data_release(&data);
    job_request_release(&request);
}

static void what_is_not_there_is_told_by_its_place(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    refuse(fixture->store, "{\"dataset\":\"ds_00000000000000000000\"," MODEL "}", STATUS_DATASET_NOT_FOUND, &error);
    assert_string_equal(error.pointer, "/dataset");
    refuse(fixture->store, "{\"dataset\":" BLOBS ",\"test\":{\"dataset\":\"ds_00000000000000000000\"}," MODEL "}",
           STATUS_DATASET_NOT_FOUND, &error);
    assert_string_equal(error.pointer, "/test/dataset");
    refuse(fixture->store, "{\"dataset\":" BLOBS ",\"init\":{\"model\":\"mdl_00000000000000000000\"}," MODEL "}",
           STATUS_MODEL_NOT_FOUND, &error);
    assert_string_equal(error.pointer, "/init/model");
}

static void a_deleted_data_set_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], body[200];
    store_generated(fixture->store, BLOBS, id);
    struct datasets_delete deletion = {.id = id};
    assert_ok(store_wait(fixture->store, datasets_delete(&deletion), &error));
    snprintf(body, sizeof(body), "{\"dataset\":\"%s\"," MODEL "}", id);
    refuse(fixture->store, body, STATUS_DATASET_NOT_FOUND, &error);
}

static void images_without_labels_are_not_ready(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char body[200];
    struct dataset_view view = describe_dataset("images", DATASET_AWAITING_LABELS);
    struct object object;
    make_object(fixture->store, &object, 500, 1);
    struct datasets_insert insert = {.dataset = &view, .object = &object};
    assert_ok(store_wait(fixture->store, datasets_insert(&insert), &error));
    snprintf(body, sizeof(body), "{\"dataset\":\"%s\"," MODEL "}", view.id);
    object_release(&object);
    dataset_view_release(&view);
    refuse(fixture->store, body, STATUS_DATASET_NOT_READY, &error);
}

static void a_block_that_is_no_data_set_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], body[200];
    add_dataset(fixture->store, 70000, 3, id); /* whole as an object, but of no known form */
    snprintf(body, sizeof(body), "{\"dataset\":\"%s\"," MODEL "}", id);
    refuse(fixture->store, body, STATUS_OBJECT_CORRUPT, &error);
}

static void a_test_set_that_does_not_fit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    refuse(fixture->store,
           "{\"dataset\":" BLOBS ",\"test\":{\"dataset\":{\"x\":[[1,2,3],[2,3,4]],\"y\":[\"0\",\"1\"]}}," MODEL "}",
           STATUS_FEATURE_COUNT_MISMATCH, &error);
    assert_string_equal(error.pointer, "/test/dataset");
    refuse(fixture->store,
           "{\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"b\"]},"
           "\"test\":{\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"z\"]}}," MODEL "}",
           STATUS_UNKNOWN_VALUE, &error);
    assert_string_equal(error.pointer, "/test/dataset");
}

static void a_split_without_rows_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    refuse(fixture->store, "{\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"b\"]},\"split\":{\"validation\":0.01}," MODEL "}",
           STATUS_SPLIT_EMPTY, &error);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_stored_data_set_is_the_generated_one),  TEST(a_test_set_is_matched_by_class_name),
        TEST(what_is_not_there_is_told_by_its_place),  TEST(a_deleted_data_set_is_not_there),
        TEST(images_without_labels_are_not_ready),     TEST(a_block_that_is_no_data_set_is_refused),
        TEST(a_test_set_that_does_not_fit_is_refused), TEST(a_split_without_rows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
