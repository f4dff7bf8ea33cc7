/*
 * What the last process left, put in order before the scheduler starts; with what is known of its death.
 *
 * All of it is one transaction, and the facts that the caller compared belong to it: a start that is killed in the middle is
 * as if it had not been, and one that is killed afterwards does not count the evidence again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/failpoint.h"
#include "server/store/job_state.h"
#include "server/store/store_private.h"

/* The first job in a status after the number *after, which is moved on to it. *found: 0 none. */
static enum status find_next(struct connection *connection, enum job_status in, int64_t *after, char id[ID_TEXT], int *found,
                             struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "SELECT number, id FROM jobs WHERE status = ? AND number > ? ORDER BY number LIMIT 1");
    statement_bind_text(&query, job_status_name(in));
    statement_bind_i64(&query, *after);
    enum status status = statement_step(&query, found, error);
    if (*found) {
        *after = statement_i64(&query, 0);
        status = statement_text(&query, 1, id, ID_TEXT, error);
    }
    statement_end(&query);
    return status;
}

/* ---- evidence ---- */

static const enum job_status under_way[] = {JOB_RUNNING, JOB_PAUSING, JOB_STOPPING, JOB_CANCELLING};
#define UNDER_WAY_COUNT (sizeof(under_way) / sizeof(under_way[0]))

static int is_accused(const struct jobs_recover *recovery, const char *id)
{
    for (size_t i = 0; i < recovery->accused_count; i++) {
        if (strcmp(recovery->accused[i], id) == 0) {
            return 1;
        }
    }
    return 0;
}

/*
 * The accused job, if it is still queued: it died before it was running in the store. Release *state if it is (*queued). One
 * that is not there, or in another status, is none to look at here.
 */
static enum status read_queued(struct connection *connection, const char *id, struct job_state *state, int *queued,
                               struct error *error)
{
    struct error unknown = {.status = STATUS_OK};
    enum status status = job_state_read(connection, id, state, &unknown);
    *queued = status == STATUS_OK && state->status == JOB_QUEUED;
    if (status == STATUS_OK && !*queued) {
        job_state_release(state);
    }
    return status == STATUS_OK || status == STATUS_NOT_FOUND || status == STATUS_DELETED
               ? STATUS_OK
               : error_set(error, status, "%s", unknown.message);
}

/* How many jobs the last process had in hand. */
static enum status count_under_way(struct connection *connection, const struct jobs_recover *recovery, size_t *count,
                                   struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, connection,
                    "SELECT count(*) FROM jobs WHERE status IN ('running', 'pausing', 'stopping', 'cancelling')");
    enum status status = statement_step(&query, &row, error);
    *count = row ? (size_t)statement_i64(&query, 0) : 0;
    statement_end(&query);
    for (size_t i = 0; status == STATUS_OK && i < recovery->accused_count; i++) {
        struct job_state state;
        int queued;
        status = read_queued(connection, recovery->accused[i], &state, &queued, error);
        if (status == STATUS_OK && queued) {
            (*count)++;
            job_state_release(&state);
        }
    }
    return status;
}

/* ---- one job ---- */

static enum status set_crash_loop(struct job_state *state, struct error *error)
{
    char text[160];
    snprintf(text, sizeof(text), "{\"code\":\"%s\",\"message\":\"the server died %d times while this job ran alone\"}",
             status_code(STATUS_CRASH_LOOP), CRASHES_MAX);
    job_state_release(state);
    state->error = strdup(text);
    return state->error == NULL ? error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a job's error") : STATUS_OK;
}

/* Enters the status (JOB_STATUS_KEEP: none), tells it, and writes the job. */
static enum status settle(struct connection *connection, struct job_state *state, enum job_status to, struct error *error)
{
    enum status status = STATUS_OK;
    if (to != JOB_STATUS_KEEP) {
        status = job_state_enter(connection, state, to, error);
        if (status == STATUS_OK && to == JOB_PAUSED) {
            snprintf(state->pause_reason, sizeof(state->pause_reason), "user");
        }
        if (status == STATUS_OK) {
            status = job_state_tell(connection, state, EVENT_STATE, to == JOB_FAILED ? NULL : "restart", error);
        }
        if (status == STATUS_OK && job_status_is_terminal(to)) {
            status = job_state_tell(connection, state, EVENT_DONE, to == JOB_FAILED ? NULL : "restart", error);
        }
    }
    return status == STATUS_OK ? job_state_write(connection, state, error) : status;
}

