#include "server/store/found_database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "descentd.db"

/* Asked by name alone: opening it would be no good idea (data_dir.h). -1: there is no such file. */
static int64_t file_size(const struct data_dir *dir, const char *name)
{
    struct stat file;
    return fstatat(dir->fd, name, &file, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)file.st_size : -1;
}

static void remove_index(const struct found_database *found)
{
    if (found->made_index) {
        unlinkat(found->dir->fd, DATABASE "-shm", 0);
    }
}

enum status found_database_open(struct found_database *found, const struct data_dir *dir, int in_use, struct error *error)
{
    int has_log = file_size(dir, DATABASE "-wal") > 0;
    *found = (struct found_database){.dir = dir, .made_index = !in_use && has_log && file_size(dir, DATABASE "-shm") < 0};
    if (file_size(dir, DATABASE) < 0) {
        return error_set(error, STATUS_DATA_DIR_INVALID, "data folder %s: " DATABASE " is missing", dir->path);
    }
    enum status status =
        connection_open(&found->connection, dir, in_use || has_log ? CONNECTION_READER : CONNECTION_AT_REST, error);
    if (status != STATUS_OK) {
        remove_index(found);
    }
    return status;
}

void found_database_close(struct found_database *found)
{
    if (found->dir != NULL) {
        connection_close(&found->connection);
        remove_index(found);
    }
    *found = (struct found_database){.dir = NULL};
}
