/* Rows of jobs' curves, a block at a time (metric_block.h). */
#include "server/store/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "server/store/metric_block.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"

/* ---- writing ---- */

static enum status last_step_of(struct connection *connection, int64_t job, int64_t *step, struct error *error)
{
    struct statement query;
    int found;
    statement_begin(&query, connection, "SELECT last_step FROM curves WHERE job = ? ORDER BY step DESC LIMIT 1");
    statement_bind_i64(&query, job);
    enum status status = statement_step(&query, &found, error);
    *step = found ? statement_i64(&query, 0) : -1;
    statement_end(&query);
    return status;
}

/* [count] > 0 rows, one block at most. */
static enum status add_block(struct connection *connection, int64_t job, const struct metric_row *rows, size_t count,
                             struct error *error)
{
    unsigned char *bytes;
    size_t size;
    enum status status = metric_block_write(rows, count, &bytes, &size, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection, "INSERT INTO curves(job, step, last_step, count, rows) VALUES(?, ?, ?, ?, ?)");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, (int64_t)rows[0].point.step);
    statement_bind_i64(&query, (int64_t)rows[count - 1].point.step);
    statement_bind_i64(&query, (int64_t)count);
    statement_bind_bytes(&query, bytes, size);
    status = statement_finish(&query, error);
    free(bytes);
    return status;
}

static size_t block_of(size_t left)
{
    return left < METRIC_BLOCK_ROWS ? left : METRIC_BLOCK_ROWS;
}

static enum status add_rows(struct connection *connection, int64_t job, const struct metric_row *rows, size_t count,
                            struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i += block_of(count - i)) {
        status = add_block(connection, job, rows + i, block_of(count - i), error);
    }
    return status;
}

enum status metrics_insert_rows(struct connection *connection, struct event_sequence *events, const struct metric_row *rows,
                                size_t count, struct error *error)
{
    int64_t last = -1;
    enum status status = count > 0 ? last_step_of(connection, events->job, &last, error) : STATUS_OK;
    while (count > 0 && (int64_t)rows[0].point.step <= last) {
        rows++;
        count--;
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i += block_of(count - i)) {
        status = add_block(connection, events->job, rows + i, block_of(count - i), error);
        if (status == STATUS_OK) {
            status = events_insert_metrics(connection, events, rows[i].point.step, (uint32_t)block_of(count - i), error);
        }
    }
    return status;
}

/* ---- reading ---- */

/* How many rows there are: all of them, those of blocks that end above after_step, and the last one's step. */
static enum status count_rows(struct connection *connection, int64_t job, int64_t after_step, struct metric_list *list,
                              size_t *wanted, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, connection,
                    "SELECT sum(count), max(last_step), sum(count) FILTER (WHERE last_step > ?) FROM curves WHERE job = ?");
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

/* The block that a query stands at, whose first columns are count and rows. */
static enum status read_block(const struct statement *query, struct metric_row *rows, size_t room, size_t *count,
                              struct error *error)
{
    const void *bytes = sqlite3_column_blob(query->statement, 1);
    size_t size = (size_t)sqlite3_column_bytes(query->statement, 1);
    enum status status = metric_block_read(bytes, size, rows, room, count, error);
    if (status == STATUS_OK && (int64_t)*count != statement_i64(query, 0)) {
        return error_set(error, STATUS_STORAGE_ERROR, "%zu rows of curves stand where %lld are expected", *count,
                         (long long)statement_i64(query, 0));
    }
    return status;
}

/* Of the first block there may be rows that are not wanted. */
static void drop_first(struct metric_list *list, int64_t after_step)
{
    size_t first = 0;
    while (first < list->count && (int64_t)list->rows[first].point.step <= after_step) {
        first++;
    }
    list->count -= first;
    memmove(list->rows, list->rows + first, list->count * sizeof(*list->rows));
}

