/* Which job runs: order, memory, orders. How threads are shared is test_turns.c's. */
#include "server/jobs/scheduler.h"

#include "tests/server/jobs/fake_runner.h"

/* ---- order ---- */

static void jobs_run_by_priority_then_age(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    hold_loads(1);
    submit(scheduler, "first", 100, 1, 1, 0); /* while it loads, nobody behind it is started */
    wait_for("first", LOADING);
    submit(scheduler, "a", 0, 1, 1, 0);
    submit(scheduler, "b", 5, 1, 1, 0);
    submit(scheduler, "c", -3, 1, 1, 0);
    submit(scheduler, "d", 5, 1, 1, 0);
    submit(scheduler, "e", 0, 1, 1, 0);
    hold_loads(0);
    wait_for("c", ADMITTED);
    assert_started("first b d a e c ");
    end_all(scheduler, "c");
}

static void a_changed_priority_counts_from_then_on(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    hold_loads(1);
    submit(scheduler, "first", 100, 1, 1, 0);
    wait_for("first", LOADING);
    submit(scheduler, "a", 0, 1, 1, 0);
    submit(scheduler, "b", 0, 1, 1, 0);
    submit(scheduler, "c", 0, 1, 1, 0);
    rank(scheduler, "c", 50, 3); /* to the front */
    rank(scheduler, "a", -1, 3); /* to the end */
    rank(scheduler, "c", -2, 2); /* older than what was told before */
    hold_loads(0);
    wait_for("a", ADMITTED);
    assert_started("first c b a ");
    end_all(scheduler, "a");
}

static void an_older_priority_told_late_changes_nothing_for_one_that_runs(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 1, 1, 1, 0);
    submit(scheduler, "b", 0, 1, 1, 0);
    wait_for("b", ADMITTED);
    rank(scheduler, "b", 2, 4);
    rank(scheduler, "b", 0, 3);
    wait_for_steps("b", 50);
    const uint64_t steps = look_at("a").steps;
    wait_for_steps("b", 50);
    assert_in_range(look_at("a").steps, steps, steps + 1);
    end_all(scheduler, "b");
}

/* ---- what it counts ---- */

static void who_runs_is_shown_with_what_it_counted_last(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    struct profile_counts counts = {.steps = 1, .samples = 32};
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for_steps("a", 1);
    assert_int_equal(scheduler_profile(scheduler, "a", &counts), 0); /* it has shown nothing so far */
    assert_int_equal(counts.steps, 1);
    scheduler_show_profile(scheduler, look_at("a").runner, &(struct profile_counts){.steps = 7, .samples = 224});
    assert_int_equal(scheduler_profile(scheduler, "a", &counts), 1);
    assert_int_equal(counts.steps, 7);
    assert_int_equal(counts.samples, 224);
    assert_int_equal(scheduler_profile(scheduler, "b", &counts), 0);
    end_all(scheduler, "a");
}

/* ---- who was told of what ---- */

/* The one who stored it is slower than one who has changed it since. */
static void a_job_that_was_told_of_before_it_is_enqueued_is_queued_once(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    struct scheduler_figures figures;
    hold_loads(1);
    submit(scheduler, "first", 100, 1, 1, 0);
    wait_for("first", LOADING);
    rank(scheduler, "early", 5, 2);
    submit(scheduler, "early", 0, 1, 1, 0);
    scheduler_figures(scheduler, &figures);
    assert_int_equal(figures.queued, 2); /* with the one that loads */
    hold_loads(0);
    wait_for("early", ADMITTED);
    end_all(scheduler, "early");
}

static void the_stored_queue_is_taken_up_in_its_order(void **state)
{
    struct fixture *fixture = *state;
    const int32_t priorities[] = {0, 7, 0, -2, 7};
    const int order[] = {1, 4, 0, 2, 3};
    char ids[5][ID_TEXT], wanted[NAMES_TEXT] = "";
    for (int i = 0; i < 5; i++) {
        add_job(fixture->store, "", "{}", priorities[i], ids[i]);
        know_job(ids[i], 1, 1, 0, 0);
    }
    for (int i = 0; i < 5; i++) {
        add_name(wanted, ids[order[i]]);
    }
    struct scheduler *scheduler = start_scheduler(fixture, 1, 100, 20);
    wait_for(ids[3], ENDED);
    scheduler_free(scheduler);
    assert_started(wanted);
}

