#include "server/store/retention.h"

#include "server/clock.h"
#include "server/store/jobs.h"
#include "server/store/store_private.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define ENDED  "status IN ('succeeded', 'failed', 'cancelled')"

static const char oldest_ended[] =
    "SELECT id FROM jobs WHERE " ENDED " AND finished_at < ? ORDER BY finished_at, number LIMIT 1";
static const char oldest_with_checkpoints[] = "SELECT id FROM jobs WHERE " ENDED " AND finished_at < ?"
                                              " AND EXISTS (SELECT 1 FROM checkpoints WHERE job = number)"
                                              " ORDER BY finished_at, number LIMIT 1";

/* The job that the query finds among those that ended before `until`. *found: 0 none. */
static enum status find_job(struct store *store, const char *sql, int64_t until, char id[ID_TEXT], int *found,
                            struct error *error)
{
    struct connection *connection;
    *found = 0;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection, sql);
    statement_bind_i64(&query, until);
    status = statement_step(&query, found, error);
    if (*found) {
        status = statement_text(&query, 0, id, ID_TEXT, error);
    }
    statement_end(&query);
    reader_end(&store->readers, connection);
    return status;
}

/* What objects have in files, and the pages that the database uses: free ones are used again before it grows. */
static enum status measure(struct store *store, uint64_t *bytes, struct error *error)
{
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    int row;
    statement_begin(&query, connection,
                    "SELECT (SELECT ifnull(sum(size), 0) FROM objects WHERE bytes IS NULL)"
                    " + (page_count - freelist_count) * page_size"
                    " FROM pragma_page_count, pragma_freelist_count, pragma_page_size");
    status = statement_step(&query, &row, error);
    *bytes = row ? (uint64_t)statement_i64(&query, 0) : 0;
    statement_end(&query);
    reader_end(&store->readers, connection);
    return status;
}

/* Somebody else may have deleted it meanwhile. */
static enum status unless_gone(enum status status, const struct error *failure, struct error *error)
{
    return status == STATUS_OK || status == STATUS_DELETED || status == STATUS_NOT_FOUND
               ? STATUS_OK
               : error_set(error, status, "%s", failure->message);
}

static enum status delete_job(struct store *store, const char *id, struct retention_summary *dropped, struct error *error)
{
    struct error failure = {.status = STATUS_OK};
    struct jobs_delete deletion = {.id = id};
    enum status status = store_wait(store, jobs_delete(&deletion), &failure);
    dropped->jobs += status == STATUS_OK;
    return unless_gone(status, &failure, error);
}

static enum status drop_checkpoints(struct store *store, const char *id, struct retention_summary *dropped,
                                    struct error *error)
{
    struct error failure = {.status = STATUS_OK};
    struct jobs_change change = {.id = id, .from = ~JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .drop_checkpoints = 1};
    enum status status = store_wait(store, jobs_change(&change), &failure);
    dropped->checkpoints += status == STATUS_OK;
    return unless_gone(status, &failure, error);
}

static enum status drop_old(struct store *store, uint64_t keep_days, int *steps, struct retention_summary *dropped,
                            struct error *error)
{
    int64_t until = clock_realtime_ms() - (int64_t)keep_days * DAY_MS;
    for (; *steps > 0; (*steps)--) {
        char id[ID_TEXT];
        int found;
        enum status status = find_job(store, oldest_ended, until, id, &found, error);
        if (status == STATUS_OK && found) {
            status = delete_job(store, id, dropped, error);
        }
        if (status != STATUS_OK || !found) {
            return status;
        }
    }
    return STATUS_OK;
}

/* One thing less. *found: 0 nothing is left that may go. */
static enum status drop_one(struct store *store, int *found, struct retention_summary *dropped, struct error *error)
{
    char id[ID_TEXT];
    enum status status = find_job(store, oldest_with_checkpoints, INT64_MAX, id, found, error);
    if (status != STATUS_OK || *found) {
        return status == STATUS_OK ? drop_checkpoints(store, id, dropped, error) : status;
    }
    status = find_job(store, oldest_ended, INT64_MAX, id, found, error);
    return status == STATUS_OK && *found ? delete_job(store, id, dropped, error) : status;
}

static enum status drop_too_much(struct store *store, uint64_t keep_bytes, int *steps, struct retention_summary *dropped,
                                 struct error *error)
{
    int found = 1;
    for (; *steps > 0 && found; (*steps)--) {
        uint64_t bytes = 0;
        enum status status = measure(store, &bytes, error);
        if (status == STATUS_OK && bytes > keep_bytes) {
            status = drop_one(store, &found, dropped, error);
        }
        if (status != STATUS_OK || bytes <= keep_bytes) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status retention_run(struct store *store, const struct retention *limits, struct retention_summary *dropped,
                          struct error *error)
{
    int steps = RETENTION_STEPS_MAX;
    enum status status = STATUS_OK;
    *dropped = (struct retention_summary){.jobs = 0};
    if (limits->keep_days > 0) {
        status = drop_old(store, limits->keep_days, &steps, dropped, error);
    }
    if (status == STATUS_OK && limits->keep_bytes > 0) {
        status = drop_too_much(store, limits->keep_bytes, &steps, dropped, error);
    }
    return status;
}
