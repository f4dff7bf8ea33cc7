#include "server/clock.h"

static struct timespec now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time;
}

int64_t clock_realtime_ms(void)
{
    struct timespec time = now(CLOCK_REALTIME);

    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec time = now(CLOCK_MONOTONIC);

    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct timespec clock_at_ms(int64_t monotonic_ms)
{
    return (struct timespec){.tv_sec = monotonic_ms / 1000, .tv_nsec = monotonic_ms % 1000 * 1000000};
}