static void *rest(void *argument)
{
    struct runner *runner = argument;
    (void)scheduler_pause(runner->scheduler, runner, PATIENCE * 1000);
    return NULL;
}

/* One that cannot be read, and tries again and again. */
static void a_job_that_rests_before_it_is_admitted_holds_up_nobody(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    pthread_t thread;
    hold_loads(1);
    submit(scheduler, "unreadable", 1, 1, 1, 0);
    wait_for("unreadable", LOADING);
    set_member("unreadable", load_held, 1);
    hold_loads(0);
    assert_int_equal(pthread_create(&thread, NULL, rest, look_at("unreadable").runner), 0);
    submit(scheduler, "next", 0, 1, 1, 0);
    wait_for("next", ADMITTED);
    tell(scheduler, "unreadable", JOB_CANCELLED, 2);
    pthread_join(thread, NULL);
    set_member("unreadable", load_held, 0);
    wait_for("unreadable", ENDED);
    end_all(scheduler, "next");
}

/* At one job a slice they would take three seconds. */
static void jobs_whose_ends_are_being_stored_hold_up_nobody(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, JOBS_MAX);
    const int64_t begin = clock_monotonic_ms();
    char id[ID_TEXT];
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "small%d", i);
        know_job(id, 1, 1, 0, 0);
        set_member(id, end_held, 1);
        const struct job_ticket ticket = ticket_of(id, 0);
        queue_job(scheduler, &ticket);
    }
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "small%d", i);
        wait_until(id, job->leaves);
    }
    assert_in_range(clock_monotonic_ms() - begin, 0, 15 * SLICE_MS);
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "small%d", i);
        set_member(id, end_held, 0);
    }
    scheduler_free(scheduler);
}

/* ---- memory ---- */

static void small_jobs_pass_one_that_waits_for_memory_for_a_minute(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "large", 0, 60, 1, 0);
    submit(scheduler, "small", 0, 10, 1, 0); /* fits beside a */
    wait_for("small", ADMITTED);
    ahead_ms += 61000;
    submit(scheduler, "late", 0, 10, 1, 0); /* would fit, too */
    give_it_a_chance();
    assert_admitted("a small ");
    assert_int_equal(look_at("late").stage, WAITING);
    end_job("a");
    wait_for("large", ADMITTED);
    wait_for("late", ADMITTED);
    end_all(scheduler, "late");
}

static void a_job_that_waits_for_memory_takes_a_place_of_the_queue(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 2);
    struct error error;
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "large", 0, 60, 1, 0);
    wait_for("large", LOADING);
    submit(scheduler, "small", 0, 10, 1, 0);
    wait_for("small", ADMITTED); /* so large has asked */
    assert_ok(scheduler_reserve(scheduler, 1, &error));
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, 1, &error));
    end_job("a");
    wait_for("large", ADMITTED);
    assert_ok(scheduler_reserve(scheduler, 1, &error));
    scheduler_release(scheduler, 1);
    scheduler_release(scheduler, 1);
    end_all(scheduler, "large");
}

static void a_higher_priority_goes_past_a_job_that_waits_for_memory(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "low", 0, 60, 1, 0);
    wait_until("low", has_asked(scheduler, job->runner));
    ahead_ms += 61000; /* nobody of its own priority goes past it now */
    submit(scheduler, "small", 1, 10, 1, 0);
    wait_for("small", ADMITTED);
    submit(scheduler, "high", 2, 60, 1, 0);
    wait_for("high", LOADING);
    give_it_a_chance();
    end_job("a");
    wait_for("high", ADMITTED);
    end_job("high");
    wait_for("low", ADMITTED);
    assert_admitted("a small high low ");
    end_all(scheduler, "low");
}

