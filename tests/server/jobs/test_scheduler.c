/*
 * Which job runs, and with what. runner_run below stands in for the real one: a job asks to be admitted with what the
 * test gave it, and then runs until the test lets it end, or an order comes.
 */
#include "server/jobs/scheduler.h"

#include <pthread.h>
#include <time.h>

#include "server/jobs/runner.h"
#include "tests/server/store/temporary_store.h"

#define JOBS_MAX   16
#define NAMES_TEXT (JOBS_MAX * (ID_TEXT + 1))
#define PATIENCE   60 /* seconds until a test gives up */

enum stage { WAITING, LOADING, ADMITTED, REFUSED, ENDED };

struct fake_job {
    char id[ID_TEXT];
    uint64_t bytes;
    uint32_t threads, granted;
    int exact, lasts; /* lasts: until end_job */
    enum stage stage;
    int order; /* that it was given */
    struct runner_control *control;
};

static struct {
    pthread_mutex_t lock; /* guards all of this */
    pthread_cond_t changed;
    struct fake_job jobs[JOBS_MAX];
    unsigned count;
    /* names of the jobs in the order in which they were admitted, if one is waited for before the next one can be */
    char admitted[NAMES_TEXT];
    int loads_held; /* jobs do not get past loading */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct fake_job *find_job(const char *id)
{
    for (unsigned i = 0; i < world.count; i++) {
        if (strcmp(world.jobs[i].id, id) == 0) {
            return &world.jobs[i];
        }
    }
    return NULL;
}

static void add_name(char names[NAMES_TEXT], const char *name)
{
    size_t length = strlen(names);
    snprintf(names + length, NAMES_TEXT - length, "%s ", name);
}

static void enter(struct fake_job *job, enum stage stage)
{
    pthread_mutex_lock(&world.lock);
    job->stage = stage;
    if (stage == ADMITTED) {
        add_name(world.admitted, job->id);
    }
    pthread_cond_broadcast(&world.changed);
    while (stage == LOADING && world.loads_held) {
        pthread_cond_wait(&world.changed, &world.lock);
    }
    pthread_mutex_unlock(&world.lock);
}

/* Not on the test's thread: asserts nothing. */
void runner_run(struct runner *runner)
{
    uint32_t granted;
    int lasts;

    pthread_mutex_lock(&world.lock);
    struct fake_job *job = find_job(runner->id);
    pthread_mutex_unlock(&world.lock);
    enter(job, LOADING);
    granted = scheduler_admit(runner->scheduler, runner, job->bytes, job->threads, job->exact);
    job->granted = granted;
    job->control = &runner->control;
    enter(job, granted > 0 ? ADMITTED : REFUSED);
    do { /* a step */
        struct timespec step = {.tv_nsec = 500000};
        nanosleep(&step, NULL);
        pthread_mutex_lock(&world.lock);
        lasts = job->lasts;
        pthread_mutex_unlock(&world.lock);
    } while (granted > 0 && lasts && atomic_load(&runner->control.order) == RUNNER_GO_ON);
    job->order = atomic_load(&runner->control.order);
    enter(job, ENDED);
}

/* ---- what tests do ---- */

static int set_up(void **state)
{
    world.count = 0;
    world.admitted[0] = '\0';
    world.loads_held = 0;
    return open_fixture(state);
}

static struct scheduler *start_scheduler(struct fixture *fixture, uint32_t threads, uint64_t bytes, uint32_t places)
{
    struct scheduler_setup setup = {
        .store = fixture->store, .threads = threads, .memory_bytes = bytes, .max_queued_jobs = places};
    struct scheduler *scheduler;
    struct error error;
    assert_ok(scheduler_new(&scheduler, &setup, &error));
    return scheduler;
}

static void know_job(const char *id, uint64_t bytes, uint32_t threads, int exact, int lasts)
{
    struct fake_job *job = &world.jobs[world.count++];
    *job = (struct fake_job){.bytes = bytes, .threads = threads, .exact = exact, .lasts = lasts};
    memcpy(job->id, id, strnlen(id, sizeof(job->id) - 1)); /* the rest is zero */
}

static void queue_job(struct scheduler *scheduler, const char *id, int32_t priority)
{
    struct error error;
    assert_ok(scheduler_reserve(scheduler, &error));
    scheduler_enqueue(scheduler, id, priority);
}

static void submit(struct scheduler *scheduler, const char *id, int32_t priority, uint64_t bytes, uint32_t threads,
                   int exact)
{
    pthread_mutex_lock(&world.lock);
    know_job(id, bytes, threads, exact, 1);
    pthread_mutex_unlock(&world.lock);
    queue_job(scheduler, id, priority);
}

static void wait_for(const char *id, enum stage stage)
{
    struct timespec until;
    int code = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    pthread_mutex_lock(&world.lock);
    const struct fake_job *job = find_job(id);
    while (job->stage < stage && code == 0) {
        code = pthread_cond_timedwait(&world.changed, &world.lock, &until);
    }
    enum stage reached = job->stage;
    pthread_mutex_unlock(&world.lock);
    if (reached < stage) {
        fail_msg("%s only got to stage %d", id, (int)reached);
    }
}

/* Time for what must not happen, should it be about to. */
static void give_it_a_chance(void)
{
    struct timespec moment = {.tv_nsec = 30000000};
    nanosleep(&moment, NULL);
}

static void let_end(const char *id)
{
    pthread_mutex_lock(&world.lock);
    find_job(id)->lasts = 0;
    pthread_mutex_unlock(&world.lock);
}

static void end_job(const char *id)
{
    let_end(id);
    wait_for(id, ENDED);
}

static uint32_t granted(const char *id)
{
    wait_for(id, ADMITTED);
    return find_job(id)->granted;
}

static void hold_loads(int held)
{
    pthread_mutex_lock(&world.lock);
    world.loads_held = held;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static void assert_admitted(const char *wanted)
{
    pthread_mutex_lock(&world.lock);
    char got[sizeof(world.admitted)];
    memcpy(got, world.admitted, sizeof(got));
    pthread_mutex_unlock(&world.lock);
    assert_string_equal(got, wanted);
}

static void end_all(struct scheduler *scheduler, const char *last)
{
    for (unsigned i = 0; i < world.count; i++) {
        let_end(world.jobs[i].id);
    }
    wait_for(last, ENDED);
    scheduler_free(scheduler);
}

/* ---- order ---- */

static void jobs_run_by_priority_then_age(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "first", 0, 1, 1, 0);
    wait_for("first", ADMITTED);
    submit(scheduler, "a", 0, 1, 1, 0);
    submit(scheduler, "b", 5, 1, 1, 0);
    submit(scheduler, "c", -3, 1, 1, 0);
    submit(scheduler, "d", 5, 1, 1, 0);
    submit(scheduler, "e", 0, 1, 1, 0);
    end_all(scheduler, "c");
    assert_admitted("first b d a e c ");
}

static void a_waiting_job_takes_the_place_of_its_new_priority(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "first", 0, 1, 1, 0);
    wait_for("first", ADMITTED);
    submit(scheduler, "a", 0, 1, 1, 0);
    submit(scheduler, "b", 1, 1, 1, 0);
    submit(scheduler, "c", 0, 1, 1, 0);
    scheduler_set_priority(scheduler, "c", 2);
    scheduler_set_priority(scheduler, "b", -1);
    scheduler_set_priority(scheduler, "a", 0);     /* as it was */
    scheduler_set_priority(scheduler, "first", 9); /* not in the queue any more */
    end_all(scheduler, "b");
    assert_admitted("first c a b ");
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
    assert_admitted(wanted);
}

