/* From a model's id to the model: its row, its file, and what may be wrong with each. */
#include "server/models/model_load.h"

#include <fcntl.h>

#include "core/base/sha256.h"
#include "core/nn/model_file.h"
#include "core/train/checkpoint.h"
#include "server/models/model_cache.h"
#include "tests/server/jobs/submitted.h"
#include "tests/server/store/temporary_store.h"

/* Stores `units` hidden units' worth of a model as the outcome of a job; what it is written as may be cut by `missing`. */
static void store_model(struct store *store, uint32_t units, size_t missing, char id[ID_TEXT], char sha256[SHA256_TEXT])
{
    struct error error;
    struct buffer_sink bytes = {0};
    struct object object;
    struct object_writer *writer;
    struct model model = {
        .scaler = {.type = PREPROCESS_NONE, .features = 2, .uniform = 1}, .channels = 1, .height = 1, .width = 2};
    assert_ok(model_spec_perceptron(&model.spec, MODEL_MLP, 2, 2, &units, 1, LAYER_RELU, 0, &error));
    model.parameter_count = 5 * (uint64_t)units + 2;
    size_t size = (model.parameter_count * sizeof(float) + 63) / 64 * 64;
    model.parameters = aligned_alloc(64, size);
    model.class_names = calloc(2, sizeof(*model.class_names));
    assert_non_null(model.parameters);
    assert_non_null(model.class_names);
    memset(model.parameters, 0, size);
    model.parameters[1] = 0.75f;
    model.class_names[0] = copy_text("no");
    model.class_names[1] = copy_text("yes");
    sha256_text(model.parameters, model.parameter_count * sizeof(float), model.digest);
    assert_ok(model_file_write(&model, buffer_sink(&bytes), &error));
    model_release(&model);

    assert_ok(object_writer_new(&writer, store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, bytes.data, bytes.size - missing, &error));
    assert_ok(object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    buffer_sink_release(&bytes);

    struct model_view view = {.spec = copy_text("{}"), .classes = copy_text("[]")};
    struct job_outcome outcome = {.model = &view, .object = &object};
    char job[ID_TEXT];
    add_job(store, "", "{}", 0, job);
    id_new(view.id, "mdl_");
    memcpy(id, view.id, ID_TEXT);
    memcpy(sha256, object.sha256, SHA256_TEXT);
    set_status(store, job, JOB_RUNNING);
    struct jobs_change change = {.id = job, .from = JOB_SET(JOB_RUNNING), .to = JOB_SUCCEEDED, .outcome = &outcome};
    assert_ok(store_wait(store, jobs_change(&change), &error));
    object_release(&object);
    model_view_release(&view);
}

static void a_small_and_a_large_model_come_back(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t units[] = {4, 20000}; /* in the database, in a file */
    for (int i = 0; i < 2; i++) {
        struct error error;
        struct model model;
        char id[ID_TEXT], sha256[SHA256_TEXT];
        store_model(fixture->store, units[i], 0, id, sha256);
        assert_int_equal(file_exists(fixture, "objects", sha256), i);
        assert_ok(model_load(fixture->store, id, &model, &error));
        assert_int_equal(model.parameter_count, 5 * units[i] + 2);
        assert_true(model.parameters[1] == 0.75f);
        assert_string_equal(model.class_names[1], "yes");
        model_release(&model);
    }
}

static void a_model_that_is_not_there_is_told_from_one_that_was_deleted(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct model model;
    char id[ID_TEXT], sha256[SHA256_TEXT];
    assert_status(STATUS_NOT_FOUND, model_load(fixture->store, "mdl_00000000000000000000", &model, &error));
    assert_status(STATUS_NOT_FOUND, model_load(fixture->store, "", &model, &error));
    store_model(fixture->store, 4, 0, id, sha256);
    struct models_delete deletion = {.id = id};
    assert_ok(store_wait(fixture->store, models_delete(&deletion), &error));
    assert_status(STATUS_DELETED, model_load(fixture->store, id, &model, &error));
}

static void a_file_that_was_changed_is_corrupt_for_this_model_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct model model;
    char id[ID_TEXT], other[ID_TEXT], sha256[SHA256_TEXT], path[256];
    store_model(fixture->store, 4, 0, other, sha256);
    store_model(fixture->store, 20000, 0, id, sha256);
    snprintf(path, sizeof(path), "%s/objects/%s", fixture->data, sha256);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "!", 1, 200000), 1);
    close(fd);
    assert_status(STATUS_OBJECT_CORRUPT, model_load(fixture->store, id, &model, &error));
    assert_int_equal(truncate(path, 1000), 0);
    assert_status(STATUS_OBJECT_CORRUPT, model_load(fixture->store, id, &model, &error));
    assert_int_equal(unlink(path), 0);
    assert_status(STATUS_OBJECT_CORRUPT, model_load(fixture->store, id, &model, &error));
    assert_ok(model_load(fixture->store, other, &model, &error));
    model_release(&model);
}

