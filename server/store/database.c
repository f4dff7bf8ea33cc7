/*
 * One connection to the database.
 *
 * Checkpoints of the WAL are the writer's alone, at times of its choosing (wal_autocheckpoint is 0 everywhere): two
 * connections that checkpoint or reset the WAL at once can damage it in this generation of SQLite.
 */
#include "server/store/database.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/data_dir.h"

#define VALUE_BYTES_MAX (16 << 20) /* longest text or blob */
#define ADDRESS_BYTES   (3 * PATH_MAX + 32)

static const char *const settings[] = {
    [CONNECTION_WRITER] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                          "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-2000;",
    [CONNECTION_READER] = "PRAGMA query_only=ON; PRAGMA cache_size=-512;",
    [CONNECTION_AT_REST] = "PRAGMA query_only=ON; PRAGMA cache_size=-2000;",
    [CONNECTION_COPY] = "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;",
};
static const char *const common_settings = "PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF;"
                                           "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;";

static int remember_wal_size(void *context, sqlite3 *handle, const char *database, int pages)
{
    (void)handle;
    (void)database;
    ((struct connection *)context)->wal_pages = pages;
    return SQLITE_OK;
}

/* The database as an address, in which alone one can say that nobody else has it open. */
static void write_address(const char *path, char address[ADDRESS_BYTES])
{
    static const char tail[] = "?immutable=1";
    size_t used = (size_t)snprintf(address, ADDRESS_BYTES, "file:");
    for (; *path != '\0' && used + 3 + sizeof(tail) <= ADDRESS_BYTES; path++) {
        int plain = strchr("?#%", *path) == NULL;
        used += (size_t)snprintf(address + used, ADDRESS_BYTES - used, plain ? "%c" : "%%%02x", (unsigned char)*path);
    }
    snprintf(address + used, ADDRESS_BYTES - used, "%s", tail);
}

