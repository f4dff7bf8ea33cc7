/* What a job shows: rows go to the store, and a job that starts again is compared with what it showed before. */
#include "server/jobs/recorder.h"

#include "tests/assert_close.h"
#include "tests/server/jobs/full_disk.h"

static struct train_point point_of(uint64_t step)
{
    struct train_point point = train_point_at(step);
    point.epoch = (double)step / 10;
    point.batch_loss = 1 / (double)(step + 2);
    point.learning_rate = 0.05;
    point.gradient_norm = 0.1 * (double)step;
    point.step_size = 0.005 * (double)step;
    return point;
}

static struct job_view seen; /* as of the last open_recorder: a recorder borrows its id */

static struct recorder *open_recorder(struct store *store, const char *id)
{
    struct error error;
    struct recorder *recorder;
    assert_ok(jobs_get(store, id, 0, &seen, &error));
    assert_ok(recorder_new(&recorder, store, &seen, &error));
    free(seen.metadata);
    free(seen.error);
    seen.metadata = seen.error = NULL;
    return recorder;
}

static enum status end_as(struct recorder *recorder, enum job_trigger trigger, struct error *error)
{
    const struct recorder_end end = {.trigger = trigger};
    return recorder_end(recorder, &end, error);
}

static void add(struct recorder *recorder, const struct train_point *point, double seconds)
{
    struct error error;
    assert_ok(recorder_add(recorder, point, seconds, &error));
}

static void poll_at(struct recorder *recorder, double now)
{
    struct error error;
    assert_ok(recorder_poll(recorder, now, 0, &error));
}

static void add_steps(struct recorder *recorder, uint64_t first, uint64_t last)
{
    for (uint64_t step = first; step <= last; step++) {
        struct train_point point = point_of(step);
        add(recorder, &point, 0.5 * (double)step);
    }
}

static struct job_view job_of(struct store *store, const char *id)
{
    struct error error;
    struct job_view job;
    assert_ok(jobs_get(store, id, 0, &job, &error));
    struct job_view numbers = job; /* nothing else is looked at */
    job_view_release(&job);
    return numbers;
}

/* A job whose first run showed steps 1 to 3 and was then cut off; it is queued again. */
static void cut_off_job(struct fixture *fixture, char id[ID_TEXT])
{
    struct error error;
    struct jobs_recover recovery = {0};
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_steps(recorder, 1, 3);
    poll_at(recorder, 1);
    poll_at(recorder, 2);
    recorder_free(recorder); /* waits for the change */
    reopen(fixture);
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    assert_int_equal(recovery.requeued, 1);
}

static void check_rows(struct store *store, const char *id, size_t count)
{
    struct error error;
    struct metric_list rows;
    assert_ok(metrics_list(store, id, -1, &rows, &error));
    assert_int_equal(rows.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows.rows[i].point.step, i + 1);
        assert_true(i == 0 || rows.rows[i].seconds >= rows.rows[i - 1].seconds);
    }
    metric_list_release(&rows);
}

