/* Data sets in the store: their rows, reading them. The operations are in dataset_operations.c. */
#include "server/store/datasets.h"

#include <stdlib.h>

#include "server/store/page.h"
#include "server/store/row.h"
#include "server/store/store_private.h"
#include "server/store/tables.h"
#include "server/store/tombstones.h"

#define DATASET_COLUMNS(X)                                                                                                  \
    X(id, column_text, id)                                                                                                  \
    X(name, column_text, name)                                                                                              \
    X(status, column_dataset_status, status)                                                                                \
    X(created_at, column_i64, created_at)                                                                                   \
    X(rows, column_u64, rows)                                                                                               \
    X(features, column_u32, features)                                                                                       \
    X(channels, column_u32, channels)                                                                                       \
    X(height, column_u32, height)                                                                                           \
    X(width, column_u32, width)                                                                                             \
    X(is_image, column_int, is_image)                                                                                       \
    X(is_soft, column_int, is_soft)                                                                                         \
    X(format, column_text, format)                                                                                          \
    X(feature_type, column_text, feature_type)                                                                              \
    X(bytes, column_u64, bytes)                                                                                             \
    X(sha256, column_text, sha256)                                                                                          \
    X(minimum, column_f32, overall.minimum)                                                                                 \
    X(maximum, column_f32, overall.maximum)                                                                                 \
    X(mean, column_f64, overall.mean)                                                                                       \
    X(deviation, column_f64, overall.deviation)
#define ROW struct dataset_view
static const struct column dataset_columns[] = {DATASET_COLUMNS(COLUMN_ENTRY)};
#undef ROW

#define CLASS_COLUMNS(X) X(name, column_string, name) X(count, column_u64, count)
#define ROW              struct class_view
static const struct column class_columns[] = {CLASS_COLUMNS(COLUMN_ENTRY)};
#undef ROW

#define FEATURE_COLUMNS(X)                                                                                                  \
    X(name, column_string, name)                                                                                            \
    X(minimum, column_f32, stats.minimum)                                                                                   \
    X(maximum, column_f32, stats.maximum)                                                                                   \
    X(mean, column_f64, stats.mean)                                                                                         \
    X(deviation, column_f64, stats.deviation)
#define ROW struct feature_view
static const struct column feature_columns[] = {FEATURE_COLUMNS(COLUMN_ENTRY)};
#undef ROW

/* A part of a data set's description that is a list of its own. */
struct part {
    const char *insert, *remove, *select;
    const struct column *columns;
    size_t column_count, item_size;
};

static const struct part class_part = {
    .insert = "INSERT INTO dataset_classes(dataset, position" CLASS_COLUMNS(COLUMN_NAME) ") VALUES(?, ?" CLASS_COLUMNS(
        COLUMN_MARK) ")",
    .remove = "DELETE FROM dataset_classes WHERE dataset = ?",
    .select =
        "SELECT count(*) OVER ()" CLASS_COLUMNS(COLUMN_NAME) " FROM dataset_classes WHERE dataset = ? ORDER BY position",
    .columns = class_columns,
    .column_count = COLUMN_COUNT(class_columns),
    .item_size = sizeof(struct class_view),
};
static const struct part feature_part = {
    .insert = "INSERT INTO dataset_features(dataset, position" FEATURE_COLUMNS(COLUMN_NAME) ") VALUES(?, ?" FEATURE_COLUMNS(
        COLUMN_MARK) ")",
    .remove = "DELETE FROM dataset_features WHERE dataset = ?",
    .select =
        "SELECT count(*) OVER ()" FEATURE_COLUMNS(COLUMN_NAME) " FROM dataset_features WHERE dataset = ? ORDER BY position",
    .columns = feature_columns,
    .column_count = COLUMN_COUNT(feature_columns),
    .item_size = sizeof(struct feature_view),
};

/* ---- writing ---- */

/* Replaces the data set's part by items[count]. */
static enum status write_part(struct connection *connection, const struct part *part, int64_t dataset, const void *items,
                              uint32_t count, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, part->remove);
    statement_bind_i64(&query, dataset);
    enum status status = statement_finish(&query, error);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        statement_begin(&query, connection, part->insert);
        statement_bind_i64(&query, dataset);
        statement_bind_i64(&query, i);
        row_bind(&query, part->columns, part->column_count, (const char *)items + i * part->item_size);
        status = statement_finish(&query, error);
    }
    return status;
}

static enum status write_parts(struct connection *connection, int64_t number, const struct dataset_view *dataset,
                               struct error *error)
{
    enum status status = write_part(connection, &class_part, number, dataset->class_list, dataset->class_count, error);
    if (status == STATUS_OK) {
        status = write_part(connection, &feature_part, number, dataset->feature_list, dataset->feature_count, error);
    }
    return status;
}

enum status datasets_add(struct connection *connection, const struct dataset_view *dataset, struct error *error)
{
    struct statement query;
    statement_begin(
        &query, connection,
        "INSERT INTO datasets(number" DATASET_COLUMNS(COLUMN_NAME) ") VALUES(NULL" DATASET_COLUMNS(COLUMN_MARK) ")");
    row_bind(&query, dataset_columns, COLUMN_COUNT(dataset_columns), dataset);
    enum status status = statement_finish(&query, error);
    return status == STATUS_OK ? write_parts(connection, sqlite3_last_insert_rowid(connection->handle), dataset, error)
                               : status;
}

