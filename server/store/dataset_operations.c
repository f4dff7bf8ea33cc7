/*
 * Data sets in the store: what is done to them.
 *
 * "The same content again" is decided here, in the operation: operations run one after the other, so of two uploads of
 * one content that race the second finds the first.
 */
#include "server/store/datasets.h"

#include <string.h>

#include "server/clock.h"
#include "server/failpoint.h"
#include "server/ids.h"
#include "server/store/objects.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"
#include "server/store/tombstones.h"

/* What of the description the object decides. */
static void take_object(struct dataset_view *dataset, const struct object *object)
{
    memcpy(dataset->sha256, object->sha256, SHA256_TEXT);
    dataset->bytes = object->size;
}

enum status datasets_insert_row(struct connection *connection, struct datasets_insert *insert, struct error *error)
{
    struct dataset_view *dataset = insert->dataset;
    insert->existed = 0;
    enum status status = STATUS_OK;
    if (dataset->status == DATASET_READY) {
        status = datasets_find_content(connection, insert->object->sha256, "", dataset->id, &insert->existed, error);
    }
    if (status != STATUS_OK || insert->existed) {
        return status;
    }
    if (dataset->id[0] == '\0') {
        id_new(dataset->id, "ds_");
    }
    dataset->created_at = clock_realtime_ms();
    take_object(dataset, insert->object);
    status = objects_insert(connection, insert->object, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = datasets_add(connection, dataset, error);
    FAILPOINT(UPLOAD_ROW_BEFORE_COMMIT);
    return status;
}

static enum status apply_insert(struct store_op *op, struct connection *connection, struct error *error)
{
    return datasets_insert_row(connection, OP_OF(op, struct datasets_insert), error);
}

struct store_op *datasets_insert(struct datasets_insert *insert)
{
    insert->op.apply = apply_insert;
    return &insert->op;
}

/* What a stored data set is, as far as writing needs to know. */
struct stored {
    int64_t number;
    enum dataset_status status;
    int64_t created_at;
    char name[NAME_TEXT], sha256[SHA256_TEXT];
};
#define STORED_COLUMNS(X)                                                                                                   \
    X(status, column_dataset_status, status)                                                                                \
    X(created_at, column_i64, created_at)                                                                                   \
    X(name, column_text, name)                                                                                              \
    X(sha256, column_text, sha256)
#define ROW struct stored
static const struct column stored_columns[] = {STORED_COLUMNS(COLUMN_ENTRY)};
#undef ROW

static enum status find_stored(struct connection *connection, const char *id, struct stored *stored, struct error *error)
{
    *stored = (struct stored){.number = 0};
    struct statement query;
    int found;
    statement_begin(&query, connection, "SELECT number" STORED_COLUMNS(COLUMN_NAME) " FROM datasets WHERE id = ?");
    statement_bind_text(&query, id);
    enum status status = statement_step(&query, &found, error);
    if (status == STATUS_OK && found) {
        stored->number = statement_i64(&query, 0);
        status = row_read(&query, 1, stored_columns, COLUMN_COUNT(stored_columns), stored, error);
    }
    statement_end(&query);
    return status == STATUS_OK && !found ? tombstones_explain(connection, id, error) : status;
}

static enum status apply_label(struct store_op *op, struct connection *connection, struct error *error)
{
    struct datasets_label *label = OP_OF(op, struct datasets_label);
    struct dataset_view *dataset = label->dataset;
    struct stored stored;
    enum status status = find_stored(connection, dataset->id, &stored, error);
    if (status != STATUS_OK) {
        return status;
    }
    int is_same = strcmp(stored.sha256, label->object->sha256) == 0;
    if (stored.status == DATASET_READY && !is_same) {
        return error_set(error, STATUS_STATE_CONFLICT, "%s has its labels already", dataset->id);
    }
    char other[ID_TEXT];
    status = datasets_find_content(connection, label->object->sha256, dataset->id, other, &label->existed, error);
    if (status == STATUS_OK) {
        status = objects_insert(connection, label->object, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    label->existed |= stored.status == DATASET_READY;
    memcpy(dataset->name, stored.name, sizeof(stored.name));
    dataset->created_at = stored.created_at;
    dataset->status = DATASET_READY;
    take_object(dataset, label->object);
    status = datasets_update(connection, stored.number, dataset, error);
    return status == STATUS_OK && !is_same ? objects_forget(connection, stored.sha256, error) : status;
}

struct store_op *datasets_label(struct datasets_label *label)
{
    label->op.apply = apply_label;
    return &label->op;
}

static enum status apply_delete(struct store_op *op, struct connection *connection, struct error *error)
{
    struct datasets_delete *deletion = OP_OF(op, struct datasets_delete);
    struct stored stored;
    enum status status = find_stored(connection, deletion->id, &stored, error);
    if (status == STATUS_OK) {
        status = jobs_check_unused(connection, deletion->id, &deletion->users, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection, "DELETE FROM datasets WHERE number = ?");
    statement_bind_i64(&query, stored.number);
    status = statement_finish(&query, error);
    if (status == STATUS_OK) {
        status = tombstones_add(connection, deletion->id, stored.number, error);
    }
    return status == STATUS_OK ? objects_forget(connection, stored.sha256, error) : status;
}

struct store_op *datasets_delete(struct datasets_delete *deletion)
{
    deletion->op.apply = apply_delete;
    return &deletion->op;
}
