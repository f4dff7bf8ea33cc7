/* The states of a job and the ways between them: the table job_states.def, and questions to it. */
#ifndef DESCENT_API_JOB_STATES_H
#define DESCENT_API_JOB_STATES_H

#include "api/views.h"

enum job_trigger {
    /* what clients ask for, in the order in which they are told */
    TRIGGER_PAUSE,
    TRIGGER_RESUME,
    TRIGGER_STOP,
    TRIGGER_CANCEL,
    TRIGGER_CLIENT_COUNT,
    /* what happens to the job */
    TRIGGER_START = TRIGGER_CLIENT_COUNT,
    TRIGGER_PAUSED,
    TRIGGER_REQUEUE,
    TRIGGER_SUCCEED,
    TRIGGER_FAIL,
    TRIGGER_CANCELLED,
    TRIGGER_COUNT
};
const char *job_trigger_name(enum job_trigger trigger); /* "pause" */

/* Where the trigger leads from this status; JOB_STATUS_COUNT: nowhere. */
enum job_status job_transition(enum job_status from, enum job_trigger trigger);
/* The one status to which a trigger that is no client's leads. */
enum job_status job_trigger_target(enum job_trigger trigger);
/* The statuses in which the trigger leads somewhere: 1u << status for each. */
unsigned job_states_with(enum job_trigger trigger);
/* Must a runner have the job in hand, or take it up, lest it stay in this status for ever? */
int job_status_needs_runner(enum job_status status);
/* A status that the client's trigger has brought about already, so that asking again changes nothing (cancel: cancelling,
 * cancelled). */
int job_trigger_is_done(enum job_trigger trigger, enum job_status status);

/* ["pause","cancel"]: what a client may ask of a job in this status, "delete" included, as a JSON array. */
#define JOB_ACTIONS_TEXT 64
void job_allowed_actions(enum job_status status, char text[JOB_ACTIONS_TEXT]);

/* Row `index` (0, 1 ...) of the table; 0 past the last one. */
struct job_transition {
    enum job_status from, to;
    enum job_trigger trigger;
};
int job_transition_row(size_t index, struct job_transition *row);

#endif
