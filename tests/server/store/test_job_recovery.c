/* What a start makes of the jobs of a dead process, and of what is known of its death. */
#include "tests/server/store/stored_job.h"

static void recover(struct store *store, char (*accused)[ID_TEXT], size_t count, int oom_kill, struct jobs_recover *recovery)
{
    struct error error;
    *recovery = (struct jobs_recover){.accused = accused, .accused_count = count, .oom_kill = oom_kill};
    assert_ok(store_wait(store, jobs_recover(recovery), &error));
}

static void check(struct store *store, const char *id, enum job_status status, uint32_t crashes, int suspect)
{
    struct job_view job;
    get_job(store, id, 0, &job);
    assert_string_equal(job_status_name(job.status), job_status_name(status));
    assert_int_equal(job.crashes, crashes);
    assert_int_equal(job.suspect, suspect);
    job_view_release(&job);
}

static void start_jobs(struct store *store, char (*ids)[ID_TEXT], int count)
{
    for (int i = 0; i < count; i++) {
        add_job(store, "", "{}", 0, ids[i]);
        set_status(store, ids[i], JOB_RUNNING);
    }
}

static void every_job_that_was_under_way_gets_to_a_state_to_begin_from(void **state)
{
    struct fixture *fixture = *state;
    const enum job_status left[] = {JOB_RUNNING, JOB_PAUSING, JOB_STOPPING, JOB_CANCELLING, JOB_PAUSED, JOB_SUCCEEDED};
    const enum job_status then[] = {JOB_QUEUED, JOB_PAUSED, JOB_STOPPING, JOB_CANCELLED, JOB_PAUSED, JOB_SUCCEEDED};
    char ids[6][ID_TEXT];
    uint64_t versions[6];
    start_jobs(fixture->store, ids, 6);
    for (int i = 1; i < 6; i++) {
        set_status(fixture->store, ids[i], left[i]);
    }
    for (int round = 0; round < 2; round++) { /* a start that was killed after it: the next finds nothing more to do */
        struct jobs_recover recovery;
        recover(fixture->store, NULL, 0, 0, &recovery);
        assert_int_equal(recovery.requeued, round == 0);
        assert_int_equal(recovery.paused, round == 0);
        assert_int_equal(recovery.cancelled, round == 0);
        assert_int_equal(recovery.failed, 0);
        for (int i = 0; i < 6; i++) {
            struct job_view job;
            check(fixture->store, ids[i], then[i], 0, 0);
            get_job(fixture->store, ids[i], 0, &job);
            assert_int_equal(job.restarts, i == 0);
            assert_string_equal(job.pause_reason, left[i] == JOB_PAUSING ? "user" : "");
            assert_true(round == 0 || job.version == versions[i]);
            versions[i] = job.version;
            job_view_release(&job);
        }
    }
    char *events = all_events(fixture->store, ids[1]);
    assert_non_null(strstr(events, "state {\"status\":\"paused\",\"reason\":\"restart\"}\n"));
    free(events);
}

static void jobs_that_waited_for_room_try_again(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    const char *const reasons[] = {"storage_full", "user"};
    char ids[2][ID_TEXT];
    start_jobs(fixture->store, ids, 2);
    for (int i = 0; i < 2; i++) {
        struct jobs_change pause = {
            .id = ids[i], .from = JOB_SET(JOB_RUNNING), .to = JOB_PAUSED, .pause_reason = reasons[i]};
        assert_ok(store_wait(fixture->store, jobs_change(&pause), &error));
    }
    struct jobs_recover recovery;
    recover(fixture->store, NULL, 0, 0, &recovery);
    assert_int_equal(recovery.requeued, 1);
    check(fixture->store, ids[0], JOB_QUEUED, 0, 0);
    check(fixture->store, ids[1], JOB_PAUSED, 0, 0);
}

static void a_death_without_evidence_is_held_against_nobody(void **state)
{
    struct fixture *fixture = *state;
    char id[1][ID_TEXT];
    start_jobs(fixture->store, id, 1);
    for (int death = 0; death < CRASHES_MAX + 2; death++) {
        struct jobs_recover recovery;
        recover(fixture->store, NULL, 0, 0, &recovery);
        check(fixture->store, id[0], JOB_QUEUED, 0, 0);
        set_status(fixture->store, id[0], JOB_RUNNING);
    }
}

