/*
 * What a running job shows: rows of its curves, its progress, its checkpoints and remarks, stored without holding up
 * training. They gather here and go to the store's writer thread in one change at a time; the next one waits for its end.
 *
 * A job that goes on from a checkpoint, or from its beginning, makes rows again that are stored already: those are compared,
 * not emitted (nothing shown is ever taken back), and must be equal but for their seconds. Its progress stands still until
 * it is past what was shown.
 *
 * On a full disk nothing is lost: what could not be stored is kept and tried again at the next turn.
 */
#ifndef DESCENT_SERVER_JOBS_RECORDER_H
#define DESCENT_SERVER_JOBS_RECORDER_H

#include "server/store/jobs.h"

struct recorder;

/* Reads what is stored of the job so far; borrows job->id. */
MUST_CHECK enum status recorder_new(struct recorder **recorder, struct store *store, const struct job_view *job,
                                    struct error *error);
/* Waits for a change under way. NULL is fine. */
void recorder_free(struct recorder *recorder);

/* The trainer stands at this step: rows up to it are behind us. Before the first row. */
void recorder_resume(struct recorder *recorder, uint64_t step);
/*
 * The job runs on another kernel tier from its beginning: what it repeats may come out otherwise, and stays as it was
 * shown. Its old checkpoints go, `tier` becomes its own. Borrows `tier`.
 */
void recorder_change_tier(struct recorder *recorder, const char *tier);
/* Is it still behind what was shown? */
int recorder_is_replaying(const struct recorder *recorder);

/* Threads that the job has, for its object. */
void recorder_set_threads(struct recorder *recorder, uint32_t threads);

/*
 * Takes note of a logged point, at `elapsed` training seconds. STATUS_REPLAY_MISMATCH: a stored row
 * differs. STATUS_INSUFFICIENT_STORAGE: there is no place left to keep it; to be tried again after recorder_poll.
 */
MUST_CHECK enum status recorder_add(struct recorder *recorder, const struct train_point *point, double elapsed,
                                    struct error *error);
/* The progress that goes with the rows so far. */
void recorder_set_progress(struct recorder *recorder, const struct job_progress *progress);
/* A checkpoint of a step up to which all rows were added. Takes object and data (malloc'ed). It replaces one that still
 * waits. */
void recorder_add_checkpoint(struct recorder *recorder, struct object *object, uint64_t step, uint32_t keep, char *data);
/* A remark, {"level","code","message",...}: a log event. Takes data; NULL says that there was no memory for it. */
void recorder_add_remark(struct recorder *recorder, char *data);
/* Checkpoints that are durable by now. */
unsigned recorder_checkpoints_stored(struct recorder *recorder);

/*
 * Training seconds of the job, all its runs taken as one: while a run repeats what is stored the clock shows the time of
 * the last row that it repeated, after the last one its own `elapsed` time goes on from there. So the clock cannot end a
 * job before a step that was shown.
 */
double recorder_clock(const struct recorder *recorder, double elapsed);

/* Tells at once that the job is running: for one whose first step takes long. */
void recorder_start(struct recorder *recorder);
/* The job will have ended in some milliseconds: its first change waits for that, and tells all at once. Before
 * recorder_poll. */
void recorder_expect_end(struct recorder *recorder);
/*
 * Hands over what there is if it is time to (`now`: seconds of the monotonic clock; at_once: it is); never waits. What
 * became of an earlier change comes out here: STATUS_STATE_CONFLICT: the job is no longer ours to run; errors of the store
 * but for a full disk.
 */
MUST_CHECK enum status recorder_poll(struct recorder *recorder, double now, int at_once, struct error *error);

/* How a run of a job ends. */
struct recorder_end {
    enum job_trigger trigger;
    unsigned from;                     /* JOB_SET(...): only from these; 0: all in which the trigger leads somewhere */
    const char *reason;                /* of the state event, NULL: none */
    const char *pause_reason;          /* with TRIGGER_PAUSED */
    const struct job_outcome *outcome; /* with a terminal status */
};
/*
 * Waits until all is stored and then makes the run's last change: the new status with what belongs to it. A job whose
 * curves have a gap never succeeds. STATUS_INSUFFICIENT_STORAGE: the same call can be made again.
 */
MUST_CHECK enum status recorder_end(struct recorder *recorder, const struct recorder_end *end, struct error *error);
/* The job's version after recorder_end has made that change. */
uint64_t recorder_version(const struct recorder *recorder);

#endif
