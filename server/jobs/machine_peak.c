#include "server/jobs/machine_peak.h"

#include <pthread.h>

#include "core/base/matrix_peak.h"
#include "server/clock.h"

static pthread_once_t measured = PTHREAD_ONCE_INIT;
static double peak;

static void measure(void)
{
    peak = matrix_peak(clock_monotonic_seconds);
}

double machine_peak(void)
{
    pthread_once(&measured, measure);
    return peak;
}
