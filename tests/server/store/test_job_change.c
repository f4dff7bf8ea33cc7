/* Changes of a job: the ways between states, the order of what a change tells, reasons, what it leaves alone. */
#include "tests/server/store/stored_job.h"

static enum status try_change(struct store *store, const char *id, enum job_status to)
{
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = to};
    return store_wait(store, jobs_change(&change), NULL);
}

/* Leads a new job to the status by the shortest way. */
static void lead(struct store *store, enum job_status to, char id[ID_TEXT])
{
    add_job(store, "", "{}", 0, id);
    if (to == JOB_QUEUED) {
        return;
    }
    set_status(store, id, JOB_RUNNING);
    if (to == JOB_CANCELLED) {
        set_status(store, id, JOB_CANCELLING);
    }
    if (to != JOB_RUNNING) {
        set_status(store, id, to);
    }
}

static void a_job_goes_only_where_the_table_leads(void **state)
{
    struct fixture *fixture = *state;
    for (int from = 0; from < JOB_STATUS_COUNT; from++) {
        for (int to = 0; to < JOB_STATUS_COUNT; to++) {
            struct job_transition row;
            int allowed = from == to;
            for (size_t i = 0; job_transition_row(i, &row); i++) {
                allowed |= (int)row.from == from && (int)row.to == to;
            }
            char id[ID_TEXT];
            lead(fixture->store, (enum job_status)from, id);
            enum status wanted = job_status_is_terminal((enum job_status)from) ? STATUS_STATE_CONFLICT
                                 : allowed                                     ? STATUS_OK
                                                                               : STATUS_INTERNAL;
            enum status got = try_change(fixture->store, id, (enum job_status)to);
            if (got != wanted) {
                fail_msg("%s to %s: %s", job_status_name((enum job_status)from), job_status_name((enum job_status)to),
                         status_code(got));
            }
            struct job_view job;
            get_job(fixture->store, id, 0, &job);
            assert_int_equal(job.status, got == STATUS_OK ? to : from);
            job_view_release(&job);
        }
    }
}

static void a_pause_has_a_reason_that_ends_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    struct jobs_change pause = {
        .id = id, .from = JOB_SET(JOB_RUNNING), .to = JOB_PAUSED, .pause_reason = "storage_full", .kernel_tier = "avx2"};
    assert_ok(store_wait(fixture->store, jobs_change(&pause), &error));
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_string_equal(job.pause_reason, "storage_full");
    assert_string_equal(job.kernel_tier, "avx2");
    job_view_release(&job);
    struct jobs_change why = {.id = id, .from = JOB_SET(JOB_PAUSED), .to = JOB_STATUS_KEEP, .pause_reason = "user"};
    assert_ok(store_wait(fixture->store, jobs_change(&why), &error));
    get_job(fixture->store, id, 0, &job);
    assert_string_equal(job.pause_reason, "user");
    struct jobs_change late = {.id = id, .from = JOB_SET(JOB_PAUSED), .if_version = job.version - 1, .to = JOB_QUEUED};
    assert_status(STATUS_STATE_CONFLICT, store_wait(fixture->store, jobs_change(&late), &error));
    assert_int_equal(late.current, JOB_PAUSED);
    job_view_release(&job);
    set_status(fixture->store, id, JOB_QUEUED);
    get_job(fixture->store, id, 0, &job);
    assert_string_equal(job.pause_reason, "");
    assert_string_equal(job.kernel_tier, "avx2");
    job_view_release(&job);
    char *events = all_events(fixture->store, id);
    assert_string_equal(events, "state {\"status\":\"queued\"}\n"
                                "state {\"status\":\"running\"}\n"
                                "state {\"status\":\"paused\",\"reason\":\"storage_full\"}\n"
                                "state {\"status\":\"queued\"}\n");
    free(events);
}

static void a_client_takes_over_the_pause_of_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    struct jobs_change pause = {.id = id, .from = JOB_SET(JOB_RUNNING), .to = JOB_PAUSED, .pause_reason = "storage_full"};
    assert_ok(store_wait(fixture->store, jobs_change(&pause), &error));
    struct jobs_act act = {.id = id, .trigger = TRIGGER_PAUSE};
    assert_ok(store_wait(fixture->store, jobs_act(&act), &error));
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_int_equal(job.status, JOB_PAUSED);
    assert_string_equal(job.pause_reason, "user");
    job_view_release(&job);
    assert_int_equal(store_wait(fixture->store, jobs_act(&act), &error), STATUS_STATE_CONFLICT); /* it is its own now */
}

static void a_change_tells_what_it_did_in_the_order_of_training(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct metric_row row = {.point = train_point_at(7)};
    row.point.epoch = 1;
    struct object object;
    make_object(fixture->store, &object, 100, 1);
    struct checkpoint_new checkpoint = {.step = 7, .object = &object, .data = "{\"step\":7}", .keep = 2};
    const struct event_new log = {EVENT_LOG, "{\"message\":\"done with it\"}"};
    struct jobs_change start = {
        .id = id, .from = JOB_SET(JOB_QUEUED), .to = JOB_RUNNING, .rows = &row, .row_count = 1, .checkpoint = &checkpoint};
    assert_ok(store_wait(fixture->store, jobs_change(&start), &error));
    row.point.step = checkpoint.step = 8;
    checkpoint.data = "{\"step\":8}";
    struct jobs_change end = start;
    end.from = JOB_SET(JOB_RUNNING);
    end.to = JOB_SUCCEEDED;
    end.events = &log;
    end.event_count = 1;
    assert_ok(store_wait(fixture->store, jobs_change(&end), &error));
    char *events = all_events(fixture->store, id);
    assert_string_equal(events, "state {\"status\":\"queued\"}\n"
                                "state {\"status\":\"running\"}\n"
                                "metric {\"step\":7,\"epoch\":1,\"seconds\":0}\n"
                                "checkpoint {\"step\":7}\n"
                                "metric {\"step\":8,\"epoch\":1,\"seconds\":0}\n"
                                "checkpoint {\"step\":8}\n"
                                "state {\"status\":\"succeeded\"}\n"
                                "log {\"message\":\"done with it\"}\n"
                                "done {\"status\":\"succeeded\"}\n");
    free(events);
    object_release(&object);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_job_goes_only_where_the_table_leads),
        TEST(a_pause_has_a_reason_that_ends_with_it),
        TEST(a_client_takes_over_the_pause_of_a_full_disk),
        TEST(a_change_tells_what_it_did_in_the_order_of_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