static void jobs_are_admitted_by_their_bytes(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 8, 100, 20);
    struct scheduler_figures figures;
    submit(scheduler, "a", 0, 50, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 50, 1, 0);
    wait_for("b", ADMITTED); /* exactly full */
    submit(scheduler, "c", 0, 1, 1, 0);
    wait_for("c", LOADING);
    give_it_a_chance();
    assert_admitted("a b ");
    scheduler_figures(scheduler, &figures);
    assert_int_equal(figures.memory_bytes, 100);
    assert_int_equal(figures.used_bytes, 100);
    end_job("a");
    wait_for("c", ADMITTED);
    scheduler_figures(scheduler, &figures);
    assert_int_equal(figures.used_bytes, 51);
    end_all(scheduler, "c");
}

static void a_job_above_the_budget_runs_alone(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 8, 100, 20);
    submit(scheduler, "small", 0, 1, 1, 0);
    wait_for("small", ADMITTED);
    submit(scheduler, "huge", 0, 1000, 1, 0); /* from a time when there was more memory */
    wait_for("huge", LOADING);
    give_it_a_chance();
    assert_admitted("small ");
    end_job("small");
    wait_for("huge", ADMITTED);
    end_job("huge");
    submit(scheduler, "next", 0, 100, 1, 0); /* what it took came back, no more */
    wait_for("next", ADMITTED);
    end_all(scheduler, "next");
}

static void a_suspect_runs_alone_until_it_has_made_a_checkpoint(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    struct job_ticket ticket = ticket_of("suspect", 0);
    ticket.suspect = 1;
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    know_job("suspect", 1, 1, 0, 1);
    queue_job(scheduler, &ticket);
    wait_for("suspect", LOADING);
    give_it_a_chance();
    assert_admitted("a ");
    end_job("a");
    wait_for("suspect", ADMITTED);
    submit(scheduler, "b", 0, 1, 1, 0);
    wait_for("b", LOADING);
    give_it_a_chance();
    assert_admitted("a suspect ");
    set_member("suspect", proves, 1);
    wait_for("b", ADMITTED);
    end_all(scheduler, "b");
}

/* ---- what is told ---- */

static void a_waiting_job_that_is_cancelled_never_runs(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 2);
    struct error error;
    hold_loads(1);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", LOADING);
    submit(scheduler, "b", 0, 1, 1, 0);
    submit(scheduler, "c", 0, 1, 1, 0);
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, 1, &error));
    tell(scheduler, "b", JOB_CANCELLED, 2);
    assert_ok(scheduler_reserve(scheduler, 1, &error)); /* its place is free */
    scheduler_release(scheduler, 1);
    hold_loads(0);
    end_all(scheduler, "c");
    assert_int_equal(look_at("a").runs, 1);
    assert_int_equal(look_at("b").runs, 0);
}

static void a_running_job_that_is_cancelled_is_told(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 1, 1, 0);
    tell(scheduler, "nobody", JOB_CANCELLED, 2);
    tell(scheduler, "a", JOB_CANCELLING, 3);
    wait_for("a", ENDED);
    assert_int_equal(look_at("a").order, RUNNER_CANCEL);
    wait_for("b", ADMITTED);
    end_all(scheduler, "b");
    assert_int_equal(look_at("b").order, RUNNER_GO_ON);
}

static void a_job_that_waits_to_be_admitted_can_be_cancelled(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 60, 1, 0);
    wait_until("b", has_asked(scheduler, job->runner));
    ahead_ms += 61000;
    submit(scheduler, "c", 0, 10, 1, 0);
    give_it_a_chance();
    assert_admitted("a ");
    tell(scheduler, "b", JOB_CANCELLED, 2);
    wait_for("b", ENDED);
    wait_for("c", ADMITTED); /* it no longer stands in front of others, and took nothing along */
    assert_admitted("a c ");
    end_job("a");
    submit(scheduler, "d", 0, 90, 3, 1);
    wait_for("d", ADMITTED);
    end_all(scheduler, "d");
}

