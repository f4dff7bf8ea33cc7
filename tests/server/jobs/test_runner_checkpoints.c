/* Jobs that are interrupted, paused and stopped: what they go on from, and that nothing but time is lost. */
#include "server/jobs/run.h"

#include "server/models/model_load.h"
#include "tests/server/jobs/running_job.h"

/* More than 64 KiB of state, so that checkpoints are files; some thousand steps. */
#define STATE_SPEC(EPOCHS, EVERY, POLICY)                                                                                   \
    "{\"dataset\":" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[64,64],\"dropout\":0.1},\"split\":{\"validation\":"     \
    "0.2},\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.001},\"training\":{\"epochs\":" EPOCHS ",\"batch_size\":20," \
    "\"seed\":1,\"log_every_steps\":" EVERY "},\"checkpoint\":" POLICY "}"
#define POLICY "{\"every_steps\":60,\"keep\":3}"
#if defined(__SANITIZE_THREAD__) /* as long by the clock */
#define STEADY STATE_SPEC("60", "7", POLICY)
#elif defined(__SANITIZE_ADDRESS__)
#define STEADY STATE_SPEC("250", "7", POLICY)
#else
#define STEADY STATE_SPEC("1000", "7", POLICY)
#endif
#define FOREVER STATE_SPEC("100000", "29", POLICY)

/* The rows of both jobs are the same, their times aside. */
static void assert_same_rows(struct store *store, const char *id, const char *other)
{
    struct error error;
    struct metric_list rows[2];
    assert_ok(metrics_list(store, id, -1, &rows[0], &error));
    assert_ok(metrics_list(store, other, -1, &rows[1], &error));
    assert_int_equal(rows[0].count, rows[1].count);
    for (size_t i = 0; i < rows[0].count; i++) {
        const struct train_point *a = &rows[0].rows[i].point, *b = &rows[1].rows[i].point;
        assert_int_equal(a->step, b->step);
        assert_memory_equal(&a->batch_loss, &b->batch_loss, sizeof a->batch_loss);
        assert_memory_equal(&a->validation_loss, &b->validation_loss, sizeof a->validation_loss);
        assert_memory_equal(&a->train_loss, &b->train_loss, sizeof a->train_loss);
        assert_memory_equal(&a->gradient_norm, &b->gradient_norm, sizeof a->gradient_norm);
        assert_memory_equal(&a->step_size, &b->step_size, sizeof a->step_size);
        assert_true(i == 0 || rows[0].rows[i].seconds >= rows[0].rows[i - 1].seconds);
    }
    metric_list_release(&rows[0]);
    metric_list_release(&rows[1]);
}

/* A job with the same spec that nobody disturbed. */
static void train_undisturbed(struct fixture *fixture, const char *body, char id[ID_TEXT], char digest[SHA256_TEXT])
{
    submit_job(fixture->store, body, id);
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    memcpy(digest, job.digest, SHA256_TEXT);
    job_view_release(&job);
    stop(scheduler);
}

static size_t count_checkpoints(struct store *store, const char *id)
{
    struct error error;
    struct checkpoint_list list;
    assert_ok(checkpoints_list(store, id, &list, &error));
    const size_t count = list.count;
    checkpoint_list_release(&list);
    return count;
}

static void wait_for_checkpoints(struct store *store, const char *id, size_t count)
{
    const time_t end = time(NULL) + PATIENCE;
    while (count_checkpoints(store, id) < count) {
        assert_true(time(NULL) < end);
        moment(1);
    }
}

static void wait_for_status(struct store *store, const char *id, enum job_status wanted)
{
    const time_t end = time(NULL) + PATIENCE;
    while (status_of(store, id) != wanted) {
        assert_true(time(NULL) < end);
        moment(1);
    }
}

/* Damages the newest `count` checkpoints; the store is opened anew. */
static void damage(struct fixture *fixture, const char *id, size_t count)
{
    struct error error;
    struct checkpoint_list list;
    char path[256];
    assert_ok(checkpoints_list(fixture->store, id, &list, &error));
    assert_true(list.count >= count);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/objects/%s", fixture->data, list.items[i].object);
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        assert_int_equal(fseek(file, 20000, SEEK_SET), 0);
        assert_int_equal(fputc('x', file), 'x');
        assert_int_equal(fputc('y', file), 'y');
        assert_int_equal(fclose(file), 0);
    }
    checkpoint_list_release(&list);
    reopen(fixture);
}

