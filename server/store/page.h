/* Pages of lists: one way for all of them. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_PAGE_H
#define DESCENT_SERVER_STORE_PAGE_H

#include "server/store/database.h"
#include "server/store/readers.h"
#include "server/store/store.h"

/* The head of every list that is given out (datasets.h, jobs.h, models.h have the same members, typed). */
struct page {
    void *items;
    size_t count;
    int has_more;
};

/*
 * A list. ascending, descending: SQL whose last two parameters are the number after which (before which) rows come, and
 * how many; `number` and what `read` expects are selected.
 */
struct page_source {
    const char *id_prefix;
    const char *find; /* SQL: the number of the row with id ?, deleted or not */
    const char *ascending, *descending;
    size_t item_size;
    enum status (*read)(struct statement *query, void *item, struct error *error);
    void (*release)(void *item);
};

/* What `find` is for the table `table`. */
#define PAGE_FIND(table) "SELECT number FROM " table " WHERE id = ?1 UNION ALL SELECT number FROM tombstones WHERE id = ?1"

/*
 * Reads a page. `bind`, if not NULL, binds what the statement wants before those two. The caller frees *page with
 * page_release; on failure it is empty. STATUS_QUERY_INVALID: `after` was never in this list.
 */
MUST_CHECK enum status page_read(struct readers *readers, const struct page_source *source, const struct page_query *wanted,
                                 void (*bind)(struct statement *query, const void *context), const void *context,
                                 struct page *page, struct error *error);
void page_release(const struct page_source *source, struct page *page);

/* Reads the one item that `select` gives for `id`. On failure *item is released. STATUS_NOT_FOUND, STATUS_DELETED. */
MUST_CHECK enum status page_item(struct readers *readers, const struct page_source *source, const char *select,
                                 const char *id, void *item, struct error *error);

#endif
