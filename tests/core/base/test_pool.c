#include "core/base/pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TASKS_MAX 1000

/* How often each task ran, and by whom last; tasks of different workers are different elements. */
struct seen {
    uint32_t times[TASKS_MAX], worker[TASKS_MAX];
};

static void see(void *context, uint32_t task, uint32_t worker)
{
    struct seen *seen = context;
    seen->times[task]++;
    seen->worker[task] = worker;
}

static struct pool *make(uint32_t threads)
{
    struct pool *pool;
    struct error error = {.status = STATUS_OK};
    if (pool_new(&pool, threads, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(pool_threads(pool), threads);
    return pool;
}

/* One run: each task once, by a worker of the team. A single task is done by the caller. */
static void check_run(struct pool *pool, uint32_t tasks)
{
    static struct seen seen;
    uint32_t threads = tasks == 1 ? 1 : pool_threads(pool);
    memset(&seen, 0, sizeof(seen));
    pool_run(pool, tasks, see, &seen);
    for (uint32_t task = 0; task < tasks; task++) {
        if (seen.times[task] != 1 || seen.worker[task] >= threads)
            fail_msg("task %u of %u ran %u times, by worker %u of %u", task, tasks, seen.times[task], seen.worker[task],
                     threads);
    }
}

static void each_task_runs_once(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 5, 64, 999, TASKS_MAX};
    for (uint32_t threads = 1; threads <= 7; threads++) {
        struct pool *pool = make(threads);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            check_run(pool, sizes[i]);
        pool_free(pool);
    }
}

#define FOUR 4

struct slow {
    atomic_uint others; /* that are done */
    uint32_t worker[FOUR];
};

static void first_waits_for_others(void *context, uint32_t task, uint32_t worker)
{
    struct slow *slow = context;
    slow->worker[task] = worker;
    if (task > 0) {
        atomic_fetch_add(&slow->others, 1);
        return;
    }
    struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 10000 && atomic_load(&slow->others) < FOUR - 1; i++)
        nanosleep(&pause, NULL);
}

static void what_a_slow_worker_has_left_others_do(void **state)
{
    (void)state;
    struct pool *pool = make(2);
    struct slow slow = {.others = 0};
    pool_run(pool, FOUR, first_waits_for_others, &slow);
    assert_int_equal(atomic_load(&slow.others), FOUR - 1);
    for (int task = 1; task < FOUR; task++)
        assert_int_not_equal(slow.worker[task], slow.worker[0]);
    pool_free(pool);
}

/* ---- who is not there at all ---- */

static atomic_int held; /* 1: a thread is, 2: it is let go */

static void hold(int number)
{
    (void)number;
    atomic_store(&held, 1);
    while (atomic_load(&held) == 1) {
    }
}

struct both {
    pthread_t threads[2];
    pid_t ids[2];
    atomic_uint begun;
};

/* Two tasks that are only done by two workers. */
static void meet(void *context, uint32_t task, uint32_t worker)
{
    struct both *both = context;
    (void)task;
    both->threads[worker] = pthread_self();
    both->ids[worker] = gettid();
    atomic_fetch_add(&both->begun, 1);
    while (atomic_load(&both->begun) < 2) {
    }
}

static int is_asleep(pid_t thread)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
    assert_int_equal(fclose(file), 0);
    return state == 'S';
}

/* A signal keeps the second worker from its work: the caller does all of it and waits for nobody. */
static void who_comes_too_late_is_not_waited_for(void **state)
{
    (void)state;
    const struct sigaction holding = {.sa_handler = hold};
    struct sigaction before;
    struct seen seen = {{0}, {0}};
    struct both both = {.begun = 0};
    struct pool *pool = make(2);

    assert_int_equal(sigaction(SIGUSR1, &holding, &before), 0);
    pool_run(pool, 2, meet, &both);
    while (!is_asleep(both.ids[1])) { /* holding nothing that the caller could need */
    }
    assert_int_equal(pthread_kill(both.threads[1], SIGUSR1), 0);
    while (atomic_load(&held) != 1) {
    }
    pool_run(pool, 64, see, &seen);
    for (uint32_t task = 0; task < 64; task++) {
        assert_int_equal(seen.times[task], 1);
        assert_int_equal(seen.worker[task], 0);
    }
    atomic_store(&held, 2);
    for (int i = 0; i < 100; i++) /* the late one finds its way back, whenever it comes */
        check_run(pool, 64);
    pool_free(pool);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static void many_short_runs_lose_no_task(void **state)
{
    (void)state;
    struct pool *pool = make(3);
    for (int i = 0; i < 2000; i++)
        check_run(pool, 7);
    pool_free(pool);
}

static void a_team_grows_and_shrinks_between_runs(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {4, 1, 7, 7, 2, POOL_MAX_THREADS, 3};
    struct pool *pool = make(2);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        pool_resize(pool, sizes[i]);
        assert_int_equal(pool_threads(pool), sizes[i]);
        check_run(pool, 100);
    }
    pool_free(pool);
}

