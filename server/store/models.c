/* Models in the store. */
#include "server/store/models.h"

#include <stdio.h>

#include "server/failpoint.h"
#include "server/store/objects.h"
#include "server/store/page.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"
#include "server/store/tombstones.h"

#define MODEL_COLUMNS(X)                                                                                                    \
    X(id, column_text, id)                                                                                                  \
    X(name, column_text, name)                                                                                              \
    X(job, column_text, job)                                                                                                \
    X(created_at, column_i64, created_at)                                                                                   \
    X(bytes, column_u64, bytes)                                                                                             \
    X(parameters, column_u64, parameters)                                                                                   \
    X(step, column_u64, step)                                                                                               \
    X(digest, column_text, digest)                                                                                          \
    X(object, column_text, object)                                                                                          \
    X(kernel_tier, column_text, kernel_tier)                                                                                \
    X(spec, column_string, spec)                                                                                            \
    X(classes, column_string, classes)                                                                                      \
    X(scores, column_string, scores)                                                                                        \
    X(calibration, column_string, calibration)
#define ROW struct model_view
static const struct column model_columns[] = {MODEL_COLUMNS(COLUMN_ENTRY)};
#undef ROW

enum status models_insert_row(struct connection *connection, const struct model_view *model, const char *job, int64_t now,
                              struct object *object, struct error *error)
{
    struct model_view stored = *model; /* its strings are borrowed */
    stored.created_at = now;
    stored.bytes = object->size;
    snprintf(stored.job, sizeof(stored.job), "%s", job);
    snprintf(stored.object, sizeof(stored.object), "%s", object->sha256);
    FAILPOINT_OBJECTS_ARE(MODEL);
    enum status status = objects_insert(connection, object, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    statement_begin(&query, connection,
                    "INSERT INTO models(number" MODEL_COLUMNS(COLUMN_NAME) ") VALUES(NULL" MODEL_COLUMNS(COLUMN_MARK) ")");
    row_bind(&query, model_columns, COLUMN_COUNT(model_columns), &stored);
    return statement_finish(&query, error);
}

static enum status apply_delete(struct store_op *op, struct connection *connection, struct error *error)
{
    struct models_delete *deletion = OP_OF(op, struct models_delete);
    struct statement query;
    int found;
    int64_t number = 0;
    char object[SHA256_TEXT];
    statement_begin(&query, connection, "SELECT number, object FROM models WHERE id = ?");
    statement_bind_text(&query, deletion->id);
    enum status status = statement_step(&query, &found, error);
    if (found) {
        number = statement_i64(&query, 0);
        status = statement_text(&query, 1, object, sizeof(object), error);
    }
    statement_end(&query);
    if (status != STATUS_OK || !found) {
        return status == STATUS_OK ? tombstones_explain(connection, deletion->id, error) : status;
    }
    status = jobs_check_unused(connection, deletion->id, &deletion->users, error);
    if (status != STATUS_OK) {
        return status;
    }
    statement_begin(&query, connection, "DELETE FROM models WHERE number = ?");
    statement_bind_i64(&query, number);
    status = statement_finish(&query, error);
    if (status == STATUS_OK) {
        status = tombstones_add(connection, deletion->id, number, error);
    }
    return status == STATUS_OK ? objects_forget(connection, object, error) : status;
}

struct store_op *models_delete(struct models_delete *deletion)
{
    deletion->op.apply = apply_delete;
    return &deletion->op;
}

static enum status read_item(struct statement *query, void *item, struct error *error)
{
    return row_read(query, 1, model_columns, COLUMN_COUNT(model_columns), item, error);
}

static void release_item(void *item)
{
    model_view_release(item);
}

#define SELECT "SELECT number" MODEL_COLUMNS(COLUMN_NAME) " FROM models WHERE "
static const struct page_source source = {
    .id_prefix = "mdl_",
    .find = PAGE_FIND("models"),
    .ascending = SELECT "number > ? ORDER BY number LIMIT ?",
    .descending = SELECT "number < ? ORDER BY number DESC LIMIT ?",
    .item_size = sizeof(struct model_view),
    .read = read_item,
    .release = release_item,
};

enum status models_get(struct store *store, const char *id, struct model_view *model, struct error *error)
{
    return page_item(&store->readers, &source, SELECT "id = ?", id, model, error);
}

enum status models_list(struct store *store, const struct page_query *query, struct model_list *list, struct error *error)
{
    struct page page;
    enum status status = page_read(&store->readers, &source, query, NULL, NULL, &page, error);
    *list = (struct model_list){.items = page.items, .count = page.count, .has_more = page.has_more};
    return status;
}

void model_list_release(struct model_list *list)
{
    struct page page = {.items = list->items, .count = list->count};
    page_release(&source, &page);
    *list = (struct model_list){.items = NULL};
}
