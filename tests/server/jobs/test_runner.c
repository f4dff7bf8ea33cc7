/* The life of a running job, from the queue of a store to its end in that store. */
#include "server/jobs/runner.h"

#include "server/jobs/stored_spec.h"
#include "server/models/model_load.h"
#include "tests/server/jobs/running_job.h"

static void a_job_ends_with_its_model_its_results_and_its_curves(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct model model;
    char id[ID_TEXT];
    submit_job(fixture->store, SHORT, id);
    struct scheduler *scheduler = start(fixture, 2);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_int_equal(job.stop_reason, STOP_EPOCHS);
    assert_int_equal(job.progress.step, 39);
    assert_true(job.progress.fraction == 1);
    assert_true(job.started_at > 0 && job.finished_at >= job.started_at);
    assert_non_null(job.results);
    assert_null(job.error);
    assert_ok(model_load(fixture->store, job.model, &model, &error));
    assert_string_equal(model.digest, job.digest);
    model_release(&model);
    job_view_release(&job);
    wait_for_rows(fixture->store, id, 39);
    stop(scheduler);
}

static void threads_change_no_bit(void **state)
{
    char one[SHA256_TEXT], three[SHA256_TEXT];
    train_alone(*state, SHORT, 1, one);
    train_alone(*state, SHORT, 3, three);
    assert_string_equal(one, three);
}

static void a_drained_job_goes_on_to_the_same_bits(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], undisturbed[SHA256_TEXT];
    struct metric_list rows;
    train_alone(fixture, LONG, 1, undisturbed);
    submit_job(fixture->store, LONG, id);
    for (uint64_t times = 1; times <= 2; times++) {
        struct scheduler *scheduler = start(fixture, 1);
        wait_for_rows(fixture->store, id, 5 * times);
        drain(scheduler);
        assert_int_equal(status_of(fixture->store, id), JOB_QUEUED);
    }
    struct scheduler *scheduler = start(fixture, 2);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    assert_string_equal(job.digest, undisturbed);
    job_view_release(&job);
    assert_ok(metrics_list(fixture->store, id, -1, &rows, &error));
    for (size_t i = 1; i < rows.count; i++) {
        assert_true(rows.rows[i].point.step > rows.rows[i - 1].point.step);
        assert_true(rows.rows[i].seconds >= rows.rows[i - 1].seconds);
    }
    metric_list_release(&rows);
    stop(scheduler);
}

static void a_cancelled_job_leaves_no_model(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    submit_job(fixture->store, ENDLESS, id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 1);
    assert_int_equal(ask(fixture, scheduler, id, TRIGGER_CANCEL), JOB_CANCELLING);
    struct job_view job = wait_for_end(fixture->store, id, JOB_CANCELLED);
    assert_string_equal(job.model, "");
    assert_null(job.results);
    job_view_release(&job);
    stop(scheduler);
    assert_int_equal(status_of(fixture->store, id), JOB_CANCELLED);
}

static void a_job_cancelled_in_the_store_alone_stops_too(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], next[ID_TEXT];
    submit_job(fixture->store, ENDLESS, id);
    submit_job(fixture->store, SHORT, next);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 1);
    set_status(fixture->store, id, JOB_CANCELLING);
    set_status(fixture->store, id, JOB_CANCELLED); /* its next change finds that it is not ours */
    struct job_view job = wait_for_end(fixture->store, next, JOB_SUCCEEDED);
    job_view_release(&job);
    stop(scheduler);
    assert_int_equal(status_of(fixture->store, id), JOB_CANCELLED);
}

static void the_end_of_a_job_waits_for_room_on_the_disk(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    submit_job(fixture->store, SHORT, id);
    disk_is_full(4096);
    struct scheduler *scheduler = start(fixture, 1);
    moment(300);
    assert_int_equal(status_of(fixture->store, id), JOB_QUEUED);
    disk_has_room();
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    job_view_release(&job);
    wait_for_rows(fixture->store, id, 39);
    stop(scheduler);
}

static void draining_does_not_wait_for_room(void **state)
{
    struct fixture *fixture = *state;
    const char *const bodies[] = {SHORT, ENDLESS}; /* one that waits with its end, one that trains */
    for (int i = 0; i < 2; i++) {
        char id[ID_TEXT];
        submit_job(fixture->store, bodies[i], id);
        disk_is_full(4096);
        struct scheduler *scheduler = start(fixture, 1);
        moment(200);
        drain(scheduler);
        disk_has_room();
        assert_int_equal(status_of(fixture->store, id), JOB_QUEUED);
        set_status(fixture->store, id, JOB_CANCELLED);
    }
}

static void a_job_whose_data_set_is_gone_fails_with_its_place(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char spec[] = "{\"dataset\":\"ds_00000000000000000000\",\"model\":{\"type\":\"softmax_regression\"}}", metadata[] = "{}";
    struct job_view job = {.progress = no_progress(), .spec = spec, .metadata = metadata};
    struct jobs_insert insert = {.job = &job};
    assert_ok(store_wait(fixture->store, jobs_insert(&insert), &error));
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view seen = wait_for_end(fixture->store, job.id, JOB_FAILED);
    assert_error(&seen, "dataset_not_found");
    job_view_release(&seen);
    stop(scheduler);
}

static void a_job_whose_spec_is_damaged_fails(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id); /* a spec without a data set */
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_FAILED);
    assert_error(&job, "object_corrupt");
    job_view_release(&job);
    stop(scheduler);
}

