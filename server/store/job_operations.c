/*
 * Jobs in the store: what is done to them.
 *
 * What decides about a change (the job's status, its last event, the times) is read, changed in a struct and written
 * back. Operations run one after the other, so nothing comes between; the update asks for the version it read all the
 * same.
 */
#include "server/store/jobs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/text.h"
#include "server/failpoint.h"
#include "server/ids.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"
#include "server/store/tombstones.h"

/* What of a job changes take part in deciding and all of them may write. */
struct state {
    int64_t number;
    enum job_status status;
    uint64_t version, last_event;
    int64_t touched_at, started_at, finished_at;
    uint32_t threads, restarts;
    enum stop_reason stop_reason;
    char model[ID_TEXT], digest[SHA256_TEXT];
    uint64_t digest_step;
    char *error; /* owned */
};
/* The status stands alone: it has an index, which only changes of status need to pay for. */
#define STATUS_COLUMN(X) X(status, column_job_status, status)
#define STATE_COLUMNS(X)                                                                                                    \
    X(version, column_u64, version)                                                                                         \
    X(last_event, column_u64, last_event)                                                                                   \
    X(touched_at, column_i64, touched_at)                                                                                   \
    X(started_at, column_i64, started_at)                                                                                   \
    X(finished_at, column_i64, finished_at)                                                                                 \
    X(threads, column_u32, threads)                                                                                         \
    X(restarts, column_u32, restarts)                                                                                       \
    X(stop_reason, column_stop_reason, stop_reason)                                                                         \
    X(model, column_text, model)                                                                                            \
    X(digest, column_text, digest)                                                                                          \
    X(digest_step, column_u64, digest_step)                                                                                 \
    X(error, column_string, error)
#define ROW struct state
static const struct column status_column[] = {STATUS_COLUMN(COLUMN_ENTRY)};
static const struct column state_columns[] = {STATE_COLUMNS(COLUMN_ENTRY)};
#undef ROW

static enum status read_state(struct connection *connection, const char *id, struct state *state, struct error *error)
{
    *state = (struct state){.number = 0};
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
    return status == STATUS_OK && !found ? tombstones_explain(connection, id, error) : status;
}

static enum status write_state(struct connection *connection, struct state *state, struct error *error)
{
    struct statement query;
    uint64_t version = state->version++;
    statement_begin(
        &query, connection,
        "UPDATE jobs SET pause_reason = pause_reason" STATE_COLUMNS(COLUMN_SET) " WHERE number = ? AND version = ?");
    row_bind(&query, state_columns, COLUMN_COUNT(state_columns), state);
    statement_bind_i64(&query, state->number);
    statement_bind_i64(&query, (int64_t)version);
    enum status status = statement_finish(&query, error);
    if (status == STATUS_OK && sqlite3_changes(connection->handle) != 1) {
        return error_set(error, STATUS_INTERNAL, "job %lld changed under its change", (long long)state->number);
    }
    return status;
}

/* Tells the commit hook. */
static void touch(struct store_op *op, const char *id, uint64_t version, enum job_status entered)
{
    memcpy(op->job, id, strnlen(id, sizeof(op->job) - 1) + 1);
    op->version = version;
    op->entered = entered;
}

/* ---- events of a status ---- */

/* {"status":"failed","reason":"...","error":{...},"model":"..."}, as far as there is something to say. */
static enum status add_status_event(struct connection *connection, struct event_sequence *sequence, enum event_type type,
                                    const struct state *state, const char *reason, struct error *error)
{
    struct text text = {.data = NULL};
    text_printf(&text, "{\"status\":\"%s\"", job_status_name(state->status));
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
        status = events_insert_row(connection, sequence, type, data, error);
        free(data);
    }
    text_release(&text);
    return status;
}

/* ---- insert ---- */

/* The data set that a job names must be there, and ready. */
static enum status check_dataset(struct connection *connection, const char *id, struct error *error)
{
    if (id[0] == '\0') {
        return STATUS_OK;
    }
    struct statement query;
    int found, ready = 0;
    statement_begin(&query, connection, "SELECT status = 'ready' FROM datasets WHERE id = ?");
    statement_bind_text(&query, id);
    enum status status = statement_step(&query, &found, error);
    ready = found && statement_i64(&query, 0);
    statement_end(&query);
    if (status == STATUS_OK && !found) {
        return error_set(error, STATUS_DATASET_NOT_FOUND, "there is no data set %s", id);
    }
    if (status == STATUS_OK && !ready) {
        return error_set(error, STATUS_DATASET_NOT_READY, "data set %s still awaits its labels", id);
    }
    return status;
}

