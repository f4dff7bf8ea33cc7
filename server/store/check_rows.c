/* What rows must agree on with one another: each a query whose rows are findings. */
#include <stdlib.h>

#include "server/store/check_private.h"
#include "server/store/metric_block.h"

/* What is NULL is not there. */
#define NOT_JSON(column) "(" column " IS NOT NULL AND NOT json_valid(" column "))"
#define ENDED            "('succeeded', 'failed', 'cancelled')"
/* A data set, job or model that is named must be there, or have been. */
#define KNOWN(id, table)                                                                                                    \
    "(EXISTS (SELECT 1 FROM " table " WHERE id = " id ") OR EXISTS (SELECT 1 FROM tombstones WHERE id = " id "))"

static const struct {
    int64_t since, until; /* schemas that have what the query asks for; until 0: all since then */
    const char *sql;
} rules[] = {
    {1, 3,
     "SELECT 'job ' || j.id || ': has ' || count(e.id) || ' events, ' || ifnull(min(e.id), 0) || ' to '"
     " || ifnull(max(e.id), 0) || ', 1 to ' || j.last_event || ' are expected' FROM jobs j LEFT JOIN events e"
     " ON e.job = j.number GROUP BY j.number HAVING count(e.id) <> j.last_event OR max(e.id) <> j.last_event"
     " OR min(e.id) <> 1"},
    {4, 0,
     "SELECT 'job ' || j.id || ': has ' || ifnull(sum(e.count), 0) || ' events, ' || ifnull(min(e.id), 0) || ' to '"
     " || ifnull(max(e.id + e.count - 1), 0) || ', 1 to ' || j.last_event || ' are expected' FROM jobs j"
     " LEFT JOIN events e ON e.job = j.number GROUP BY j.number HAVING ifnull(sum(e.count), 0) <> j.last_event"
     " OR max(e.id + e.count - 1) <> j.last_event OR min(e.id) <> 1"},
    {1, 0,
     "SELECT 'job ' || j.id || ': is ' || j.status || ' and has ' || count(e.id) || ' done events' FROM jobs j"
     " LEFT JOIN events e ON e.job = j.number AND e.type = 'done'"
     " GROUP BY j.number HAVING count(e.id) <> (j.status IN " ENDED ")"},
    {1, 0,
     "SELECT 'job ' || j.id || ': is ' || j.status || ' and entered ' || count(e.id) || ' final states' FROM jobs j"
     " LEFT JOIN events e ON e.job = j.number AND e.type = 'state' AND json_valid(e.data)"
     " AND json_extract(e.data, '$.status') IN " ENDED " GROUP BY j.number HAVING count(e.id) <> (j.status IN " ENDED ")"},
    {1, 0,
     "SELECT 'job ' || j.id || ': is ' || j.status || ', its last state event says '"
     " || ifnull(json_extract(e.data, '$.status'), 'nothing') FROM jobs j JOIN events e ON e.job = j.number"
     " AND e.id = (SELECT max(id) FROM events WHERE job = j.number AND type = 'state')"
     " WHERE json_valid(e.data) AND json_extract(e.data, '$.status') IS NOT j.status"},
    {1, 3,
     "SELECT 'job ' || j.id || ': event ' || e.id || ' is of the row of step ' || e.step || ', which is missing'"
     " FROM events e JOIN jobs j ON j.number = e.job WHERE e.step IS NOT NULL"
     " AND NOT EXISTS (SELECT 1 FROM metrics m WHERE m.job = e.job AND m.step = e.step)"},
    {4, 0,
     "SELECT 'job ' || j.id || ': event ' || e.id || ' is of the row of step ' || e.step || ', which is missing'"
     " FROM events e JOIN jobs j ON j.number = e.job WHERE e.step IS NOT NULL AND NOT EXISTS (SELECT 1 FROM curves c"
     " WHERE c.job = e.job AND e.step BETWEEN c.step AND c.last_step)"},
    {4, 0,
     "SELECT 'job ' || j.id || ': the rows from step ' || c.step || ' to ' || c.last_step || ' overlap those from step '"
     " || d.step FROM curves c JOIN curves d ON d.job = c.job AND d.step > c.step AND d.step <= c.last_step"
     " JOIN jobs j ON j.number = c.job"},
    {1, 0,
     "SELECT 'job ' || j.id || ': event ' || e.id || ' is of type ' || e.type || ' and has '"
     " || CASE WHEN e.step IS NULL THEN 'no row' ELSE 'a row' END FROM events e JOIN jobs j ON j.number = e.job"
     " WHERE e.type NOT IN ('state', 'metric', 'checkpoint', 'log', 'done')"
     " OR (e.type = 'metric') <> (e.step IS NOT NULL)"},
    {1, 0,
     "SELECT 'job ' || j.id || ': the data of event ' || e.id || ' is not JSON' FROM events e"
     " JOIN jobs j ON j.number = e.job WHERE " NOT_JSON("e.data")},
    {1, 0,
     "SELECT 'job ' || id || ': its documents are missing' FROM jobs"
     " WHERE NOT EXISTS (SELECT 1 FROM job_documents WHERE job = number)"},
    {1, 0,
     "SELECT 'job ' || j.id || ': its spec, metadata, results or error is not JSON' FROM jobs j"
     " JOIN job_documents d ON d.job = j.number WHERE " NOT_JSON("d.spec") " OR " NOT_JSON("d.metadata") " OR " NOT_JSON(
         "d.results") " OR " NOT_JSON("j.error")},
    {1, 0,
     "SELECT 'job ' || id || ': is of status ' || status FROM jobs WHERE status NOT IN " ENDED
     " AND status NOT IN ('queued', 'running', 'pausing', 'paused', 'stopping', 'cancelling')"},
    {1, 0,
     "SELECT 'job ' || id || ': names a model that never was, ' || model FROM jobs WHERE model <> '' AND NOT " KNOWN(
         "model", "models")},
    {1, 0,
     "SELECT 'job ' || j.id || ': names a data set that never was, ' || d.column2 FROM jobs j JOIN (SELECT number AS"
     " column1, dataset AS column2 FROM jobs UNION ALL SELECT number, test_dataset FROM jobs) d"
     " ON d.column1 = j.number WHERE d.column2 <> '' AND NOT " KNOWN("d.column2", "datasets")},
    {1, 0,
     "SELECT 'data set ' || d.id || ': has ' || d.bytes || ' bytes, its object ' || o.size FROM datasets d"
     " JOIN objects o ON o.sha256 = d.sha256 WHERE o.size <> d.bytes"},
    {1, 0,
     "SELECT 'model ' || m.id || ': has ' || m.bytes || ' bytes, its object ' || o.size FROM models m"
     " JOIN objects o ON o.sha256 = m.object WHERE o.size <> m.bytes"},
    {2, 0,
     "SELECT 'checkpoint of step ' || c.step || ' of ' || j.id || ': has ' || c.bytes || ' bytes, its object '"
     " || o.size FROM checkpoints c JOIN jobs j ON j.number = c.job JOIN objects o ON o.sha256 = c.object"
     " WHERE o.size <> c.bytes"},
    {2, 0,
     "SELECT 'idempotency key ' || quote(key) || ': names a job that never was, ' || job FROM idempotency_keys"
     " WHERE NOT " KNOWN("idempotency_keys.job", "jobs")},
};

