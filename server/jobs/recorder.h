/*
 * What a running job shows: rows of its curves and its progress, stored without holding up training. Rows gather here
 * and go to the store's writer thread in one change at a time; the next one waits for its end.
 *
 * A job that starts again from its beginning makes its rows again: those that are stored already are compared, not
 * emitted (nothing shown is ever taken back), and must be equal but for their seconds.
 */
#ifndef DESCENT_SERVER_JOBS_RECORDER_H
#define DESCENT_SERVER_JOBS_RECORDER_H

#include "server/store/jobs.h"

struct recorder;

/* Reads what is stored of the job so far. `id` is borrowed. */
MUST_CHECK enum status recorder_new(struct recorder **recorder, struct store *store, const char *id, struct error *error);
/* Waits for a change under way. NULL is fine. */
void recorder_free(struct recorder *recorder);

/* Threads that the job has, for its object. */
void recorder_set_threads(struct recorder *recorder, uint32_t threads);

/*
 * Takes note of a logged point at `seconds` of training. STATUS_REPLAY_MISMATCH: a stored row differs.
 * STATUS_STATE_CONFLICT: the job is no longer ours to run. Errors of the store come here, too, one call late.
 */
MUST_CHECK enum status recorder_add(struct recorder *recorder, const struct train_point *point, double seconds,
                                    struct error *error);
/* The progress that goes with the rows so far. */
void recorder_set_progress(struct recorder *recorder, const struct job_progress *progress);

/* Hands over what there is if it is time to (`now`: seconds of the monotonic clock); never waits. */
void recorder_poll(struct recorder *recorder, double now);

/* Training seconds that the stored rows end with: a restarted job's clock must not run behind them. */
double recorder_stored_seconds(const struct recorder *recorder);

/* Waits until all is stored and then makes the job's last change: its new status with what belongs to it. */
MUST_CHECK enum status recorder_end(struct recorder *recorder, unsigned from, enum job_status to, const char *reason,
                                    const struct job_outcome *outcome, struct error *error);

#endif
