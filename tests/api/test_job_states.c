/* The table of a job's life against its own rules. */
#include "api/job_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define EACH_STATUS(status) (enum job_status status = 0; status < JOB_STATUS_COUNT; status++)
#define EACH_ROW(i, row)    (size_t i = 0; job_transition_row(i, &row); i++)

static void every_row_is_what_the_questions_answer(void **state)
{
    struct job_transition row;
    size_t count = 0;
    (void)state;
    for
        EACH_ROW(i, row)
        {
            assert_int_equal(job_transition(row.from, row.trigger), row.to);
            assert_true(job_states_with(row.trigger) & 1u << row.from);
            assert_int_not_equal(row.from, row.to);
            count++;
        }
    size_t answers = 0;
    for
        EACH_STATUS(status)
        {
            for (int trigger = 0; trigger < TRIGGER_COUNT; trigger++) {
                const int leads = job_transition(status, (enum job_trigger)trigger) != JOB_STATUS_COUNT;
                assert_int_equal(leads, (job_states_with((enum job_trigger)trigger) & 1u << status) != 0);
                answers += (size_t)leads;
            }
        }
    assert_int_equal(answers, count); /* no row stands there twice, or hides another */
    assert_false(job_transition_row(count, &row));
}

static void what_happens_leads_to_one_status_whatever_was_before(void **state)
{
    struct job_transition row;
    (void)state;
    for
        EACH_ROW(i, row)
        {
            if (row.trigger >= TRIGGER_CLIENT_COUNT) {
                assert_int_equal(row.to, job_trigger_target(row.trigger));
            }
        }
}

static void nothing_leads_out_of_an_end(void **state)
{
    struct job_transition row;
    (void)state;
    for
        EACH_ROW(i, row)
        {
            assert_false(job_status_is_terminal(row.from));
        }
}

static void whatever_has_not_ended_can_be_cancelled_or_is_about_to_be(void **state)
{
    (void)state;
    for
        EACH_STATUS(status)
        {
            if (!job_status_is_terminal(status) && status != JOB_CANCELLING) {
                const enum job_status to = job_transition(status, TRIGGER_CANCEL);
                assert_true(to == JOB_CANCELLED || to == JOB_CANCELLING);
            }
        }
    assert_int_equal(job_transition(JOB_CANCELLING, TRIGGER_CANCELLED), JOB_CANCELLED);
}

/* By any ways: there is none from which a job cannot come to an end, and none to which it never comes. */
static void every_status_is_reached_and_leads_to_an_end(void **state)
{
    unsigned reached = 1u << JOB_QUEUED, ends = 0;
    struct job_transition row;
    (void)state;
    for
        EACH_STATUS(status)
        {
            ends |= job_status_is_terminal(status) ? 1u << status : 0;
        }
    for (int round = 0; round < JOB_STATUS_COUNT; round++) {
        for
            EACH_ROW(i, row)
            {
                reached |= reached & 1u << row.from ? 1u << row.to : 0;
                ends |= ends & 1u << row.to ? 1u << row.from : 0;
            }
    }
    assert_int_equal(reached, (1u << JOB_STATUS_COUNT) - 1);
    assert_int_equal(ends, (1u << JOB_STATUS_COUNT) - 1);
}

/* Where a job waits for nobody but its client, a runner has no business; everywhere else it has a way on without one. */
static void a_runner_is_needed_where_something_has_to_happen(void **state)
{
    (void)state;
    for
        EACH_STATUS(status)
        {
            int happens = 0;
            for (int trigger = TRIGGER_CLIENT_COUNT; trigger < TRIGGER_COUNT; trigger++) {
                happens |= job_transition(status, (enum job_trigger)trigger) != JOB_STATUS_COUNT;
            }
            assert_int_equal(job_status_needs_runner(status), happens);
        }
}

static void what_a_runner_ends_it_can_end_in_success_and_failure(void **state)
{
    const unsigned running = job_states_with(TRIGGER_SUCCEED);
    (void)state;
    assert_int_equal(running, 1u << JOB_RUNNING | 1u << JOB_PAUSING | 1u << JOB_STOPPING | 1u << JOB_CANCELLING);
    assert_int_equal(job_states_with(TRIGGER_FAIL), running | 1u << JOB_QUEUED);
}

static void actions_are_those_of_the_table(void **state)
{
    static const char *const wanted[JOB_STATUS_COUNT] = {
        [JOB_QUEUED] = "[\"pause\",\"cancel\"]",
        [JOB_RUNNING] = "[\"pause\",\"stop\",\"cancel\"]",
        [JOB_PAUSING] = "[\"resume\",\"stop\",\"cancel\"]",
        [JOB_PAUSED] = "[\"resume\",\"stop\",\"cancel\"]",
        [JOB_STOPPING] = "[\"cancel\"]",
        [JOB_CANCELLING] = "[]",
        [JOB_SUCCEEDED] = "[\"delete\"]",
        [JOB_FAILED] = "[\"delete\"]",
        [JOB_CANCELLED] = "[\"delete\"]",
    };
    (void)state;
    for
        EACH_STATUS(status)
        {
            char text[JOB_ACTIONS_TEXT];
            job_allowed_actions(status, text);
            assert_string_equal(text, wanted[status]);
            for (int trigger = 0; trigger < TRIGGER_CLIENT_COUNT; trigger++) {
                const char *name = job_trigger_name((enum job_trigger)trigger);
                assert_int_equal(strstr(text, name) != NULL,
                                 job_transition(status, (enum job_trigger)trigger) != JOB_STATUS_COUNT);
            }
        }
}

static void what_is_done_is_not_refused_but_changes_nothing(void **state)
{
    (void)state;
    assert_true(job_trigger_is_done(TRIGGER_PAUSE, JOB_PAUSING));
    assert_true(job_trigger_is_done(TRIGGER_PAUSE, JOB_PAUSED));
    assert_true(job_trigger_is_done(TRIGGER_STOP, JOB_STOPPING));
    assert_true(job_trigger_is_done(TRIGGER_CANCEL, JOB_CANCELLED));
    for
        EACH_STATUS(status)
        {
            assert_false(job_trigger_is_done(TRIGGER_RESUME, status));
            for (int trigger = 0; trigger < TRIGGER_CLIENT_COUNT; trigger++) {
                if (job_trigger_is_done((enum job_trigger)trigger, status)) {
                    assert_int_equal(job_transition(status, (enum job_trigger)trigger), JOB_STATUS_COUNT);
                }
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_what_the_questions_answer),
        cmocka_unit_test(what_happens_leads_to_one_status_whatever_was_before),
        cmocka_unit_test(nothing_leads_out_of_an_end),
        cmocka_unit_test(whatever_has_not_ended_can_be_cancelled_or_is_about_to_be),
        cmocka_unit_test(every_status_is_reached_and_leads_to_an_end),
        cmocka_unit_test(a_runner_is_needed_where_something_has_to_happen),
        cmocka_unit_test(what_a_runner_ends_it_can_end_in_success_and_failure),
        cmocka_unit_test(actions_are_those_of_the_table),
        cmocka_unit_test(what_is_done_is_not_refused_but_changes_nothing),
    };
    return cmocka_run_group_tests_name("job_states", tests, NULL, NULL);
}
