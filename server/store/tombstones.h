/* What was deleted, and lists that go on over it. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_TOMBSTONES_H
#define DESCENT_SERVER_STORE_TOMBSTONES_H

#include "server/store/database.h"

MUST_CHECK enum status tombstones_add(struct connection *connection, const char *id, int64_t number, struct error *error);
/* Why there is no `id`: STATUS_DELETED if there was once, STATUS_NOT_FOUND if not (or why the database did not say). */
enum status tombstones_explain(struct connection *connection, const char *id, struct error *error);

#endif
