/* Data sets in the store: their descriptions; the content is an object. */
#ifndef DESCENT_SERVER_STORE_DATASETS_H
#define DESCENT_SERVER_STORE_DATASETS_H

#include "server/store/object.h"
#include "server/store/store.h"

/*
 * Stores a data set. A ready one whose content is there already (oldest with that SHA-256) is not stored again:
 * `existed` is set and dataset->id is the existing id, all else in *dataset is left as it was.
 *   dataset  in: everything but id, created_at, sha256, bytes, which are filled (an id that is given is kept)
 *   object   the canonical block
 */
struct datasets_insert {
    struct store_op op;
    struct dataset_view *dataset;
    struct object *object;
    int existed;
};
struct store_op *datasets_insert(struct datasets_insert *insert);

/*
 * Gives labels to a data set that awaits them: the new object replaces the old one, the status becomes ready, the id
 * and the name stay. `existed` is set when another ready data set has this content (both remain).
 * STATUS_NOT_FOUND, STATUS_DELETED; STATUS_STATE_CONFLICT when it is ready with other content already.
 *   dataset  in: id and the new description; out: as stored
 */
struct datasets_label {
    struct store_op op;
    struct dataset_view *dataset;
    struct object *object;
    int existed;
};
struct store_op *datasets_label(struct datasets_label *label);

/* STATUS_NOT_FOUND, STATUS_DELETED; STATUS_IN_USE while jobs that have not ended name it: `users`. */
struct datasets_delete {
    struct store_op op;
    const char *id;
    struct job_users users;
};
struct store_op *datasets_delete(struct datasets_delete *deletion);

/* STATUS_NOT_FOUND, STATUS_DELETED. Release *dataset with dataset_view_release. */
MUST_CHECK enum status datasets_get(struct store *store, const char *id, struct dataset_view *dataset, struct error *error);
/* As far as it takes to open it: its status and the object of its content, nothing to be released. The same errors. */
struct dataset_content {
    enum dataset_status status;
    char sha256[SHA256_TEXT];
};
MUST_CHECK enum status datasets_get_content(struct store *store, const char *id, struct dataset_content *content,
                                            struct error *error);
/* The oldest ready data set with this content: its id, "" where there is none. */
MUST_CHECK enum status datasets_find(struct store *store, const char *sha256, char id[ID_TEXT], struct error *error);

struct dataset_list {
    struct dataset_view *items; /* [count], owned */
    size_t count;
    int has_more;
};
MUST_CHECK enum status datasets_list(struct store *store, const struct page_query *query, struct dataset_list *list,
                                     struct error *error);
void dataset_list_release(struct dataset_list *list);

#endif
