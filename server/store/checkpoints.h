/* Checkpoints of jobs: rows that name objects (core/train/checkpoint.h). Written by jobs_change, with all that they stand
 * behind. */
#ifndef DESCENT_SERVER_STORE_CHECKPOINTS_H
#define DESCENT_SERVER_STORE_CHECKPOINTS_H

#include "server/store/object.h"
#include "server/store/store.h"

/*
 * A checkpoint to be. A row of the same step is replaced, without a second event; those of later steps are dropped, for
 * training went back behind them.
 */
struct checkpoint_new {
    uint64_t step;
    struct object *object;
    const char *data; /* JSON object text: the checkpoint event's data */
    uint32_t keep;    /* older ones beyond so many are dropped in the same transaction; at least 1 */
};

struct checkpoint_view {
    uint64_t step;
    int64_t created_at;
    uint64_t bytes;
    char object[SHA256_TEXT];
    char *data; /* JSON object text, owned */
};
struct checkpoint_list {
    struct checkpoint_view *items; /* [count], owned, newest first */
    size_t count;
};
/* All that a job has. STATUS_NOT_FOUND, STATUS_DELETED. */
MUST_CHECK enum status checkpoints_list(struct store *store, const char *job, struct checkpoint_list *list,
                                        struct error *error);
void checkpoint_list_release(struct checkpoint_list *list);

#endif