/* Has the job an event whose data contain the text? */
static int was_told(struct store *store, const char *id, const char *text)
{
    struct error error;
    int found = 0;
    uint64_t after = 0;
    for (size_t count = 1; count > 0 && !found;) {
        struct event_list list;
        assert_ok(events_list(store, id, after, 1000, 0, &list, &error));
        count = list.count;
        for (size_t i = 0; i < count; i++) {
            found |= strstr(list.items[i].data, text) != NULL;
            after = list.items[i].id;
        }
        event_list_release(&list);
    }
    return found;
}

/* Runs a job until it has some checkpoints, and back to the queue. */
static void run_a_while(struct fixture *fixture, const char *body, char id[ID_TEXT])
{
    submit_job(fixture->store, body, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_checkpoints(fixture->store, id, 3);
    drain(scheduler);
    assert_int_equal(status_of(fixture->store, id), JOB_QUEUED);
}

/* Runs the job to its end and compares it with one that nobody disturbed. */
static void finish_as_undisturbed(struct fixture *fixture, const char *id, const char *other, const char *digest)
{
    struct scheduler *scheduler = start(fixture, 2);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_string_equal(job.digest, digest);
    job_view_release(&job);
    stop(scheduler);
    assert_same_rows(fixture->store, id, other);
}

/* ---- what a run goes on from ---- */

static void a_drained_job_keeps_its_state(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct checkpoint_list list;
    char id[ID_TEXT], other[ID_TEXT], digest[SHA256_TEXT];
    train_undisturbed(fixture, STEADY, other, digest);
    run_a_while(fixture, STEADY, id);
    struct job_view job = read_job(fixture->store, id);
    assert_ok(checkpoints_list(fixture->store, id, &list, &error));
    assert_int_equal(list.items[0].step, job.progress.step); /* it goes on where it stood */
    assert_true(list.count <= 3);
    checkpoint_list_release(&list);
    job_view_release(&job);
    finish_as_undisturbed(fixture, id, other, digest);
    assert_false(was_told(fixture->store, id, "warning"));
}

static void a_damaged_checkpoint_is_passed_over_with_a_remark(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], other[ID_TEXT], digest[SHA256_TEXT];
    train_undisturbed(fixture, STEADY, other, digest);
    run_a_while(fixture, STEADY, id);
    damage(fixture, id, 1);
    finish_as_undisturbed(fixture, id, other, digest);
    assert_true(was_told(fixture->store, id, "\"code\":\"checkpoint_damaged\""));
    assert_false(was_told(fixture->store, id, "\"code\":\"restarted\""));
}

static void without_a_good_checkpoint_a_job_begins_again(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], other[ID_TEXT], digest[SHA256_TEXT];
    train_undisturbed(fixture, STEADY, other, digest);
    run_a_while(fixture, STEADY, id);
    damage(fixture, id, count_checkpoints(fixture->store, id));
    finish_as_undisturbed(fixture, id, other, digest);
    assert_true(was_told(fixture->store, id, "\"code\":\"restarted\",\"reason\":\"no_valid_checkpoint\""));
}

/* Stored rows of another machine are neither taken back nor held against the new ones, and that lasts. */
static void on_another_kernel_tier_a_job_begins_again_and_ends(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    struct metric_row rows[900];
    submit_job(fixture->store, STEADY, id);
    for (size_t i = 0; i < 900; i++) { /* to step 6300, which is beyond where the next run is interrupted */
        rows[i] = (struct metric_row){.point = {.step = 7 * (i + 1), .batch_loss = 0.125}, .seconds = 0.001 * (double)i};
    }
    struct jobs_change before = {.id = id,
                                 .from = JOB_SET(JOB_QUEUED),
                                 .to = JOB_RUNNING,
                                 .rows = rows,
                                 .row_count = 900,
                                 .kernel_tier = "another/n1"};
    assert_ok(store_wait(fixture->store, jobs_change(&before), &error));
    char old[SHA256_TEXT];
    add_checkpoint(fixture->store, id, 6000, 3, 100000, 1, old);
    struct jobs_recover recovery = {0};
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));

    struct scheduler *scheduler = start(fixture, 1);
    wait_for_checkpoints(fixture->store, id, 2); /* the old one goes */
    drain(scheduler);
    assert_int_equal(status_of(fixture->store, id), JOB_QUEUED);
    scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_string_equal(job.kernel_tier, kernel_tier());
    job_view_release(&job);
    stop(scheduler);
    assert_true(was_told(fixture->store, id, "\"code\":\"restarted\",\"reason\":\"kernel_tier_changed\""));
    assert_int_equal(file_exists(fixture, "objects", old), 0);
}