static void a_job_that_kills_the_server_alone_again_and_again_fails(void **state)
{
    struct fixture *fixture = *state;
    char ids[2][ID_TEXT];
    start_jobs(fixture->store, ids, 1);
    add_job(fixture->store, "", "{}", 0, ids[1]); /* waits behind it */
    struct jobs_recover recovery;
    for (uint32_t death = 1; death < CRASHES_MAX; death++) {
        recover(fixture->store, ids, 1, 0, &recovery);
        check(fixture->store, ids[0], JOB_QUEUED, death, 1);
        set_status(fixture->store, ids[0], JOB_RUNNING);
    }
    recover(fixture->store, ids, 1, 0, &recovery);
    assert_int_equal(recovery.failed, 1);
    assert_int_equal(recovery.requeued, 0);
    check(fixture->store, ids[0], JOB_FAILED, CRASHES_MAX, 1);
    check(fixture->store, ids[1], JOB_QUEUED, 0, 0);
    struct job_view job;
    get_job(fixture->store, ids[0], 0, &job);
    assert_non_null(strstr(job.error, "{\"code\":\"crash_loop\",\"message\":\"")); /* STATUS_CRASH_LOOP */
    assert_true(job.finished_at > 0);
    job_view_release(&job);
    char *events = all_events(fixture->store, ids[0]);
    assert_non_null(
        strstr(events, "state {\"status\":\"failed\"}\ndone {\"status\":\"failed\",\"error\":{\"code\":\"crash_loop\""));
    free(events);
    recover(fixture->store, ids, 1, 0, &recovery); /* an accused job that has ended is passed over */
    assert_int_equal(recovery.failed, 0);
}

static void a_job_that_dies_before_it_runs_in_the_store_is_found_too(void **state)
{
    struct fixture *fixture = *state;
    char ids[2][ID_TEXT];
    add_job(fixture->store, "", "{}", 0, ids[0]);
    snprintf(ids[1], sizeof(ids[1]), "job_00000000000000000000"); /* not there at all */
    struct jobs_recover recovery;
    for (uint32_t death = 1; death < CRASHES_MAX; death++) {
        recover(fixture->store, ids, 2, 0, &recovery);
        check(fixture->store, ids[0], JOB_QUEUED, death, 1);
    }
    recover(fixture->store, ids, 2, 0, &recovery);
    check(fixture->store, ids[0], JOB_FAILED, CRASHES_MAX, 1);
}

static void of_several_jobs_those_with_evidence_become_suspects_only(void **state)
{
    struct fixture *fixture = *state;
    char ids[3][ID_TEXT];
    start_jobs(fixture->store, ids, 3);
    struct jobs_recover recovery;
    recover(fixture->store, ids, 1, 0, &recovery);
    check(fixture->store, ids[0], JOB_QUEUED, 0, 1);
    check(fixture->store, ids[1], JOB_QUEUED, 0, 0);
    for (int i = 0; i < 3; i++) {
        set_status(fixture->store, ids[i], JOB_RUNNING);
    }
    recover(fixture->store, NULL, 0, 1, &recovery); /* killed for its memory: against all that ran */
    for (int i = 0; i < 3; i++) {
        check(fixture->store, ids[i], JOB_QUEUED, 0, 1);
    }
    struct job_ticket *tickets;
    size_t count;
    struct error error;
    assert_ok(jobs_queue(fixture->store, &tickets, &count, &error));
    assert_int_equal(count, 3);
    assert_int_equal(tickets[2].suspect, 1);
    free(tickets);
}

static void evidence_and_its_fact_are_kept_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    int64_t value;
    int found;
    assert_ok(facts_get(fixture->store, "oom_kills", &value, &found, &error));
    assert_false(found);
    const struct fact facts[] = {{"oom_kills", 41}, {"other", -1}};
    struct jobs_recover recovery = {.facts = facts, .fact_count = 2};
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    struct facts_set set = {.fact = {"oom_kills", INT64_MAX}};
    assert_ok(facts_get(fixture->store, "oom_kills", &value, &found, &error));
    assert_true(found && value == 41);
    assert_ok(store_wait(fixture->store, facts_set(&set), &error));
    reopen(fixture);
    assert_ok(facts_get(fixture->store, "oom_kills", &value, &found, &error));
    assert_true(found && value == INT64_MAX);
    assert_ok(facts_get(fixture->store, "other", &value, &found, &error));
    assert_true(found && value == -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(every_job_that_was_under_way_gets_to_a_state_to_begin_from),
        TEST(jobs_that_waited_for_room_try_again),
        TEST(a_death_without_evidence_is_held_against_nobody),
        TEST(a_job_that_kills_the_server_alone_again_and_again_fails),
        TEST(a_job_that_dies_before_it_runs_in_the_store_is_found_too),
        TEST(of_several_jobs_those_with_evidence_become_suspects_only),
        TEST(evidence_and_its_fact_are_kept_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
