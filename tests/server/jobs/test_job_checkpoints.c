/*
 * When a job's checkpoints are due and what becomes of them. The trainer's copy, the thread that writes and the recorder
 * are the test's own: it says when a checkpoint is written, and how that went.
 */
#include "server/jobs/job_checkpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static struct {
    struct checkpoint_task *under_way; /* NULL: none */
    enum status next;                  /* how the next one that is waited for goes */
    unsigned taken, waits;
    double seconds; /* of the last one that was taken */
    /* what the recorder got */
    unsigned stored, remarks;
    uint64_t stored_step;
    uint32_t keep;
    char data[600], remark[600];
} world;

/* ---- instead of core/train/checkpoint.c ---- */

struct checkpoint_copy {
    int nothing;
};

enum status checkpoint_copy_new(struct checkpoint_copy **copy, const struct trainer *trainer, struct error *error)
{
    static struct checkpoint_copy only;
    (void)trainer;
    (void)error;
    *copy = &only;
    return STATUS_OK;
}

void checkpoint_copy_free(struct checkpoint_copy *copy)
{
    (void)copy;
}

void checkpoint_take(struct checkpoint_copy *copy, const struct trainer *trainer, double seconds)
{
    (void)copy;
    (void)trainer;
    assert_null(world.under_way); /* its memory is the writer's until it is done */
    world.taken++;
    world.seconds = seconds;
}

/* ---- instead of checkpoint_writer.c ---- */

void checkpoint_writer_submit(struct checkpoint_writer *writer, struct checkpoint_task *task)
{
    (void)writer;
    task->done = 0;
    task->object = (struct object){.size = 77, .sha256 = "abc"};
    world.under_way = task;
}

static void finish(enum status status)
{
    struct checkpoint_task *task = world.under_way;
    assert_non_null(task);
    task->status = status;
    task->error = (struct error){.status = status, .message = "no room"};
    task->done = 1;
    world.under_way = NULL;
}

int checkpoint_writer_is_done(struct checkpoint_writer *writer, const struct checkpoint_task *task)
{
    (void)writer;
    return task->done;
}

void checkpoint_writer_wait(struct checkpoint_writer *writer, const struct checkpoint_task *task)
{
    (void)writer;
    world.waits++;
    if (!task->done) {
        finish(world.next);
    }
}

/* ---- instead of recorder.c ---- */

void recorder_add_checkpoint(struct recorder *recorder, struct object *object, uint64_t step, uint32_t keep, char *data)
{
    (void)recorder;
    assert_int_equal(object->size, 77);
    *object = (struct object){.size = 0};
    world.stored++;
    world.stored_step = step;
    world.keep = keep;
    snprintf(world.data, sizeof world.data, "%s", data);
    free(data);
}

void recorder_add_remark(struct recorder *recorder, char *data)
{
    (void)recorder;
    world.remarks++;
    snprintf(world.remark, sizeof world.remark, "%s", data);
    free(data);
}

/* ---- tests ---- */

static struct job_progress progress;

static struct job_checkpoints *open_checkpoints(double every_seconds, uint64_t every_steps)
{
    const struct job_checkpoints_setup setup = {
        .progress = &progress, .policy = {.every_seconds = every_seconds, .every_steps = every_steps, .keep = 4}};
    struct job_checkpoints *checkpoints;
    struct error error;
    memset(&world, 0, sizeof world);
    progress = job_progress_none();
    assert_int_equal(job_checkpoints_new(&checkpoints, &setup, &error), STATUS_OK);
    return checkpoints;
}

/* Between two steps, at this time of training and of the clock; how many were taken so far. */
static unsigned step_at(struct job_checkpoints *checkpoints, double seconds, double now, int wanted)
{
    struct error error = {.status = STATUS_OK};
    assert_int_equal(job_checkpoints_step(checkpoints, seconds, now, wanted, &error), STATUS_OK);
    assert_int_equal(error.status, STATUS_OK);
    return world.taken;
}

