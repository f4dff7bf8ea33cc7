/* Events of jobs. */
#include "server/store/events.h"

#include <math.h>
#include <stdlib.h>

#include "api/curve.h"
#include "api/text.h"
#include "server/store/metric_block.h"
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

static enum status insert(struct connection *connection, struct event_sequence *sequence, const struct event_view *event,
                          const uint64_t *step, uint32_t count, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO events(job, count, id, type, created_at, data, step) VALUES(?, ?, ?, ?, ?, ?, ?)");
    statement_bind_i64(&query, sequence->job);
    statement_bind_i64(&query, count);
    row_bind(&query, event_columns, COLUMN_COUNT(event_columns), event);
    if (step != NULL) {
        statement_bind_i64(&query, (int64_t)*step);
    }
    enum status status = statement_finish(&query, error);
    if (status == STATUS_OK) {
        sequence->last += count;
    }
    return status;
}

enum status events_insert_row(struct connection *connection, struct event_sequence *sequence, enum event_type type,
                              const char *data, struct error *error)
{
    const struct event_view event = {
        .id = sequence->last + 1, .type = type, .created_at = sequence->now, .data = (char *)(uintptr_t)data};
    return insert(connection, sequence, &event, NULL, 1, error);
}

enum status events_insert_metrics(struct connection *connection, struct event_sequence *sequence, uint64_t step,
                                  uint32_t count, struct error *error)
{
    const struct event_view event = {.id = sequence->last + 1, .type = EVENT_METRIC, .created_at = sequence->now};
    return insert(connection, sequence, &event, &step, count, error);
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

/* What is wanted: of the events from `first` to `last`, `limit` in one direction or the other. */
struct cut {
    int64_t job;
    uint64_t first, last;
    uint32_t limit;
    int descending;
    struct metric_row *rows; /* [METRIC_BLOCK_ROWS], where the curves are read to; NULL: nothing was yet */
};

/* Room for the event `id`, if it is wanted. */
static struct event_view *place_for(struct event_list *list, const struct cut *cut, uint64_t id)
{
    if (id < cut->first || id > cut->last) {
        return NULL;
    }
    if (list->count == cut->limit) {
        list->has_more = 1;
        return NULL;
    }
    return &list->items[list->count++];
}

/* Metric events that the row `head` stands for. */
static enum status read_run(const struct statement *query, struct cut *cut, const struct event_view *head,
                            struct event_list *list, struct error *error)
{
    uint64_t step = (uint64_t)statement_i64(query, 0);
    int64_t count = statement_i64(query, 1);
    const struct metric_row *rows;
    if (cut->rows == NULL) {
        cut->rows = malloc(METRIC_BLOCK_ROWS * sizeof(*cut->rows));
        if (cut->rows == NULL) {
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %d rows of curves", METRIC_BLOCK_ROWS);
        }
    }
    if (count < 1 || count > METRIC_BLOCK_ROWS) {
        return error_set(error, STATUS_STORAGE_ERROR, "event %llu stands for %lld rows", (unsigned long long)head->id,
                         (long long)count);
    }
    enum status status = metrics_read_run(query->connection, cut->job, step, (size_t)count, cut->rows, &rows, error);
    for (int64_t i = 0; i < count && status == STATUS_OK && !list->has_more; i++) {
        uint64_t offset = (uint64_t)(cut->descending ? count - 1 - i : i);
        struct event_view *event = place_for(list, cut, head->id + offset);
        if (event != NULL) {
            *event = (struct event_view){.id = head->id + offset, .type = head->type, .created_at = head->created_at};
            status = metric_data(&rows[offset], &event->data, error);
        }
    }
    return status;
}

static enum status read_events(const struct statement *query, struct cut *cut, struct event_list *list, struct error *error)
{
    struct event_view head = {.data = NULL}, *event;
    enum status status = row_read(query, 2, event_columns, COLUMN_COUNT(event_columns), &head, error);
    if (status == STATUS_OK && head.type == EVENT_METRIC) {
        status = read_run(query, cut, &head, list, error);
    } else if (status == STATUS_OK && (event = place_for(list, cut, head.id)) != NULL) {
        *event = head;
        return STATUS_OK;
    }
    free(head.data);
    return status;
}

#define SELECT "SELECT step, count" EVENT_COLUMNS(COLUMN_NAME) " FROM events WHERE job = ?1 AND "

static enum status read_page(struct connection *connection, struct cut *cut, struct event_list *list, struct error *error)
{
    list->items = calloc(cut->limit, sizeof(*list->items));
    if (list->items == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u events", cut->limit);
    }
    struct statement query;
    /* The first one that is wanted may be in the middle of a run. */
    statement_begin(&query, connection,
                    cut->descending ? SELECT "id <= ?2 ORDER BY id DESC"
                                    : SELECT "id >= ifnull((SELECT max(id) FROM events WHERE job = ?1 AND id <= ?2), 0)"
                                             " ORDER BY id");
    statement_bind_i64(&query, cut->job);
    statement_bind_i64(&query, (int64_t)(cut->descending ? cut->last : cut->first));
    enum status status;
    int row;
    do {
        status = statement_step(&query, &row, error);
        if (status == STATUS_OK && row) {
            status = read_events(&query, cut, list, error);
        }
    } while (status == STATUS_OK && row && !list->has_more);
    statement_end(&query);
    free(cut->rows);
    return status;
}

static struct cut make_cut(int64_t job, uint64_t after, uint32_t limit, int descending)
{
    uint64_t most = INT64_MAX - 1, bound = after > most ? most : after;
    struct cut cut = {.job = job, .first = 1, .last = most, .limit = limit, .descending = descending};
    if (!descending) {
        cut.first = bound + 1;
    } else if (after > 0) {
        cut.last = bound - 1;
    }
    return cut;
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
        struct cut cut = make_cut(number, after, limit, descending);
        status = read_page(connection, &cut, list, error);
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
