/* Numbers that the store keeps by name, for what has to be compared from one process to the next. */
#ifndef DESCENT_SERVER_STORE_FACTS_H
#define DESCENT_SERVER_STORE_FACTS_H

#include "server/store/store.h"

/* A number to be kept. The name is a literal of ours. */
struct fact {
    const char *name;
    int64_t value;
};

/* Puts the fact in the place of the one of that name. */
struct facts_set {
    struct store_op op;
    struct fact fact;
};
struct store_op *facts_set(struct facts_set *set);

/* *found: 0 where no such fact was ever set; *value is 0 then. */
MUST_CHECK enum status facts_get(struct store *store, const char *name, int64_t *value, int *found, struct error *error);

#endif
