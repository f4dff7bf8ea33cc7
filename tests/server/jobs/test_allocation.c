/* Who gets how many threads, over simulated time. */
#include "server/jobs/allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define JOBS_MAX 24

/* Threads of the job with this arrival number. */
static uint32_t threads_of(const struct share *shares, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (shares[i].number == number) {
            return shares[i].threads;
        }
    }
    fail_msg("there is no job %llu", (unsigned long long)number);
    return 0;
}

/* Lets them work for so many slices: used [count] in thread-slices by number. */
static void simulate(const struct share *jobs, size_t count, uint32_t threads, unsigned slices, uint64_t used[JOBS_MAX])
{
    memset(used, 0, JOBS_MAX * sizeof *used);
    for (unsigned slice = 0; slice < slices; slice++) {
        struct share shares[JOBS_MAX];
        for (size_t i = 0; i < count; i++) {
            shares[i] = jobs[i];
            shares[i].number = i;
            shares[i].used = used[i];
        }
        allocation_make(shares, count, threads);
        for (size_t i = 0; i < count; i++) {
            used[shares[i].number] += shares[i].threads;
        }
    }
}

static void equal_jobs_get_equal_time_within_a_slice(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 5; threads++) {
        for (size_t count = 1; count <= JOBS_MAX; count++) {
            struct share jobs[JOBS_MAX];
            uint64_t used[JOBS_MAX], least = UINT64_MAX, most = 0, sum = 0;
            for (size_t i = 0; i < count; i++) {
                jobs[i] = (struct share){.wanted = threads};
            }
            simulate(jobs, count, threads, 60, used);
            for (size_t i = 0; i < count; i++) {
                least = used[i] < least ? used[i] : least;
                most = used[i] > most ? used[i] : most;
                sum += used[i];
            }
            assert_int_equal(sum, 60 * threads);
            assert_true(most - least <= 1 + threads / count); /* what one slice gives */
        }
    }
}

static void a_higher_priority_is_served_in_full_first(void **state)
{
    (void)state;
    struct share shares[] = {{.priority = 0, .wanted = 8, .number = 1},
                             {.priority = 5, .wanted = 3, .number = 2, .used = 1000},
                             {.priority = -1, .wanted = 8, .number = 3},
                             {.priority = 0, .wanted = 1, .number = 4, .used = 7}};
    allocation_make(shares, 4, 6);
    assert_int_equal(threads_of(shares, 4, 2), 3);
    assert_int_equal(threads_of(shares, 4, 1), 2);
    assert_int_equal(threads_of(shares, 4, 4), 1);
    assert_int_equal(threads_of(shares, 4, 3), 0);
    assert_int_equal(shares[0].number, 2); /* in the order in which they were served */
    assert_int_equal(shares[3].number, 3);
}

static void an_exact_request_is_served_in_full_or_not_at_all(void **state)
{
    (void)state;
    struct share fits[] = {{.wanted = 1, .number = 1}, {.wanted = 3, .exact = 1, .number = 2, .used = 1}};
    struct share lacks[] = {{.wanted = 2, .number = 1}, {.wanted = 4, .exact = 1, .number = 2, .used = 1}};
    struct share all[] = {{.wanted = 9, .exact = 1, .number = 1}, {.wanted = 2, .number = 2, .used = 1}};
    allocation_make(fits, 2, 4);
    assert_int_equal(threads_of(fits, 2, 2), 3);
    allocation_make(lacks, 2, 4);
    assert_int_equal(threads_of(lacks, 2, 2), 0);
    assert_int_equal(threads_of(lacks, 2, 1), 2);
    allocation_make(all, 2, 4); /* more than there are: all there are */
    assert_int_equal(threads_of(all, 2, 1), 4);
    assert_int_equal(threads_of(all, 2, 2), 0);
}

static void exact_and_other_requests_take_turns(void **state)
{
    (void)state;
    const struct share jobs[] = {{.wanted = 4, .exact = 1}, {.wanted = 4}, {.wanted = 9, .exact = 1}};
    uint64_t used[JOBS_MAX];
    simulate(jobs, 3, 4, 90, used);
    for (int i = 0; i < 3; i++) {
        assert_in_range(used[i], 116, 124);
    }
}

static void who_starves_goes_first_whatever_its_priority(void **state)
{
    (void)state;
    struct share shares[] = {{.priority = 9, .wanted = 2, .number = 1},
                             {.priority = -9, .wanted = 2, .number = 2, .used = 99, .starves = 1}};
    allocation_make(shares, 2, 1);
    assert_int_equal(threads_of(shares, 2, 1), 0);
    assert_int_equal(threads_of(shares, 2, 2), 1);
}

static void among_equals_threads_stay_then_go_to_who_waits_longest(void **state)
{
    (void)state;
    struct share shares[] = {{.wanted = 1, .number = 1, .waits_since = 50},
                             {.wanted = 1, .number = 2, .waits_since = 40},
                             {.wanted = 1, .number = 3, .waits_since = 0},
                             {.wanted = 1, .number = 4, .waits_since = 40}};
    allocation_make(shares, 4, 3);
    assert_int_equal(threads_of(shares, 4, 3), 1);
    assert_int_equal(threads_of(shares, 4, 2), 1);
    assert_int_equal(threads_of(shares, 4, 4), 1);
    assert_int_equal(threads_of(shares, 4, 1), 0);
}

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static uint32_t needed(const struct share *share, uint32_t threads)
{
    return share->wanted < threads ? share->wanted : threads;
}

/* What must hold, whoever comes: nobody has more than it wants, and no thread is idle that somebody could use. */
static void no_thread_is_given_twice_or_left_idle(void **state)
{
    uint32_t random = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct share shares[JOBS_MAX];
        const size_t count = next(&random) % (JOBS_MAX + 1);
        const uint32_t threads = 1 + next(&random) % 9;
        uint32_t sum = 0;
        for (size_t i = 0; i < count; i++) {
            shares[i] = (struct share){.priority = (int32_t)(next(&random) % 3),
                                       .wanted = 1 + next(&random) % 12,
                                       .exact = next(&random) % 4 == 0,
                                       .used = next(&random) % 5,
                                       .starves = next(&random) % 8 == 0,
                                       .waits_since = next(&random) % 3,
                                       .number = i};
        }
        allocation_make(shares, count, threads);
        for (size_t i = 0; i < count; i++) {
            const struct share *share = &shares[i];
            sum += share->threads;
            assert_true(share->threads <= share->wanted);
            assert_true(!share->exact || share->threads == 0 || share->threads == needed(share, threads));
        }
        assert_true(sum <= threads);
        const uint32_t idle = threads - sum;
        for (size_t i = 0; i < count && idle > 0; i++) {
            const uint32_t missing = needed(&shares[i], threads) - shares[i].threads;
            assert_true(shares[i].exact ? missing == 0 || missing > idle : missing == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_jobs_get_equal_time_within_a_slice),
        cmocka_unit_test(a_higher_priority_is_served_in_full_first),
        cmocka_unit_test(an_exact_request_is_served_in_full_or_not_at_all),
        cmocka_unit_test(exact_and_other_requests_take_turns),
        cmocka_unit_test(who_starves_goes_first_whatever_its_priority),
        cmocka_unit_test(among_equals_threads_stay_then_go_to_who_waits_longest),
        cmocka_unit_test(no_thread_is_given_twice_or_left_idle),
    };
    return cmocka_run_group_tests_name("allocation", tests, NULL, NULL);
}