static void a_job_cancelled_while_it_loads_is_not_admitted(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    hold_loads(1);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", LOADING);
    tell(scheduler, "a", JOB_CANCELLED, 2);
    hold_loads(0);
    wait_for("a", ENDED);
    end_all(scheduler, "a");
    assert_admitted("");
}

static void a_job_that_waits_for_its_turn_is_told_at_once(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "low", 0, 1, 1, 0);
    wait_for_steps("low", 1);
    submit(scheduler, "high", 1, 1, 1, 0);
    wait_for_steps("high", 1);
    wait_for_threads("low", 1); /* it has gone to wait with this number */
    tell(scheduler, "low", JOB_PAUSING, 2);
    wait_for("low", ENDED);
    assert_int_equal(look_at("low").order, RUNNER_PAUSE);
    end_all(scheduler, "high");
}

static void what_is_older_than_what_was_told_before_is_passed_over(void **state)
{
    static const struct {
        enum job_status status;
        uint64_t version;
        int order;
    } told[] = {
        {JOB_STOPPING, 5, RUNNER_STOP}, {JOB_RUNNING, 4, RUNNER_STOP},  {JOB_PAUSING, 3, RUNNER_STOP},
        {JOB_STOPPING, 5, RUNNER_STOP}, {JOB_RUNNING, 8, RUNNER_GO_ON}, {JOB_CANCELLING, 7, RUNNER_GO_ON},
    };
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        tell(scheduler, "a", told[i].status, told[i].version);
        assert_int_equal(atomic_load(&look_at("a").runner->control.order), told[i].order);
    }
    end_all(scheduler, "a");
}

static void a_waiting_job_leaves_the_queue_only_for_newer_news(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    hold_loads(1);
    submit(scheduler, "first", 0, 1, 1, 0);
    wait_for("first", LOADING);
    know_job("a", 1, 1, 0, 1);
    tell(scheduler, "a", JOB_QUEUED, 6); /* resumed */
    tell(scheduler, "a", JOB_PAUSED, 5); /* by the time that this is told */
    tell(scheduler, "a", JOB_QUEUED, 6); /* twice: it stands there once */
    know_job("b", 1, 1, 0, 1);
    tell(scheduler, "b", JOB_CANCELLING, 9); /* somebody has to end it */
    know_job("c", 1, 1, 0, 1);
    tell(scheduler, "c", JOB_STOPPING, 3);
    hold_loads(0);
    wait_for("a", ADMITTED);
    wait_for("b", ADMITTED);
    wait_for("c", ADMITTED);
    assert_started("first a b c ");
    end_all(scheduler, "c");
    assert_int_equal(look_at("a").runs, 1);
}

static void a_job_whose_runner_leaves_gets_another_one_after_it(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    set_member("a", end_held, 1);
    set_member("a", ends_at, 1);
    wait_until("a", job->leaves);
    tell(scheduler, "a", JOB_QUEUED, 2);
    give_it_a_chance();
    assert_int_equal(look_at("a").runs, 1); /* not beside it */
    set_member("a", ends_at, 0);
    set_member("a", end_held, 0);
    wait_until("a", job->runs == 2 && job->stage == ADMITTED);
    end_all(scheduler, "a");
}

static void a_job_whose_runner_leaves_is_left_alone_if_it_is_cancelled_after_all(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    set_member("a", end_held, 1);
    set_member("a", ends_at, 1);
    wait_until("a", job->leaves);
    tell(scheduler, "a", JOB_QUEUED, 2);
    tell(scheduler, "a", JOB_CANCELLED, 3);
    tell(scheduler, "a", JOB_QUEUED, 2); /* late */
    set_member("a", end_held, 0);
    wait_for("a", ENDED);
    give_it_a_chance();
    end_all(scheduler, "a");
    assert_int_equal(look_at("a").runs, 1);
}

