/* Jobs in the store: making, renaming, deleting them. Their changes are in job_change.c, those of a start in job_recovery.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/json_writer.h"
#include "server/clock.h"
#include "server/failpoint.h"
#include "server/ids.h"
#include "server/store/job_state.h"
#include "server/store/store_private.h"
#include "server/store/tombstones.h"

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

static enum status settle_datasets(struct connection *connection, struct jobs_insert *insert, struct error *error)
{
    struct job_view *job = insert->job;
    enum status status = settle_dataset(connection, insert->dataset, job->dataset, error);
    if (insert->dataset != NULL) {
        memcpy(job->dataset_sha256, insert->dataset->object->sha256, sizeof(job->dataset_sha256));
    }
    return status == STATUS_OK ? settle_dataset(connection, insert->test, job->test_dataset, error) : status;
}

static enum status check_model(struct connection *connection, const char *id, struct error *error)
{
    if (id[0] == '\0') {
        return STATUS_OK;
    }
    struct statement query;
    int found;
    statement_begin(&query, connection, "SELECT 1 FROM models WHERE id = ?");
    statement_bind_text(&query, id);
    enum status status = statement_step(&query, &found, error);
    statement_end(&query);
    return status == STATUS_OK && !found ? error_set(error, STATUS_MODEL_NOT_FOUND, "there is no model %s", id) : status;
}

/* Where a job stands that goes on from the step: what the old one had reached, measured by the new one's length. */
static void go_on(struct job_progress *progress, const struct job_progress *old, uint64_t step)
{
    uint64_t total = progress->total_steps;
    double share = old->step > step ? (double)step / (double)old->step : 1; /* of what came before the checkpoint */
    *progress = *old;
    progress->step = step;
    progress->total_steps = total;
    progress->fraction = total > 0 ? (double)step / (double)total : 0;
    progress->epoch *= share;
    progress->samples_seen = (uint64_t)((double)old->samples_seen * share);
    progress->samples_per_second = progress->eta_seconds = (double)NAN;
}

