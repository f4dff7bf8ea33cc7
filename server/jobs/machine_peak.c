#include "server/jobs/machine_peak.h"

#include <assert.h>
#include <pthread.h>

#include "core/base/matrix_peak.h"
#include "server/clock.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf; guards the two below */
static int is_measured[PRECISION_COUNT];
static double peaks[PRECISION_COUNT];

double machine_peak(enum precision precision)
{
    double peak;

    assert((unsigned)precision < PRECISION_COUNT);
    pthread_mutex_lock(&lock);
    if (!is_measured[precision]) {
        peaks[precision] = matrix_peak(precision, clock_monotonic_seconds);
        is_measured[precision] = 1;
    }
    peak = peaks[precision];
    pthread_mutex_unlock(&lock);
    return peak;
}
