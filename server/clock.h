/* The time: of day, and since some moment that stays the same. */
#ifndef DESCENT_SERVER_CLOCK_H
#define DESCENT_SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_realtime_ms(void);  /* since 1970 UTC */
int64_t clock_monotonic_ms(void); /* above 0 */
double clock_monotonic_seconds(void);

/* A deadline of the monotonic clock as condition variables want it. */
struct timespec clock_at_ms(int64_t monotonic_ms);

#endif
