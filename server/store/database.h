/*
 * One connection to the database and the statements that run on it. Private to server/store/.
 *
 * A connection belongs to one thread at a time. Statements are prepared once and kept; none is left open between calls,
 * for an open one would pin the WAL. Binding errors stick to the statement and come out of statement_step, so that a
 * function checks once. Text only ever goes in by binding.
 */
#ifndef DESCENT_SERVER_STORE_DATABASE_H
#define DESCENT_SERVER_STORE_DATABASE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "api/views.h"
#include "core/base/status.h"

#define STATEMENTS_KEPT 64

struct connection {
    sqlite3 *handle;
    const struct data_dir *dir;
    struct {
        char *sql; /* owned */
        sqlite3_stmt *statement;
        int in_use;
    } kept[STATEMENTS_KEPT];
    unsigned next_victim;
    enum status failure; /* not STATUS_OK: the database itself failed, the transaction is lost */
    int disk_failed;     /* ... and not for want of room or memory */
    int wal_pages;       /* in the WAL after the last commit (writer only) */
    struct trash *trash; /* object files that may have lost their row in this transaction (writer only) */
};

/*
 * Opens DATA/descentd.db with the settings that every connection needs. The writer makes it where it is missing. AT_REST: a
 * reader of a file that nobody has open and whose log is empty or gone; it makes no file beside it. COPY: what becomes
 * a copy of another one; the caller syncs its file.
 */
enum connection_type { CONNECTION_WRITER, CONNECTION_READER, CONNECTION_AT_REST, CONNECTION_COPY };
MUST_CHECK enum status connection_open(struct connection *connection, const struct data_dir *dir, enum connection_type type,
                                       struct error *error);
/* A zeroed connection: nothing. */
void connection_close(struct connection *connection);
/* Runs SQL text of ours that gives no rows. */
MUST_CHECK enum status connection_run(struct connection *connection, const char *sql, struct error *error);
/* What an SQLite result code means here; fills *error and the connection's failure. */
enum status connection_fail(struct connection *connection, int code, struct error *error);

struct statement {
    struct connection *connection;
    sqlite3_stmt *statement;
    int slot;      /* of the connection's statements */
    int bind_code; /* the first error of binding */
    int bound;     /* parameters bound so far: each statement_bind_... takes the next */
};

/* Readies `sql`; end it with statement_end whatever happens. A failure comes out of statement_step. */
void statement_begin(struct statement *query, struct connection *connection, const char *sql);
void statement_end(struct statement *query);
/* A NULL text binds NULL; text and bytes must stay in place until statement_end. */
void statement_bind_text(struct statement *query, const char *text);
void statement_bind_bytes(struct statement *query, const void *bytes, size_t size);
void statement_bind_i64(struct statement *query, int64_t value);
/* NaN binds NULL. */
void statement_bind_f64(struct statement *query, double value);
/* *row: 1 a row can be read, 0 the end. */
MUST_CHECK enum status statement_step(struct statement *query, int *row, struct error *error);
/* Runs a statement without rows to its end, and statement_end. */
MUST_CHECK enum status statement_finish(struct statement *query, struct error *error);

int64_t statement_i64(const struct statement *query, int column);
double statement_f64(const struct statement *query, int column); /* NULL is NaN */
/* A copy of a text that fits into `size` bytes with its NUL; NULL reads as "". */
MUST_CHECK enum status statement_text(const struct statement *query, int column, char *text, size_t size,
                                      struct error *error);

#endif
