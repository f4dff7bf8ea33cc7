/*
 * What may go when it is old, or when there is too much: checkpoints of finished jobs, and finished jobs with their curves,
 * events and results. Never models, never data sets, never a job that has not ended.
 */
#ifndef DESCENT_SERVER_STORE_RETENTION_H
#define DESCENT_SERVER_STORE_RETENTION_H

#include "server/store/store.h"

struct retention {
    uint64_t keep_days;  /* jobs that ended longer ago are deleted; 0: none */
    uint64_t keep_bytes; /* of object files and database pages in use, models and data sets included; 0: as many as come */
};
struct retention_summary {
    uint32_t checkpoints; /* jobs that lost theirs */
    uint32_t jobs;        /* that were deleted */
};

/*
 * One turn, of at most RETENTION_STEPS_MAX jobs: first those past keep_days. Then, while the store holds more than
 * keep_bytes, of the finished jobs the one that ended first loses its checkpoints; where none has any left, it goes itself.
 * Blocks for the disk; any thread but the writer's; one at a time. To be called at the start and then about each minute:
 * what one turn leaves, the next takes up.
 */
#define RETENTION_STEPS_MAX 256
MUST_CHECK enum status retention_run(struct store *store, const struct retention *limits, struct retention_summary *dropped,
                                     struct error *error);

#endif
