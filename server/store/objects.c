/*
 * Rows of objects, and the files that follow them.
 *
 * Only the writer moves files into the folder and removes them, and it alone writes rows; so between looking for a row
 * and removing a file nothing can come. A file that was moved in, or whose row was removed, is looked at again when the
 * transaction's fate is known.
 */
#include "server/store/objects.h"

#include <stdlib.h>
#include <string.h>

#include "server/failpoint.h"
#include "server/store/data_dir.h"

struct trash {
    size_t count, capacity;
    struct {
        char name[SHA256_TEXT];
        struct object *object; /* that was moved in; NULL: a row was removed */
        char temporary[TEMPORARY_TEXT];
    } files[];
};

static enum status has_row(struct connection *connection, const char *sha256, int *found, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, "SELECT 1 FROM objects WHERE sha256 = ?");
    statement_bind_text(&query, sha256);
    enum status status = statement_step(&query, found, error);
    statement_end(&query);
    return status;
}

/* For objects_sweep. Without memory to remember a file, it stays until the next start finds it. */
static void remember(struct connection *connection, const char *sha256, struct object *object)
{
    struct trash *trash = connection->trash;
    size_t count = trash == NULL ? 0 : trash->count;
    size_t capacity = trash == NULL ? 0 : trash->capacity;
    if (count == capacity) {
        capacity = capacity == 0 ? 16 : capacity * 2;
        trash = realloc(trash, sizeof(*trash) + capacity * sizeof(trash->files[0]));
        if (trash == NULL) {
            return;
        }
        trash->capacity = capacity;
        connection->trash = trash;
    }
    memcpy(trash->files[count].name, sha256, SHA256_TEXT);
    trash->files[count].object = object;
    if (object != NULL) {
        memcpy(trash->files[count].temporary, object->temporary, TEMPORARY_TEXT);
    }
    trash->count = count + 1;
}

/* A folder that cannot be synced may lose later files, too, whatever it says of them: the disk has failed. */
static enum status publish(struct connection *connection, const struct object *object, struct error *error)
{
    int moved;
    enum status status = data_dir_publish(connection->dir, object->temporary, object->sha256, &moved, error);
    if (status != STATUS_OK && moved) {
        connection->failure = status;
        connection->disk_failed = 1;
    }
    return status;
}

enum status objects_insert(struct connection *connection, struct object *object, struct error *error)
{
    int found;
    enum status status = has_row(connection, object->sha256, &found, error);
    if (status != STATUS_OK || found) {
        return status; /* a temporary file that is not needed goes with object_release */
    }
    if (object->temporary[0] != '\0') {
        status = publish(connection, object, error);
        if (status != STATUS_OK) {
            return status;
        }
        remember(connection, object->sha256, object); /* should the row not come */
        object->temporary[0] = '\0';
    } else if (object->bytes == NULL) {
        return error_set(error, STATUS_INTERNAL, "object %s was given away to an operation that failed", object->sha256);
    }
    struct statement query;
    statement_begin(&query, connection, "INSERT INTO objects(sha256, size, bytes) VALUES(?, ?, ?)");
    statement_bind_text(&query, object->sha256);
    statement_bind_i64(&query, (int64_t)object->size);
    if (object->bytes != NULL) {
        statement_bind_bytes(&query, object->bytes, (size_t)object->size);
    }
    return statement_finish(&query, error);
}

enum status objects_forget(struct connection *connection, const char *sha256, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "DELETE FROM objects WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM datasets WHERE sha256 = ?1)"
                    " AND NOT EXISTS (SELECT 1 FROM models WHERE object = ?1)"
                    " AND NOT EXISTS (SELECT 1 FROM checkpoints WHERE object = ?1)");
    statement_bind_text(&query, sha256);
    enum status status = statement_finish(&query, error);
    if (status == STATUS_OK && sqlite3_changes(connection->handle) == 1) {
        FAILPOINT(DELETE_ROW_GONE);
        remember(connection, sha256, NULL);
    }
    return status;
}

/* An operation that failed for want of room may be made again: it gets its file back. */
static int give_back(struct connection *connection, size_t i)
{
    struct trash *trash = connection->trash;
    struct object *object = trash->files[i].object;
    if (object == NULL || !data_dir_withdraw(connection->dir, trash->files[i].name, trash->files[i].temporary)) {
        return 0;
    }
    memcpy(object->temporary, trash->files[i].temporary, TEMPORARY_TEXT);
    return 1;
}

void objects_sweep(struct connection *connection)
{
    size_t count = connection->trash == NULL || connection->disk_failed ? 0 : connection->trash->count;
    for (size_t i = 0; i < count; i++) { /* after a failed commit on a broken disk nobody knows which rows are durable */
        int found;
        const char *sha256 = connection->trash->files[i].name;
        if (has_row(connection, sha256, &found, NULL) == STATUS_OK && !found && !give_back(connection, i)) {
            FAILPOINT(DELETE_BEFORE_UNLINK);
            data_dir_remove_object(connection->dir, sha256);
            FAILPOINT(DELETE_AFTER_UNLINK);
        }
    }
    free(connection->trash);
    connection->trash = NULL;
}

static enum status collect(void *context, const char *sha256, struct error *error)
{
    struct connection *connection = context;
    int found;
    enum status status = has_row(connection, sha256, &found, error);
    if (status == STATUS_OK && !found) {
        data_dir_remove_object(connection->dir, sha256);
    }
    FAILPOINT(BOOT_SCAN_MID);
    return status;
}

enum status objects_collect(struct connection *connection, struct error *error)
{
    return data_dir_each_object(connection->dir, collect, connection, error);
}
