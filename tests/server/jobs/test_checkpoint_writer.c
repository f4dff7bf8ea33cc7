/* The thread that makes objects of checkpoints. */
#include "server/jobs/checkpoint_writer.h"

#include "core/train/trainer.h"
#include "tests/server/jobs/full_disk.h"
#include "tests/server/jobs/submitted.h"

#define BODY                                                                                                                \
    "{\"dataset\":{\"generator\":\"blobs\",\"n\":90,\"classes\":3,\"noise\":0.4,\"seed\":7},\"model\":{\"type\":\"mlp\","   \
    "\"hidden\":[256,256]},\"training\":{\"epochs\":100,\"batch_size\":9,\"seed\":1}}"

static const struct checkpoint_owner owner = {.spec = {1, 2}, .dataset = {3}};

struct training {
    struct job_request request;
    struct job_data data;
    struct trainer *trainer;
};

static void begin(struct store *store, struct training *training)
{
    struct error error;
    open_request(store, BODY, &training->request, &training->data);
    const struct train_data data = job_data_for_training(&training->data);
    assert_ok(trainer_new(&training->trainer, &training->request.train, &data, 1, &error));
}

static void step(struct training *training)
{
    struct error error;
    struct train_point point;
    int logged;
    assert_ok(trainer_step(training->trainer, &point, &logged, &error));
}

static void end(struct training *training)
{
    trainer_free(training->trainer);
    job_data_release(&training->data);
    job_request_release(&training->request);
}

/* The object of a task that is done, as a checkpoint: of this step. Stores it as one of a job's. */
static void assert_checkpoint(struct fixture *fixture, struct checkpoint_task *task, uint64_t step)
{
    struct error error;
    struct checkpoint read;
    struct object_map map;
    char job[ID_TEXT];
    assert_int_equal(task->status, STATUS_OK);
    add_job(fixture->store, "", "{}", 0, job);
    const struct checkpoint_new checkpoint = {.step = step, .object = &task->object, .data = "{}", .keep = 1};
    struct jobs_change change = {.id = job, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    assert_ok(object_map(&map, fixture->store, task->object.sha256, &error));
    assert_ok(checkpoint_read(&read, map.bytes, map.size, &error));
    assert_int_equal(read.step, step);
    assert_true(read.seconds == 2 * (double)step);
    assert_memory_equal(&read.owner, &owner, sizeof owner);
    object_unmap(fixture->store, &map);
    object_release(&task->object);
}

static void checkpoints_of_many_jobs_become_objects_in_turn(void **state)
{
    enum { TASKS = 8 };
    struct fixture *fixture = *state;
    struct error error;
    struct training training;
    struct checkpoint_writer *writer;
    struct checkpoint_task tasks[TASKS] = {{.copy = NULL}};
    struct checkpoint_copy *copies[TASKS];
    begin(fixture->store, &training);
    assert_ok(checkpoint_writer_new(&writer, fixture->store, &error));
    for (unsigned i = 0; i < TASKS; i++) {
        step(&training);
        assert_ok(checkpoint_copy_new(&copies[i], training.trainer, &error));
        checkpoint_take(copies[i], training.trainer, 2.0 * (i + 1));
        tasks[i].copy = copies[i];
        tasks[i].owner = &owner;
        checkpoint_writer_submit(writer, &tasks[i]); /* training goes on meanwhile */
    }
    checkpoint_writer_wait(writer, &tasks[TASKS - 1]);
    for (unsigned i = 0; i < TASKS; i++) {
        assert_true(checkpoint_writer_is_done(writer, &tasks[i])); /* in the order of submission */
        assert_checkpoint(fixture, &tasks[i], i + 1);
        checkpoint_copy_free(copies[i]);
    }
    checkpoint_writer_free(writer);
    end(&training);
    assert_int_equal(count_files(fixture, "tmp"), 0);
}

static void without_room_a_task_fails_leaves_nothing_and_can_be_done_again(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct training training;
    struct checkpoint_writer *writer;
    struct checkpoint_task task = {.owner = &owner};
    begin(fixture->store, &training);
    step(&training);
    assert_ok(checkpoint_writer_new(&writer, fixture->store, &error));
    assert_ok(checkpoint_copy_new(&task.copy, training.trainer, &error));
    checkpoint_take(task.copy, training.trainer, 2);
    disk_is_full(100000);
    checkpoint_writer_submit(writer, &task);
    checkpoint_writer_wait(writer, &task);
    disk_has_room();
    assert_int_equal(task.status, STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(task.error.status, STATUS_INSUFFICIENT_STORAGE);
    object_release(&task.object);
    assert_int_equal(count_files(fixture, "tmp"), 0);
    checkpoint_writer_submit(writer, &task);
    checkpoint_writer_wait(writer, &task);
    assert_int_equal(task.error.status, STATUS_OK);
    assert_checkpoint(fixture, &task, 1);
    checkpoint_copy_free(task.copy);
    checkpoint_writer_free(writer);
    end(&training);
}

static void freeing_completes_what_was_submitted(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct training training;
    struct checkpoint_writer *writer;
    struct checkpoint_task task = {.owner = &owner};
    begin(fixture->store, &training);
    step(&training);
    assert_ok(checkpoint_writer_new(&writer, fixture->store, &error));
    assert_ok(checkpoint_copy_new(&task.copy, training.trainer, &error));
    checkpoint_take(task.copy, training.trainer, 2);
    checkpoint_writer_submit(writer, &task);
    checkpoint_writer_free(writer);
    checkpoint_writer_free(NULL);
    assert_checkpoint(fixture, &task, 1);
    checkpoint_copy_free(task.copy);
    end(&training);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(checkpoints_of_many_jobs_become_objects_in_turn),
        TEST(without_room_a_task_fails_leaves_nothing_and_can_be_done_again),
        TEST(freeing_completes_what_was_submitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