static void one_is_due_by_training_seconds(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(10, 0);
    (void)state;
    assert_int_equal(step_at(checkpoints, 9.9, 1000, 0), 0); /* whatever the clock says */
    assert_int_equal(step_at(checkpoints, 10.5, 1001, 0), 1);
    assert_close(world.seconds, 10.5, 0, 0);
    finish(STATUS_OK);
    assert_int_equal(step_at(checkpoints, 20.4, 1002, 0), 1);
    assert_int_equal(step_at(checkpoints, 20.5, 1003, 0), 2);
    finish(STATUS_OK);
    job_checkpoints_free(checkpoints);
}

static void one_is_due_by_steps(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 100);
    (void)state;
    for (uint64_t step = 1; step <= 1000; step++) {
        progress.step = step;
        assert_int_equal(step_at(checkpoints, 0, 0, 0), step / 100);
        if (step % 100 == 0) {
            finish(STATUS_OK);
        }
    }
    job_checkpoints_free(checkpoints);
}

static void one_is_made_when_it_is_wanted(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    (void)state;
    assert_int_equal(step_at(checkpoints, 1, 1, 0), 0);
    assert_int_equal(step_at(checkpoints, 2, 2, 1), 1);
    finish(STATUS_OK);
    assert_int_equal(step_at(checkpoints, 3, 3, 0), 1); /* once */
    job_checkpoints_free(checkpoints);
}

static void one_that_is_wanted_while_another_is_written_comes_after_it(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    (void)state;
    assert_int_equal(step_at(checkpoints, 1, 1, 1), 1);
    assert_int_equal(step_at(checkpoints, 2, 2, 1), 1); /* at most one is under way */
    assert_int_equal(step_at(checkpoints, 3, 3, 0), 1);
    finish(STATUS_OK);
    assert_int_equal(step_at(checkpoints, 4, 4, 0), 2);
    finish(STATUS_OK);
    assert_int_equal(step_at(checkpoints, 5, 5, 0), 2);
    job_checkpoints_free(checkpoints);
}

static void a_job_that_goes_on_counts_from_its_checkpoint(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(10, 100);
    (void)state;
    job_checkpoints_resume(checkpoints, 250, 40);
    progress.step = 349;
    assert_int_equal(step_at(checkpoints, 49.9, 1, 0), 0);
    progress.step = 350;
    assert_int_equal(step_at(checkpoints, 49.9, 2, 0), 1);
    finish(STATUS_OK);
    job_checkpoints_free(checkpoints);
}

static void what_was_written_goes_to_the_recorder_as_of_when_it_was_taken(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    (void)state;
    progress.step = 5;
    progress.train_loss = 0.25;
    step_at(checkpoints, 1, 1, 1);
    progress.step = 9;
    progress.train_loss = 0.125;
    step_at(checkpoints, 2, 2, 0);
    assert_int_equal(world.stored, 0);
    finish(STATUS_OK);
    step_at(checkpoints, 3, 3, 0);
    assert_int_equal(world.stored, 1);
    assert_int_equal(world.stored_step, 5);
    assert_int_equal(world.keep, 4);
    assert_non_null(strstr(world.data, "\"step\":5,"));
    assert_non_null(strstr(world.data, "\"train_loss\":0.25,"));
    assert_non_null(strstr(world.data, "\"sha256\":\"abc\""));
    assert_int_equal(world.remarks, 0);
    job_checkpoints_free(checkpoints);
}