static void a_large_job_is_not_starved_by_small_ones_behind_it(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "large", 0, 60, 1, 0);
    submit(scheduler, "small", 0, 10, 1, 0); /* would fit beside a */
    wait_for("large", LOADING);
    give_it_a_chance();
    assert_admitted("a ");
    end_job("a");
    wait_for("large", ADMITTED);
    wait_for("small", ADMITTED);
    end_all(scheduler, "small");
}

static void a_higher_priority_goes_past_a_job_that_waits_for_memory(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "low", 0, 60, 1, 0);
    wait_for("low", LOADING);
    give_it_a_chance();
    submit(scheduler, "small", 1, 10, 1, 0);
    wait_for("small", ADMITTED); /* at once: it fits */
    submit(scheduler, "high", 2, 60, 1, 0);
    wait_for("high", LOADING);
    end_job("a");
    wait_for("high", ADMITTED);
    end_job("high");
    wait_for("low", ADMITTED);
    assert_admitted("a small high low ");
    end_all(scheduler, "low");
}

static void a_higher_priority_goes_past_a_job_that_waits_for_threads(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 1, 1, 0);
    wait_for("b", ADMITTED);
    submit(scheduler, "c", 0, 1, 2, 1);
    submit(scheduler, "high", 1, 1, 1, 0); /* both are in the queue now */
    end_job("a");
    wait_for("high", ADMITTED);
    end_job("high");
    end_job("b");
    wait_for("c", ADMITTED);
    assert_admitted("a b high c ");
    end_all(scheduler, "c");
}