static void a_team_of_none_or_too_many_is_refused(void **state)
{
    (void)state;
    struct pool *pool;
    struct error error = {.status = STATUS_OK};
    assert_int_equal(pool_new(&pool, 0, &error), STATUS_OUT_OF_RANGE);
    error.status = STATUS_OK;
    assert_int_equal(pool_new(&pool, POOL_MAX_THREADS + 1, &error), STATUS_OUT_OF_RANGE);
    assert_null(pool);
    pool_free(NULL);
}

/* ---- clocks ---- */

static uint64_t sum(const uint64_t ticks[PHASE_COUNT])
{
    uint64_t all = 0;

    for (int p = 0; p < PHASE_COUNT; p++) {
        all += ticks[p];
    }
    return all;
}

/* Some work, of which a part belongs to another phase. */
static void work(void *context, uint32_t task, uint32_t worker)
{
    struct phase_clock *clock = pool_clock(context, worker);
    atomic_uint counter = task;

    for (int part = 0; part < 3; part++) {
        enum phase before = clock->phase;
        if (part == 1) {
            before = phase_clock_switch(clock, PHASE_GATHER);
        }
        for (int i = 0; i < 20000; i++) {
            atomic_fetch_add(&counter, 1);
        }
        if (part == 1) {
            phase_clock_switch(clock, before);
        }
    }
}

static void phases_add_up_to_the_whole(void **state)
{
    (void)state;
    struct phase_clock clock = {.since = phase_clock_ticks(), .phase = PHASE_OTHER};
    const uint64_t begin = clock.since;
    assert_int_equal(phase_clock_switch(&clock, PHASE_FORWARD), PHASE_OTHER);
    assert_int_equal(phase_clock_switch(&clock, PHASE_GATHER), PHASE_FORWARD); /* within it ... */
    assert_int_equal(phase_clock_switch(&clock, PHASE_FORWARD), PHASE_GATHER); /* ... and back */
    assert_int_equal(phase_clock_switch(&clock, PHASE_OTHER), PHASE_FORWARD);
    assert_int_equal(sum(clock.ticks), clock.since - begin);
    assert_int_equal(clock.ticks[PHASE_BACKWARD], 0);
}

static void a_team_counts_each_threads_whole_time(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct pool *pool = make(threads);
        uint64_t ticks[PHASE_COUNT];
        const uint64_t begin = phase_clock_ticks();
        pool_clocks_start(pool);
        pool_phase(pool, PHASE_BACKWARD);
        pool_run(pool, 12, work, pool);
        pool_clocks_stop(pool);
        const uint64_t whole = phase_clock_ticks() - begin;
        pool_ticks(pool, ticks);
        assert_in_range(sum(ticks), 0, threads * whole);
        if (whole > 0) { /* the processor has a counter that is known */
            assert_in_range(ticks[PHASE_BACKWARD], 1, UINT64_MAX);
            assert_in_range(ticks[PHASE_GATHER], 1, UINT64_MAX);
        }
        assert_int_equal(ticks[PHASE_UPDATE], 0);
        if (threads == 1) {
            assert_int_equal(ticks[PHASE_WAIT], 0);
        }
        pool_free(pool);
    }
}

static void time_is_counted_between_start_and_stop_only(void **state)
{
    (void)state;
    struct pool *pool = make(2);
    uint64_t before[PHASE_COUNT], after[PHASE_COUNT];
    pool_phase(pool, PHASE_EVALUATE);
    pool_run(pool, 4, work, pool);
    pool_ticks(pool, before);
    assert_int_equal(sum(before), 0);
    pool_clocks_start(pool);
    pool_phase(pool, PHASE_FORWARD);
    pool_run(pool, 4, work, pool);
    pool_clocks_stop(pool);
    pool_ticks(pool, before);
    assert_int_equal(before[PHASE_EVALUATE], 0);
    pool_phase(pool, PHASE_EVALUATE);
    pool_run(pool, 4, work, pool); /* not counted, not even when the next one starts */
    pool_ticks(pool, after);
    assert_memory_equal(before, after, sizeof(before));
    pool_resize(pool, 1);
    pool_clocks_start(pool);
    pool_clocks_stop(pool);
    pool_ticks(pool, after);
    for (int p = 0; p < PHASE_COUNT; p++) {
        if (p != PHASE_OTHER)
            assert_int_equal(before[p], after[p]);
    }
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_runs_once),
        cmocka_unit_test(what_a_slow_worker_has_left_others_do),
        cmocka_unit_test(who_comes_too_late_is_not_waited_for),
        cmocka_unit_test(many_short_runs_lose_no_task),
        cmocka_unit_test(a_team_grows_and_shrinks_between_runs),
        cmocka_unit_test(phases_add_up_to_the_whole),
        cmocka_unit_test(a_team_counts_each_threads_whole_time),
        cmocka_unit_test(time_is_counted_between_start_and_stop_only),
        cmocka_unit_test(a_team_of_none_or_too_many_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
