/*
 * The checkpoints of one running job: when one is due, what becomes of it, and what to do when none can be written. Runs on
 * the runner's thread; the writing is checkpoint_writer.h's.
 */
#ifndef DESCENT_SERVER_JOBS_JOB_CHECKPOINTS_H
#define DESCENT_SERVER_JOBS_JOB_CHECKPOINTS_H

#include "server/jobs/checkpoint_writer.h"
#include "server/jobs/recorder.h"

/* "checkpoint" of the spec. */
struct checkpoint_policy {
    double every_seconds; /* of training */
    uint64_t every_steps; /* 0: off */
    uint32_t keep;
};

/* Everything borrowed. */
struct job_checkpoints_setup {
    struct checkpoint_writer *writer;
    struct recorder *recorder;
    struct trainer *trainer;
    const struct job_progress *progress; /* of the trainer, as of its last step */
    struct checkpoint_owner owner;
    struct checkpoint_policy policy;
};

struct job_checkpoints;

/* Borrows what the setup borrows. STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status job_checkpoints_new(struct job_checkpoints **checkpoints, const struct job_checkpoints_setup *setup,
                                           struct error *error);
/* Waits for one under way. NULL is fine. */
void job_checkpoints_free(struct job_checkpoints *checkpoints);

/* The trainer goes on from a checkpoint of this step, made after so many seconds. */
void job_checkpoints_resume(struct job_checkpoints *checkpoints, uint64_t step, double seconds);

/*
 * Between two steps: hands one that was written to the recorder, and takes the next one when it is due, or `wanted` now.
 * `seconds` of training, `now` of the monotonic clock. STATUS_INSUFFICIENT_STORAGE, STATUS_STORAGE_ERROR: none could be
 * written several times in a row; failures before that are only remarked upon.
 */
MUST_CHECK enum status job_checkpoints_step(struct job_checkpoints *checkpoints, double seconds, double now, int wanted,
                                            struct error *error);

/* Waits for one that is under way and gives it to the recorder. The step of the newest one of this run and its object's
 * name; 0: this run has made none. */
uint64_t job_checkpoints_finish(struct job_checkpoints *checkpoints, char sha256[SHA256_TEXT]);

/* Starts the last one, of the state as it is now, once all that are under way are done. */
void job_checkpoints_begin_last(struct job_checkpoints *checkpoints, double seconds);
/* Waits for it and gives it to the recorder. */
MUST_CHECK enum status job_checkpoints_end_last(struct job_checkpoints *checkpoints, struct error *error);

#endif