/* ---- threads ---- */

static void small_jobs_run_side_by_side(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 3, 100, 20);
    const char *const ids[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 3; i++) { /* all at the same time */
        submit(scheduler, ids[i], 0, 1, 1, 0);
        assert_int_equal(granted(ids[i]), 1);
    }
    submit(scheduler, ids[3], 0, 1, 1, 0);
    give_it_a_chance();
    assert_admitted("a b c ");
    end_job("b");
    assert_int_equal(granted("d"), 1);
    end_all(scheduler, "d");
}

static void auto_takes_what_is_free_and_gets_the_rest_later(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    assert_int_equal(scheduler_threads(scheduler), 4);
    submit(scheduler, "small", 0, 1, 1, 0);
    wait_for("small", ADMITTED);
    submit(scheduler, "large", 0, 1, 4, 0);
    assert_int_equal(granted("large"), 3);
    end_job("small");
    time_t end = time(NULL) + PATIENCE;
    while (atomic_load(&find_job("large")->control->threads) != 4) {
        assert_true(time(NULL) < end);
    }
    end_job("large");
    submit(scheduler, "next", 0, 1, 4, 0);
    assert_int_equal(granted("next"), 4); /* all came back */
    end_all(scheduler, "next");
}

static void a_given_number_of_threads_is_waited_for(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 3, 100, 20);
    submit(scheduler, "a", 0, 1, 2, 0);
    assert_int_equal(granted("a"), 2);
    submit(scheduler, "exact", 0, 1, 3, 1);
    wait_for("exact", LOADING);
    give_it_a_chance();
    assert_admitted("a ");
    assert_int_equal(atomic_load(&find_job("a")->control->threads), 2); /* what it waits for is not given to others */
    end_job("a");
    assert_int_equal(granted("exact"), 3);
    end_all(scheduler, "exact");
}

static void more_threads_than_there_are_take_all(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "many", 0, 1, 16, 1);
    assert_int_equal(granted("many"), 16);
    submit(scheduler, "next", 0, 1, 1, 0);
    give_it_a_chance();
    assert_admitted("many ");
    end_job("many");
    assert_int_equal(granted("next"), 1);
    end_all(scheduler, "next");
}

/* ---- memory ---- */

static void jobs_are_admitted_by_their_bytes(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 8, 100, 20);
    submit(scheduler, "a", 0, 50, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 50, 1, 0);
    wait_for("b", ADMITTED); /* exactly full */
    submit(scheduler, "c", 0, 1, 1, 0);
    wait_for("c", LOADING);
    give_it_a_chance();
    assert_admitted("a b ");
    end_job("a");
    wait_for("c", ADMITTED);
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

/* ---- orders ---- */

static void a_waiting_job_that_is_cancelled_never_runs(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 2);
    struct error error;
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 1, 1, 0);
    submit(scheduler, "c", 0, 1, 1, 0);
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, &error));
    scheduler_cancel(scheduler, "b");
    assert_ok(scheduler_reserve(scheduler, &error)); /* its place is free */
    scheduler_release(scheduler);
    end_all(scheduler, "c");
    assert_admitted("a c ");
}

