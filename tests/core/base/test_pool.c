#include "core/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* One run: each task once, by the worker whose range it lies in. A single task is done by the caller. */
static void check_run(struct pool *pool, uint32_t tasks)
{
    static struct seen seen;
    uint32_t threads = tasks == 1 ? 1 : pool_threads(pool);
    memset(&seen, 0, sizeof(seen));
    pool_run(pool, tasks, see, &seen);
    for (uint32_t worker = 0; worker < threads; worker++) {
        for (uint32_t task = tasks * worker / threads; task < tasks * (worker + 1) / threads; task++) {
            if (seen.times[task] != 1 || seen.worker[task] != worker)
                fail_msg("task %u of %u ran %u times, by worker %u of %u", task, tasks, seen.times[task], seen.worker[task],
                         threads);
        }
    }
}

static void each_task_runs_once_and_always_by_the_same_worker(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_runs_once_and_always_by_the_same_worker),
        cmocka_unit_test(many_short_runs_lose_no_task),
        cmocka_unit_test(a_team_grows_and_shrinks_between_runs),
        cmocka_unit_test(a_team_of_none_or_too_many_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
