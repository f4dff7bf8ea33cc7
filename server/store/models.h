/* Models in the store: their descriptions; the file is an object. Stored by jobs_change with the job's end. */
#ifndef DESCENT_SERVER_STORE_MODELS_H
#define DESCENT_SERVER_STORE_MODELS_H

#include "server/store/object.h"
#include "server/store/store.h"

/* STATUS_NOT_FOUND, STATUS_DELETED; STATUS_IN_USE while jobs that have not ended begin with it: `users`. */
struct models_delete {
    struct store_op op;
    const char *id;
    struct job_users users;
};
struct store_op *models_delete(struct models_delete *deletion);

/* STATUS_NOT_FOUND, STATUS_DELETED. Release with model_view_release. */
MUST_CHECK enum status models_get(struct store *store, const char *id, struct model_view *model, struct error *error);

struct model_list {
    struct model_view *items; /* [count], owned */
    size_t count;
    int has_more;
};
MUST_CHECK enum status models_list(struct store *store, const struct page_query *query, struct model_list *list,
                                   struct error *error);
void model_list_release(struct model_list *list);

#endif
