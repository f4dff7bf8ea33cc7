/* What was deleted. */
#include "server/store/tombstones.h"

#include "server/clock.h"

enum status tombstones_add(struct connection *connection, const char *id, int64_t number, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, "INSERT INTO tombstones(id, number, deleted_at) VALUES(?, ?, ?)");
    statement_bind_text(&query, id);
    statement_bind_i64(&query, number);
    statement_bind_i64(&query, clock_realtime_ms());
    return statement_finish(&query, error);
}

enum status tombstones_explain(struct connection *connection, const char *id, struct error *error)
{
    struct statement query;
    int deleted;
    statement_begin(&query, connection, "SELECT 1 FROM tombstones WHERE id = ?");
    statement_bind_text(&query, id);
    enum status status = statement_step(&query, &deleted, error);
    statement_end(&query);
    if (status != STATUS_OK) {
        return status;
    }
    return deleted ? error_set(error, STATUS_DELETED, "%s was deleted", id)
                   : error_set(error, STATUS_NOT_FOUND, "there is no %s", id);
}
