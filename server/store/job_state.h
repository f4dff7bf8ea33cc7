/*
 * The part of a job that operations decide by: read, changed in a struct, written back. Private to server/store/.
 *
 * Operations run one after the other, so nothing comes between; the update asks for the version it read all the same.
 */
#ifndef DESCENT_SERVER_STORE_JOB_STATE_H
#define DESCENT_SERVER_STORE_JOB_STATE_H

#include "server/store/jobs.h"
#include "server/store/tables.h"

struct job_state {
    int64_t number;
    enum job_status status; /* written by job_state_enter alone */
    uint64_t version;
    char name[NAME_TEXT], pause_reason[16];
    int64_t touched_before; /* by the change before this one */
    int64_t touched_at, started_at, finished_at;
    uint32_t threads, restarts, crashes;
    int32_t priority;
    int suspect;
    enum stop_reason stop_reason;
    char model[ID_TEXT], digest[SHA256_TEXT], kernel_tier[128];
    uint64_t digest_step;
    char *error;                  /* owned */
    struct event_sequence events; /* where the job's next events go */
};

/* The job with its clock set to now. On failure *state needs no release. STATUS_NOT_FOUND, STATUS_DELETED. */
MUST_CHECK enum status job_state_read(struct connection *connection, const char *id, struct job_state *state,
                                      struct error *error);
/* Writes everything but the status, as a new version. */
MUST_CHECK enum status job_state_write(struct connection *connection, struct job_state *state, struct error *error);
void job_state_release(struct job_state *state);

/*
 * Enters another status, with the times that come with it; any but paused has no pause_reason. STATUS_INTERNAL: no row of
 * api/job_states.def leads there.
 */
MUST_CHECK enum status job_state_enter(struct connection *connection, struct job_state *state, enum job_status to,
                                       struct error *error);
/* The event EVENT_STATE or EVENT_DONE of the job as it is now. reason: NULL, or one word; a paused job has its own. */
MUST_CHECK enum status job_state_tell(struct connection *connection, struct job_state *state, enum event_type type,
                                      const char *reason, struct error *error);

/* Tells the commit hook. entered: JOB_STATUS_KEEP: no other status than before. */
void job_state_touch(struct store_op *op, const char *id, uint64_t version, enum job_status entered);
/* STATUS_STATE_CONFLICT unless the job is in one of the statuses `from`; *current: which it is in. */
MUST_CHECK enum status job_state_guard(const char *id, const struct job_state *state, unsigned from,
                                       enum job_status *current, struct error *error);

#endif
