/* The clocks agree with each other, and with the system's. */
#include "server/clock.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static void the_time_of_day_is_the_systems(void **state)
{
    (void)state;
    const int64_t before = (int64_t)time(NULL);
    const int64_t now = clock_realtime_ms();
    assert_in_range(now / 1000, before - 1, before + 60);
}

static void the_monotonic_clock_never_runs_back_and_is_above_zero(void **state)
{
    int64_t last = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        const int64_t now = clock_monotonic_ms();
        assert_true(now >= last && now > 0);
        last = now;
    }
    assert_close(clock_monotonic_seconds(), 1e-3 * (double)last, 0, 60);
}

static void a_deadline_is_that_many_milliseconds(void **state)
{
    (void)state;
    assert_int_equal(clock_at_ms(12345).tv_sec, 12);
    assert_int_equal(clock_at_ms(12345).tv_nsec, 345000000);
    assert_int_equal(clock_at_ms(2000).tv_nsec, 0);
}

/* On a condition variable of the monotonic clock, as the scheduler's. */
static void a_deadline_passes_when_the_clock_says_so(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    (void)state;
    clock_condition_init(&condition);
    const int64_t deadline = clock_monotonic_ms() + 20;
    const struct timespec until = clock_at_ms(deadline);
    int code = 0;
    pthread_mutex_lock(&lock);
    while (code == 0) { /* it may wake for nothing */
        code = pthread_cond_timedwait(&condition, &lock, &until);
    }
    pthread_mutex_unlock(&lock);
    assert_int_equal(code, ETIMEDOUT);
    assert_true(clock_monotonic_ms() >= deadline);
    pthread_cond_destroy(&condition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_day_is_the_systems),
        cmocka_unit_test(the_monotonic_clock_never_runs_back_and_is_above_zero),
        cmocka_unit_test(a_deadline_is_that_many_milliseconds),
        cmocka_unit_test(a_deadline_passes_when_the_clock_says_so),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
