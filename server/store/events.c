/* Events of jobs. */
#include "server/store/events.h"

#include <math.h>
#include <stdlib.h>

#include "api/curve.h"
#include "api/text.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"

#define EVENT_COLUMNS(X)                                                                                                    \
    X(id, column_u64, id)                                                                                                   \
    X(type, column_event_type, type)                                                                                        \
    X(created_at, column_i64, created_at)                                                                                   \
    X(data, column_string, data)
#define ROW struct event_view
static const struct column event_columns[] = {EVENT_COLUMNS(COLUMN_ENTRY)};
#undef ROW

/* ---- writing ---- */

static enum status insert(struct connection *connection, struct event_sequence *sequence, enum event_type type,
                          const char *data, const uint64_t *step, struct error *error)
{
    struct event_view event = {.id = sequence->last + 1, .type = type, .created_at = sequence->now};
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO events(job, id, type, created_at, data, step) VALUES(?, ?, ?, ?, ?, ?)");
    statement_bind_i64(&query, sequence->job);
    row_bind(&query, event_columns, COLUMN_COUNT(event_columns) - 1, &event);
    statement_bind_text(&query, data);
    if (step != NULL) {
        statement_bind_i64(&query, (int64_t)*step);
    }
    enum status status = statement_finish(&query, error);
    if (status == STATUS_OK) {
        sequence->last++;
    }
    return status;
}

enum status events_insert_row(struct connection *connection, struct event_sequence *sequence, enum event_type type,
                              const char *data, struct error *error)
{
    return insert(connection, sequence, type, data, NULL, error);
}

enum status events_insert_metric(struct connection *connection, struct event_sequence *sequence, uint64_t step,
                                 struct error *error)
{
    return insert(connection, sequence, EVENT_METRIC, NULL, &step, error);
}

/* ---- reading ---- */

/* A row of the curves as JSON: what was measured; what is not finite is null. */
static enum status metric_data(const struct metric_row *row, char **data, struct error *error)
{
    struct text text = {.data = NULL};
    text_printf(&text, "{\"step\":%llu,\"epoch\":", (unsigned long long)row->point.step);
    text_number(&text, row->point.epoch);
    text_string(&text, ",\"seconds\":");
    text_number(&text, row->seconds);
    for (int series = 0; series < CURVE_SERIES_COUNT; series++) {
        double value = curve_value(row, (enum curve_series)series);
        if (!isnan(value)) {
            text_printf(&text, ",\"%s\":", curve_series_name((enum curve_series)series));
            if (isfinite(value)) {
                text_number(&text, value);
            } else {
                text_string(&text, "null");
            }
        }
    }
    text_string(&text, "}");
    size_t size;
    enum status status = text_take(&text, data, &size, error);
    text_release(&text);
    return status;
}

static enum status read_event(const struct statement *query, int64_t job, struct event_view *event, struct error *error)
{
    enum status status = row_read(query, 1, event_columns, COLUMN_COUNT(event_columns), event, error);
    if (status == STATUS_OK && event->type == EVENT_METRIC) {
        struct metric_row row;
        status = metrics_read_row(query->connection, job, (uint64_t)statement_i64(query, 0), &row, error);
        if (status == STATUS_OK) {
            status = metric_data(&row, &event->data, error);
        }
    }
    return status;
}

#define SELECT "SELECT step" EVENT_COLUMNS(COLUMN_NAME) " FROM events WHERE job = ? AND "

static enum status read_page(struct connection *connection, int64_t job, uint64_t after, uint32_t limit, int descending,
                             struct event_list *list, struct error *error)
{
    list->items = calloc(limit, sizeof(*list->items));
    if (list->items == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u events", limit);
    }
    struct statement query;
    statement_begin(&query, connection,
                    descending ? SELECT "id < ? ORDER BY id DESC LIMIT ?" : SELECT "id > ? ORDER BY id LIMIT ?");
    statement_bind_i64(&query, job);
    statement_bind_i64(&query, (descending && after == 0) || after > INT64_MAX ? INT64_MAX : (int64_t)after);
    statement_bind_i64(&query, (int64_t)limit + 1);
    enum status status;
    for (;;) {
        int row;
        status = statement_step(&query, &row, error);
        if (status != STATUS_OK || !row) {
            break;
        }
        if (list->count == limit) {
            list->has_more = 1;
            break;
        }
        status = read_event(&query, job, &list->items[list->count++], error);
        if (status != STATUS_OK) {
            break;
        }
    }
    statement_end(&query);
    return status;
}

enum status events_list(struct store *store, const char *job, uint64_t after, uint32_t limit, int descending,
                        struct event_list *list, struct error *error)
{
    *list = (struct event_list){.items = NULL};
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t number = 0;
    uint64_t version;
    status = jobs_find(connection, job, &number, &version, error);
    if (status == STATUS_OK) {
        status = read_page(connection, number, after, limit, descending, list, error);
    }
    reader_end(&store->readers, connection);
    if (status != STATUS_OK) {
        event_list_release(list);
    }
    return status;
}

void event_list_release(struct event_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].data);
    }
    free(list->items);
    *list = (struct event_list){.items = NULL};
}
