#include "api/job_states.h"

#include <stddef.h>
#include <stdio.h>

static const struct job_transition transitions[] = {
#define TRANSITION(FROM, TRIGGER, TO) {.from = JOB_##FROM, .to = JOB_##TO, .trigger = TRIGGER_##TRIGGER},
#include "api/job_states.def"
#undef TRANSITION
};
#define TRANSITION_COUNT (sizeof transitions / sizeof transitions[0])

/* A client's action and the statuses that it has led to once it was taken. */
static const struct {
    const char *name;
    unsigned done;
} triggers[TRIGGER_COUNT] = {
    [TRIGGER_PAUSE] = {"pause", 1u << JOB_PAUSING | 1u << JOB_PAUSED},
    [TRIGGER_RESUME] = {"resume", 0},
    [TRIGGER_STOP] = {"stop", 1u << JOB_STOPPING},
    [TRIGGER_CANCEL] = {"cancel", 1u << JOB_CANCELLING | 1u << JOB_CANCELLED},
    [TRIGGER_START] = {"start", 0},
    [TRIGGER_PAUSED] = {"paused", 0},
    [TRIGGER_REQUEUE] = {"requeue", 0},
    [TRIGGER_SUCCEED] = {"succeed", 0},
    [TRIGGER_FAIL] = {"fail", 0},
    [TRIGGER_CANCELLED] = {"cancelled", 0},
};

const char *job_trigger_name(enum job_trigger trigger)
{
    return triggers[trigger].name;
}

enum job_status job_transition(enum job_status from, enum job_trigger trigger)
{
    for (size_t i = 0; i < TRANSITION_COUNT; i++) {
        if (transitions[i].from == from && transitions[i].trigger == trigger) {
            return transitions[i].to;
        }
    }
    return JOB_STATUS_COUNT;
}

enum job_status job_trigger_target(enum job_trigger trigger)
{
    for (size_t i = 0; i < TRANSITION_COUNT; i++) {
        if (transitions[i].trigger == trigger) {
            return transitions[i].to;
        }
    }
    return JOB_STATUS_COUNT;
}

unsigned job_states_with(enum job_trigger trigger)
{
    unsigned states = 0;

    for (size_t i = 0; i < TRANSITION_COUNT; i++) {
        states |= transitions[i].trigger == trigger ? 1u << transitions[i].from : 0;
    }
    return states;
}

int job_status_needs_runner(enum job_status status)
{
    return !job_status_is_terminal(status) && status != JOB_PAUSED;
}

int job_trigger_is_done(enum job_trigger trigger, enum job_status status)
{
    return (triggers[trigger].done & 1u << status) != 0;
}

void job_allowed_actions(enum job_status status, char text[JOB_ACTIONS_TEXT])
{
    size_t used = (size_t)snprintf(text, JOB_ACTIONS_TEXT, "[");

    for (int trigger = 0; trigger < TRIGGER_CLIENT_COUNT; trigger++) {
        if (job_transition(status, (enum job_trigger)trigger) != JOB_STATUS_COUNT) {
            used += (size_t)snprintf(text + used, JOB_ACTIONS_TEXT - used, "%s\"%s\"", used > 1 ? "," : "",
                                     triggers[trigger].name);
        }
    }
    snprintf(text + used, JOB_ACTIONS_TEXT - used, job_status_is_terminal(status) ? "\"delete\"]" : "]");
}

int job_transition_row(size_t index, struct job_transition *row)
{
    if (index >= TRANSITION_COUNT) {
        return 0;
    }
    *row = transitions[index];
    return 1;
}
