#include "server/store/idempotency.h"

#include <stdlib.h>

#include "server/clock.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"

#define KEPT_MS    ((int64_t)IDEMPOTENCY_HOURS * 3600 * 1000)
#define PURGED_MAX 100 /* more than one for each that comes, so that they get fewer */

#define RECORD_COLUMNS(X)                                                                                                   \
    X(fingerprint, column_text, fingerprint)                                                                                \
    X(job, column_text, job)                                                                                                \
    X(answer, column_string, answer)
#define ROW struct idempotency_record
static const struct column record_columns[] = {RECORD_COLUMNS(COLUMN_ENTRY)};
#undef ROW

/* *record: release its answer whatever happens. */
static enum status find(struct connection *connection, const char *token, const char *key, struct idempotency_record *record,
                        int *found, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "SELECT token" RECORD_COLUMNS(COLUMN_NAME) " FROM idempotency_keys WHERE token = ? AND key = ?"
                                                               " AND created_at > ?");
    statement_bind_text(&query, token);
    statement_bind_text(&query, key);
    statement_bind_i64(&query, clock_realtime_ms() - KEPT_MS);
    enum status status = statement_step(&query, found, error);
    if (*found) {
        status = row_read(&query, 1, record_columns, COLUMN_COUNT(record_columns), record, error);
    }
    statement_end(&query);
    return status;
}

enum status idempotency_check(struct connection *connection, const struct idempotency_key *key, struct error *error)
{
    struct idempotency_record record = {.answer = NULL};
    int found;
    enum status status = find(connection, key->token, key->key, &record, &found, error);
    free(record.answer);
    if (status == STATUS_OK && found) {
        return error_set(error, STATUS_IDEMPOTENCY_KEY_REUSED, "the Idempotency-Key made %s already", record.job);
    }
    return status;
}

static enum status purge(struct connection *connection, int64_t now, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "DELETE FROM idempotency_keys WHERE (token, key) IN (SELECT token, key FROM idempotency_keys"
                    " WHERE created_at <= ? ORDER BY created_at LIMIT ?)");
    statement_bind_i64(&query, now - KEPT_MS);
    statement_bind_i64(&query, PURGED_MAX);
    return statement_finish(&query, error);
}

enum status idempotency_add(struct connection *connection, const struct idempotency_key *key, const char *job,
                            const char *answer, struct error *error)
{
    struct statement query;
    int64_t now = clock_realtime_ms();
    statement_begin(&query, connection, /* only one whose time is over can stand there */
                    "INSERT OR REPLACE INTO idempotency_keys(token, key, created_at, fingerprint, job, answer)"
                    " VALUES(?, ?, ?, ?, ?, ?)");
    statement_bind_text(&query, key->token);
    statement_bind_text(&query, key->key);
    statement_bind_i64(&query, now);
    statement_bind_text(&query, key->fingerprint);
    statement_bind_text(&query, job);
    statement_bind_text(&query, answer);
    enum status status = statement_finish(&query, error);
    return status == STATUS_OK ? purge(connection, now, error) : status;
}

enum status idempotency_find(struct store *store, const char *token, const char *key, struct idempotency_record *record,
                             int *found, struct error *error)
{
    *record = (struct idempotency_record){.answer = NULL};
    *found = 0;
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = find(connection, token, key, record, found, error);
    reader_end(&store->readers, connection);
    if (status != STATUS_OK) {
        free(record->answer);
        record->answer = NULL;
        *found = 0;
    }
    return status;
}
