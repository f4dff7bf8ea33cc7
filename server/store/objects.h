/* Rows of objects, and the files that follow them. Private to server/store/; for operations on the writer's connection. */
#ifndef DESCENT_SERVER_STORE_OBJECTS_H
#define DESCENT_SERVER_STORE_OBJECTS_H

#include "server/store/database.h"
#include "server/store/object.h"

/* Makes sure that the object is stored: its row, and its file in place. */
MUST_CHECK enum status objects_insert(struct connection *connection, struct object *object, struct error *error);
/* Removes the object's row unless a data set, a model or a checkpoint names it; its file goes after the commit. */
MUST_CHECK enum status objects_forget(struct connection *connection, const char *sha256, struct error *error);

/* After a transaction: removes files that lost their row, or did not get it. */
void objects_sweep(struct connection *connection);
/* At the start: removes files that never got one. */
MUST_CHECK enum status objects_collect(struct connection *connection, struct error *error);

#endif