static void a_paused_job_that_is_resumed_at_once_goes_on(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for_steps("a", 1);
    set_member("a", step_held, 1); /* it will not see the order in between */
    tell(scheduler, "a", JOB_PAUSING, 2);
    tell(scheduler, "a", JOB_RUNNING, 3);
    set_member("a", step_held, 0);
    wait_for_steps("a", 5);
    end_all(scheduler, "a");
    assert_int_equal(look_at("a").runs, 1);
    assert_int_equal(look_at("a").order, RUNNER_GO_ON);
}

static void a_checkpoint_is_wanted_of_a_job_with_a_runner(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    assert_int_equal(atomic_load(&look_at("a").runner->control.checkpoint), 0);
    scheduler_want_checkpoint(scheduler, "nobody");
    scheduler_want_checkpoint(scheduler, "a");
    assert_int_equal(atomic_load(&look_at("a").runner->control.checkpoint), 1);
    end_all(scheduler, "a");
}

/* ---- the drain ---- */

static void draining_sends_all_back_and_starts_nothing(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "waits", 0, 60, 1, 0);
    wait_until("waits", has_asked(scheduler, job->runner));
    ahead_ms += 61000;
    submit(scheduler, "queued", 0, 1, 1, 0);
    give_it_a_chance();
    assert_true(scheduler_drain(scheduler, PATIENCE * 1000));
    assert_int_equal(look_at("a").order, RUNNER_DRAIN);
    submit(scheduler, "late", 100, 1, 1, 0);
    give_it_a_chance();
    assert_admitted("a ");
    assert_int_equal(look_at("queued").stage, WAITING);
    scheduler_free(scheduler);
}

static void draining_does_not_wait_for_ever(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    hold_loads(1);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", LOADING);
    tell(scheduler, "a", JOB_CANCELLED, 2);
    assert_false(scheduler_drain(scheduler, 0));
    assert_false(scheduler_drain(scheduler, 20));
    hold_loads(0);
    assert_true(scheduler_drain(scheduler, PATIENCE * 1000));
    assert_int_equal(look_at("a").order, RUNNER_CANCEL); /* and stays cancelled */
    scheduler_free(scheduler);
}

static void who_is_resumed_while_the_server_drains_drains(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for_steps("a", 1);
    set_member("a", step_held, 1);
    tell(scheduler, "a", JOB_PAUSING, 2);
    assert_false(scheduler_drain(scheduler, 0));
    tell(scheduler, "a", JOB_RUNNING, 3);
    set_member("a", step_held, 0);
    wait_for("a", ENDED);
    assert_int_equal(look_at("a").order, RUNNER_DRAIN);
    scheduler_free(scheduler);
}

static void a_pause_ends_with_its_time_an_order_or_the_drain(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    struct runner runner = {.scheduler = scheduler};
    assert_true(scheduler_pause(scheduler, &runner, 1));
    atomic_store(&runner.control.order, RUNNER_CANCEL);
    assert_true(scheduler_pause(scheduler, &runner, 1)); /* known before: nothing new */
    assert_true(scheduler_drain(scheduler, 0));
    assert_false(scheduler_pause(scheduler, &runner, PATIENCE * 1000));
    scheduler_free(scheduler);
}

/* ---- what is shown ---- */

static void a_reserved_place_counts(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 2);
    struct error error;
    assert_ok(scheduler_reserve(scheduler, 1, &error));
    assert_ok(scheduler_reserve(scheduler, 1, &error));
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, 1, &error));
    scheduler_release(scheduler, 1);
    assert_ok(scheduler_reserve(scheduler, 1, &error));
    scheduler_free(scheduler);
    scheduler_free(NULL);
}

static void places_are_reserved_together_or_not_at_all(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 5);
    struct error error;
    assert_ok(scheduler_reserve(scheduler, 2, &error));
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, 4, &error));
    assert_non_null(strstr(error.message, "room for 3 more, not for 4"));
    assert_ok(scheduler_reserve(scheduler, 3, &error));
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, 1, &error));
    scheduler_release(scheduler, 3);
    assert_ok(scheduler_reserve(scheduler, 3, &error));
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, UINT32_MAX, &error));
    scheduler_free(scheduler);
}

