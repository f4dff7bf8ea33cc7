#include "server/http/waiters.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct executor *executor;
static struct waiters *waiters;
static atomic_uint runs;

struct guest {
    struct waiter waiter;
    struct task task;
};

static void count(struct task *task)
{
    (void)task;
    atomic_fetch_add(&runs, 1);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&runs, 0);
    assert_int_equal(executor_new(2, &executor, NULL), STATUS_OK);
    assert_int_equal(waiters_new(executor, &waiters, NULL), STATUS_OK);
    return 0;
}

/* Joins the threads: what was submitted has run afterwards. */
static unsigned finish(void)
{
    executor_free(executor);
    executor = NULL;
    waiters_free(waiters);
    waiters = NULL;
    return atomic_load(&runs);
}

static void park(struct guest *guest, const char *key, uint64_t ticket, int64_t deadline)
{
    guest->task.run = count;
    guest->waiter.task = &guest->task;
    guest->waiter.deadline = deadline;
    waiters_park(waiters, &guest->waiter, key, ticket);
}

static void wait_for(unsigned wanted)
{
    while (atomic_load(&runs) < wanted)
        sched_yield();
}

static void a_wake_runs_all_of_its_key_and_no_other(void **state)
{
    (void)state;
    struct guest guests[3];
    park(&guests[0], "job_a", waiters_ticket(waiters, "job_a"), INT64_MAX);
    park(&guests[1], "job_b", waiters_ticket(waiters, "job_b"), INT64_MAX);
    park(&guests[2], "job_a", waiters_ticket(waiters, "job_a"), INT64_MAX);
    waiters_wake(waiters, "job_a");
    wait_for(2);
    waiters_wake(waiters, "job_a");
    waiters_wake(waiters, "job_b");
    assert_int_equal(finish(), 3);
}

static void a_wake_before_the_park_is_not_lost(void **state)
{
    (void)state;
    struct guest guest;
    uint64_t ticket = waiters_ticket(waiters, "job_a");
    waiters_wake(waiters, "job_a");
    park(&guest, "job_a", ticket, INT64_MAX);
    assert_int_equal(finish(), 1);
}

static void deadlines_are_kept(void **state)
{
    (void)state;
    struct guest guests[2];
    park(&guests[0], "job_a", waiters_ticket(waiters, "job_a"), 1000);
    park(&guests[1], "job_a", waiters_ticket(waiters, "job_a"), 2000);
    waiters_expire(waiters, 999);
    waiters_expire(waiters, 1000);
    wait_for(1);
    waiters_expire(waiters, 1999);
    assert_int_equal(atomic_load(&runs), 1);
    waiters_expire(waiters, 3000);
    assert_int_equal(finish(), 2);
}

static void draining_runs_all_now_and_later(void **state)
{
    (void)state;
    struct guest guests[2];
    assert_false(waiters_draining(waiters));
    park(&guests[0], "job_a", waiters_ticket(waiters, "job_a"), INT64_MAX);
    waiters_drain(waiters);
    assert_true(waiters_draining(waiters));
    park(&guests[1], "job_a", waiters_ticket(waiters, "job_a"), INT64_MAX);
    assert_int_equal(finish(), 2);
}

#define ROUNDS 2000

static void *wake_often(void *argument)
{
    atomic_int *ended = argument;
    while (!atomic_load(ended))
        waiters_wake(waiters, "job_a");
    return NULL;
}

static void parking_and_waking_race_without_loss(void **state)
{
    (void)state;
    static struct guest guests[ROUNDS];
    atomic_int ended = 0;
    pthread_t waker;
    pthread_create(&waker, NULL, wake_often, &ended);
    for (unsigned i = 0; i < ROUNDS; i++)
        park(&guests[i], "job_a", waiters_ticket(waiters, "job_a"), INT64_MAX);
    wait_for(ROUNDS);
    atomic_store(&ended, 1);
    pthread_join(waker, NULL);
    assert_int_equal(finish(), ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_wake_runs_all_of_its_key_and_no_other, set_up),
        cmocka_unit_test_setup(a_wake_before_the_park_is_not_lost, set_up),
        cmocka_unit_test_setup(deadlines_are_kept, set_up),
        cmocka_unit_test_setup(draining_runs_all_now_and_later, set_up),
        cmocka_unit_test_setup(parking_and_waking_race_without_loss, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
