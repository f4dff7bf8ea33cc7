/* Jobs in the store: their rows, reading them. The operations are in job_operations.c. */
#include "server/store/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "api/text.h"
#include "server/store/page.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"
#include "server/store/tombstones.h"

#define JOB_COLUMNS(X)                                                                                                      \
    X(id, column_text, id)                                                                                                  \
    X(name, column_text, name)                                                                                              \
    X(status, column_job_status, status)                                                                                    \
    X(pause_reason, column_text, pause_reason)                                                                              \
    X(version, column_u64, version)                                                                                         \
    X(created_at, column_i64, created_at)                                                                                   \
    X(started_at, column_i64, started_at)                                                                                   \
    X(finished_at, column_i64, finished_at)                                                                                 \
    X(seed, column_u64, seed)                                                                                               \
    X(threads, column_u32, threads)                                                                                         \
    X(priority, column_i32, priority)                                                                                       \
    X(restarts, column_u32, restarts)                                                                                       \
    X(stop_reason, column_stop_reason, stop_reason)                                                                         \
    X(model, column_text, model)                                                                                            \
    X(digest, column_text, digest)                                                                                          \
    X(digest_step, column_u64, digest_step)                                                                                 \
    X(error, column_string, error)                                                                                          \
    X(dataset, column_text, dataset)                                                                                        \
    X(test_dataset, column_text, test_dataset)                                                                              \
    X(dataset_sha256, column_text, dataset_sha256)                                                                          \
    X(extended_from, column_text, extended_from)                                                                            \
    X(initial_model, column_text, initial_model)                                                                            \
    X(kernel_tier, column_text, kernel_tier)                                                                                \
    X(memory_bytes, column_u64, memory_bytes)                                                                               \
    X(crashes, column_u32, crashes)                                                                                         \
    X(suspect, column_int, suspect)
#define ROW struct job_view
static const struct column job_columns[] = {JOB_COLUMNS(COLUMN_ENTRY)};
#undef ROW

#define PROGRESS_COLUMNS(X)                                                                                                 \
    X(fraction, column_f64, fraction)                                                                                       \
    X(epoch, column_f64, epoch)                                                                                             \
    X(step, column_u64, step)                                                                                               \
    X(total_steps, column_u64, total_steps)                                                                                 \
    X(samples_seen, column_u64, samples_seen)                                                                               \
    X(samples_per_second, column_f64, samples_per_second)                                                                   \
    X(eta_seconds, column_f64, eta_seconds)                                                                                 \
    X(train_loss, column_f64, train_loss)                                                                                   \
    X(train_accuracy, column_f64, train_accuracy)                                                                           \
    X(validation_loss, column_f64, validation_loss)                                                                         \
    X(validation_accuracy, column_f64, validation_accuracy)                                                                 \
    X(learning_rate, column_f64, learning_rate)                                                                             \
    X(gradient_norm, column_f64, gradient_norm)                                                                             \
    X(best_value, column_f64, best_value)                                                                                   \
    X(best_step, column_u64, best_step)                                                                                     \
    X(best_metric, column_metric, best_metric)
#define ROW struct job_progress
static const struct column progress_columns[] = {PROGRESS_COLUMNS(COLUMN_ENTRY)};
#undef ROW

/* The large texts, in the order in which every query here selects them, after a job's and its progress's columns. */
#define DOCUMENT_COLUMNS(X)                                                                                                 \
    X(metadata, column_string, metadata)                                                                                    \
    X(spec, column_string, spec)                                                                                            \
    X(results, column_string, results)                                                                                      \
    X(request, column_string, request)
#define ROW struct job_view
static const struct column document_columns[] = {DOCUMENT_COLUMNS(COLUMN_ENTRY)};
#undef ROW

/* ---- writing ---- */

