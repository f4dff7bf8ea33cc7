/*
 * What a running job shows: rows of its curves and its progress, stored without holding up training. Rows gather here
 * and go to the store's writer thread in one change at a time; the next one waits for its end.
 *
 * A job that starts again from its beginning makes its rows again: those that are stored already are compared, not
 * emitted (nothing shown is ever taken back), and must be equal but for their seconds.
 *
 * On a full disk nothing is lost: what could not be stored is kept and tried again at the next turn.
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
 * Takes note of a logged point, `elapsed` seconds after this run's first step. STATUS_REPLAY_MISMATCH: a stored row
 * differs. STATUS_INSUFFICIENT_STORAGE: there is no place left to keep it; to be tried again after recorder_poll.
 */
MUST_CHECK enum status recorder_add(struct recorder *recorder, const struct train_point *point, double elapsed,
                                    struct error *error);
/* The progress that goes with the rows so far. */
void recorder_set_progress(struct recorder *recorder, const struct job_progress *progress);

/*
 * Training seconds of the job, all its runs taken as one: while a run repeats what is stored the clock shows the time of
 * the last row that it repeated, after the last one its own `elapsed` time goes on from there. So the clock cannot end a
 * job before a step that was shown.
 */
double recorder_clock(const struct recorder *recorder, double elapsed);

/* Tells at once that the job is running: for one whose first step takes long. */
void recorder_start(struct recorder *recorder);
/*
 * Hands over what there is if it is time to (`now`: seconds of the monotonic clock); never waits. What became of an
 * earlier change comes out here: STATUS_STATE_CONFLICT: the job is no longer ours to run; errors of the store but for
 * a full disk.
 */
MUST_CHECK enum status recorder_poll(struct recorder *recorder, double now, struct error *error);

/*
 * Waits until all is stored and then makes the job's last change: its new status with what belongs to it. A job whose
 * curves have a gap never succeeds. STATUS_INSUFFICIENT_STORAGE: the same call can be made again.
 */
MUST_CHECK enum status recorder_end(struct recorder *recorder, unsigned from, enum job_status to, const char *reason,
                                    const struct job_outcome *outcome, struct error *error);

#endif