static void the_view_shows_who_runs_and_who_comes_next(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    struct scheduler_view view;
    struct error error;
    double starts[4], remaining[4] = {7, (double)NAN, (double)NAN, (double)NAN};
    submit(scheduler, "a", 3, 40, 2, 0);
    wait_for_threads("a", 2);
    hold_loads(1);
    submit(scheduler, "first", 2, 1, 1, 0);
    wait_for("first", LOADING);
    submit(scheduler, "b", 1, 1, 1, 0);
    submit(scheduler, "c", 2, 1, 1, 0);
    assert_ok(scheduler_look(scheduler, 10, &view, &error));
    assert_string_equal(view.running[0].id, "a");
    assert_int_equal(view.running[0].priority, 3);
    assert_int_equal(view.running[0].threads, 2);
    assert_int_equal(view.running[0].bytes, 40);
    assert_true(view.queue_count >= 2);
    assert_string_equal(view.queue[view.queue_count - 2].id, "c");
    assert_string_equal(view.queue[view.queue_count - 1].id, "b");
    assert_int_equal(view.figures.busy_threads, 2);
    assert_int_equal(view.figures.used_bytes, 40);
    assert_int_equal(view.figures.running + view.figures.queued, 4);
    assert_ok(scheduler_estimate(&view, remaining, starts, &error));
    assert_true(starts[view.queue_count - 1] >= starts[view.queue_count - 2]);
    scheduler_view_release(&view);
    assert_ok(scheduler_look(scheduler, 1, &view, &error));
    assert_int_equal(view.queue_count, 1);
    scheduler_view_release(&view);
    hold_loads(0);
    wait_for("b", ADMITTED);
    end_all(scheduler, "b");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(jobs_run_by_priority_then_age),
        TEST(a_changed_priority_counts_from_then_on),
        TEST(an_older_priority_told_late_changes_nothing_for_one_that_runs),
        TEST(who_runs_is_shown_with_what_it_counted_last),
        TEST(a_job_that_was_told_of_before_it_is_enqueued_is_queued_once),
        TEST(the_stored_queue_is_taken_up_in_its_order),
        TEST(jobs_whose_ends_are_being_stored_hold_up_nobody),
        TEST(a_job_that_rests_before_it_is_admitted_holds_up_nobody),
        TEST(small_jobs_pass_one_that_waits_for_memory_for_a_minute),
        TEST(a_job_that_waits_for_memory_takes_a_place_of_the_queue),
        TEST(a_higher_priority_goes_past_a_job_that_waits_for_memory),
        TEST(jobs_are_admitted_by_their_bytes),
        TEST(a_job_above_the_budget_runs_alone),
        TEST(a_suspect_runs_alone_until_it_has_made_a_checkpoint),
        TEST(a_waiting_job_that_is_cancelled_never_runs),
        TEST(a_running_job_that_is_cancelled_is_told),
        TEST(a_job_that_waits_to_be_admitted_can_be_cancelled),
        TEST(a_job_cancelled_while_it_loads_is_not_admitted),
        TEST(a_job_that_waits_for_its_turn_is_told_at_once),
        TEST(what_is_older_than_what_was_told_before_is_passed_over),
        TEST(a_waiting_job_leaves_the_queue_only_for_newer_news),
        TEST(a_job_whose_runner_leaves_gets_another_one_after_it),
        TEST(a_job_whose_runner_leaves_is_left_alone_if_it_is_cancelled_after_all),
        TEST(a_paused_job_that_is_resumed_at_once_goes_on),
        TEST(a_checkpoint_is_wanted_of_a_job_with_a_runner),
        TEST(draining_sends_all_back_and_starts_nothing),
        TEST(draining_does_not_wait_for_ever),
        TEST(who_is_resumed_while_the_server_drains_drains),
        TEST(a_pause_ends_with_its_time_an_order_or_the_drain),
        TEST(a_reserved_place_counts),
        TEST(places_are_reserved_together_or_not_at_all),
        TEST(the_view_shows_who_runs_and_who_comes_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