static int open_handle(struct connection *connection, const char *path, enum connection_type type)
{
    static const int flags[] = {
        [CONNECTION_WRITER] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [CONNECTION_READER] = SQLITE_OPEN_READONLY,
        [CONNECTION_AT_REST] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
        [CONNECTION_COPY] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    char address[ADDRESS_BYTES];
    if (type == CONNECTION_AT_REST) {
        write_address(path, address);
        path = address;
    }
    return sqlite3_open_v2(path, &connection->handle,
                           flags[type] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, NULL);
}

enum status connection_open(struct connection *connection, const struct data_dir *dir, enum connection_type type,
                            struct error *error)
{
    *connection = (struct connection){.dir = dir};
    int code = open_handle(connection, dir->database, type);
    if (connection->handle == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the database");
    }
    enum status status = STATUS_OK;
    if (code != SQLITE_OK) {
        status = connection_fail(connection, code, error);
        goto out;
    }
    sqlite3_extended_result_codes(connection->handle, 1);
    sqlite3_busy_timeout(connection->handle, 5000);
    sqlite3_limit(connection->handle, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    status = connection_run(connection, common_settings, error);
    if (status == STATUS_OK) {
        status = connection_run(connection, settings[type], error);
    }
    if (status == STATUS_OK && type == CONNECTION_WRITER) {
        sqlite3_wal_hook(connection->handle, remember_wal_size, connection);
    }
out:
    if (status != STATUS_OK) {
        connection_close(connection);
    }
    return status;
}

static void forget(struct connection *connection, int slot)
{
    sqlite3_finalize(connection->kept[slot].statement);
    free(connection->kept[slot].sql);
    connection->kept[slot].sql = NULL;
    connection->kept[slot].statement = NULL;
}

void connection_close(struct connection *connection)
{
    for (int i = 0; i < STATEMENTS_KEPT; i++) {
        forget(connection, i);
    }
    int code = sqlite3_close(connection->handle);
    assert(code == SQLITE_OK); /* every statement is in `kept` */
    (void)code;
    *connection = (struct connection){0};
}

/*
 * Did a write fail for want of room? SQLite says so for a full disk; for a quota or a limit one has to ask the log's file
 * for its last errno. A failed sync is never that: it says nothing about what is durable.
 */
static int is_full(struct connection *connection, int code)
{
    if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) {
        return 1;
    }
    sqlite3_file *log = NULL;
    int system_error = 0;
    if (code != SQLITE_IOERR_WRITE ||
        sqlite3_file_control(connection->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || log == NULL ||
        log->pMethods == NULL || log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &system_error) != SQLITE_OK) {
        return 0;
    }
    return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

enum status connection_fail(struct connection *connection, int code, struct error *error)
{
    const char *text = sqlite3_errmsg(connection->handle);
    if (is_full(connection, code)) {
        text = "there is no room on the disk"; /* for a quota SQLite says "disk I/O error" */
        connection->failure = STATUS_INSUFFICIENT_STORAGE;
    } else if ((code & 0xff) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM) {
        connection->failure = STATUS_OUT_OF_MEMORY;
    } else {
        switch (code & 0xff) {
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_READONLY:
            connection->disk_failed = 1;
            /* fall through */
        case SQLITE_BUSY:
        case SQLITE_PROTOCOL:
            connection->failure = STATUS_STORAGE_ERROR;
            break;
        default: /* a mistake of ours in one statement; the transaction lives on */
            return error_set(error, STATUS_INTERNAL, "database: %s (%d)", text, code);
        }
    }
    /* Clients may read this: no path. */
    return error_set(error, connection->failure, "database: %s (%d)", text, code);
}

enum status connection_run(struct connection *connection, const char *sql, struct error *error)
{
    int code = sqlite3_exec(connection->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : connection_fail(connection, code, error);
}

/* A place for a new statement. Far fewer than STATEMENTS_KEPT are ever in use at once, so there always is one. */
static int free_slot(struct connection *connection)
{
    for (;;) {
        int slot = (int)(connection->next_victim++ % STATEMENTS_KEPT);
        if (!connection->kept[slot].in_use) {
            forget(connection, slot);
            return slot;
        }
    }
}

void statement_begin(struct statement *query, struct connection *connection, const char *sql)
{
    *query = (struct statement){.connection = connection, .slot = -1};
    for (int i = 0; i < STATEMENTS_KEPT && query->slot < 0; i++) {
        if (connection->kept[i].sql != NULL && !connection->kept[i].in_use && strcmp(connection->kept[i].sql, sql) == 0) {
            query->slot = i;
        }
    }
    if (query->slot < 0) {
        char *copy = strdup(sql);
        if (copy == NULL) {
            query->bind_code = SQLITE_NOMEM;
            return;
        }
        sqlite3_stmt *statement = NULL;
        query->bind_code = sqlite3_prepare_v3(connection->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
        if (query->bind_code != SQLITE_OK) {
            free(copy);
            return;
        }
        query->slot = free_slot(connection);
        connection->kept[query->slot].sql = copy;
        connection->kept[query->slot].statement = statement;
    }
    connection->kept[query->slot].in_use = 1;
    query->statement = connection->kept[query->slot].statement;
}

void statement_end(struct statement *query)
{
    if (query->statement != NULL) {
        sqlite3_reset(query->statement); /* repeats the code of the last step, which was reported then */
        sqlite3_clear_bindings(query->statement);
        query->connection->kept[query->slot].in_use = 0;
        query->statement = NULL;
    }
}

static void keep_first(struct statement *query, int code)
{
    if (query->bind_code == SQLITE_OK) {
        query->bind_code = code;
    }
}

void statement_bind_text(struct statement *query, const char *text)
{
    query->bound++;
    if (query->bind_code == SQLITE_OK) {
        keep_first(query, sqlite3_bind_text(query->statement, query->bound, text, -1, SQLITE_STATIC));
    }
}

void statement_bind_bytes(struct statement *query, const void *bytes, size_t size)
{
    query->bound++;
    if (query->bind_code == SQLITE_OK) {
        keep_first(query, sqlite3_bind_blob64(query->statement, query->bound, bytes, size, SQLITE_STATIC));
    }
}

void statement_bind_i64(struct statement *query, int64_t value)
{
    query->bound++;
    if (query->bind_code == SQLITE_OK) {
        keep_first(query, sqlite3_bind_int64(query->statement, query->bound, value));
    }
}

void statement_bind_f64(struct statement *query, double value)
{
    query->bound++;
    if (query->bind_code == SQLITE_OK) {
        keep_first(query, isnan(value) ? sqlite3_bind_null(query->statement, query->bound)
                                       : sqlite3_bind_double(query->statement, query->bound, value));
    }
}

enum status statement_step(struct statement *query, int *row, struct error *error)
{
    *row = 0;
    int code = query->bind_code;
    if (code == SQLITE_OK) {
        code = sqlite3_step(query->statement);
    }
    if (code == SQLITE_ROW) {
        *row = 1;
        return STATUS_OK;
    }
    return code == SQLITE_DONE ? STATUS_OK : connection_fail(query->connection, code, error);
}

enum status statement_finish(struct statement *query, struct error *error)
{
    int row;
    enum status status = statement_step(query, &row, error);
    statement_end(query);
    return status;
}

int64_t statement_i64(const struct statement *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double statement_f64(const struct statement *query, int column)
{
    int is_null = sqlite3_column_type(query->statement, column) == SQLITE_NULL;
    return is_null ? (double)NAN : sqlite3_column_double(query->statement, column);
}

enum status statement_text(const struct statement *query, int column, char *text, size_t size, struct error *error)
{
    const unsigned char *value = sqlite3_column_text(query->statement, column);
    if (value == NULL && sqlite3_column_type(query->statement, column) != SQLITE_NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a text of the database");
    }
    size_t length = value == NULL ? 0 : (size_t)sqlite3_column_bytes(query->statement, column);
    if (length >= size) {
        return error_set(error, STATUS_STORAGE_ERROR, "a text of the database has %zu bytes, %zu are allowed", length,
                         size - 1);
    }
    if (length > 0) {
        memcpy(text, value, length);
    }
    text[length] = '\0';
    return STATUS_OK;
}