/* The inline data set's id, new or of its like; or the check of one that is named. */
static enum status settle_dataset(struct connection *connection, struct datasets_insert *inline_dataset, char id[ID_TEXT],
                                  struct error *error)
{
    if (inline_dataset == NULL) {
        return check_dataset(connection, id, error);
    }
    enum status status = datasets_insert_row(connection, inline_dataset, error);
    memcpy(id, inline_dataset->dataset->id, ID_TEXT);
    return status;
}

static enum status apply_insert(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_insert *insert = OP_OF(op, struct jobs_insert);
    struct job_view *job = insert->job;
    enum status status = settle_dataset(connection, insert->dataset, job->dataset, error);
    if (insert->dataset != NULL) {
        memcpy(job->dataset_sha256, insert->dataset->object->sha256, sizeof(job->dataset_sha256));
    }
    if (status == STATUS_OK) {
        status = settle_dataset(connection, insert->test, job->test_dataset, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (job->id[0] == '\0') {
        id_new(job->id, "job_");
    }
    job->status = JOB_QUEUED;
    job->version = 0;
    job->created_at = clock_now_ms();
    job->started_at = job->finished_at = 0;
    struct state state;
    status = jobs_add(connection, job, &state.number, error);
    if (status == STATUS_OK) {
        status = read_state(connection, job->id, &state, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct event_sequence sequence = {.job = state.number, .now = job->created_at};
    status = add_status_event(connection, &sequence, EVENT_STATE, &state, NULL, error);
    state.last_event = sequence.last;
    if (status == STATUS_OK) {
        status = write_state(connection, &state, error);
    }
    job->version = state.version;
    touch(op, job->id, job->version, JOB_QUEUED);
    FAILPOINT(JOB_BEFORE_COMMIT);
    return status;
}

struct store_op *jobs_insert(struct jobs_insert *insert)
{
    insert->op.apply = apply_insert;
    return &insert->op;
}

/* ---- change ---- */

static enum status add_rows(struct connection *connection, const struct jobs_change *change, struct event_sequence *sequence,
                            struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < change->row_count; i++) {
        int inserted;
        status = metrics_insert_row(connection, sequence->job, &change->rows[i], &inserted, error);
        if (status == STATUS_OK && inserted) {
            status = events_insert_metric(connection, sequence, change->rows[i].point.step, error);
        }
    }
    return status;
}

static enum status add_events(struct connection *connection, const struct jobs_change *change,
                              struct event_sequence *sequence, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < change->event_count; i++) {
        status = events_insert_row(connection, sequence, change->events[i].type, change->events[i].data, error);
    }
    return status;
}

static enum status add_outcome(struct connection *connection, const struct jobs_change *change, struct state *state,
                               struct error *error)
{
    const struct job_outcome *outcome = change->outcome;
    state->stop_reason = outcome->stop_reason;
    enum status status = STATUS_OK;
    if (outcome->error != NULL) {
        free(state->error);
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
    if (status == STATUS_OK && outcome->results != NULL) {
        struct statement query;
        statement_begin(&query, connection, "UPDATE job_documents SET results = ? WHERE job = ?");
        statement_bind_text(&query, outcome->results);
        statement_bind_i64(&query, state->number);
        status = statement_finish(&query, error);
    }
    return status;
}

/* The status, and the times that come with it. */
static enum status enter_status(struct connection *connection, struct state *state, enum job_status to, struct error *error)
{
    state->status = to;
    if (to == JOB_RUNNING && state->started_at == 0) {
        state->started_at = state->touched_at;
    }
    if (job_status_is_terminal(to)) {
        state->finished_at = state->touched_at;
    }
    struct statement query;
    statement_begin(&query, connection,
                    "UPDATE jobs SET pause_reason = pause_reason" STATUS_COLUMN(COLUMN_SET) " WHERE number = ?");
    row_bind(&query, status_column, 1, state);
    statement_bind_i64(&query, state->number);
    return statement_finish(&query, error);
}

/* Everything about a change whose guard has let it through. */
static enum status make_change(struct connection *connection, const struct jobs_change *change, struct state *state,
                               struct error *error)
{
    int64_t now = clock_now_ms();
    if (now > state->touched_at) { /* the clock may have been set back */
        state->touched_at = now;
    }
    struct event_sequence sequence = {.job = state->number, .last = state->last_event, .now = state->touched_at};
    int enters = change->to != JOB_STATUS_KEEP && change->to != state->status;
    int ends = enters && job_status_is_terminal(change->to);
    enum status status = STATUS_OK;
    if (change->threads > 0) {
        state->threads = change->threads;
    }
    if (change->outcome != NULL) {
        status = add_outcome(connection, change, state, error);
    }
    if (status == STATUS_OK && enters) {
        status = enter_status(connection, state, change->to, error);
        if (status == STATUS_OK) {
            status = add_status_event(connection, &sequence, EVENT_STATE, state, change->reason, error);
        }
    }
    if (status == STATUS_OK) {
        status = add_rows(connection, change, &sequence, error);
    }
    if (status == STATUS_OK) {
        status = add_events(connection, change, &sequence, error);
    }
    if (status == STATUS_OK && change->progress != NULL) {
        status = jobs_set_progress(connection, state->number, change->progress, error);
    }
    if (status == STATUS_OK && ends) {
        status = add_status_event(connection, &sequence, EVENT_DONE, state, change->reason, error);
    }
    state->last_event = sequence.last;
    return status == STATUS_OK ? write_state(connection, state, error) : status;
}

static enum status guard(const char *id, const struct state *state, unsigned from, enum job_status *current,
                         struct error *error)
{
    *current = state->status;
    if (from & JOB_SET(state->status)) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_STATE_CONFLICT, "%s is %s", id, job_status_name(state->status));
}

static enum status apply_change(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_change *change = OP_OF(op, struct jobs_change);
    struct state state;
    enum status status = read_state(connection, change->id, &state, error);
    if (status == STATUS_OK) {
        status = guard(change->id, &state, change->from, &change->current, error);
    }
    if (status == STATUS_OK) {
        status = make_change(connection, change, &state, error);
    }
    if (status == STATUS_OK) {
        touch(op, change->id, state.version, state.status == change->current ? JOB_STATUS_KEEP : state.status);
        change->current = state.status;
    }
    free(state.error);
    return status;
}

struct store_op *jobs_change(struct jobs_change *change)
{
    change->op.apply = apply_change;
    return &change->op;
}

/* ---- delete ---- */

static enum status apply_delete(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_delete *deletion = OP_OF(op, struct jobs_delete);
    struct state state;
    enum status status = read_state(connection, deletion->id, &state, error);
    free(state.error);
    if (status == STATUS_OK) {
        status = guard(deletion->id, &state, ~JOB_SET_ACTIVE, &deletion->current, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection, "DELETE FROM jobs WHERE number = ?"); /* what belongs to it goes with it */
    statement_bind_i64(&query, state.number);
    status = statement_finish(&query, error);
    touch(op, deletion->id, state.version + 1, JOB_STATUS_KEEP);
    return status == STATUS_OK ? tombstones_add(connection, deletion->id, state.number, error) : status;
}

struct store_op *jobs_delete(struct jobs_delete *deletion)
{
    deletion->op.apply = apply_delete;
    return &deletion->op;
}

/* ---- recover ---- */

/* The oldest job in a status. *found: 0 none. */
static enum status find_first(struct connection *connection, enum job_status in, char id[ID_TEXT], int *found,
                              struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, "SELECT id FROM jobs WHERE status = ? ORDER BY number LIMIT 1");
    statement_bind_text(&query, job_status_name(in));
    enum status status = statement_step(&query, found, error);
    if (*found) {
        status = statement_text(&query, 0, id, ID_TEXT, error);
    }
    statement_end(&query);
    return status;
}

/* Every job in the status `from` goes to the status `to`. */
static enum status move_all(struct connection *connection, enum job_status from, enum job_status to, uint32_t *count,
                            struct error *error)
{
    for (*count = 0;; (*count)++) {
        char id[ID_TEXT];
        int found;
        enum status status = find_first(connection, from, id, &found, error);
        if (status != STATUS_OK || !found) {
            return status;
        }
        struct state state;
        status = read_state(connection, id, &state, error);
        if (status == STATUS_OK) {
            const struct jobs_change change = {.id = id, .to = to, .reason = "restart"};
            state.restarts += to == JOB_QUEUED;
            status = make_change(connection, &change, &state, error);
        }
        free(state.error);
        if (status != STATUS_OK) {
            return status;
        }
        FAILPOINT(BOOT_REQUEUE_MID);
    }
}

static enum status apply_recover(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_recover *recovery = OP_OF(op, struct jobs_recover);
    enum status status = move_all(connection, JOB_RUNNING, JOB_QUEUED, &recovery->requeued, error);
    if (status == STATUS_OK) {
        status = move_all(connection, JOB_CANCELLING, JOB_CANCELLED, &recovery->cancelled, error);
    }
    return status;
}

struct store_op *jobs_recover(struct jobs_recover *recovery)
{
    recovery->op.apply = apply_recover;
    return &recovery->op;
}
