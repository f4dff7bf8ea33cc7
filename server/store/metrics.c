/* Rows of jobs' curves. */
#include "server/store/metrics.h"

#include <stdlib.h>

#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"

/* What stands in front, and then all that a point may hold. */
#define PLACE_COLUMNS(X)                                                                                                    \
    X(step, column_u64, point.step)                                                                                         \
    X(epoch, column_f64, point.epoch)                                                                                       \
    X(seconds, column_f64, seconds)
#define VALUE_NAME(NAME, name, place)  COLUMN_NAME(name, column_f64, point.place)
#define VALUE_MARK(NAME, name, place)  COLUMN_MARK(name, column_f64, point.place)
#define VALUE_ENTRY(NAME, name, place) COLUMN_ENTRY(name, column_f64, point.place)
#define METRIC_NAMES                   PLACE_COLUMNS(COLUMN_NAME) TRAIN_POINT_VALUES(VALUE_NAME)
#define METRIC_MARKS                   PLACE_COLUMNS(COLUMN_MARK) TRAIN_POINT_VALUES(VALUE_MARK)
#define ROW                            struct metric_row
static const struct column metric_columns[] = {PLACE_COLUMNS(COLUMN_ENTRY) TRAIN_POINT_VALUES(VALUE_ENTRY)};
#undef ROW

enum status metrics_insert_row(struct connection *connection, int64_t job, const struct metric_row *row, int *inserted,
                               struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO metrics(job" METRIC_NAMES ") VALUES(?" METRIC_MARKS ") ON CONFLICT(job, step) DO NOTHING");
    statement_bind_i64(&query, job);
    row_bind(&query, metric_columns, COLUMN_COUNT(metric_columns), row);
    enum status status = statement_finish(&query, error);
    *inserted = sqlite3_changes(connection->handle) == 1;
    return status;
}

enum status metrics_copy(struct connection *connection, int64_t from, int64_t to, uint64_t last_step, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO metrics(job" METRIC_NAMES ") SELECT ?" METRIC_NAMES
                    " FROM metrics WHERE job = ? AND step <= ?");
    statement_bind_i64(&query, to);
    statement_bind_i64(&query, from);
    statement_bind_i64(&query, (int64_t)last_step);
    return statement_finish(&query, error);
}

enum status metrics_read_row(struct connection *connection, int64_t job, uint64_t step, struct metric_row *row,
                             struct error *error)
{
    struct statement query;
    int found;
    statement_begin(&query, connection, "SELECT job" METRIC_NAMES " FROM metrics WHERE job = ? AND step = ?");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, (int64_t)step);
    enum status status = statement_step(&query, &found, error);
    if (status == STATUS_OK) {
        status = found ? row_read(&query, 1, metric_columns, COLUMN_COUNT(metric_columns), row, error)
                       : error_set(error, STATUS_STORAGE_ERROR, "the row of step %llu is missing", (unsigned long long)step);
    }
    statement_end(&query);
    return status;
}

/* How many rows there are: all of them, those above after_step, and the last one's step. */
static enum status count_rows(struct connection *connection, int64_t job, int64_t after_step, struct metric_list *list,
                              size_t *wanted, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, connection,
                    "SELECT count(*), max(step), count(*) FILTER (WHERE step > ?) FROM metrics WHERE job = ?");
    statement_bind_i64(&query, after_step);
    statement_bind_i64(&query, job);
    enum status status = statement_step(&query, &row, error);
    if (status == STATUS_OK && row) {
        list->total = (uint64_t)statement_i64(&query, 0);
        list->last_step = (uint64_t)statement_i64(&query, 1);
        *wanted = (size_t)statement_i64(&query, 2);
    }
    statement_end(&query);
    return status;
}

static enum status read_rows(struct connection *connection, int64_t job, int64_t after_step, size_t wanted,
                             struct metric_list *list, struct error *error)
{
    list->rows = calloc(wanted > 0 ? wanted : 1, sizeof(*list->rows));
    if (list->rows == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu rows of curves", wanted);
    }
    struct statement query;
    statement_begin(&query, connection, "SELECT job" METRIC_NAMES " FROM metrics WHERE job = ? AND step > ? ORDER BY step");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, after_step);
    enum status status = STATUS_OK;
    while (list->count < wanted) { /* in one snapshot: there are exactly so many */
        int row;
        status = statement_step(&query, &row, error);
        if (status == STATUS_OK && row) {
            status = row_read(&query, 1, metric_columns, COLUMN_COUNT(metric_columns), &list->rows[list->count], error);
        }
        if (status != STATUS_OK || !row) {
            break;
        }
        list->count++;
    }
    statement_end(&query);
    return status;
}

enum status metrics_list(struct store *store, const char *job, int64_t after_step, struct metric_list *list,
                         struct error *error)
{
    *list = (struct metric_list){.rows = NULL};
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t number = 0;
    size_t wanted = 0;
    status = jobs_find(connection, job, &number, &list->version, error);
    if (status == STATUS_OK) {
        status = count_rows(connection, number, after_step, list, &wanted, error);
    }
    if (status == STATUS_OK) {
        status = read_rows(connection, number, after_step, wanted, list, error);
    }
    reader_end(&store->readers, connection);
    if (status != STATUS_OK) {
        metric_list_release(list);
    }
    return status;
}

void metric_list_release(struct metric_list *list)
{
    free(list->rows);
    *list = (struct metric_list){.rows = NULL};
}
