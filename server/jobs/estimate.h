/*
 * When queued jobs will start: the scheduler's rules played forward with what is known now. A pure function. An estimate:
 * jobs come and go, and nobody knows how long one takes that has not begun.
 */
#ifndef DESCENT_SERVER_JOBS_ESTIMATE_H
#define DESCENT_SERVER_JOBS_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

struct estimate_running {
    uint64_t bytes;
    double ends; /* in so many seconds; NaN: not known */
};

struct estimate {
    uint64_t free_bytes;
    uint32_t at_once;                 /* jobs that are started without waiting for a slice */
    uint32_t most;                    /* jobs in memory at the same time */
    double slice;                     /* seconds between two starts beyond at_once */
    struct estimate_running *running; /* [running_count] with room for the queue behind; changed */
    size_t running_count;
};

/* starts [count]: in so many seconds, for a queue of jobs with these bytes; NaN: not known. */
void estimate_starts(struct estimate *estimate, const uint64_t *bytes, size_t count, double *starts);

#endif