enum status jobs_add(struct connection *connection, const struct job_view *job, int64_t *number, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO jobs(number, last_event, touched_at" JOB_COLUMNS(COLUMN_NAME)
                        PROGRESS_COLUMNS(COLUMN_NAME) ") VALUES(NULL, 0, ?" JOB_COLUMNS(COLUMN_MARK)
                            PROGRESS_COLUMNS(COLUMN_MARK) ")");
    statement_bind_i64(&query, job->created_at);
    row_bind(&query, job_columns, COLUMN_COUNT(job_columns), job);
    row_bind(&query, progress_columns, COLUMN_COUNT(progress_columns), &job->progress);
    enum status status = statement_finish(&query, error);
    if (status != STATUS_OK) {
        return status;
    }
    *number = sqlite3_last_insert_rowid(connection->handle);
    statement_begin(
        &query, connection,
        "INSERT INTO job_documents(job" DOCUMENT_COLUMNS(COLUMN_NAME) ") VALUES(?" DOCUMENT_COLUMNS(COLUMN_MARK) ")");
    statement_bind_i64(&query, *number);
    row_bind(&query, document_columns, COLUMN_COUNT(document_columns), job);
    return statement_finish(&query, error);
}

enum status jobs_get_progress(struct connection *connection, int64_t number, struct job_progress *progress,
                              struct error *error)
{
    struct statement query;
    int found;
    statement_begin(&query, connection, "SELECT number" PROGRESS_COLUMNS(COLUMN_NAME) " FROM jobs WHERE number = ?");
    statement_bind_i64(&query, number);
    enum status status = statement_step(&query, &found, error);
    if (status == STATUS_OK) {
        status = found ? row_read(&query, 1, progress_columns, COLUMN_COUNT(progress_columns), progress, error)
                       : error_set(error, STATUS_STORAGE_ERROR, "the row of job %lld is missing", (long long)number);
    }
    statement_end(&query);
    return status;
}

enum status jobs_set_progress(struct connection *connection, int64_t number, const struct job_progress *progress,
                              struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "UPDATE jobs SET created_at = created_at" PROGRESS_COLUMNS(COLUMN_SET) " WHERE number = ?");
    row_bind(&query, progress_columns, COLUMN_COUNT(progress_columns), progress);
    statement_bind_i64(&query, number);
    return statement_finish(&query, error);
}

/* ---- reading ---- */

enum status jobs_find(struct connection *connection, const char *id, int64_t *number, uint64_t *version, struct error *error)
{
    struct statement query;
    int found;
    statement_begin(&query, connection, "SELECT number, version FROM jobs WHERE id = ?");
    statement_bind_text(&query, id);
    enum status status = statement_step(&query, &found, error);
    if (found) {
        *number = statement_i64(&query, 0);
        *version = (uint64_t)statement_i64(&query, 1);
    }
    statement_end(&query);
    return status == STATUS_OK && !found ? tombstones_explain(connection, id, error) : status;
}

#define NOT_ENDED "('queued', 'running', 'pausing', 'paused', 'stopping', 'cancelling')"

enum status jobs_check_unused(struct connection *connection, const char *id, struct job_users *users, struct error *error)
{
    struct statement query;
    users->count = 0;
    statement_begin(&query, connection,
                    "SELECT id FROM jobs WHERE status IN " NOT_ENDED
                    " AND ?1 IN (dataset, test_dataset, initial_model) ORDER BY number");
    statement_bind_text(&query, id);
    enum status status = STATUS_OK;
    while (users->count < JOB_USERS_MAX) {
        int row;
        status = statement_step(&query, &row, error);
        if (status == STATUS_OK && row) {
            status = statement_text(&query, 0, users->ids[users->count], ID_TEXT, error);
        }
        if (status != STATUS_OK || !row) {
            break;
        }
        users->count++;
    }
    statement_end(&query);
    if (status == STATUS_OK && users->count > 0) {
        return error_set(error, STATUS_IN_USE, "%s is in use by %s%s", id, users->ids[0],
                         users->count > 1 ? " and others" : "");
    }
    return status;
}

