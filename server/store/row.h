/*
 * Rows of the database to and from structs, by one table a struct. Private to server/store/.
 *
 * The columns of a table are listed once, as an X-macro of (column, type, field); the text of SQL statements and the
 * array that binds and reads them both come from it, so they cannot disagree:
 *
 *     #define MODEL_COLUMNS(X) X(id, column_text, id) X(bytes, column_u64, bytes) ...
 *     "INSERT INTO models(number" MODEL_COLUMNS(COLUMN_NAME) ") VALUES(NULL" MODEL_COLUMNS(COLUMN_MARK) ")"
 *
 * Each piece begins with its comma, so a statement names one column itself; an UPDATE one that has no index and stays
 * ("SET rows = rows").
 */
#ifndef DESCENT_SERVER_STORE_ROW_H
#define DESCENT_SERVER_STORE_ROW_H

#include "server/store/database.h"

struct column_type {
    enum { TYPE_INT, TYPE_U32, TYPE_I32, TYPE_U64, TYPE_I64, TYPE_F64, TYPE_F32, TYPE_TEXT, TYPE_STRING, TYPE_NAMED } kind;
    const char *(*name)(int value); /* NAMED: an enum, stored by its name */
    int count;
};
extern const struct column_type column_int, column_u32, column_i32, column_u64, column_i64;
extern const struct column_type column_f64, column_f32; /* NaN is stored as NULL */
extern const struct column_type column_text;            /* char [size] */
extern const struct column_type column_string;          /* char *, malloc'ed when read; NULL is stored as NULL */
extern const struct column_type column_job_status, column_stop_reason, column_metric, column_event_type,
    column_dataset_status;

struct column {
    const struct column_type *type;
    size_t offset, size;
};

#define COLUMN_NAME(column, type, field)  ", " #column
#define COLUMN_MARK(column, type, field)  ", ?"
#define COLUMN_SET(column, type, field)   ", " #column " = ?"
#define COLUMN_ENTRY(column, type, field) {&(type), offsetof(ROW, field), sizeof(((ROW *)0)->field)},
#define COLUMN_COUNT(array)               (sizeof(array) / sizeof((array)[0]))

/* Binds the next [count] parameters from *row. */
void row_bind(struct statement *query, const struct column *columns, size_t count, const void *row);
/*
 * Reads [count] columns from number `first` on into *row. On failure strings that were read stay in *row, for the
 * struct's own release. STATUS_STORAGE_ERROR: a value that this program never wrote.
 */
MUST_CHECK enum status row_read(const struct statement *query, int first, const struct column *columns, size_t count,
                                void *row, struct error *error);

#endif
