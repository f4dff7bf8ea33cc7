/*
 * Where a job's time goes, and what share of the machine's limit it reaches: from what its run counts, or from results as
 * they were stored.
 */
#ifndef DESCENT_API_PROFILE_H
#define DESCENT_API_PROFILE_H

#include <stdint.h>

#include "core/base/phase_clock.h"
#include "core/base/precision.h"
#include "core/base/status.h"

/* What a run of a job counts while it trains, over its steps so far. */
struct profile_counts {
    uint64_t steps, samples;
    uint64_t nanoseconds;        /* of the steps, by a clock on the wall */
    uint64_t thread_nanoseconds; /* the same, times the threads that the job had in each step */
    uint64_t ticks[PHASE_COUNT]; /* of all threads together */
    uint64_t step_flops;         /* floating point operations of the products of an average step; 0: not known */
    enum precision precision;    /* of those products */
};

/* NaN: not known. */
struct profile {
    double threads; /* on average, an integer where it did not change */
    double seconds;
    uint64_t steps;
    double samples_per_second;
    double shares[PHASE_COUNT]; /* sum 1 */
    double gflops, peak_gflops; /* of all threads: the job's products, and what the machine can do */
};

const char *profile_phase_name(enum phase phase); /* "gather" */

/* thread_peak: floating point operations a second of one thread, in that precision; 0: not known. counts->steps above 0. */
void profile_of_counts(struct profile *profile, const struct profile_counts *counts, double thread_peak);

/*
 * From a job's results [size] as JSON text. *found is 0 where they have none, as those of earlier versions and of jobs whose
 * last run made no step. STATUS_OBJECT_CORRUPT: this program never wrote it.
 */
MUST_CHECK enum status profile_of_results(struct profile *profile, int *found, const char *results, size_t size,
                                          struct error *error);

#endif
