#include "server/store/facts.h"

#include "server/store/store_private.h"
#include "server/store/tables.h"

enum status facts_write(struct connection *connection, const struct fact *fact, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO facts(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2");
    statement_bind_text(&query, fact->name);
    statement_bind_i64(&query, fact->value);
    return statement_finish(&query, error);
}

static enum status apply_set(struct store_op *op, struct connection *connection, struct error *error)
{
    return facts_write(connection, &OP_OF(op, struct facts_set)->fact, error);
}

struct store_op *facts_set(struct facts_set *set)
{
    set->op.apply = apply_set;
    return &set->op;
}

enum status facts_get(struct store *store, const char *name, int64_t *value, int *found, struct error *error)
{
    *value = *found = 0;
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection, "SELECT value FROM facts WHERE name = ?");
    statement_bind_text(&query, name);
    status = statement_step(&query, found, error);
    if (*found) {
        *value = statement_i64(&query, 0);
    }
    statement_end(&query);
    reader_end(&store->readers, connection);
    return status;
}
