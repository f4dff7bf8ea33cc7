/* The tables of the database. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_SCHEMA_H
#define DESCENT_SERVER_STORE_SCHEMA_H

#include "server/store/database.h"

/*
 * Checks the file (PRAGMA quick_check), then makes the tables in an empty one, or brings those of an older program up to
 * date, in one transaction. STATUS_SCHEMA_TOO_NEW: a newer program was here. STATUS_STORAGE_ERROR says what is damaged.
 */
MUST_CHECK enum status schema_prepare(struct connection *connection, struct error *error);

/* The version of the tables that this program makes and reads. */
int64_t schema_newest(void);
/* That of a database; 0: an empty one. */
MUST_CHECK enum status schema_version(struct connection *connection, int64_t *version, struct error *error);

#endif