static enum status check_rule(struct check *check, const char *sql, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, &check->database.connection, sql);
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row) {
        const char *text = (const char *)sqlite3_column_text(query.statement, 0);
        check_say(check, CHECK_PROBLEM, "%.400s", text == NULL ? "a row that cannot be named" : text);
        status = statement_step(&query, &row, error);
    }
    statement_end(&query);
    return status;
}

static enum status count_rows(struct check *check, const char *sql, uint64_t *count, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, &check->database.connection, sql);
    enum status status = statement_step(&query, &row, error);
    *count = row ? (uint64_t)statement_i64(&query, 0) : 0;
    statement_end(&query);
    return status;
}

/* One block of a job's curves, that a query stands at. */
static enum status check_block(struct check *check, const struct statement *query, struct metric_row *rows,
                               struct error *error)
{
    char id[ID_TEXT];
    size_t count = 0, size = (size_t)sqlite3_column_bytes(query->statement, 4);
    enum status status = statement_text(query, 0, id, sizeof(id), error);
    if (status != STATUS_OK) {
        return status;
    }
    status = metric_block_read(sqlite3_column_blob(query->statement, 4), size, rows, METRIC_BLOCK_ROWS, &count, NULL);
    if (status != STATUS_OK || count == 0 || (int64_t)count != statement_i64(query, 3) ||
        (int64_t)rows[0].point.step != statement_i64(query, 1) ||
        (int64_t)rows[count - 1].point.step != statement_i64(query, 2)) {
        check_say(check, CHECK_PROBLEM, "job %s: the rows from step %lld to %lld cannot be read", id,
                  (long long)statement_i64(query, 1), (long long)statement_i64(query, 2));
    }
    return STATUS_OK;
}

static enum status check_blocks(struct check *check, struct error *error)
{
    struct metric_row *rows = calloc(METRIC_BLOCK_ROWS, sizeof(*rows));
    struct statement query;
    int row;
    if (rows == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %d rows of curves", METRIC_BLOCK_ROWS);
    }
    statement_begin(&query, &check->database.connection,
                    "SELECT j.id, c.step, c.last_step, c.count, c.rows FROM curves c JOIN jobs j ON j.number = c.job");
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row) {
        status = check_block(check, &query, rows, error);
        if (status == STATUS_OK) {
            status = statement_step(&query, &row, error);
        }
    }
    statement_end(&query);
    free(rows);
    return status;
}

enum status check_rows(struct check *check, struct error *error)
{
    struct check_summary *summary = check->summary;
    const struct {
        int64_t since;
        const char *sql;
        uint64_t *count;
    } counts[] = {{1, "SELECT count(*) FROM datasets", &summary->datasets},
                  {1, "SELECT count(*) FROM jobs", &summary->jobs},
                  {1, "SELECT count(*) FROM events", &summary->events},
                  {4, "SELECT sum(count) FROM events", &summary->events},
                  {1, "SELECT count(*) FROM models", &summary->models},
                  {2, "SELECT count(*) FROM checkpoints", &summary->checkpoints}};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].since <= check->version && (rules[i].until == 0 || check->version <= rules[i].until)) {
            status = check_rule(check, rules[i].sql, error);
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (counts[i].since <= check->version) {
            status = count_rows(check, counts[i].sql, counts[i].count, error);
        }
    }
    return status == STATUS_OK && check->version >= 4 ? check_blocks(check, error) : status;
}
