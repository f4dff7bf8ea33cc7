/* How jobs share the threads: slices, priorities, exact numbers; never more threads at work than there are. Through a
 * scheduler. */
#include "tests/server/jobs/fake_runner.h"

static void jobs_take_turns_on_one_thread(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    const char *const ids[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        submit(scheduler, ids[i], 0, 1, 1, 0);
    }
    for (int i = 0; i < 3; i++) {
        wait_for(ids[i], ADMITTED);
    }
    for (int i = 0; i < 3; i++) {
        wait_for_turns(ids[i], 2);
    }
    end_all(scheduler, "c");
}

/* So many that each waits for longer than anybody is made to wait by newcomers. */
static void many_jobs_take_turns_too(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    const unsigned count = sizeof ids / sizeof *ids;
    uint64_t before[sizeof ids / sizeof *ids];
    for (unsigned i = 0; i < count; i++) {
        submit(scheduler, ids[i], 0, 1, 1, 0);
    }
    for (unsigned i = 0; i < count; i++) {
        wait_for_turns(ids[i], 1);
    }
    for (unsigned i = 0; i < count; i++) {
        before[i] = look_at(ids[i]).turns;
    }
    wait_for_turns("a", 3);
    for (unsigned i = 0; i < count; i++) {
        assert_in_range(look_at(ids[i]).turns - before[i], 2, 4);
    }
    end_all(scheduler, "j");
}

static void a_small_job_does_not_wait_for_long_ones(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "long", 0, 1, 1, 0);
    submit(scheduler, "longer", 0, 1, 1, 0);
    wait_for_steps("long", 1);
    wait_for_steps("longer", 1);
    ahead_ms += 3600000; /* they have been at it for an hour: that is no debt, and no merit */
    wait_for_turns("longer", 1);
    know_job("small", 1, 1, 0, 1);
    set_member("small", ends_at, 5);
    const struct job_ticket ticket = ticket_of("small", 0);
    queue_job(scheduler, &ticket);
    wait_for("small", ENDED);
    assert_int_equal(look_at("small").steps, 5);
    end_all(scheduler, "longer");
}

static void four_jobs_share_three_threads(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 3, 100, 20);
    const char *const ids[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 3; i++) { /* all at the same time */
        submit(scheduler, ids[i], 0, 1, 1, 0);
        wait_for_threads(ids[i], 1);
    }
    submit(scheduler, ids[3], 0, 1, 1, 0);
    for (int i = 0; i < 4; i++) {
        wait_for_turns(ids[i], 2);
    }
    end_job("b"); /* now there is one for each */
    give_it_a_chance();
    const uint64_t turns = look_at("a").turns + look_at("c").turns + look_at("d").turns;
    wait_for_steps("a", 100);
    wait_for_steps("c", 100);
    wait_for_steps("d", 100);
    assert_int_equal(look_at("a").turns + look_at("c").turns + look_at("d").turns, turns);
    end_all(scheduler, "d");
}

static void what_is_left_over_changes_hands_too(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 3, 100, 20);
    submit(scheduler, "a", 0, 1, 3, 0);
    wait_for_threads("a", 3);
    submit(scheduler, "b", 0, 1, 3, 0);
    for (int i = 0; i < 2; i++) {
        wait_for_threads("a", 1);
        wait_for_threads("b", 2);
        wait_for_threads("a", 2);
        wait_for_threads("b", 1);
    }
    end_all(scheduler, "b");
}

static void a_job_takes_what_is_free_and_gets_the_rest_later(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    assert_int_equal(scheduler_threads(scheduler), 4);
    submit(scheduler, "small", 0, 1, 1, 0);
    wait_for_threads("small", 1);
    submit(scheduler, "large", 0, 1, 4, 0);
    wait_for_threads("large", 3);
    end_job("small");
    wait_for_threads("large", 4);
    end_job("large");
    submit(scheduler, "next", 0, 1, 4, 0);
    wait_for_threads("next", 4); /* all came back */
    end_all(scheduler, "next");
    assert_int_equal(look_at("small").most, 1); /* it could not use more */
}

static void an_exact_number_is_had_in_full_or_not_at_all(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 3, 100, 20);
    submit(scheduler, "a", 0, 1, 2, 0);
    wait_for_threads("a", 2);
    submit(scheduler, "exact", 0, 1, 3, 1);
    wait_for_turns("exact", 2);
    wait_for_turns("a", 2);
    end_all(scheduler, "exact");
    assert_int_equal(look_at("exact").least, 3);
    assert_int_equal(look_at("exact").most, 3);
}

static void more_threads_than_there_are_take_all(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "many", 0, 1, 16, 1);
    wait_for_threads("many", 16);
    submit(scheduler, "next", 0, 1, 1, 0);
    wait_for_turns("next", 2);
    wait_for_turns("many", 2);
    end_all(scheduler, "next");
    assert_int_equal(look_at("many").least, 16);
}

static void a_higher_priority_takes_all_that_it_can_use(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "low", 0, 1, 2, 0);
    wait_for_threads("low", 2);
    submit(scheduler, "high", 1, 1, 1, 0);
    wait_for_threads("high", 1);
    wait_for_threads("low", 1); /* the rest is still its own */
    submit(scheduler, "higher", 2, 1, 1, 0);
    wait_for_threads("higher", 1);
    give_it_a_chance();
    const uint64_t steps = look_at("low").steps;
    wait_for_steps("higher", 50);
    assert_in_range(look_at("low").steps, steps, steps + 1);
    end_job("high");
    wait_for_steps("low", 5);
    end_all(scheduler, "higher");
}

