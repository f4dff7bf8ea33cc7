/*
 * Rows of the database to and from structs.
 *
 * Enums are stored by name: their numbers may change from one program to the next, what a folder holds may not.
 */
#include "server/store/row.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct column_type column_int = {.kind = TYPE_INT}, column_u32 = {.kind = TYPE_U32}, column_i32 = {.kind = TYPE_I32},
                         column_u64 = {.kind = TYPE_U64}, column_i64 = {.kind = TYPE_I64}, column_f64 = {.kind = TYPE_F64},
                         column_f32 = {.kind = TYPE_F32}, column_text = {.kind = TYPE_TEXT},
                         column_string = {.kind = TYPE_STRING};

static const char *job_status_text(int value)
{
    return job_status_name((enum job_status)value);
}

static const char *stop_reason_text(int value)
{
    return value == STOP_NONE ? "" : stop_reason_name((enum stop_reason)value);
}

static const char *metric_text(int value)
{
    return metric_name((enum metric)value);
}

static const char *event_type_text(int value)
{
    return event_type_name((enum event_type)value);
}

static const char *dataset_status_text(int value)
{
    return value == DATASET_READY ? "ready" : "awaiting_labels";
}

const struct column_type column_job_status = {TYPE_NAMED, job_status_text, JOB_STATUS_COUNT},
                         column_stop_reason = {TYPE_NAMED, stop_reason_text, STOP_REASON_COUNT},
                         column_metric = {TYPE_NAMED, metric_text, METRIC_COUNT},
                         column_event_type = {TYPE_NAMED, event_type_text, EVENT_TYPE_COUNT},
                         column_dataset_status = {TYPE_NAMED, dataset_status_text, DATASET_AWAITING_LABELS + 1};

static void bind(struct statement *query, const struct column_type *type, const void *field)
{
    switch (type->kind) {
    case TYPE_INT:
        statement_bind_i64(query, *(const int *)field);
        break;
    case TYPE_U32:
        statement_bind_i64(query, *(const uint32_t *)field);
        break;
    case TYPE_I32:
        statement_bind_i64(query, *(const int32_t *)field);
        break;
    case TYPE_U64: /* SQLite's integers are signed: the same 64 bits */
        statement_bind_i64(query, (int64_t) * (const uint64_t *)field);
        break;
    case TYPE_I64:
        statement_bind_i64(query, *(const int64_t *)field);
        break;
    case TYPE_F64:
        statement_bind_f64(query, *(const double *)field);
        break;
    case TYPE_F32:
        statement_bind_f64(query, (double)*(const float *)field);
        break;
    case TYPE_TEXT:
        statement_bind_text(query, field);
        break;
    case TYPE_STRING:
        statement_bind_text(query, *(char *const *)field);
        break;
    case TYPE_NAMED:
        statement_bind_text(query, type->name(*(const int *)field));
        break;
    }
}

void row_bind(struct statement *query, const struct column *columns, size_t count, const void *row)
{
    for (size_t i = 0; i < count; i++) {
        bind(query, columns[i].type, (const char *)row + columns[i].offset);
    }
}

static enum status read_string(const struct statement *query, int column, char **field, struct error *error)
{
    *field = NULL;
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL) {
        return STATUS_OK;
    }
    const unsigned char *value = sqlite3_column_text(query->statement, column);
    *field = value == NULL ? NULL : strdup((const char *)value);
    return *field == NULL ? error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a text of the database") : STATUS_OK;
}

static enum status read_named(const struct statement *query, int column, const struct column_type *type, int *field,
                              struct error *error)
{
    char text[32];
    enum status status = statement_text(query, column, text, sizeof(text), error);
    for (int value = 0; status == STATUS_OK && value < type->count; value++) {
        if (strcmp(text, type->name(value)) == 0) {
            *field = value;
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_STORAGE_ERROR, "the database has \"%s\" in column %s", text,
                     sqlite3_column_name(query->statement, column));
}

static double read_f64(const struct statement *query, int column)
{
    int is_null = sqlite3_column_type(query->statement, column) == SQLITE_NULL;
    return is_null ? (double)NAN : sqlite3_column_double(query->statement, column);
}

static enum status read(const struct statement *query, int column, const struct column *to, void *field, struct error *error)
{
    switch (to->type->kind) {
    case TYPE_INT:
        *(int *)field = (int)statement_i64(query, column);
        break;
    case TYPE_U32:
        *(uint32_t *)field = (uint32_t)statement_i64(query, column);
        break;
    case TYPE_I32:
        *(int32_t *)field = (int32_t)statement_i64(query, column);
        break;
    case TYPE_U64:
        *(uint64_t *)field = (uint64_t)statement_i64(query, column);
        break;
    case TYPE_I64:
        *(int64_t *)field = statement_i64(query, column);
        break;
    case TYPE_F64:
        *(double *)field = read_f64(query, column);
        break;
    case TYPE_F32:
        *(float *)field = (float)read_f64(query, column);
        break;
    case TYPE_TEXT:
        return statement_text(query, column, field, to->size, error);
    case TYPE_STRING:
        return read_string(query, column, field, error);
    case TYPE_NAMED:
        return read_named(query, column, to->type, field, error);
    }
    return STATUS_OK;
}

enum status row_read(const struct statement *query, int first, const struct column *columns, size_t count, void *row,
                     struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = read(query, first + (int)i, &columns[i], (char *)row + columns[i].offset, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}
