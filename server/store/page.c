/* Pages of lists. */
#include "server/store/page.h"

#include <stdlib.h>
#include <string.h>

#include "server/ids.h"
#include "server/store/tombstones.h"

/* The number after which (or before which) the page begins. */
static enum status find_start(struct connection *connection, const struct page_source *source,
                              const struct page_query *wanted, int64_t *start, struct error *error)
{
    *start = wanted->descending ? INT64_MAX : 0;
    if (wanted->after == NULL || wanted->after[0] == '\0') {
        return STATUS_OK;
    }
    int found = 0;
    enum status status = STATUS_OK;
    if (id_valid(wanted->after, source->id_prefix)) {
        struct statement query;
        statement_begin(&query, connection, source->find);
        statement_bind_text(&query, wanted->after);
        status = statement_step(&query, &found, error);
        *start = found ? statement_i64(&query, 0) : 0;
        statement_end(&query);
    }
    if (status == STATUS_OK && !found) {
        return error_set(error, STATUS_QUERY_INVALID, "after: there was never a %.40s in this list", wanted->after);
    }
    return status;
}

/* Room for one more zeroed item; doubles, so that a page of few costs little. */
static void *next_item(const struct page_source *source, struct page *page, size_t *capacity)
{
    if (page->count == *capacity) {
        size_t wider = *capacity == 0 ? 8 : *capacity * 2;
        void *items = reallocarray(page->items, wider, source->item_size);
        if (items == NULL) {
            return NULL;
        }
        page->items = items;
        *capacity = wider;
    }
    void *item = (char *)page->items + page->count * source->item_size;
    memset(item, 0, source->item_size);
    page->count++;
    return item;
}

static enum status read_rows(struct statement *query, const struct page_source *source, uint32_t limit, struct page *page,
                             struct error *error)
{
    size_t capacity = 0;
    for (;;) {
        int row;
        enum status status = statement_step(query, &row, error);
        if (status != STATUS_OK || !row) {
            return status;
        }
        if (page->count == limit) {
            page->has_more = 1;
            return STATUS_OK;
        }
        void *item = next_item(source, page, &capacity);
        if (item == NULL) {
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a list");
        }
        status = source->read(query, item, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
}

enum status page_read(struct readers *readers, const struct page_source *source, const struct page_query *wanted,
                      void (*bind)(struct statement *query, const void *context), const void *context, struct page *page,
                      struct error *error)
{
    *page = (struct page){.items = NULL};
    struct connection *connection;
    enum status status = reader_begin(readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t start;
    status = find_start(connection, source, wanted, &start, error);
    if (status == STATUS_OK) {
        struct statement query;
        statement_begin(&query, connection, wanted->descending ? source->descending : source->ascending);
        if (bind != NULL) {
            bind(&query, context);
        }
        statement_bind_i64(&query, start);
        statement_bind_i64(&query, (int64_t)wanted->limit + 1); /* one more than wanted: is there a next page? */
        status = read_rows(&query, source, wanted->limit, page, error);
        statement_end(&query);
    }
    reader_end(readers, connection);
    if (status != STATUS_OK) {
        page_release(source, page);
    }
    return status;
}

void page_release(const struct page_source *source, struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        source->release((char *)page->items + i * source->item_size);
    }
    free(page->items);
    *page = (struct page){0};
}

enum status page_item(struct readers *readers, const struct page_source *source, const char *select, const char *id,
                      void *item, struct error *error)
{
    memset(item, 0, source->item_size);
    struct connection *connection;
    enum status status = reader_begin(readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    int found;
    statement_begin(&query, connection, select);
    statement_bind_text(&query, id);
    status = statement_step(&query, &found, error);
    if (status == STATUS_OK && found) {
        status = source->read(&query, item, error);
    }
    statement_end(&query);
    if (status == STATUS_OK && !found) {
        status = tombstones_explain(connection, id, error);
    }
    reader_end(readers, connection);
    if (status != STATUS_OK) {
        source->release(item);
    }
    return status;
}
