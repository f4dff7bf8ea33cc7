/* What goes when it is old, or too much; and what never goes. */
#include "tests/server/store/stored_job.h"

#include "server/store/retention.h"
#include "tests/server/store/run_sql.h"

#define LARGE 200000
#define DAY   86400000LL

/* Jobs that ended so many days ago, each with a checkpoint of LARGE bytes. */
static void add_ended(struct fixture *fixture, char (*ids)[ID_TEXT], int count, const int *days_ago)
{
    struct error error;
    char object[SHA256_TEXT];
    for (int i = 0; i < count; i++) {
        add_job(fixture->store, "", "{}", 0, ids[i]);
        set_status(fixture->store, ids[i], JOB_RUNNING);
        add_checkpoint(fixture->store, ids[i], 1, 2, LARGE, (unsigned)i + 1, object);
        set_status(fixture->store, ids[i], JOB_SUCCEEDED);
    }
    store_close(fixture->store);
    for (int i = 0; i < count; i++) {
        char sql[256];
        snprintf(sql, sizeof(sql), "UPDATE jobs SET finished_at = finished_at - %lld WHERE id = '%s'", days_ago[i] * DAY,
                 ids[i]);
        run_sql(fixture, sql);
    }
    assert_ok(store_open(&fixture->store, fixture->data, &error));
}

static struct retention_summary run(struct store *store, uint64_t days, uint64_t bytes)
{
    struct error error;
    struct retention_summary dropped;
    const struct retention limits = {.keep_days = days, .keep_bytes = bytes};
    assert_ok(retention_run(store, &limits, &dropped, &error));
    return dropped;
}

static int is_there(struct store *store, const char *id)
{
    struct error error = {.status = STATUS_OK};
    struct job_view job;
    enum status status = jobs_get(store, id, 0, &job, &error);
    assert_true(status == STATUS_OK || status == STATUS_DELETED);
    job_view_release(&job);
    return status == STATUS_OK;
}

static size_t checkpoints_of(struct store *store, const char *id)
{
    struct error error;
    struct checkpoint_list list;
    assert_ok(checkpoints_list(store, id, &list, &error));
    size_t count = list.count;
    checkpoint_list_release(&list);
    return count;
}

static void without_limits_nothing_goes(void **state)
{
    struct fixture *fixture = *state;
    const int days[] = {1000, 0};
    char ids[2][ID_TEXT];
    add_ended(fixture, ids, 2, days);
    struct retention_summary dropped = run(fixture->store, 0, 0);
    assert_int_equal(dropped.jobs + dropped.checkpoints, 0);
    assert_true(is_there(fixture->store, ids[0]));
    assert_int_equal(checkpoints_of(fixture->store, ids[0]), 1);
}

static void jobs_that_ended_too_long_ago_are_deleted(void **state)
{
    struct fixture *fixture = *state;
    const int days[] = {8, 6, 30, 0};
    char ids[4][ID_TEXT], waiting[ID_TEXT];
    add_ended(fixture, ids, 4, days);
    add_job(fixture->store, "", "{}", 0, waiting);
    struct retention_summary dropped = run(fixture->store, 7, 0);
    assert_int_equal(dropped.jobs, 2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(is_there(fixture->store, ids[i]), days[i] < 7);
    }
    assert_true(is_there(fixture->store, waiting));
    assert_int_equal(count_files(fixture, "objects"), 2);
    assert_int_equal(run(fixture->store, 7, 0).jobs, 0);
}

static void of_too_much_the_oldest_checkpoints_go_first_and_then_the_oldest_jobs(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const int days[] = {1, 3, 2};
    char ids[3][ID_TEXT], running[ID_TEXT], dataset[ID_TEXT], object[SHA256_TEXT];
    add_ended(fixture, ids, 3, days);
    add_dataset(fixture->store, LARGE, 50, dataset);
    add_job(fixture->store, dataset, "{}", 0, running);
    set_status(fixture->store, running, JOB_RUNNING);
    add_checkpoint(fixture->store, running, 1, 2, LARGE, 60, object);
    assert_int_equal(run(fixture->store, 0, 2000000).checkpoints, 0);
    struct retention_summary dropped = run(fixture->store, 0, 4 * LARGE + LARGE * 9 / 10); /* four files and the database */
    assert_int_equal(dropped.checkpoints, 1);
    assert_int_equal(dropped.jobs, 0);
    assert_int_equal(checkpoints_of(fixture->store, ids[1]), 0); /* of the one that ended first */
    assert_int_equal(checkpoints_of(fixture->store, ids[2]), 1);
    dropped = run(fixture->store, 0, 1); /* can never be met: all goes that may */
    assert_int_equal(dropped.checkpoints, 2);
    assert_int_equal(dropped.jobs, 3);
    for (int i = 0; i < 3; i++) {
        assert_false(is_there(fixture->store, ids[i]));
    }
    assert_int_equal(checkpoints_of(fixture->store, running), 1);
    struct dataset_view view;
    assert_ok(datasets_get(fixture->store, dataset, &view, &error));
    dataset_view_release(&view);
    assert_int_equal(count_files(fixture, "objects"), 2);
}

static void one_turn_does_only_so_much(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    for (int i = 0; i < RETENTION_STEPS_MAX + 10; i++) {
        add_job(fixture->store, "", "{}", 0, id);
        set_status(fixture->store, id, JOB_CANCELLED);
    }
    assert_int_equal(run(fixture->store, 0, 1).jobs, RETENTION_STEPS_MAX);
    assert_int_equal(run(fixture->store, 0, 1).jobs, 10);
    assert_int_equal(run(fixture->store, 0, 1).jobs, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(without_limits_nothing_goes),
        TEST(jobs_that_ended_too_long_ago_are_deleted),
        TEST(of_too_much_the_oldest_checkpoints_go_first_and_then_the_oldest_jobs),
        TEST(one_turn_does_only_so_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