static void a_running_job_that_is_cancelled_is_told(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 20);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 1, 1, 0);
    scheduler_cancel(scheduler, "nobody");
    scheduler_cancel(scheduler, "a");
    wait_for("a", ENDED);
    assert_int_equal(find_job("a")->order, RUNNER_CANCEL);
    wait_for("b", ADMITTED);
    end_all(scheduler, "b");
    assert_int_equal(find_job("b")->order, RUNNER_GO_ON);
}

static void a_job_that_waits_to_be_admitted_can_be_cancelled(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 4, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "b", 0, 60, 1, 0);
    submit(scheduler, "c", 0, 10, 1, 0);
    wait_for("b", LOADING);
    give_it_a_chance();
    scheduler_cancel(scheduler, "b");
    wait_for("b", ENDED);
    assert_int_equal(find_job("b")->granted, 0);
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
    scheduler_cancel(scheduler, "a");
    hold_loads(0);
    wait_for("a", ENDED);
    assert_int_equal(find_job("a")->granted, 0);
    end_all(scheduler, "a");
}

static void draining_sends_all_back_and_starts_nothing(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    submit(scheduler, "a", 0, 60, 1, 0);
    wait_for("a", ADMITTED);
    submit(scheduler, "waits", 0, 60, 1, 0);
    wait_for("waits", LOADING);
    submit(scheduler, "queued", 0, 1, 1, 0);
    give_it_a_chance();
    assert_true(scheduler_drain(scheduler, PATIENCE * 1000));
    assert_int_equal(find_job("a")->order, RUNNER_DRAIN);
    assert_int_equal(find_job("waits")->granted, 0);
    submit(scheduler, "late", 100, 1, 1, 0);
    give_it_a_chance();
    assert_admitted("a ");
    assert_int_equal(find_job("queued")->stage, WAITING);
    scheduler_free(scheduler);
}

static void draining_does_not_wait_for_ever(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 2, 100, 20);
    hold_loads(1);
    submit(scheduler, "a", 0, 1, 1, 0);
    wait_for("a", LOADING);
    scheduler_cancel(scheduler, "a");
    assert_false(scheduler_drain(scheduler, 0));
    assert_false(scheduler_drain(scheduler, 20));
    hold_loads(0);
    assert_true(scheduler_drain(scheduler, PATIENCE * 1000));
    assert_int_equal(find_job("a")->order, RUNNER_CANCEL); /* and stays cancelled */
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

static void a_reserved_place_counts(void **state)
{
    struct scheduler *scheduler = start_scheduler(*state, 1, 100, 2);
    struct error error;
    assert_ok(scheduler_reserve(scheduler, &error));
    assert_ok(scheduler_reserve(scheduler, &error));
    assert_status(STATUS_QUEUE_FULL, scheduler_reserve(scheduler, &error));
    scheduler_release(scheduler);
    assert_ok(scheduler_reserve(scheduler, &error));
    scheduler_free(scheduler);
    scheduler_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(jobs_run_by_priority_then_age),
        TEST(a_waiting_job_takes_the_place_of_its_new_priority),
        TEST(the_stored_queue_is_taken_up_in_its_order),
        TEST(a_large_job_is_not_starved_by_small_ones_behind_it),
        TEST(a_higher_priority_goes_past_a_job_that_waits_for_memory),
        TEST(a_higher_priority_goes_past_a_job_that_waits_for_threads),
        TEST(small_jobs_run_side_by_side),
        TEST(auto_takes_what_is_free_and_gets_the_rest_later),
        TEST(a_given_number_of_threads_is_waited_for),
        TEST(more_threads_than_there_are_take_all),
        TEST(jobs_are_admitted_by_their_bytes),
        TEST(a_job_above_the_budget_runs_alone),
        TEST(a_waiting_job_that_is_cancelled_never_runs),
        TEST(a_running_job_that_is_cancelled_is_told),
        TEST(a_job_that_waits_to_be_admitted_can_be_cancelled),
        TEST(a_job_cancelled_while_it_loads_is_not_admitted),
        TEST(draining_sends_all_back_and_starts_nothing),
        TEST(draining_does_not_wait_for_ever),
        TEST(a_pause_ends_with_its_time_an_order_or_the_drain),
        TEST(a_reserved_place_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