static void a_priority_given_later_changes_who_has_the_threads(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 1, 1, 1, 0);
    submit(scheduler, "b", 0, 1, 1, 0);
    wait_for("b", ADMITTED);
    wait_for_steps("a", 10);
    rank(scheduler, "b", 2, 2);
    wait_for_steps("b", 50);
    const uint64_t steps = look_at("a").steps;
    wait_for_steps("b", 50);
    assert_in_range(look_at("a").steps, steps, steps + 1);
    rank(scheduler, "b", 1, 3); /* equals now */
    wait_for_turns("a", 2);
    wait_for_turns("b", 2);
    end_all(scheduler, "b");
}

static void who_waits_too_long_gets_a_slice_whatever_its_priority(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "high", 5, 1, 1, 0);
    wait_for_steps("high", 1);
    submit(scheduler, "low", 0, 1, 1, 0);
    wait_for("low", ADMITTED);
    give_it_a_chance();
    assert_int_equal(look_at("low").steps, 0);
    for (int i = 0; i < 3; i++) {
        ahead_ms += 6000;
        wait_for_turns("low", 1);
        wait_for_turns("high", 1); /* and gives it back */
    }
    end_all(scheduler, "low");
}

/* A job of a low priority that hardly gets a turn is no measure for what newcomers of a higher one have used. */
static void newcomers_do_not_hold_up_their_elders(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "low", 0, 1, 1, 0);
    wait_for_steps("low", 1);
    submit(scheduler, "old", 5, 1, 1, 0);
    wait_for_steps("old", 10);
    ahead_ms += 4000; /* of which it has used all, and low none */
    wait_for_steps("old", 10);
    ahead_ms += 4000;
    wait_for_turns("old", 1); /* low had starved */
    ahead_ms += 4000;
    wait_for_steps("old", 10);
    submit(scheduler, "new", 5, 1, 1, 0);
    wait_for_steps("new", 1);
    const uint64_t new = look_at("new").steps, old = look_at("old").steps;
    wait_for_turns("old", 6);
    assert_true(look_at("new").steps - new < 5 * (look_at("old").steps - old) / 2); /* about as many */
    end_all(scheduler, "new");
}

/* It is told of two, then of one again, and never looked in between. */
static void a_thread_that_is_given_and_taken_back_within_a_step_is_not_lost(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 1, 2, 0);
    wait_for_threads("a", 2);
    submit(scheduler, "b", 0, 1, 2, 0);
    wait_for_threads("a", 1);
    wait_for_threads("b", 1);
    set_member("a", step_held, 1);
    end_job("b");
    while (atomic_load(&look_at("a").runner->control.threads) != 2) {
        give_it_a_chance();
    }
    submit(scheduler, "c", 0, 1, 1, 0);
    wait_for_steps("c", 10); /* while a is in its step */
    set_member("a", step_held, 0);
    end_all(scheduler, "c");
}

static void who_rests_gives_its_threads_to_others(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 1, 2, 0);
    wait_for_threads("a", 2);
    struct runner resting = {.scheduler = scheduler, .held = 0};
    assert_true(scheduler_pause(scheduler, &resting, 1));
    assert_int_equal(resting.held, 0);
    assert_int_equal(resting.resting, 0);
    end_all(scheduler, "a");
}

/* Jobs of all kinds come and go; whoever makes a step looks whether more threads work than there are. */
static void the_threads_at_work_are_never_more_than_there_are(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 3, 1000, 40);
    const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
    const unsigned count = sizeof names / sizeof *names;
    uint64_t lengths[sizeof names / sizeof *names];
    uint32_t random = 12345;
    for (unsigned i = 0; i < count; i++) {
        random = random * 1664525u + 1013904223u;
        know_job(names[i], 1 + (random >> 8) % 300, 1 + (random >> 16) % 5, random >> 30 == 0, 1);
        lengths[i] = 50 + (random >> 20) % 200;
        const struct job_ticket ticket = ticket_of(names[i], (int32_t)((random >> 12) % 3));
        queue_job(scheduler, &ticket);
        if (i % 4 == 3) {
            rank(scheduler, names[i - 2], (int32_t)((random >> 24) % 3), 2);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        set_member(names[i], ends_at, lengths[i]); /* or beyond, by now */
    }
    for (unsigned i = 0; i < count; i++) {
        wait_for(names[i], ENDED);
        assert_true(look_at(names[i]).steps >= 50);
    }
    struct scheduler_figures figures;
    do {
        scheduler_figures(scheduler, &figures);
    } while (figures.running + figures.queued > 0);
    assert_int_equal(figures.busy_threads, 0);
    assert_int_equal(figures.used_bytes, 0);
    end_all(scheduler, "p");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(jobs_take_turns_on_one_thread),
        TEST(many_jobs_take_turns_too),
        TEST(a_small_job_does_not_wait_for_long_ones),
        TEST(four_jobs_share_three_threads),
        TEST(what_is_left_over_changes_hands_too),
        TEST(a_job_takes_what_is_free_and_gets_the_rest_later),
        TEST(an_exact_number_is_had_in_full_or_not_at_all),
        TEST(more_threads_than_there_are_take_all),
        TEST(a_higher_priority_takes_all_that_it_can_use),
        TEST(a_priority_given_later_changes_who_has_the_threads),
        TEST(who_waits_too_long_gets_a_slice_whatever_its_priority),
        TEST(newcomers_do_not_hold_up_their_elders),
        TEST(a_thread_that_is_given_and_taken_back_within_a_step_is_not_lost),
        TEST(who_rests_gives_its_threads_to_others),
        TEST(the_threads_at_work_are_never_more_than_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