static void a_job_whose_data_is_damaged_fails(void **state)
{
    struct fixture *fixture = *state;
    char dataset[ID_TEXT], id[ID_TEXT], body[200], path[256];
    store_generated(fixture->store, "{\"generator\":\"blobs\",\"n\":20000,\"classes\":3,\"seed\":7}", dataset);
    snprintf(body, sizeof(body), "{\"dataset\":\"%s\",\"model\":{\"type\":\"softmax_regression\"}}", dataset);
    submit_job(fixture->store, body, id);
    struct job_view job = read_job(fixture->store, id);
    struct dataset_view view;
    struct error error;
    assert_ok(datasets_get(fixture->store, dataset, &view, &error));
    snprintf(path, sizeof(path), "%s/objects/%s", fixture->data, view.sha256);
    dataset_view_release(&view);
    job_view_release(&job);
    reopen(fixture);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 100000, SEEK_SET), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fputc('y', file), 'y');
    assert_int_equal(fclose(file), 0);
    struct scheduler *scheduler = start(fixture, 1);
    job = wait_for_end(fixture->store, id, JOB_FAILED);
    assert_error(&job, "object_corrupt");
    job_view_release(&job);
    stop(scheduler);
}

/* It cannot be paused until the disk can be read again, as others are. */
static void a_stopping_job_whose_data_cannot_be_read_fails(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct dataset_view view;
    char dataset[ID_TEXT], id[ID_TEXT], body[200], path[256];
    store_generated(fixture->store, "{\"generator\":\"blobs\",\"n\":20000,\"classes\":3,\"seed\":7}", dataset);
    snprintf(body, sizeof(body), "{\"dataset\":\"%s\",\"model\":{\"type\":\"softmax_regression\"}}", dataset);
    submit_job(fixture->store, body, id);
    assert_ok(datasets_get(fixture->store, dataset, &view, &error));
    snprintf(path, sizeof(path), "%s/objects/%s", fixture->data, view.sha256);
    dataset_view_release(&view);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(path, path), 0);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_PAUSE), JOB_PAUSED);
    assert_int_equal(ask(fixture, NULL, id, TRIGGER_STOP), JOB_STOPPING);
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_FAILED);
    assert_error(&job, "storage_error");
    job_view_release(&job);
    stop(scheduler);
}

static void a_job_that_diverges_fails_and_keeps_its_curve(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    submit_job(fixture->store,
               "{\"dataset\":" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[8]},\"optimizer\":{\"type\":\"sgd\","
               "\"learning_rate\":1e12},\"training\":{\"epochs\":50,\"batch_size\":10,\"seed\":1}}",
               id);
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_FAILED);
    assert_error(&job, "diverged");
    assert_string_equal(job.model, "");
    job_view_release(&job);
    stop(scheduler);
}

static void a_row_that_comes_out_otherwise_fails_the_job(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    const struct metric_row row = {.point = {.step = 1, .batch_loss = 0.125}, .seconds = 1};
    struct jobs_change first_run = {.rows = &row, .row_count = 1, .from = JOB_SET(JOB_QUEUED), .to = JOB_RUNNING};
    submit_job(fixture->store, SHORT, id);
    first_run.id = id;
    assert_ok(store_wait(fixture->store, jobs_change(&first_run), &error));
    struct jobs_recover recovery = {0};
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    struct scheduler *scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_FAILED);
    assert_error(&job, "replay_mismatch");
    assert_int_equal(job.restarts, 1);
    job_view_release(&job);
    stop(scheduler);
}

/* Ended by the clock, its spec says at which step: posted again, it gives the same bits; also after it was interrupted. */
static void the_spec_of_a_job_that_the_clock_ended_gives_its_bits(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct json_writer text = {0};
    char id[ID_TEXT], digest[SHA256_TEXT], *spec;
    size_t size;
    submit_job(fixture->store,
               "{\"dataset\":" BLOBS "," MLP ",\"training\":{\"epochs\":1000000,\"batch_size\":20,\"seed\":1,"
               "\"log_every_steps\":1000},\"stop\":{\"max_seconds\":1}}",
               id);
    struct scheduler *scheduler = start(fixture, 1);
    wait_for_rows(fixture->store, id, 2);
    drain(scheduler);
    scheduler = start(fixture, 1);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    stop(scheduler);
    assert_int_equal(job.stop_reason, STOP_MAX_SECONDS);
    assert_ok(stored_spec_encode(&job, &text, &error));
    assert_ok(json_writer_take(&text, &spec, &size, &error));
    assert_non_null(strstr(spec, "\"max_seconds\":null"));
    train_alone(fixture, spec, 2, digest);
    assert_string_equal(job.digest, digest);
    free(spec);
    job_view_release(&job);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_job_ends_with_its_model_its_results_and_its_curves),
        TEST(threads_change_no_bit),
        TEST(a_drained_job_goes_on_to_the_same_bits),
        TEST(a_cancelled_job_leaves_no_model),
        TEST(a_job_cancelled_in_the_store_alone_stops_too),
        TEST(the_end_of_a_job_waits_for_room_on_the_disk),
        TEST(draining_does_not_wait_for_room),
        TEST(a_job_whose_data_set_is_gone_fails_with_its_place),
        TEST(a_job_whose_spec_is_damaged_fails),
        TEST(a_job_whose_data_is_damaged_fails),
        TEST(a_stopping_job_whose_data_cannot_be_read_fails),
        TEST(a_job_that_diverges_fails_and_keeps_its_curve),
        TEST(a_row_that_comes_out_otherwise_fails_the_job),
        TEST(the_spec_of_a_job_that_the_clock_ended_gives_its_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
