#include "server/jobs/estimate.h"

#include <math.h>

/* Lets the running job that ends first end. Returns when that is; NaN: nobody knows. */
static double end_one(struct estimate *estimate)
{
    size_t first = estimate->running_count;
    double ends = (double)NAN;

    for (size_t i = 0; i < estimate->running_count; i++) {
        const struct estimate_running *job = &estimate->running[i];

        if (!isnan(job->ends) && (first == estimate->running_count || job->ends < ends)) {
            first = i;
            ends = job->ends;
        }
    }
    if (first < estimate->running_count) {
        estimate->free_bytes += estimate->running[first].bytes;
        estimate->running[first] = estimate->running[--estimate->running_count];
    }
    return ends;
}

void estimate_starts(struct estimate *estimate, const uint64_t *bytes, size_t count, double *starts)
{
    double now = 0;

    for (size_t i = 0; i < count; i++) {
        if (estimate->running_count >= estimate->at_once) {
            now += estimate->slice;
        }
        while (!isnan(now) && (bytes[i] > estimate->free_bytes || estimate->running_count >= estimate->most)) {
            double ends = end_one(estimate);

            now = isnan(ends) || ends > now ? ends : now;
        }
        starts[i] = now;
        if (!isnan(now)) {
            estimate->free_bytes -= bytes[i];
            estimate->running[estimate->running_count++] = (struct estimate_running){bytes[i], (double)NAN};
        }
    }
}
