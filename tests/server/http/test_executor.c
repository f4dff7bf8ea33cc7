#include "server/http/executor.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#define TASKS 10000

struct numbered {
    struct task task;
    unsigned number;
};

static unsigned order[TASKS], ran;
static atomic_uint freed;
static pthread_barrier_t barrier;

static void note(struct task *task)
{
    /* Only one thread: no lock is needed. */
    order[ran++] = ((struct numbered *)(void *)task)->number;
}

static void free_itself(struct task *task)
{
    free(task);
    atomic_fetch_add(&freed, 1);
}

static void meet(struct task *task)
{
    (void)task;
    pthread_barrier_wait(&barrier);
}

static void tasks_run_in_the_order_of_submission(void **state)
{
    (void)state;
    static struct numbered tasks[TASKS];
    struct executor *executor;
    assert_int_equal(executor_new(1, &executor, NULL), STATUS_OK);
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i] = (struct numbered){.task = {.run = note}, .number = i};
        executor_submit(executor, &tasks[i].task);
    }
    executor_free(executor);
    assert_int_equal(ran, TASKS);
    for (unsigned i = 0; i < TASKS; i++)
        assert_int_equal(order[i], i);
}

static void a_task_may_free_itself_and_the_end_runs_what_is_left(void **state)
{
    (void)state;
    struct executor *executor;
    assert_int_equal(executor_new(3, &executor, NULL), STATUS_OK);
    for (int i = 0; i < TASKS; i++) {
        struct task *task = calloc(1, sizeof(*task));
        task->run = free_itself;
        executor_submit(executor, task);
    }
    executor_free(executor);
    assert_int_equal(atomic_load(&freed), TASKS);
}

static void tasks_run_side_by_side(void **state)
{
    (void)state;
    struct executor *executor;
    struct task tasks[4] = {{.run = meet}, {.run = meet}, {.run = meet}, {.run = meet}};
    /* Each waits for the three others: this ends only if all four run at once. */
    pthread_barrier_init(&barrier, NULL, 4);
    assert_int_equal(executor_new(4, &executor, NULL), STATUS_OK);
    for (int i = 0; i < 4; i++)
        executor_submit(executor, &tasks[i]);
    executor_free(executor);
    pthread_barrier_destroy(&barrier);
}

/* A sanitizer's own memory would not survive the limit. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void threads_that_cannot_be_made_are_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit before, little;
    struct executor *executor = NULL;
    struct error error = {.status = STATUS_OK};
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    little.rlim_max = before.rlim_max;
    little.rlim_cur = (rlim_t)64 << 20;
    assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
    enum status status = executor_new(500, &executor, &error);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(status, STATUS_SYSTEM_ERROR);
    assert_null(executor);
}
#define TEST_THREADS_LIMIT cmocka_unit_test(threads_that_cannot_be_made_are_an_error_that_leaves_nothing),
#else
#define TEST_THREADS_LIMIT
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tasks_run_in_the_order_of_submission),
                                       cmocka_unit_test(a_task_may_free_itself_and_the_end_runs_what_is_left),
                                       cmocka_unit_test(tasks_run_side_by_side), TEST_THREADS_LIMIT};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
