#include "server/store/job_state.h"

#include <stdlib.h>
#include <string.h>

#include "api/text.h"
#include "server/clock.h"
#include "server/store/row.h"
#include "server/store/tombstones.h"

/* The status stands alone: it has an index, which only changes of status need to pay for. */
#define STATUS_COLUMN(X) X(status, column_job_status, status)
#define STATE_COLUMNS(X)                                                                                                    \
    X(version, column_u64, version)                                                                                         \
    X(last_event, column_u64, events.last)                                                                                  \
    X(name, column_text, name)                                                                                              \
    X(pause_reason, column_text, pause_reason)                                                                              \
    X(touched_at, column_i64, touched_at)                                                                                   \
    X(started_at, column_i64, started_at)                                                                                   \
    X(finished_at, column_i64, finished_at)                                                                                 \
    X(threads, column_u32, threads)                                                                                         \
    X(restarts, column_u32, restarts)                                                                                       \
    X(crashes, column_u32, crashes)                                                                                         \
    X(priority, column_i32, priority)                                                                                       \
    X(suspect, column_int, suspect)                                                                                         \
    X(stop_reason, column_stop_reason, stop_reason)                                                                         \
    X(model, column_text, model)                                                                                            \
    X(digest, column_text, digest)                                                                                          \
    X(digest_step, column_u64, digest_step)                                                                                 \
    X(kernel_tier, column_text, kernel_tier)                                                                                \
    X(error, column_string, error)
#define ROW struct job_state
static const struct column status_column[] = {STATUS_COLUMN(COLUMN_ENTRY)};
static const struct column state_columns[] = {STATE_COLUMNS(COLUMN_ENTRY)};
#undef ROW

enum status job_state_read(struct connection *connection, const char *id, struct job_state *state, struct error *error)
{
    *state = (struct job_state){.number = 0};
    struct statement query;
    int found;
    statement_begin(&query, connection,
                    "SELECT number" STATUS_COLUMN(COLUMN_NAME) STATE_COLUMNS(COLUMN_NAME) " FROM jobs WHERE id = ?");
    statement_bind_text(&query, id);
    enum status status = statement_step(&query, &found, error);
    if (found) {
        state->number = statement_i64(&query, 0);
        status = row_read(&query, 1, status_column, 1, state, error);
        if (status == STATUS_OK) {
            status = row_read(&query, 2, state_columns, COLUMN_COUNT(state_columns), state, error);
        }
    }
    statement_end(&query);
    int64_t now = clock_realtime_ms();
    state->touched_before = state->touched_at;
    if (now > state->touched_at) { /* the clock may have been set back */
        state->touched_at = now;
    }
    state->events.job = state->number;
    state->events.now = state->touched_at;
    if (status != STATUS_OK) {
        job_state_release(state);
    }
    return status == STATUS_OK && !found ? tombstones_explain(connection, id, error) : status;
}

enum status job_state_write(struct connection *connection, struct job_state *state, struct error *error)
{
    struct statement query;
    uint64_t version = state->version++;
    statement_begin(&query, connection,
                    "UPDATE jobs SET created_at = created_at" STATE_COLUMNS(COLUMN_SET) " WHERE number = ? AND version = ?");
    row_bind(&query, state_columns, COLUMN_COUNT(state_columns), state);
    statement_bind_i64(&query, state->number);
    statement_bind_i64(&query, (int64_t)version);
    enum status status = statement_finish(&query, error);
    if (status == STATUS_OK && sqlite3_changes(connection->handle) != 1) {
        return error_set(error, STATUS_INTERNAL, "job %lld changed under its change", (long long)state->number);
    }
    return status;
}

void job_state_release(struct job_state *state)
{
    free(state->error);
    state->error = NULL;
}

static int has_transition(enum job_status from, enum job_status to)
{
    for (int trigger = 0; trigger < TRIGGER_COUNT; trigger++) {
        if (job_transition(from, (enum job_trigger)trigger) == to) {
            return 1;
        }
    }
    return 0;
}

enum status job_state_enter(struct connection *connection, struct job_state *state, enum job_status to, struct error *error)
{
    if (!has_transition(state->status, to)) {
        return error_set(error, STATUS_INTERNAL, "no job goes from %s to %s", job_status_name(state->status),
                         job_status_name(to));
    }
    state->status = to;
    if (to == JOB_RUNNING && state->started_at == 0) {
        state->started_at = state->touched_at;
    }
    if (to != JOB_PAUSED) {
        state->pause_reason[0] = '\0';
    }
    if (job_status_is_terminal(to)) {
        state->finished_at = state->touched_at;
    }
    struct statement query;
    statement_begin(&query, connection,
                    "UPDATE jobs SET created_at = created_at" STATUS_COLUMN(COLUMN_SET) " WHERE number = ?");
    row_bind(&query, status_column, 1, state);
    statement_bind_i64(&query, state->number);
    return statement_finish(&query, error);
}

/* {"status":"failed","reason":"...","error":{...},"model":"..."}, as far as there is something to say. */
enum status job_state_tell(struct connection *connection, struct job_state *state, enum event_type type, const char *reason,
                           struct error *error)
{
    struct text text = {.data = NULL};
    text_printf(&text, "{\"status\":\"%s\"", job_status_name(state->status));
    if (reason == NULL && state->status == JOB_PAUSED && state->pause_reason[0] != '\0') {
        reason = state->pause_reason;
    }
    if (reason != NULL) {
        text_printf(&text, ",\"reason\":\"%s\"", reason);
    }
    if (type == EVENT_DONE && state->error != NULL) {
        text_string(&text, ",\"error\":");
        text_string(&text, state->error);
    }
    if (type == EVENT_DONE && state->model[0] != '\0') {
        text_printf(&text, ",\"model\":\"%s\"", state->model);
    }
    text_string(&text, "}");
    char *data;
    size_t size;
    enum status status = text_take(&text, &data, &size, error);
    if (status == STATUS_OK) {
        status = events_insert_row(connection, &state->events, type, data, error);
        free(data);
    }
    text_release(&text);
    return status;
}

void job_state_touch(struct store_op *op, const char *id, uint64_t version, enum job_status entered)
{
    memcpy(op->job, id, strnlen(id, sizeof(op->job) - 1) + 1);
    op->version = version;
    op->entered = entered;
}

enum status job_state_guard(const char *id, const struct job_state *state, unsigned from, enum job_status *current,
                            struct error *error)
{
    *current = state->status;
    if (from & JOB_SET(state->status)) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_STATE_CONFLICT, "%s is %s", id, job_status_name(state->status));
}
