/* When queued jobs will start, by what is known now. */
#include "server/jobs/estimate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

#define UNKNOWN ((double)NAN)

/* Runs the estimate over a copy, with room for the queue; wanted NaN: not known. */
static void check(struct estimate estimate, const struct estimate_running *running, const uint64_t *bytes, size_t count,
                  const double *wanted)
{
    struct estimate_running room[16];
    double starts[8];
    for (size_t i = 0; i < estimate.running_count; i++) {
        room[i] = running[i];
    }
    estimate.running = room;
    estimate_starts(&estimate, bytes, count, starts);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(isnan(starts[i]), isnan(wanted[i]));
        if (!isnan(wanted[i])) {
            assert_close(starts[i], wanted[i], 0, 1e-12);
        }
    }
}

static void what_fits_starts_at_once_then_one_each_slice(void **state)
{
    const uint64_t bytes[] = {10, 10, 10, 10};
    const double wanted[] = {0, 0, 0.1, 0.2};
    (void)state;
    check((struct estimate){.free_bytes = 100, .at_once = 2, .most = 9, .slice = 0.1}, NULL, bytes, 4, wanted);
}

static void what_does_not_fit_waits_for_those_that_end_first(void **state)
{
    const struct estimate_running running[] = {{40, 30}, {30, 5}, {20, UNKNOWN}};
    const uint64_t bytes[] = {35, 40, 1}; /* 10 are free: after 5 s 40; 5 are left then, after 30 s 45 */
    const double wanted[] = {5, 30, 30};
    (void)state;
    check((struct estimate){.free_bytes = 10, .at_once = 9, .most = 9, .slice = 0.1, .running_count = 3}, running, bytes, 3,
          wanted);
}

static void nobody_knows_when_jobs_end_that_have_not_begun(void **state)
{
    const struct estimate_running running[] = {{50, 8}};
    const uint64_t bytes[] = {100, 60, 1};
    const double wanted[] = {8, UNKNOWN, UNKNOWN};
    (void)state;
    check((struct estimate){.free_bytes = 50, .at_once = 9, .most = 9, .slice = 0.1, .running_count = 1}, running, bytes, 3,
          wanted);
}

static void there_are_no_more_than_the_most_at_a_time(void **state)
{
    const struct estimate_running running[] = {{1, 3}, {1, 2}};
    const uint64_t bytes[] = {1, 1};
    const double wanted[] = {2, 3};
    (void)state;
    check((struct estimate){.free_bytes = 50, .at_once = 9, .most = 2, .slice = 0.1, .running_count = 2}, running, bytes, 2,
          wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_starts_at_once_then_one_each_slice),
        cmocka_unit_test(what_does_not_fit_waits_for_those_that_end_first),
        cmocka_unit_test(nobody_knows_when_jobs_end_that_have_not_begun),
        cmocka_unit_test(there_are_no_more_than_the_most_at_a_time),
    };
    return cmocka_run_group_tests_name("estimate", tests, NULL, NULL);
}