static void a_failure_is_remarked_upon_and_tried_again_later_and_later(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    struct error error = {.status = STATUS_OK};
    (void)state;
    progress.step = 5;
    assert_int_equal(step_at(checkpoints, 1, 100, 1), 1);
    finish(STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(step_at(checkpoints, 1, 100, 0), 1);
    assert_int_equal(world.remarks, 1);
    assert_non_null(strstr(world.remark, "\"code\":\"checkpoint_failed\",\"message\":\"no room\",\"step\":5"));
    assert_int_equal(step_at(checkpoints, 1, 100.9, 1), 1);
    assert_int_equal(step_at(checkpoints, 1, 101, 0), 2); /* a second later */
    finish(STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(step_at(checkpoints, 1, 101, 0), 2);
    assert_int_equal(step_at(checkpoints, 1, 102.9, 0), 2);
    assert_int_equal(step_at(checkpoints, 1, 103, 0), 3); /* two */
    finish(STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(job_checkpoints_step(checkpoints, 1, 103, 0, &error), STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(error.status, STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(world.remarks, 3);
    assert_int_equal(world.stored, 0);
    job_checkpoints_free(checkpoints);
}

static void a_success_forgives_the_failures_before_it(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    double now = 0;
    (void)state;
    for (int round = 0; round < 5; round++) {
        const unsigned before = step_at(checkpoints, 1, now, 1);
        finish(STATUS_STORAGE_ERROR);
        step_at(checkpoints, 1, now, 0);
        now += 10;
        assert_int_equal(step_at(checkpoints, 1, now, 0), before + 1);
        finish(STATUS_OK);
        now += 10;
        step_at(checkpoints, 1, now, 0);
    }
    assert_int_equal(world.stored, 5);
    job_checkpoints_free(checkpoints);
}

static void a_state_that_is_not_finite_is_no_matter_of_trying_again(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    struct error error = {.status = STATUS_OK};
    (void)state;
    step_at(checkpoints, 1, 1, 1);
    finish(STATUS_DIVERGED);
    assert_int_equal(job_checkpoints_step(checkpoints, 1, 1, 0, &error), STATUS_DIVERGED);
    job_checkpoints_free(checkpoints);
}

static void the_last_one_comes_after_the_one_under_way(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    struct error error = {.status = STATUS_OK};
    (void)state;
    progress.step = 5;
    step_at(checkpoints, 1, 1, 1);
    progress.step = 8;
    job_checkpoints_begin_last(checkpoints, 2);
    assert_int_equal(world.stored_step, 5);
    assert_int_equal(world.taken, 2);
    assert_non_null(world.under_way);
    progress.step = 9; /* it goes its own way meanwhile */
    assert_int_equal(job_checkpoints_end_last(checkpoints, &error), STATUS_OK);
    assert_int_equal(world.stored, 2);
    assert_int_equal(world.stored_step, 8);
    job_checkpoints_free(checkpoints);
}

static void the_last_one_is_tried_whatever_became_of_the_one_before(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    struct error error = {.status = STATUS_OK};
    (void)state;
    step_at(checkpoints, 1, 1, 1);
    finish(STATUS_STORAGE_ERROR);
    job_checkpoints_begin_last(checkpoints, 2);
    assert_int_equal(world.remarks, 1);
    world.next = STATUS_INSUFFICIENT_STORAGE;
    assert_int_equal(job_checkpoints_end_last(checkpoints, &error), STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(error.status, STATUS_INSUFFICIENT_STORAGE);
    assert_int_equal(world.stored, 0);
    job_checkpoints_free(checkpoints);
}

static void freeing_waits_for_the_one_under_way(void **state)
{
    struct job_checkpoints *checkpoints = open_checkpoints(1e9, 0);
    (void)state;
    step_at(checkpoints, 1, 1, 1);
    job_checkpoints_free(checkpoints);
    assert_int_equal(world.waits, 1);
    assert_null(world.under_way);
    assert_int_equal(world.stored, 0);
    job_checkpoints_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_due_by_training_seconds),
        cmocka_unit_test(one_is_due_by_steps),
        cmocka_unit_test(one_is_made_when_it_is_wanted),
        cmocka_unit_test(one_that_is_wanted_while_another_is_written_comes_after_it),
        cmocka_unit_test(a_job_that_goes_on_counts_from_its_checkpoint),
        cmocka_unit_test(what_was_written_goes_to_the_recorder_as_of_when_it_was_taken),
        cmocka_unit_test(a_failure_is_remarked_upon_and_tried_again_later_and_later),
        cmocka_unit_test(a_success_forgives_the_failures_before_it),
        cmocka_unit_test(a_state_that_is_not_finite_is_no_matter_of_trying_again),
        cmocka_unit_test(the_last_one_comes_after_the_one_under_way),
        cmocka_unit_test(the_last_one_is_tried_whatever_became_of_the_one_before),
        cmocka_unit_test(freeing_waits_for_the_one_under_way),
    };
    return cmocka_run_group_tests_name("job_checkpoints", tests, NULL, NULL);
}