static void a_job_that_starts_again_shows_nothing_twice(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    cut_off_job(fixture, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    for (uint64_t step = 1; step <= 5; step++) {
        struct train_point point = point_of(step);
        add(recorder, &point, 0.01 * (double)step); /* a faster machine: its clock goes on behind the old one */
    }
    assert_ok(end_as(recorder, TRIGGER_REQUEUE, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 5);
}

static void a_row_that_comes_out_otherwise_is_a_replay_mismatch(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    cut_off_job(fixture, id);
    static const size_t members[] = {offsetof(struct train_point, epoch),
#define PLACE(NAME, name, place) offsetof(struct train_point, place),
                                     TRAIN_POINT_VALUES(PLACE)
#undef PLACE
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct recorder *recorder = open_recorder(fixture->store, id);
        struct train_point first = point_of(1), second = point_of(2);
        double *value = (double *)(void *)((char *)&second + members[i]);
        *value = isnan(*value) ? 0.5 : nextafter(*value, 1e9); /* a value where there was none, or its last bit */
        add(recorder, &first, 0.5);
        assert_status(STATUS_REPLAY_MISMATCH, recorder_add(recorder, &second, 1, &error));
        assert_non_null(strstr(error.message, "step 2"));
        recorder_free(recorder);
    }
    struct recorder *recorder = open_recorder(fixture->store, id);
    struct train_point skipped = point_of(1);
    skipped.step = 2;
    assert_status(STATUS_REPLAY_MISMATCH, recorder_add(recorder, &skipped, 1, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 3);
}

static void the_first_change_of_a_job_that_soon_ends_waits_for_its_end(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    recorder_expect_end(recorder);
    poll_at(recorder, 10);
    add_steps(recorder, 1, 2);
    poll_at(recorder, 10.019); /* too soon */
    assert_int_equal(job_of(fixture->store, id).version, 1);
    poll_at(recorder, 10.021); /* it has not, after all */
    recorder_free(recorder);
    assert_int_equal(job_of(fixture->store, id).version, 2);
    check_rows(fixture->store, id, 2);
}

static void the_first_change_comes_soon_the_next_ones_in_groups(void **state)
{
    struct fixture *fixture = *state;
    struct job_progress progress = no_progress();
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    recorder_set_threads(recorder, 3);
    progress.step = 2;
    recorder_set_progress(recorder, &progress);
    poll_at(recorder, 10);
    add_steps(recorder, 1, 2);
    poll_at(recorder, 10.001); /* too soon */
    assert_int_equal(job_of(fixture->store, id).version, 1);
    poll_at(recorder, 10.003);
    add_steps(recorder, 3, 6);
    poll_at(recorder, 10.1); /* all of these wait for the next change */
    add_steps(recorder, 7, 9);
    recorder_free(recorder);
    struct job_view job = job_of(fixture->store, id);
    assert_int_equal(job.version, 2);
    assert_int_equal(job.status, JOB_RUNNING);
    assert_int_equal(job.threads, 3);
    assert_int_equal(job.progress.step, 2);
    check_rows(fixture->store, id, 2);
}

static void more_rows_than_there_is_place_for_lose_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_steps(recorder, 1, 5000);
    assert_ok(end_as(recorder, TRIGGER_REQUEUE, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 5000);
}

static void a_long_first_step_is_announced(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    recorder_start(recorder);
    recorder_free(recorder);
    assert_int_equal(job_of(fixture->store, id).status, JOB_RUNNING);
}

static void rows_outlast_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    disk_is_full(4096);
    poll_at(recorder, 1);
    uint64_t step = 1;
    enum status status;
    for (;; step++) { /* until there is no place left */
        struct train_point point = point_of(step);
        error = (struct error){0};
        status = recorder_add(recorder, &point, 0.5 * (double)step, &error);
        if (status != STATUS_OK) {
            break;
        }
        poll_at(recorder, (double)step);
        assert_in_range(step, 1, 10000);
    }
    assert_int_equal(status, STATUS_INSUFFICIENT_STORAGE);
    assert_status(STATUS_INSUFFICIENT_STORAGE, end_as(recorder, TRIGGER_PAUSED, &error));
    assert_int_equal(job_of(fixture->store, id).status, JOB_QUEUED);
    disk_has_room();
    poll_at(recorder, 1e6);
    add_steps(recorder, step, step + 2000);
    assert_ok(end_as(recorder, TRIGGER_PAUSED, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, step + 2000);
    assert_int_equal(job_of(fixture->store, id).status, JOB_PAUSED);
}

static void the_last_change_can_be_made_again_after_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    const enum job_trigger ends[] = {TRIGGER_PAUSED, TRIGGER_SUCCEED, TRIGGER_REQUEUE, TRIGGER_FAIL};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct error error;
        char id[ID_TEXT];
        add_job(fixture->store, "", "{}", 0, id);
        struct recorder *recorder = open_recorder(fixture->store, id);
        add_steps(recorder, 1, 7); /* nothing was stored yet, not even that it runs */
        disk_is_full(4096);
        for (int tries = 0; tries < 3; tries++) {
            assert_status(STATUS_INSUFFICIENT_STORAGE, end_as(recorder, ends[i], &error));
        }
        disk_has_room();
        assert_ok(end_as(recorder, ends[i], &error));
        recorder_free(recorder);
        check_rows(fixture->store, id, 7);
        assert_int_equal(job_of(fixture->store, id).status, job_trigger_target(ends[i]));
    }
}

static void the_clock_of_a_job_is_that_of_all_its_runs(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    cut_off_job(fixture, id); /* rows at 0.5, 1 and 1.5 s */
    struct recorder *recorder = open_recorder(fixture->store, id);
    struct train_point points[] = {point_of(1), point_of(2), point_of(3)};
    assert_close(recorder_clock(recorder, 0), 0, 0, 1e-12);
    assert_close(recorder_clock(recorder, 100), 0, 0, 1e-12); /* a slower run does not get past what is stored */
    add(recorder, &points[0], 100);
    assert_close(recorder_clock(recorder, 100), 0.5, 0, 1e-12);
    assert_close(recorder_clock(recorder, 150), 0.5, 0, 1e-12);
    add(recorder, &points[1], 100.25); /* a faster one is there before its time */
    assert_close(recorder_clock(recorder, 100.25), 1, 0, 1e-12);
    add(recorder, &points[2], 101);
    assert_close(recorder_clock(recorder, 101), 1.5, 0, 1e-12);
    assert_close(recorder_clock(recorder, 104), 4.5, 0, 1e-12);
    recorder_free(recorder);
}

static void a_job_cannot_succeed_before_it_repeated_what_was_shown(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    cut_off_job(fixture, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_steps(recorder, 1, 2);
    assert_status(STATUS_REPLAY_MISMATCH, end_as(recorder, TRIGGER_SUCCEED, &error));
    assert_ok(end_as(recorder, TRIGGER_REQUEUE, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 3);
}

static void a_job_that_was_cancelled_before_is_not_ours(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    set_status(fixture->store, id, JOB_CANCELLED);
    recorder_start(recorder);
    enum status status = STATUS_OK;
    while (status == STATUS_OK) { /* it comes out when the store has had its say */
        error = (struct error){0};
        status = recorder_poll(recorder, 1, 0, &error);
    }
    assert_int_equal(status, STATUS_STATE_CONFLICT);
    assert_status(STATUS_STATE_CONFLICT, end_as(recorder, TRIGGER_SUCCEED, &error));
    recorder_free(recorder);
    assert_int_equal(job_of(fixture->store, id).status, JOB_CANCELLED);
}

static void rows_on_the_way_to_a_cancellation_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    recorder_start(recorder);
    while (job_of(fixture->store, id).status != JOB_RUNNING) {
        poll_at(recorder, 0);
    }
    set_status(fixture->store, id, JOB_CANCELLING);
    add_steps(recorder, 1, 2);
    poll_at(recorder, 1);
    poll_at(recorder, 2);
    add_steps(recorder, 3, 4);
    assert_ok(end_as(recorder, TRIGGER_CANCELLED, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 4);
}

/* Gives the recorder a checkpoint of `size` bytes; what it is called. */
static void add_state(struct fixture *fixture, struct recorder *recorder, uint64_t step, char sha256[SHA256_TEXT])
{
    struct object object;
    char data[40];
    make_object(fixture->store, &object, 100000, (unsigned)step);
    memcpy(sha256, object.sha256, SHA256_TEXT);
    snprintf(data, sizeof data, "{\"step\":%u}", (unsigned)step);
    recorder_add_checkpoint(recorder, &object, step, 2, copy_text(data));
    assert_int_equal(object.size, 0); /* taken over */
}

static void assert_checkpoints(struct store *store, const char *id, size_t count, uint64_t newest)
{
    struct error error;
    struct checkpoint_list list;
    assert_ok(checkpoints_list(store, id, &list, &error));
    assert_int_equal(list.count, count);
    assert_true(count == 0 || list.items[0].step == newest);
    checkpoint_list_release(&list);
}

static void a_checkpoint_comes_with_the_rows_before_it(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], replaced[SHA256_TEXT], kept[SHA256_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_steps(recorder, 1, 3);
    add_state(fixture, recorder, 3, replaced);
    add_steps(recorder, 4, 6);
    add_state(fixture, recorder, 6, kept); /* before the one that waited was handed over */
    assert_int_equal(recorder_checkpoints_stored(recorder), 0);
    poll_at(recorder, 1);
    poll_at(recorder, 2);
    while (recorder_checkpoints_stored(recorder) == 0) {
    }
    assert_int_equal(job_of(fixture->store, id).version, 2); /* one change */
    check_rows(fixture->store, id, 6);
    assert_checkpoints(fixture->store, id, 1, 6);
    assert_true(file_exists(fixture, "objects", kept));
    assert_false(file_exists(fixture, "objects", replaced));
    recorder_free(recorder);
    assert_int_equal(count_files(fixture, "tmp"), 0);
}

static void a_checkpoint_outlasts_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], sha256[3][SHA256_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_steps(recorder, 1, 2);
    add_state(fixture, recorder, 2, sha256[0]);
    recorder_add_remark(recorder, copy_text("{\"code\":\"a\"}"));
    disk_is_full(4096);
    poll_at(recorder, 1);
    poll_at(recorder, 2); /* the first one is on its way, and fails again and again */
    disk_has_room();
    add_steps(recorder, 3, 4);
    add_state(fixture, recorder, 4, sha256[1]);
    recorder_add_remark(recorder, copy_text("{\"code\":\"b\"}"));
    disk_is_full(4096);
    for (int i = 0; i < 50; i++) {
        poll_at(recorder, 3 + i);
    }
    assert_status(STATUS_INSUFFICIENT_STORAGE, end_as(recorder, TRIGGER_PAUSED, &error));
    disk_has_room();
    assert_ok(end_as(recorder, TRIGGER_PAUSED, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 4);
    assert_checkpoints(fixture->store, id, 2, 4);
    assert_true(file_exists(fixture, "objects", sha256[0]));
    assert_true(file_exists(fixture, "objects", sha256[1]));
    assert_int_equal(count_files(fixture, "tmp"), 0);
}

static void what_was_never_stored_is_released(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], sha256[SHA256_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_state(fixture, recorder, 1, sha256);
    recorder_add_remark(recorder, copy_text("{}"));
    recorder_add_remark(recorder, NULL); /* there was no memory for it */
    for (int i = 0; i < 20; i++) {
        recorder_add_remark(recorder, copy_text("{}")); /* more than there is place for */
    }
    recorder_free(recorder);
    recorder_free(NULL);
    assert_int_equal(count_files(fixture, "tmp"), 0);
}

static void a_run_compares_only_what_is_behind_its_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    cut_off_job(fixture, id); /* rows of 1 to 3 */
    struct recorder *recorder = open_recorder(fixture->store, id);
    recorder_resume(recorder, 2);
    assert_true(recorder_is_replaying(recorder));
    assert_close(recorder_clock(recorder, 0), 1, 0, 1e-12);
    struct train_point third = point_of(3);
    third.batch_loss += 1;
    assert_status(STATUS_REPLAY_MISMATCH, recorder_add(recorder, &third, 1, &error));
    recorder_free(recorder);
    recorder = open_recorder(fixture->store, id);
    recorder_resume(recorder, 2);
    add_steps(recorder, 3, 5);
    assert_false(recorder_is_replaying(recorder));
    assert_ok(end_as(recorder, TRIGGER_SUCCEED, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 5);
}

static void rows_of_another_kernel_tier_are_not_compared_in_any_later_run(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], sha256[SHA256_TEXT];
    cut_off_job(fixture, id);
    for (int run = 0; run < 2; run++) {
        struct recorder *recorder = open_recorder(fixture->store, id);
        if (run == 0) {
            recorder_change_tier(recorder, "other/n1");
        }
        for (uint64_t step = 1; step <= 2; step++) {
            struct train_point point = point_of(step);
            point.batch_loss += 1;
            add(recorder, &point, (double)step);
        }
        add_state(fixture, recorder, 2, sha256);
        assert_ok(end_as(recorder, run == 0 ? TRIGGER_REQUEUE : TRIGGER_SUCCEED, &error)); /* nor must they be reached */
        recorder_free(recorder);
    }
    check_rows(fixture->store, id, 3); /* as they were shown */
}

static void a_new_tier_drops_the_checkpoints_of_the_old_one_and_no_others(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], old[SHA256_TEXT], new[2][SHA256_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_state(fixture, recorder, 9, old);
    assert_ok(end_as(recorder, TRIGGER_REQUEUE, &error));
    recorder_free(recorder);
    assert_checkpoints(fixture->store, id, 1, 9);
    recorder = open_recorder(fixture->store, id);
    recorder_change_tier(recorder, "other/n1");
    add_state(fixture, recorder, 1, new[0]);
    poll_at(recorder, 1);
    poll_at(recorder, 2);
    while (recorder_checkpoints_stored(recorder) == 0) {
    }
    add_state(fixture, recorder, 2, new[1]);
    assert_ok(end_as(recorder, TRIGGER_REQUEUE, &error));
    recorder_free(recorder);
    assert_checkpoints(fixture->store, id, 2, 2);
    assert_false(file_exists(fixture, "objects", old));
    assert_string_equal(job_of(fixture->store, id).kernel_tier, "other/n1");
}

static void progress_stands_still_until_it_is_past_what_was_shown(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct job_progress progress = no_progress();
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    for (int run = 0; run < 2; run++) {
        struct recorder *recorder = open_recorder(fixture->store, id);
        progress.step = run == 0 ? 10 : 9;
        recorder_set_progress(recorder, &progress);
        assert_ok(end_as(recorder, TRIGGER_REQUEUE, &error));
        recorder_free(recorder);
        assert_int_equal(job_of(fixture->store, id).progress.step, 10);
    }
}

static void an_end_can_be_for_some_statuses_only(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    const struct recorder_end end = {
        .trigger = TRIGGER_PAUSED, .from = JOB_SET(JOB_PAUSING), .pause_reason = "user", .reason = "user"};
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    add_steps(recorder, 1, 2);
    assert_status(STATUS_STATE_CONFLICT, recorder_end(recorder, &end, &error)); /* it is running */
    assert_int_equal(job_of(fixture->store, id).status, JOB_RUNNING);
    add_steps(recorder, 3, 4);
    set_status(fixture->store, id, JOB_PAUSING);
    assert_ok(recorder_end(recorder, &end, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 4); /* nothing was lost to the first try */
    assert_string_equal(job_of(fixture->store, id).pause_reason, "user");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_job_that_starts_again_shows_nothing_twice),
        TEST(a_row_that_comes_out_otherwise_is_a_replay_mismatch),
        TEST(the_first_change_comes_soon_the_next_ones_in_groups),
        TEST(the_first_change_of_a_job_that_soon_ends_waits_for_its_end),
        TEST(more_rows_than_there_is_place_for_lose_nothing),
        TEST(a_long_first_step_is_announced),
        TEST(rows_outlast_a_full_disk),
        TEST(the_last_change_can_be_made_again_after_a_full_disk),
        TEST(the_clock_of_a_job_is_that_of_all_its_runs),
        TEST(a_job_cannot_succeed_before_it_repeated_what_was_shown),
        TEST(a_job_that_was_cancelled_before_is_not_ours),
        TEST(a_checkpoint_comes_with_the_rows_before_it),
        TEST(a_checkpoint_outlasts_a_full_disk),
        TEST(what_was_never_stored_is_released),
        TEST(a_run_compares_only_what_is_behind_its_checkpoint),
        TEST(rows_of_another_kernel_tier_are_not_compared_in_any_later_run),
        TEST(a_new_tier_drops_the_checkpoints_of_the_old_one_and_no_others),
        TEST(progress_stands_still_until_it_is_past_what_was_shown),
        TEST(an_end_can_be_for_some_statuses_only),
        TEST(rows_on_the_way_to_a_cancellation_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
