/* Rows of checkpoints. */
#include "server/store/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "server/failpoint.h"
#include "server/store/objects.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"

#define CHECKPOINT_COLUMNS(X)                                                                                               \
    X(step, column_u64, step)                                                                                               \
    X(created_at, column_i64, created_at)                                                                                   \
    X(bytes, column_u64, bytes)                                                                                             \
    X(object, column_text, object)                                                                                          \
    X(data, column_string, data)
#define ROW struct checkpoint_view
static const struct column checkpoint_columns[] = {CHECKPOINT_COLUMNS(COLUMN_ENTRY)};
#undef ROW

/* ---- writing ---- */

/*
 * Leaves the job the last `keep` of its checkpoints up to `step`. Those above it belong to a training that went back
 * behind them, because they could not be read.
 */
static enum status keep_last(struct connection *connection, int64_t job, uint64_t step, uint32_t keep, struct error *error)
{
    for (;;) {
        struct statement query;
        struct checkpoint_view old = {.step = 0};
        int found;
        statement_begin(&query, connection,
                        "SELECT step, object FROM checkpoints WHERE job = ?1 AND step NOT IN"
                        " (SELECT step FROM checkpoints WHERE job = ?1 AND step <= ?2 ORDER BY step DESC LIMIT ?3) LIMIT 1");
        statement_bind_i64(&query, job);
        statement_bind_i64(&query, (int64_t)step);
        statement_bind_i64(&query, keep);
        enum status status = statement_step(&query, &found, error);
        if (found) {
            old.step = (uint64_t)statement_i64(&query, 0);
            status = statement_text(&query, 1, old.object, sizeof(old.object), error);
        }
        statement_end(&query);
        if (status != STATUS_OK || !found) {
            return status;
        }
        statement_begin(&query, connection, "DELETE FROM checkpoints WHERE job = ? AND step = ?");
        statement_bind_i64(&query, job);
        statement_bind_i64(&query, (int64_t)old.step);
        status = statement_finish(&query, error);
        FAILPOINT(CHECKPOINT_MID_GC);
        if (status == STATUS_OK) {
            status = objects_forget(connection, old.object, error);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
}

enum status checkpoints_drop(struct connection *connection, int64_t job, struct error *error)
{
    return keep_last(connection, job, 0, 0, error);
}

/* The object that stands at the step, "": none. */
static enum status find_step(struct connection *connection, int64_t job, uint64_t step, char object[SHA256_TEXT],
                             struct error *error)
{
    struct statement query;
    int found;
    object[0] = '\0';
    statement_begin(&query, connection, "SELECT object FROM checkpoints WHERE job = ? AND step = ?");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, (int64_t)step);
    enum status status = statement_step(&query, &found, error);
    if (found) {
        status = statement_text(&query, 0, object, SHA256_TEXT, error);
    }
    statement_end(&query);
    return status;
}

enum status checkpoints_insert_row(struct connection *connection, int64_t job, int64_t now,
                                   const struct checkpoint_new *checkpoint, int *replaced, struct error *error)
{
    char before[SHA256_TEXT];
    FAILPOINT_OBJECTS_ARE(CHECKPOINT);
    enum status status = find_step(connection, job, checkpoint->step, before, error);
    if (status == STATUS_OK) {
        status = objects_insert(connection, checkpoint->object, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct checkpoint_view row = {
        .step = checkpoint->step, .created_at = now, .bytes = checkpoint->object->size, .data = NULL};
    memcpy(row.object, checkpoint->object->sha256, sizeof(row.object));
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT OR REPLACE INTO checkpoints(job" CHECKPOINT_COLUMNS(COLUMN_NAME) ") VALUES(?" CHECKPOINT_COLUMNS(
                        COLUMN_MARK) ")");
    statement_bind_i64(&query, job);
    row_bind(&query, checkpoint_columns, COLUMN_COUNT(checkpoint_columns) - 1, &row);
    statement_bind_text(&query, checkpoint->data);
    status = statement_finish(&query, error);
    *replaced = before[0] != '\0';
    if (status == STATUS_OK && *replaced) {
        status = objects_forget(connection, before, error); /* the same bytes again stay: the new row names them */
    }
    FAILPOINT(CHECKPOINT_BEFORE_GC);
    return status == STATUS_OK ? keep_last(connection, job, checkpoint->step, checkpoint->keep, error) : status;
}

enum status checkpoints_copy_last(struct connection *connection, int64_t from, int64_t to, uint64_t *step, int *found,
                                  struct error *error)
{
    struct statement query;
    *step = 0;
    statement_begin(&query, connection, "SELECT step FROM checkpoints WHERE job = ? ORDER BY step DESC LIMIT 1");
    statement_bind_i64(&query, from);
    enum status status = statement_step(&query, found, error);
    if (*found) {
        *step = (uint64_t)statement_i64(&query, 0);
    }
    statement_end(&query);
    if (status != STATUS_OK || !*found) {
        return status;
    }
    statement_begin(&query, connection,
                    "INSERT INTO checkpoints(job" CHECKPOINT_COLUMNS(COLUMN_NAME) ") SELECT ?" CHECKPOINT_COLUMNS(
                        COLUMN_NAME) " FROM checkpoints WHERE job = ? AND step = ?");
    statement_bind_i64(&query, to);
    statement_bind_i64(&query, from);
    statement_bind_i64(&query, (int64_t)*step);
    return statement_finish(&query, error);
}

/* ---- reading ---- */

static enum status read_rows(struct connection *connection, int64_t job, struct checkpoint_list *list, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, connection,
                    "SELECT job" CHECKPOINT_COLUMNS(COLUMN_NAME) " FROM checkpoints WHERE job = ? ORDER BY step DESC");
    statement_bind_i64(&query, job);
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row) {
        struct checkpoint_view *items = reallocarray(list->items, list->count + 1, sizeof(*items)); /* a few at most */
        if (items == NULL) {
            status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a list of checkpoints");
            break;
        }
        list->items = items;
        items[list->count] = (struct checkpoint_view){.step = 0};
        status = row_read(&query, 1, checkpoint_columns, COLUMN_COUNT(checkpoint_columns), &items[list->count++], error);
        if (status == STATUS_OK) {
            status = statement_step(&query, &row, error);
        }
    }
    statement_end(&query);
    return status;
}

enum status checkpoints_list(struct store *store, const char *job, struct checkpoint_list *list, struct error *error)
{
    *list = (struct checkpoint_list){.items = NULL};
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t number = 0;
    uint64_t version;
    status = jobs_find(connection, job, &number, &version, error);
    if (status == STATUS_OK) {
        status = read_rows(connection, number, list, error);
    }
    reader_end(&store->readers, connection);
    if (status != STATUS_OK) {
        checkpoint_list_release(list);
    }
    return status;
}

void checkpoint_list_release(struct checkpoint_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].data);
    }
    free(list->items);
    *list = (struct checkpoint_list){.items = NULL};
}
