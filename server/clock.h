/* The time: of day, and since some moment that stays the same. Telling it may happen in a signal handler. */
#ifndef DESCENT_SERVER_CLOCK_H
#define DESCENT_SERVER_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t clock_realtime_ms(void);  /* since 1970 UTC */
int64_t clock_monotonic_ns(void); /* to measure what takes little time */

static inline int64_t clock_monotonic_ms(void) /* above 0 */
{
    return clock_monotonic_ns() / 1000000 + 1;
}

static inline double clock_monotonic_seconds(void)
{
    return 1e-9 * (double)clock_monotonic_ns();
}

/* A deadline of the monotonic clock as condition variables want it: those that clock_condition_init made. */
struct timespec clock_at_ms(int64_t monotonic_ms);

static inline void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

#endif
