/* Changes of a job: rows, checkpoints, statuses, the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/job_state.h"
#include "server/store/store_private.h"

static enum status add_checkpoint(struct connection *connection, const struct jobs_change *change, struct job_state *state,
                                  struct error *error)
{
    const struct checkpoint_new *checkpoint = change->checkpoint;
    int replaced = 0;
    enum status status = change->drop_checkpoints ? checkpoints_drop(connection, state->number, error) : STATUS_OK;
    if (status != STATUS_OK || checkpoint == NULL) {
        return status;
    }
    state->crashes = 0;
    state->suspect = 0;
    status = checkpoints_insert_row(connection, state->number, state->touched_at, checkpoint, &replaced, error);
    if (status == STATUS_OK && !replaced) { /* one that was told already is not told again */
        status = events_insert_row(connection, &state->events, EVENT_CHECKPOINT, checkpoint->data, error);
    }
    return status;
}

static enum status add_events(struct connection *connection, const struct jobs_change *change, struct job_state *state,
                              struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < change->event_count; i++) {
        status = events_insert_row(connection, &state->events, change->events[i].type, change->events[i].data, error);
    }
    return status;
}

static enum status set_results(struct connection *connection, int64_t number, const char *results, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, "UPDATE job_documents SET results = ? WHERE job = ?");
    statement_bind_text(&query, results);
    statement_bind_i64(&query, number);
    return statement_finish(&query, error);
}

static enum status add_outcome(struct connection *connection, const struct jobs_change *change, struct job_state *state,
                               struct error *error)
{
    const struct job_outcome *outcome = change->outcome;
    state->stop_reason = outcome->stop_reason;
    enum status status = STATUS_OK;
    if (outcome->error != NULL) {
        job_state_release(state);
        state->error = strdup(outcome->error);
        if (state->error == NULL) {
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a job's error");
        }
    }
    if (outcome->model != NULL) {
        const struct model_view *model = outcome->model;
        memcpy(state->model, model->id, sizeof(state->model));
        memcpy(state->digest, model->digest, sizeof(state->digest));
        state->digest_step = model->step;
        status = models_insert_row(connection, model, change->id, state->touched_at, outcome->object, error);
    }
    return status == STATUS_OK && outcome->results != NULL ? set_results(connection, state->number, outcome->results, error)
                                                           : status;
}

static enum status enter(struct connection *connection, const struct jobs_change *change, struct job_state *state,
                         struct error *error)
{
    int first = change->to == JOB_RUNNING && state->started_at == 0;
    enum status status = job_state_enter(connection, state, change->to, error);
    if (status == STATUS_OK && first && change->began_at >= state->touched_before && change->began_at < state->touched_at) {
        state->started_at = change->began_at; /* it was taken up a moment before it had something to show */
    }
    return status == STATUS_OK ? job_state_tell(connection, state, EVENT_STATE, change->reason, error) : status;
}

/* What was reached, in the order in which it came about: rows, the checkpoint that stands behind them. */
static enum status add_training(struct connection *connection, const struct jobs_change *change, struct job_state *state,
                                struct error *error)
{
    enum status status = metrics_insert_rows(connection, &state->events, change->rows, change->row_count, error);
    if (status == STATUS_OK) {
        status = add_checkpoint(connection, change, state, error);
    }
    return status == STATUS_OK && change->progress != NULL
               ? jobs_set_progress(connection, state->number, change->progress, error)
               : status;
}

static void set_fields(const struct jobs_change *change, struct job_state *state)
{
    if (change->threads > 0) {
        state->threads = change->threads;
    }
    if (change->kernel_tier != NULL) {
        snprintf(state->kernel_tier, sizeof(state->kernel_tier), "%s", change->kernel_tier);
    }
    if (change->pause_reason != NULL) {
        snprintf(state->pause_reason, sizeof(state->pause_reason), "%s", change->pause_reason);
    }
}

/* Everything about a change whose guard has let it through. A job trains after it has entered running, before others. */
static enum status make_change(struct connection *connection, const struct jobs_change *change, struct job_state *state,
                               struct error *error)
{
    int enters = change->to != JOB_STATUS_KEEP && change->to != state->status;
    int ends = enters && job_status_is_terminal(change->to);
    enum status status = STATUS_OK;
    set_fields(change, state);
    if (change->outcome != NULL) {
        status = add_outcome(connection, change, state, error);
    }
    if (status == STATUS_OK && enters && change->to == JOB_RUNNING) {
        status = enter(connection, change, state, error);
    }
    if (status == STATUS_OK) {
        status = add_training(connection, change, state, error);
    }
    if (status == STATUS_OK && enters && change->to != JOB_RUNNING) {
        status = enter(connection, change, state, error);
    }
    if (status == STATUS_OK) {
        status = add_events(connection, change, state, error);
    }
    if (status == STATUS_OK && ends) {
        status = job_state_tell(connection, state, EVENT_DONE, change->reason, error);
    }
    return status == STATUS_OK ? job_state_write(connection, state, error) : status;
}

static enum status apply_change(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_change *change = OP_OF(op, struct jobs_change);
    struct job_state state;
    enum status status = job_state_read(connection, change->id, &state, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = job_state_guard(change->id, &state, change->from, &change->current, error);
    if (status == STATUS_OK && change->if_version != 0 && change->if_version != state.version) {
        status = error_set(error, STATUS_STATE_CONFLICT, "%s has changed meanwhile", change->id);
    }
    if (status == STATUS_OK) {
        status = make_change(connection, change, &state, error);
    }
    if (status == STATUS_OK) {
        job_state_touch(op, change->id, state.version, state.status == change->current ? JOB_STATUS_KEEP : state.status);
        change->current = state.status;
    }
    job_state_release(&state);
    return status;
}

struct store_op *jobs_change(struct jobs_change *change)
{
    change->op.apply = apply_change;
    return &change->op;
}

/* A client pauses what waits for room on the disk: it stays paused, now for the client's sake, and does not go on by itself.
 */
static int takes_over_pause(const struct jobs_act *act, const struct job_state *state)
{
    return act->trigger == TRIGGER_PAUSE && state->status == JOB_PAUSED && strcmp(state->pause_reason, "user") != 0;
}

static enum status act(struct connection *connection, const struct jobs_act *act, struct job_state *state,
                       struct error *error)
{
    int takes_over = takes_over_pause(act, state);
    enum job_status to = takes_over ? JOB_STATUS_KEEP : job_transition(state->status, act->trigger);
    if (to == JOB_STATUS_COUNT && !takes_over) {
        return error_set(error, STATUS_STATE_CONFLICT, "%s is %s", act->id, job_status_name(state->status));
    }
    const struct jobs_change change = {
        .id = act->id, .to = to, .pause_reason = to == JOB_PAUSED || takes_over ? "user" : NULL};
    return make_change(connection, &change, state, error);
}

static enum status apply_act(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_act *asked = OP_OF(op, struct jobs_act);
    struct job_state state;
    enum status status = job_state_read(connection, asked->id, &state, error);
    if (status != STATUS_OK) {
        return status;
    }
    enum job_status before = state.status;
    status = act(connection, asked, &state, error);
    asked->current = state.status;
    if (status == STATUS_OK) {
        job_state_touch(op, asked->id, state.version, state.status == before ? JOB_STATUS_KEEP : state.status);
    }
    job_state_release(&state);
    return status;
}

struct store_op *jobs_act(struct jobs_act *asked)
{
    asked->op.apply = apply_act;
    return &asked->op;
}
