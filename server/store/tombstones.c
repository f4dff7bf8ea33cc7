/* What was deleted. */
#include "server/store/tombstones.h"

enum status tombstones_add(struct connection *connection, const char *id, int64_t number, struct error *error)
{
    struct query query;
    query_begin(&query, connection, "INSERT INTO tombstones(id, number, deleted_at) VALUES(?, ?, ?)");
    query_bind_text(&query, id);
    query_bind_i64(&query, number);
    query_bind_i64(&query, clock_now_ms());
    return query_finish(&query, error);
}

enum status tombstones_explain(struct connection *connection, const char *id, struct error *error)
{
    struct query query;
    int deleted;
    query_begin(&query, connection, "SELECT 1 FROM tombstones WHERE id = ?");
    query_bind_text(&query, id);
    enum status status = query_step(&query, &deleted, error);
    query_end(&query);
    if (status != STATUS_OK) {
        return status;
    }
    return deleted ? error_set(error, STATUS_DELETED, "%s was deleted", id)
                   : error_set(error, STATUS_NOT_FOUND, "there is no %s", id);
}