static enum status read_item(struct statement *query, void *item, struct error *error)
{
    struct job_view *job = item;
    int column = 1;
    job->number = statement_i64(query, 0);
    enum status status = row_read(query, column, job_columns, COLUMN_COUNT(job_columns), job, error);
    column += (int)COLUMN_COUNT(job_columns);
    if (status == STATUS_OK) {
        status = row_read(query, column, progress_columns, COLUMN_COUNT(progress_columns), &job->progress, error);
        column += (int)COLUMN_COUNT(progress_columns);
    }
    return status == STATUS_OK ? row_read(query, column, document_columns, COLUMN_COUNT(document_columns), job, error)
                               : status;
}

static void release_item(void *item)
{
    job_view_release(item);
}

/* documents: the columns of DOCUMENT_COLUMNS, or NULL for those that are not wanted. */
#define SELECT(documents)                                                                                                   \
    "SELECT number" JOB_COLUMNS(COLUMN_NAME) PROGRESS_COLUMNS(COLUMN_NAME) documents                                        \
        " FROM jobs JOIN job_documents ON job = number WHERE "

static const struct page_source source = {
    .id_prefix = "job_",
    .find = PAGE_FIND("jobs"),
    .item_size = sizeof(struct job_view),
    .read = read_item,
    .release = release_item,
};

enum status jobs_get(struct store *store, const char *id, unsigned parts, struct job_view *job, struct error *error)
{
    static const char *const selects[] = {
        [0] = SELECT(", metadata, NULL, NULL, NULL") "id = ?",
        [JOB_SPEC] = SELECT(", metadata, spec, NULL, NULL") "id = ?",
        [JOB_RESULTS] = SELECT(", metadata, NULL, results, NULL") "id = ?",
        [JOB_SPEC | JOB_RESULTS] = SELECT(", metadata, spec, results, NULL") "id = ?",
        [JOB_REQUEST] = SELECT(", metadata, NULL, NULL, request") "id = ?",
        [JOB_SPEC | JOB_REQUEST] = SELECT(", metadata, spec, NULL, request") "id = ?",
        [JOB_RESULTS | JOB_REQUEST] = SELECT(", metadata, NULL, results, request") "id = ?",
        [JOB_SPEC | JOB_RESULTS | JOB_REQUEST] = SELECT(", metadata, spec, results, request") "id = ?",
    };
    return page_item(&store->readers, &source, selects[parts & (JOB_SPEC | JOB_RESULTS | JOB_REQUEST)], id, job, error);
}

/* ---- lists ---- */

static void bind_filter(struct statement *query, const void *context)
{
    const struct job_filter *filter = context;
    for (int status = 0; status < JOB_STATUS_COUNT; status++) {
        if (filter->statuses & JOB_SET(status)) {
            statement_bind_text(query, job_status_name((enum job_status)status));
        }
    }
    for (size_t i = 0; i < filter->label_count; i++) {
        statement_bind_text(query, filter->labels[i].key);
        statement_bind_text(query, filter->labels[i].value);
    }
}

/*
 * The statement of a filtered list: only how many statuses and labels there are shapes it, so that few different ones
 * exist. Keys are compared as text, never made part of a JSON path.
 */
static enum status list_sql(const struct job_filter *filter, int descending, char **sql, struct error *error)
{
    struct text text = {.data = NULL};
    const char *separator = "status IN (?";
    text_string(&text, SELECT(", metadata, NULL, NULL, NULL"));
    for (int status = 0; status < JOB_STATUS_COUNT; status++) {
        if (filter->statuses & JOB_SET(status)) {
            text_string(&text, separator);
            separator = ", ?";
        }
    }
    if (filter->statuses != 0) {
        text_string(&text, ") AND ");
    }
    for (size_t i = 0; i < filter->label_count; i++) {
        text_string(&text, "EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?) AND ");
    }
    text_string(&text, descending ? "number < ? ORDER BY number DESC LIMIT ?" : "number > ? ORDER BY number LIMIT ?");
    size_t size;
    enum status status = text_take(&text, sql, &size, error);
    text_release(&text);
    return status;
}