enum status datasets_update(struct connection *connection, int64_t number, const struct dataset_view *dataset,
                            struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, "UPDATE datasets SET rows = rows" DATASET_COLUMNS(COLUMN_SET) " WHERE number = ?");
    row_bind(&query, dataset_columns, COLUMN_COUNT(dataset_columns), dataset);
    statement_bind_i64(&query, number);
    enum status status = statement_finish(&query, error);
    return status == STATUS_OK ? write_parts(connection, number, dataset, error) : status;
}

/* ---- reading ---- */

/* Reads the data set's part: *items [*count], owned; counted before they are released by their view. */
static enum status read_part(struct connection *connection, const struct part *part, int64_t dataset, void **items,
                             uint32_t *count, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection, part->select);
    statement_bind_i64(&query, dataset);
    enum status status;
    for (;;) {
        int row;
        status = statement_step(&query, &row, error);
        if (status != STATUS_OK || !row) {
            break;
        }
        if (*items == NULL) {
            *items = calloc((size_t)statement_i64(&query, 0), part->item_size);
            if (*items == NULL) {
                status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a data set's description");
                break;
            }
        }
        void *item = (char *)*items + (*count)++ * part->item_size;
        status = row_read(&query, 1, part->columns, part->column_count, item, error);
        if (status != STATUS_OK) {
            break;
        }
    }
    statement_end(&query);
    return status;
}

static enum status read_item(struct statement *query, void *item, struct error *error)
{
    struct dataset_view *dataset = item;
    int64_t number = statement_i64(query, 0);
    enum status status = row_read(query, 1, dataset_columns, COLUMN_COUNT(dataset_columns), dataset, error);
    if (status == STATUS_OK) {
        void *items = NULL;
        status = read_part(query->connection, &class_part, number, &items, &dataset->class_count, error);
        dataset->class_list = items;
    }
    if (status == STATUS_OK) {
        void *items = NULL;
        status = read_part(query->connection, &feature_part, number, &items, &dataset->feature_count, error);
        dataset->feature_list = items;
    }
    return status;
}

static void release_item(void *item)
{
    dataset_view_release(item);
}

#define SELECT "SELECT number" DATASET_COLUMNS(COLUMN_NAME) " FROM datasets WHERE "
static const struct page_source source = {
    .id_prefix = "ds_",
    .find = PAGE_FIND("datasets"),
    .ascending = SELECT "number > ? ORDER BY number LIMIT ?",
    .descending = SELECT "number < ? ORDER BY number DESC LIMIT ?",
    .item_size = sizeof(struct dataset_view),
    .read = read_item,
    .release = release_item,
};

enum status datasets_list(struct store *store, const struct page_query *query, struct dataset_list *list,
                          struct error *error)
{
    struct page page;
    enum status status = page_read(&store->readers, &source, query, NULL, NULL, &page, error);
    *list = (struct dataset_list){.items = page.items, .count = page.count, .has_more = page.has_more};
    return status;
}

void dataset_list_release(struct dataset_list *list)
{
    struct page page = {.items = list->items, .count = list->count};
    page_release(&source, &page);
    *list = (struct dataset_list){.items = NULL};
}

enum status datasets_get(struct store *store, const char *id, struct dataset_view *dataset, struct error *error)
{
    return page_item(&store->readers, &source, SELECT "id = ?", id, dataset, error);
}

#define CONTENT_COLUMNS(X)                                                                                                  \
    X(status, column_dataset_status, status)                                                                                \
    X(sha256, column_text, sha256)
#define ROW struct dataset_content
static const struct column content_columns[] = {CONTENT_COLUMNS(COLUMN_ENTRY)};
#undef ROW

static enum status read_content(struct statement *query, void *item, struct error *error)
{
    return row_read(query, 1, content_columns, COLUMN_COUNT(content_columns), item, error);
}

static void release_content(void *item)
{
    (void)item; /* it owns nothing */
}

enum status datasets_get_content(struct store *store, const char *id, struct dataset_content *content, struct error *error)
{
    const struct page_source contents = {.item_size = sizeof(*content), .read = read_content, .release = release_content};
    return page_item(&store->readers, &contents, "SELECT number" CONTENT_COLUMNS(COLUMN_NAME) " FROM datasets WHERE id = ?",
                     id, content, error);
}

enum status datasets_find_content(struct connection *connection, const char *sha256, const char *except, char id[ID_TEXT],
                                  int *found, struct error *error)
{
    struct statement query;
    statement_begin(&query, connection,
                    "SELECT id FROM datasets WHERE sha256 = ? AND status = 'ready' AND id <> ? ORDER BY number LIMIT 1");
    statement_bind_text(&query, sha256);
    statement_bind_text(&query, except);
    enum status status = statement_step(&query, found, error);
    if (status == STATUS_OK && *found) {
        status = statement_text(&query, 0, id, ID_TEXT, error);
    }
    statement_end(&query);
    return status;
}

enum status datasets_find(struct store *store, const char *sha256, char id[ID_TEXT], struct error *error)
{
    struct connection *connection;
    int found;
    id[0] = '\0';
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status == STATUS_OK) {
        status = datasets_find_content(connection, sha256, "", id, &found, error);
        reader_end(&store->readers, connection);
    }
    return status;
}