/* Curves up to the last checkpoint, and that checkpoint, become the new job's. */
static enum status extend(struct connection *connection, struct job_view *job, int64_t number, struct error *error)
{
    int64_t old = 0;
    uint64_t version, step = 0;
    int found = 0;
    struct job_progress reached;
    enum status status = jobs_find(connection, job->extended_from, &old, &version, error);
    if (status == STATUS_OK) {
        status = checkpoints_copy_last(connection, old, number, &step, &found, error);
    }
    if (status == STATUS_OK && !found) {
        return error_set(error, STATUS_NOT_EXTENDABLE, "%s has no checkpoint to go on from", job->extended_from);
    }
    if (status == STATUS_OK) {
        status = metrics_copy(connection, old, number, step, error);
    }
    if (status == STATUS_OK) {
        status = jobs_get_progress(connection, old, &reached, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    go_on(&job->progress, &reached, step);
    return jobs_set_progress(connection, number, &job->progress, error);
}

/* The job's row with all that belongs to it, its first event, its first version. */
static enum status add_job(struct connection *connection, struct job_view *job, struct error *error)
{
    int64_t number;
    struct job_state state;
    if (job->id[0] == '\0') {
        id_new(job->id, "job_");
    }
    job->status = JOB_QUEUED;
    job->version = 0;
    job->created_at = clock_realtime_ms();
    job->started_at = job->finished_at = 0;
    enum status status = jobs_add(connection, job, &number, error);
    job->number = number;
    if (status == STATUS_OK && job->extended_from[0] != '\0') {
        status = extend(connection, job, number, error);
    }
    if (status == STATUS_OK) {
        status = job_state_read(connection, job->id, &state, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = job_state_tell(connection, &state, EVENT_STATE, NULL, error);
    if (status == STATUS_OK) {
        status = job_state_write(connection, &state, error);
    }
    job->version = state.version;
    job_state_release(&state);
    return status;
}

static enum status keep_answer(struct connection *connection, const struct idempotency_key *key, const struct job_view *job,
                               struct error *error)
{
    struct json_writer writer = {.depth = 0};
    char *answer;
    size_t size;
    encode_job(job, &writer);
    enum status status = json_writer_take(&writer, &answer, &size, error);
    if (status == STATUS_OK) {
        status = idempotency_add(connection, key, job->id, answer, error);
        free(answer);
    }
    json_writer_release(&writer);
    return status;
}

enum status jobs_insert_row(struct connection *connection, struct jobs_insert *insert, struct error *error)
{
    enum status status = settle_datasets(connection, insert, error);
    if (status == STATUS_OK) {
        status = check_model(connection, insert->job->initial_model, error);
    }
    return status == STATUS_OK ? add_job(connection, insert->job, error) : status;
}

static enum status apply_insert(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_insert *insert = OP_OF(op, struct jobs_insert);
    struct job_view *job = insert->job;
    enum status status = insert->key == NULL ? STATUS_OK : idempotency_check(connection, insert->key, error);
    if (status == STATUS_OK) {
        status = jobs_insert_row(connection, insert, error);
    }
    if (status == STATUS_OK && insert->key != NULL) {
        status = keep_answer(connection, insert->key, job, error);
    }
    if (status == STATUS_OK) {
        job_state_touch(op, job->id, job->version, JOB_QUEUED);
    }
    FAILPOINT(JOB_BEFORE_COMMIT);
    return status;
}

struct store_op *jobs_insert(struct jobs_insert *insert)
{
    insert->op.apply = apply_insert;
    return &insert->op;
}

/* ---- patch ---- */

static enum status patch_job(struct connection *connection, const struct jobs_patch *patch, struct job_state *state,
                             struct error *error)
{
    if (patch->if_version != 0 && patch->if_version != state->version) {
        return error_set(error, STATUS_PRECONDITION_FAILED, "%s is at version %llu", patch->id,
                         (unsigned long long)state->version);
    }
    if (patch->name != NULL) {
        snprintf(state->name, sizeof(state->name), "%s", patch->name);
    }
    if (patch->priority != NULL) {
        state->priority = *patch->priority;
    }
    enum status status = STATUS_OK;
    if (patch->metadata != NULL) {
        struct statement query;
        statement_begin(&query, connection, "UPDATE job_documents SET metadata = ? WHERE job = ?");
        statement_bind_text(&query, patch->metadata);
        statement_bind_i64(&query, state->number);
        status = statement_finish(&query, error);
    }
    return status == STATUS_OK ? job_state_write(connection, state, error) : status;
}

static enum status apply_patch(struct store_op *op, struct connection *connection, struct error *error)
{
    const struct jobs_patch *patch = OP_OF(op, struct jobs_patch);
    struct job_state state;
    enum status status = job_state_read(connection, patch->id, &state, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = patch_job(connection, patch, &state, error);
    if (status == STATUS_OK) {
        job_state_touch(op, patch->id, state.version, JOB_STATUS_KEEP);
    }
    job_state_release(&state);
    return status;
}

struct store_op *jobs_patch(struct jobs_patch *patch)
{
    patch->op.apply = apply_patch;
    return &patch->op;
}

/* ---- delete ---- */

static enum status apply_delete(struct store_op *op, struct connection *connection, struct error *error)
{
    struct jobs_delete *deletion = OP_OF(op, struct jobs_delete);
    struct job_state state;
    enum status status = job_state_read(connection, deletion->id, &state, error);
    if (status != STATUS_OK) {
        return status;
    }
    job_state_release(&state);
    status = job_state_guard(deletion->id, &state, ~JOB_SET_ACTIVE, &deletion->current, error);
    if (status == STATUS_OK) {
        status = checkpoints_drop(connection, state.number, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection, "DELETE FROM jobs WHERE number = ?"); /* what belongs to it goes with it */
    statement_bind_i64(&query, state.number);
    status = statement_finish(&query, error);
    job_state_touch(op, deletion->id, state.version + 1, JOB_STATUS_KEEP);
    return status == STATUS_OK ? tombstones_add(connection, deletion->id, state.number, error) : status;
}

struct store_op *jobs_delete(struct jobs_delete *deletion)
{
    deletion->op.apply = apply_delete;
    return &deletion->op;
}