enum status jobs_list(struct store *store, const struct page_query *query, const struct job_filter *filter,
                      struct job_list *list, struct error *error)
{
    *list = (struct job_list){.items = NULL};
    if (filter->label_count > JOB_LABELS_MAX) {
        return error_set(error, STATUS_QUERY_INVALID, "%zu metadata filters, at most %d are allowed", filter->label_count,
                         JOB_LABELS_MAX);
    }
    char *sql;
    enum status status = list_sql(filter, query->descending, &sql, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct page_source filtered = source;
    filtered.ascending = filtered.descending = sql;
    struct page page;
    status = page_read(&store->readers, &filtered, query, bind_filter, filter, &page, error);
    *list = (struct job_list){.items = page.items, .count = page.count, .has_more = page.has_more};
    free(sql);
    return status;
}

void job_list_release(struct job_list *list)
{
    struct page page = {.items = list->items, .count = list->count};
    page_release(&source, &page);
    *list = (struct job_list){.items = NULL};
}

/* ---- the queue ---- */

struct job_ticket job_ticket_of(const struct job_view *job)
{
    struct job_ticket ticket = {.number = job->number,
                                .priority = job->priority,
                                .version = job->version,
                                .memory_bytes = job->memory_bytes,
                                .suspect = job->suspect};
    memcpy(ticket.id, job->id, sizeof(ticket.id));
    return ticket;
}

#define TICKET_COLUMNS(X)                                                                                                   \
    X(id, column_text, id)                                                                                                  \
    X(priority, column_i32, priority)                                                                                       \
    X(memory_bytes, column_u64, memory_bytes)                                                                               \
    X(suspect, column_int, suspect)
#define ROW struct job_ticket
static const struct column ticket_columns[] = {TICKET_COLUMNS(COLUMN_ENTRY)};
#undef ROW

static enum status read_ticket(struct statement *query, void *item, struct error *error)
{
    struct job_ticket *ticket = item;
    ticket->number = statement_i64(query, 0);
    return row_read(query, 1, ticket_columns, COLUMN_COUNT(ticket_columns), item, error);
}

static void keep_ticket(void *item)
{
    (void)item; /* it owns nothing */
}

enum status jobs_queue(struct store *store, struct job_ticket **tickets, size_t *count, struct error *error)
{
    static const struct page_source queue = {
        .id_prefix = "job_",
        .find = PAGE_FIND("jobs"),
        .ascending = "SELECT number" TICKET_COLUMNS(
            COLUMN_NAME) " FROM jobs WHERE number > ?"
                         " AND status IN ('queued', 'stopping') ORDER BY priority DESC, number LIMIT ?",
        .item_size = sizeof(struct job_ticket),
        .read = read_ticket,
        .release = keep_ticket,
    };
    const struct page_query all = {.limit = UINT32_MAX};
    struct page page;
    enum status status = page_read(&store->readers, &queue, &all, NULL, NULL, &page, error);
    *tickets = page.items;
    *count = page.count;
    return status;
}

enum status jobs_count(struct store *store, uint64_t counts[JOB_STATUS_COUNT], struct error *error)
{
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    memset(counts, 0, JOB_STATUS_COUNT * sizeof(*counts));
    if (status != STATUS_OK) {
        return status;
    }
    for (int in = 0; status == STATUS_OK && in < JOB_STATUS_COUNT; in++) { /* of one snapshot, in the index alone */
        struct statement query;
        int row;
        statement_begin(&query, connection, "SELECT count(*) FROM jobs WHERE status = ?");
        statement_bind_text(&query, job_status_name((enum job_status)in));
        status = statement_step(&query, &row, error);
        counts[in] = row ? (uint64_t)statement_i64(&query, 0) : 0;
        statement_end(&query);
    }
    reader_end(&store->readers, connection);
    return status;
}
