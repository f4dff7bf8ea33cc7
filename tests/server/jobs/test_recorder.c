/* What a job shows: rows go to the store, and a job that starts again is compared with what it showed before. */
#include "server/jobs/recorder.h"

#include "tests/server/store/temporary_store.h"

static struct train_point point_of(uint64_t step)
{
    return (struct train_point){.step = step,
                                .epoch = (double)step / 10,
                                .batch_loss = 1 / (double)(step + 2),
                                .train_loss = (double)NAN,
                                .train_accuracy = (double)NAN,
                                .validation_loss = (double)NAN,
                                .validation_accuracy = (double)NAN,
                                .learning_rate = 0.05,
                                .gradient_norm = 0.1 * (double)step,
                                .step_size = 0.005 * (double)step};
}

static struct recorder *open_recorder(struct store *store, const char *id)
{
    struct error error;
    struct recorder *recorder;
    assert_ok(recorder_new(&recorder, store, id, &error));
    return recorder;
}

static void add(struct recorder *recorder, const struct train_point *point, double seconds)
{
    struct error error;
    assert_ok(recorder_add(recorder, point, seconds, &error));
}

/* A job whose first run showed steps 1 to 3 and was then cut off; it is queued again. */
static void cut_off_job(struct fixture *fixture, char id[ID_TEXT])
{
    struct error error;
    struct jobs_recover recovery = {0};
    add_job(fixture->store, "", "{}", 0, id);
    struct recorder *recorder = open_recorder(fixture->store, id);
    for (uint64_t step = 1; step <= 3; step++) {
        struct train_point point = point_of(step);
        add(recorder, &point, 0.5 * (double)step);
    }
    recorder_poll(recorder, 1);
    recorder_poll(recorder, 2);
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
    assert_true(recorder_stored_seconds(recorder) == 1.5);
    for (uint64_t step = 1; step <= 5; step++) {
        struct train_point point = point_of(step);
        add(recorder, &point, 0.01 * (double)step); /* a faster machine: its clock goes on behind the old one */
    }
    assert_ok(recorder_end(recorder, JOB_SET(JOB_RUNNING), JOB_CANCELLED, NULL, NULL, &error));
    recorder_free(recorder);
    check_rows(fixture->store, id, 5);
}

static void a_row_that_comes_out_otherwise_is_a_replay_mismatch(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    cut_off_job(fixture, id);
    static const size_t members[] = {
        offsetof(struct train_point, epoch),           offsetof(struct train_point, batch_loss),
        offsetof(struct train_point, train_loss),      offsetof(struct train_point, train_accuracy),
        offsetof(struct train_point, validation_loss), offsetof(struct train_point, validation_accuracy),
        offsetof(struct train_point, learning_rate),   offsetof(struct train_point, gradient_norm),
        offsetof(struct train_point, step_size),
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_that_starts_again_shows_nothing_twice, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_row_that_comes_out_otherwise_is_a_replay_mismatch, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