static void a_whole_file_that_is_no_model_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct model model;
    char id[ID_TEXT], sha256[SHA256_TEXT];
    store_model(fixture->store, 4, 1, id, sha256); /* its hash is right */
    assert_status(STATUS_OBJECT_CORRUPT, model_load(fixture->store, id, &model, &error));
}

/* Stores a checkpoint of a trainer after some steps as the first one of a new job; its object's name and its model. */
static void store_checkpoint(struct store *store, char sha256[SHA256_TEXT], struct model *model)
{
    static const struct checkpoint_owner owner = {.spec = {1}};
    static const char body[] =
        "{\"dataset\":{\"generator\":\"blobs\",\"n\":90,\"classes\":3,\"seed\":7},\"model\":{\"type\":"
        "\"mlp\",\"hidden\":[8]},\"training\":{\"epochs\":100,\"batch_size\":9,\"seed\":1}}";
    struct error error;
    struct job_request request;
    struct job_data job_data;
    struct trainer *trainer;
    struct train_point point;
    struct checkpoint_copy *copy;
    struct checkpoint read;
    struct object object;
    struct object_writer *writer;
    struct buffer_sink file = {0};
    char job[ID_TEXT];
    int logged;
    open_request(store, body, &request, &job_data);
    const struct train_data data = job_data_for_training(&job_data);
    assert_ok(trainer_new(&trainer, &request.train, &data, 1, &error));
    for (int i = 0; i < 5; i++) {
        assert_ok(trainer_step(trainer, &point, &logged, &error));
    }
    assert_ok(checkpoint_copy_new(&copy, trainer, &error));
    checkpoint_take(copy, trainer, 1);
    assert_ok(checkpoint_write(copy, &owner, buffer_sink(&file), &error));
    assert_ok(checkpoint_read(&read, file.data, file.size, &error));
    assert_ok(checkpoint_model(&read, model, &error));
    assert_ok(object_writer_new(&writer, store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, file.data, file.size, &error));
    assert_ok(object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    add_job(store, "", "{}", 0, job);
    const struct checkpoint_new checkpoint = {.step = 5, .object = &object, .data = "{}", .keep = 1};
    struct jobs_change change = {.id = job, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
    assert_ok(store_wait(store, jobs_change(&change), &error));
    memcpy(sha256, object.sha256, SHA256_TEXT);
    object_release(&object);
    buffer_sink_release(&file);
    checkpoint_copy_free(copy);
    trainer_free(trainer);
    job_data_release(&job_data);
    job_request_release(&request);
}

static const char *in_checkpoint(const char *sha256, char name[MODEL_CACHE_NAME])
{
    snprintf(name, MODEL_CACHE_NAME, MODEL_IN_CHECKPOINT "%s", sha256);
    return name;
}

static void the_model_in_a_checkpoint_comes_by_the_checkpoints_hash(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct model wanted, model;
    char sha256[SHA256_TEXT], name[MODEL_CACHE_NAME];
    store_checkpoint(fixture->store, sha256, &wanted);
    assert_ok(model_load(fixture->store, in_checkpoint(sha256, name), &model, &error));
    assert_string_equal(model.digest, wanted.digest);
    assert_int_equal(model.spec.classes, 3);
    model_release(&model);
    model_release(&wanted);
    /* as clients can say it: it is the name of nothing */
    assert_status(STATUS_NOT_FOUND, model_load(fixture->store, sha256, &model, &error));
}

static void a_hash_of_no_checkpoint_is_not_found_or_corrupt(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct model model;
    char id[ID_TEXT], sha256[SHA256_TEXT], nobody[SHA256_TEXT], name[MODEL_CACHE_NAME];
    sha256_text("nobody", 6, nobody);
    assert_status(STATUS_NOT_FOUND, model_load(fixture->store, in_checkpoint(nobody, name), &model, &error));
    store_model(fixture->store, 4, 0, id, sha256);
    in_checkpoint(sha256, name); /* a model's own file */
    assert_status(STATUS_OBJECT_CORRUPT, model_load(fixture->store, name, &model, &error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_small_and_a_large_model_come_back),
        TEST(a_model_that_is_not_there_is_told_from_one_that_was_deleted),
        TEST(a_file_that_was_changed_is_corrupt_for_this_model_alone),
        TEST(the_model_in_a_checkpoint_comes_by_the_checkpoints_hash),
        TEST(a_hash_of_no_checkpoint_is_not_found_or_corrupt),
        TEST(a_whole_file_that_is_no_model_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