/* Holds the death against a job, if it is one. *to: JOB_FAILED where it was one too many; else as it was. */
static enum status judge(const struct jobs_recover *recovery, const char *id, int alone, struct job_state *state,
                         enum job_status *to, struct error *error)
{
    if (!(recovery->oom_kill || is_accused(recovery, id)) || *to == JOB_CANCELLED) {
        return STATUS_OK;
    }
    state->suspect = 1;
    state->crashes += alone ? 1 : 0;
    if (state->crashes < CRASHES_MAX) {
        return STATUS_OK;
    }
    *to = JOB_FAILED;
    return set_crash_loop(state, error);
}

static void count(struct jobs_recover *recovery, enum job_status to)
{
    recovery->requeued += to == JOB_QUEUED;
    recovery->paused += to == JOB_PAUSED;
    recovery->cancelled += to == JOB_CANCELLED;
    recovery->failed += to == JOB_FAILED;
}

/* ---- all of them ---- */

/* Jobs that were under way in the status `from` enter `to`. */
static enum status settle_all(struct connection *connection, struct jobs_recover *recovery, enum job_status from,
                              enum job_status to, int alone, struct error *error)
{
    for (int64_t after = 0;;) {
        char id[ID_TEXT];
        int found;
        struct job_state state;
        enum job_status then = to;
        enum status status = find_next(connection, from, &after, id, &found, error);
        if (status == STATUS_OK && found) {
            status = job_state_read(connection, id, &state, error);
        }
        if (status != STATUS_OK || !found) {
            return status;
        }
        status = judge(recovery, id, alone, &state, &then, error);
        state.restarts += from == JOB_RUNNING && then == JOB_QUEUED;
        if (status == STATUS_OK && (then != JOB_STATUS_KEEP || state.suspect)) {
            status = settle(connection, &state, then, error);
        }
        job_state_release(&state);
        if (status != STATUS_OK) {
            return status;
        }
        count(recovery, then);
        FAILPOINT(BOOT_REQUEUE_MID);
    }
}

/* Accused jobs that the store has as queued. */
static enum status settle_queued(struct connection *connection, struct jobs_recover *recovery, int alone,
                                 struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < recovery->accused_count; i++) {
        struct job_state state;
        int queued;
        enum job_status to = JOB_STATUS_KEEP;
        status = read_queued(connection, recovery->accused[i], &state, &queued, error);
        if (status != STATUS_OK || !queued) {
            continue;
        }
        status = judge(recovery, recovery->accused[i], alone, &state, &to, error);
        if (status == STATUS_OK) {
            status = settle(connection, &state, to, error);
        }
        job_state_release(&state);
        count(recovery, to);
    }
    return status;
}

/* Room may have come meanwhile: those that waited for it try again. */
static enum status requeue_storage_full(struct connection *connection, struct jobs_recover *recovery, struct error *error)
{
    for (int64_t after = 0;;) {
        char id[ID_TEXT];
        int found;
        struct job_state state;
        enum status status = find_next(connection, JOB_PAUSED, &after, id, &found, error);
        if (status == STATUS_OK && found) {
            status = job_state_read(connection, id, &state, error);
        }
        if (status != STATUS_OK || !found) {
            return status;
        }
        int waits = strcmp(state.pause_reason, "storage_full") == 0;
        if (waits) {
            status = settle(connection, &state, JOB_QUEUED, error);
        }
        job_state_release(&state);
        if (status != STATUS_OK) {
            return status;
        }
        recovery->requeued += (uint32_t)waits;
    }
}

static enum status apply_recover(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_recover *recovery = OP_OF(op, struct jobs_recover);
    static const enum job_status then[UNDER_WAY_COUNT] = {JOB_QUEUED, JOB_PAUSED, JOB_STATUS_KEEP, JOB_CANCELLED};
    size_t in_hand = 0;
    recovery->requeued = recovery->paused = recovery->cancelled = recovery->failed = 0;
    enum status status = count_under_way(connection, recovery, &in_hand, error);
    int alone = in_hand == 1;
    if (status == STATUS_OK) { /* before any is put back into the queue */
        status = settle_queued(connection, recovery, alone, error);
    }
    if (status == STATUS_OK) {
        status = requeue_storage_full(connection, recovery, error);
    }
    for (size_t i = 0; status == STATUS_OK && i < UNDER_WAY_COUNT; i++) {
        status = settle_all(connection, recovery, under_way[i], then[i], alone, error);
    }
    for (size_t i = 0; status == STATUS_OK && i < recovery->fact_count; i++) {
        status = facts_write(connection, &recovery->facts[i], error);
    }
    return status;
}

struct store_op *jobs_recover(struct jobs_recover *recovery)
{
    recovery->op.apply = apply_recover;
    return &recovery->op;
}
