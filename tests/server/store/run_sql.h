/* What no operation of the store does: SQL on the database of a folder, by the tests' own hand. */
#ifndef DESCENT_TESTS_SERVER_STORE_RUN_SQL_H
#define DESCENT_TESTS_SERVER_STORE_RUN_SQL_H

#include "tests/server/store/temporary_store.h"

#include <sqlite3.h>

/* The fixture's store is closed. */
static inline void run_sql(const struct fixture *fixture, const char *sql)
{
    char path[160], *message = NULL;
    sqlite3 *database;
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s", message);
    }
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

#endif