static void a_checkpoint_of_another_spec_fails_the_job(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct checkpoint_list list;
    struct object_map map;
    struct object object;
    struct object_writer *writer;
    char id[ID_TEXT], other[ID_TEXT];
    run_a_while(fixture, FOREVER, other);
    assert_ok(checkpoints_list(fixture->store, other, &list, &error));
    assert_ok(object_map(&map, fixture->store, list.items[0].object, &error));
    assert_ok(object_writer_new(&writer, fixture->store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, map.bytes, map.size, &error));
    assert_ok(object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    object_unmap(fixture->store, &map);
    set_status(fixture->store, other, JOB_CANCELLED);

    submit_job(fixture->store, SHORT, id);
    set_status(fixture->store, id, JOB_RUNNING); /* as if it had run */
    set_status(fixture->store, id, JOB_QUEUED);
    const struct checkpoint_new checkpoint = {.step = list.items[0].step, .object = &object, .data = "{}", .keep = 3};
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    object_release(&object);
    checkpoint_list_release(&list);
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_FAILED);
    assert_error(&job, "checkpoint_config_mismatch");
    job_view_release(&job);
    stop(scheduler);
}

/* The last run got further than its newest checkpoint; this one ends before it has made a step. */
static void a_checkpoint_is_never_said_to_be_of_a_later_step(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct checkpoint_list list;
    struct scheduler_figures figures;
    char id[ID_TEXT], other[ID_TEXT];
    const int32_t first = 50;
    run_a_while(fixture, FOREVER, id);
    struct job_view job = read_job(fixture->store, id);
    job.progress.step += 1000;
    struct jobs_change further = {.id = id, .from = JOB_SET(JOB_QUEUED), .to = JOB_STATUS_KEEP, .progress = &job.progress};
    assert_ok(store_wait(fixture->store, jobs_change(&further), &error));
    job_view_release(&job);
    submit_job(fixture->store, ENDLESS, other);
    struct jobs_patch patch = {.id = other, .priority = &first};
    assert_ok(store_wait(fixture->store, jobs_patch(&patch), &error));
    struct scheduler *scheduler = start(fixture, 1); /* whose only thread the other job has */
    const time_t end = time(NULL) + PATIENCE;
    for (figures.running = 0; figures.running < 2; scheduler_figures(scheduler, &figures)) {
        assert_true(time(NULL) < end);
        moment(1);
    }
    drain(scheduler);
    assert_ok(checkpoints_list(fixture->store, id, &list, &error));
    for (size_t i = 0; i < list.count; i++) {
        struct object_map map;
        struct checkpoint checkpoint;
        assert_ok(object_map(&map, fixture->store, list.items[i].object, &error));
        assert_ok(checkpoint_read(&checkpoint, map.bytes, map.size, &error));
        object_unmap(fixture->store, &map);
        assert_int_equal(list.items[i].step, checkpoint.step);
    }
    checkpoint_list_release(&list);
}

/* ---- what a client asks ---- */

static void a_paused_job_goes_on_to_the_same_bits(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], other[ID_TEXT], digest[SHA256_TEXT];
    train_undisturbed(fixture, STEADY, other, digest);
    submit_job(fixture->store, STEADY, id);
    struct scheduler *scheduler = start(fixture, 1);
    for (uint64_t times = 1; times <= 3; times++) {
        wait_for_rows(fixture->store, id, 20 * times);
        wait_for_status(fixture->store, id, JOB_RUNNING);
        assert_int_equal(ask(fixture, scheduler, id, TRIGGER_PAUSE), JOB_PAUSING);
        wait_for_status(fixture->store, id, JOB_PAUSED);
        struct job_view job = read_job(fixture->store, id);
        assert_string_equal(job.pause_reason, "user");
        job_view_release(&job);
        assert_true(count_checkpoints(fixture->store, id) > 0);
        assert_int_equal(ask(fixture, scheduler, id, TRIGGER_RESUME), JOB_QUEUED);
    }
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_string_equal(job.digest, digest);
    assert_int_equal(job.restarts, 0);
    job_view_release(&job);
    stop(scheduler);
    assert_same_rows(fixture->store, id, other);
}

