/*
 * The database of a folder that this process did not open as a server: read, and left as it is. Private to server/store/.
 *
 * A connection that may only read never moves the log into the database and never removes it, not even as the last one to
 * close. All that it needs beside a log that has something in it is SQLite's index of that log, which is made again at will.
 */
#ifndef DESCENT_SERVER_STORE_FOUND_DATABASE_H
#define DESCENT_SERVER_STORE_FOUND_DATABASE_H

#include "server/store/data_dir.h"
#include "server/store/database.h"

struct found_database {
    struct connection connection;
    const struct data_dir *dir;
    int made_index; /* the file beside the log: there was none */
};

/*
 * dir: from data_dir_look. in_use: a server has it open. STATUS_DATA_DIR_INVALID: there is no database. On failure nothing
 * is to be closed.
 */
MUST_CHECK enum status found_database_open(struct found_database *found, const struct data_dir *dir, int in_use,
                                           struct error *error);
/* A zeroed one: nothing. */
void found_database_close(struct found_database *found);

#endif