static enum status read_rows(struct connection *connection, int64_t job, int64_t after_step, struct metric_list *list,
                             struct error *error)
{
    size_t room = 0, count;
    enum status status = count_rows(connection, job, after_step, list, &room, error);
    if (status != STATUS_OK) {
        return status;
    }
    list->rows = calloc(room > 0 ? room : 1, sizeof(*list->rows));
    if (list->rows == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu rows of curves", room);
    }
    struct statement query;
    statement_begin(&query, connection, "SELECT count, rows FROM curves WHERE job = ? AND last_step > ? ORDER BY step");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, after_step);
    while (list->count < room) { /* in one snapshot: there are exactly so many */
        int row;
        status = statement_step(&query, &row, error);
        if (status == STATUS_OK && row) {
            status = read_block(&query, list->rows + list->count, room - list->count, &count, error);
            list->count += status == STATUS_OK ? count : 0;
        }
        if (status != STATUS_OK || !row) {
            break;
        }
    }
    statement_end(&query);
    drop_first(list, after_step);
    return status;
}

enum status metrics_read_run(struct connection *connection, int64_t job, uint64_t step, size_t count,
                             struct metric_row *rows, const struct metric_row **first, struct error *error)
{
    struct statement query;
    int found;
    size_t in_block = 0, at = 0;
    statement_begin(&query, connection,
                    "SELECT count, rows FROM curves WHERE job = ? AND step <= ? ORDER BY step DESC LIMIT 1");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, (int64_t)step);
    enum status status = statement_step(&query, &found, error);
    if (status == STATUS_OK && found) {
        status = read_block(&query, rows, METRIC_BLOCK_ROWS, &in_block, error);
    }
    statement_end(&query);
    while (at < in_block && rows[at].point.step < step) {
        at++;
    }
    *first = &rows[at];
    if (status == STATUS_OK && (at == in_block || rows[at].point.step != step || count > in_block - at)) {
        status = error_set(error, STATUS_STORAGE_ERROR, "the row of step %llu is missing", (unsigned long long)step);
    }
    return status;
}

enum status metrics_copy(struct connection *connection, int64_t from, int64_t to, uint64_t last_step, struct error *error)
{
    struct metric_list list = {.rows = NULL};
    enum status status = read_rows(connection, from, -1, &list, error);
    while (list.count > 0 && list.rows[list.count - 1].point.step > last_step) {
        list.count--;
    }
    if (status == STATUS_OK) {
        status = add_rows(connection, to, list.rows, list.count, error);
    }
    metric_list_release(&list);
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
    status = jobs_find(connection, job, &number, &list->version, error);
    if (status == STATUS_OK) {
        status = read_rows(connection, number, after_step, list, error);
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

/* ---- from version 3 ---- */

/* A row of the table that there was, as `SELECT *` gives it. */
static struct metric_row read_old_row(const struct statement *query)
{
    struct metric_row row = {.point = train_point_at((uint64_t)statement_i64(query, 1))};
    row.point.epoch = statement_f64(query, 2);
    row.seconds = statement_f64(query, 3);
    for (int column = 4; column < sqlite3_column_count(query->statement); column++) {
        metric_block_set_value(&row.point, (size_t)column - 4, statement_f64(query, column));
    }
    return row;
}

enum status metrics_migrate(struct connection *connection, struct error *error)
{
    struct metric_row *rows = calloc(METRIC_BLOCK_ROWS, sizeof(*rows));
    size_t count = 0;
    int64_t job = 0;
    int row = 1;
    if (rows == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %d rows of curves", METRIC_BLOCK_ROWS);
    }
    struct statement query;
    statement_begin(&query, connection, "SELECT * FROM metrics ORDER BY job, step");
    enum status status = STATUS_OK;
    while (status == STATUS_OK && row) {
        status = statement_step(&query, &row, error);
        int ends = !row || count == METRIC_BLOCK_ROWS || statement_i64(&query, 0) != job;
        if (status == STATUS_OK && ends && count > 0) {
            status = add_block(connection, job, rows, count, error);
            count = 0;
        }
        if (status == STATUS_OK && row) {
            job = statement_i64(&query, 0);
            rows[count++] = read_old_row(&query);
        }
    }
    statement_end(&query);
    free(rows);
    return status == STATUS_OK ? connection_run(connection, "DROP TABLE metrics", error) : status;
}