static void a_pause_that_is_taken_back_does_not_pause(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], other[ID_TEXT], digest[SHA256_TEXT];
    train_undisturbed(fixture, STEADY, other, digest);
    submit_job(fixture->store, STEADY, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 20);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_PAUSE), JOB_PAUSING);
    (void)ask(fixture, scheduler, id, TRIGGER_RESUME); /* it may have been paused meanwhile, or not */
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_string_equal(job.digest, digest);
    job_view_release(&job);
    stop(scheduler);
    assert_same_rows(fixture->store, id, other);
}

/* The runner is told of the pause, but not yet that it was taken back: it finds that when it is about to pause. */
static void a_resume_is_not_lost_to_a_pause_under_way(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct job_view pausing;
    char id[ID_TEXT], other[ID_TEXT], digest[SHA256_TEXT];
    train_undisturbed(fixture, STEADY, other, digest);
    submit_job(fixture->store, STEADY, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 20);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_PAUSE), JOB_PAUSING);
    assert_ok(jobs_get(fixture->store, id, 0, &pausing, &error));
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_RESUME), JOB_RUNNING);
    scheduler_tell(scheduler, &pausing);
    job_view_release(&pausing);
    struct job_view job;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
    const int in_time = 2 * job.progress.step < job.progress.total_steps; /* else it may have been over before it was told */
    job_view_release(&job);
    job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_string_equal(job.digest, digest);
    job_view_release(&job);
    stop(scheduler);
    assert_same_rows(fixture->store, id, other);
    assert_true(!in_time || was_told(fixture->store, id, "{\"status\":\"queued\",\"reason\":\"resume\"}"));
}

static void a_job_paused_while_it_waits_never_begins(void **state)
{
    struct fixture *fixture = *state;
    char first[ID_TEXT], id[ID_TEXT];
    submit_job(fixture->store, SHORT, id);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_PAUSE), JOB_PAUSED);
    submit_job(fixture->store, SHORT, first);
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, first, JOB_SUCCEEDED);
    job_view_release(&job);
    assert_int_equal(status_of(fixture->store, id), JOB_PAUSED);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_RESUME), JOB_QUEUED);
    job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    job_view_release(&job);
    stop(scheduler);
}

static void assert_model(struct fixture *fixture, const struct job_view *job)
{
    struct error error;
    struct model model;
    assert_int_equal(job->stop_reason, STOP_USER);
    assert_non_null(job->results);
    assert_ok(model_load(fixture->store, job->model, &model, &error));
    assert_string_equal(model.digest, job->digest);
    model_release(&model);
}

static void a_stopped_job_leaves_its_best_model(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    submit_job(fixture->store, FOREVER, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 50);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_STOP), JOB_STOPPING);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_model(fixture, &job);
    assert_int_equal(job.digest_step, job.progress.best_step);
    job_view_release(&job);
    stop(scheduler);
}

static void a_paused_job_that_is_stopped_leaves_its_model_too(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    submit_job(fixture->store, FOREVER, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 50);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_PAUSE), JOB_PAUSING);
    wait_for_status(fixture->store, id, JOB_PAUSED);
    struct job_view paused = read_job(fixture->store, id);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_STOP), JOB_STOPPING);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_model(fixture, &job);
    assert_in_range(job.progress.step, paused.progress.step, paused.progress.step + 1);
    job_view_release(&paused);
    job_view_release(&job);
    stop(scheduler);
}

static void a_stopping_job_is_ended_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    run_a_while(fixture, FOREVER, id);
    set_status(fixture->store, id, JOB_PAUSED);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_STOP), JOB_STOPPING); /* and the server dies */
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_model(fixture, &job);
    job_view_release(&job);
    stop(scheduler);
}

/* The runner is told of the pause alone, and finds that the job is not its own to end: the next one goes on from there. */
static void a_stop_that_overtakes_a_pause_loses_no_state(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    submit_job(fixture->store, ENDLESS, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 5);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_PAUSE), JOB_PAUSING);
    struct job_view pausing = read_job(fixture->store, id);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_STOP), JOB_STOPPING);
    assert_int_equal(count_checkpoints(fixture->store, id), 0);
    scheduler_tell(scheduler, &pausing);
    job_view_release(&pausing);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_int_equal(job.stop_reason, STOP_USER);
    job_view_release(&job);
    stop(scheduler);
    assert_int_equal(count_checkpoints(fixture->store, id), 1);
}

static void a_cancel_beats_a_pause(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    submit_job(fixture->store, FOREVER, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 5);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_PAUSE), JOB_PAUSING);
    struct job_view pausing;
    assert_ok(jobs_get(fixture->store, id, 0, &pausing, &error));
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_CANCEL), JOB_CANCELLING);
    scheduler_tell(scheduler, &pausing); /* late */
    job_view_release(&pausing);
    struct job_view job = wait_for_end(fixture->store, id, JOB_CANCELLED);
    assert_string_equal(job.model, "");
    job_view_release(&job);
    stop(scheduler);
}

/* ---- what is shown ---- */

static void progress_never_goes_back(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    run_a_while(fixture, STEADY, id);
    struct job_view before = read_job(fixture->store, id);
    damage(fixture, id, 2); /* many steps to be made again */
    struct scheduler *scheduler = start(fixture, 1);
    uint64_t step = before.progress.step;
    double fraction = before.progress.fraction;
    job_view_release(&before);
    for (int ended = 0; !ended;) {
        struct job_view job = read_job(fixture->store, id);
        assert_true(job.progress.step >= step && job.progress.fraction >= fraction);
        step = job.progress.step;
        fraction = job.progress.fraction;
        ended = job_status_is_terminal(job.status);
        job_view_release(&job);
    }
    assert_true(fraction == 1);
    stop(scheduler);
}

/* The database has room, files as large as a checkpoint have not. */
static void without_room_for_checkpoints_a_job_is_paused(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], many[600];
    snprintf(many, sizeof many, "%s",
             "{\"dataset\":" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[1024,512]},\"optimizer\":{\"type\":\"sgd\","
             "\"learning_rate\":0.0001},\"training\":{\"epochs\":1000000,"
             "\"batch_size\":4,\"seed\":1,\"log_every_steps\":1000},\"checkpoint\":{\"every_steps\":10,\"keep\":3}}");
    submit_job(fixture->store, many, id);
    disk_is_full(2000000);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_status(fixture->store, id, JOB_PAUSED);
    disk_has_room();
    struct job_view job = read_job(fixture->store, id);
    assert_string_equal(job.pause_reason, "storage_full");
    job_view_release(&job);
    assert_true(was_told(fixture->store, id, "\"code\":\"checkpoint_failed\""));
    assert_int_equal(count_checkpoints(fixture->store, id), 0);
    assert_int_equal(count_files(fixture, "tmp"), 0);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_RESUME), JOB_QUEUED);
    wait_for_checkpoints(fixture->store, id, 1);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_CANCEL), JOB_CANCELLING);
    job = wait_for_end(fixture->store, id, JOB_CANCELLED);
    job_view_release(&job);
    stop(scheduler);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_drained_job_keeps_its_state),
        TEST(a_damaged_checkpoint_is_passed_over_with_a_remark),
        TEST(without_a_good_checkpoint_a_job_begins_again),
        TEST(on_another_kernel_tier_a_job_begins_again_and_ends),
        TEST(a_checkpoint_of_another_spec_fails_the_job),
        TEST(a_checkpoint_is_never_said_to_be_of_a_later_step),
        TEST(a_paused_job_goes_on_to_the_same_bits),
        TEST(a_pause_that_is_taken_back_does_not_pause),
        TEST(a_resume_is_not_lost_to_a_pause_under_way),
        TEST(a_job_paused_while_it_waits_never_begins),
        TEST(a_stopped_job_leaves_its_best_model),
        TEST(a_paused_job_that_is_stopped_leaves_its_model_too),
        TEST(a_stopping_job_is_ended_after_a_restart),
        TEST(a_stop_that_overtakes_a_pause_loses_no_state),
        TEST(a_cancel_beats_a_pause),
        TEST(progress_never_goes_back),
        TEST(without_room_for_checkpoints_a_job_is_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
