/*
 * A copy of a folder that may be in use.
 *
 * Objects never change, so a file of theirs can be had at any time; but the server may remove one (an old checkpoint, a
 * deleted model) that the database named a moment ago. So: first all the files that there are, which may take its time; then
 * within one transaction those that came in between, which is quick, and the database as of that transaction. If one of the
 * files is gone even so, the next round begins, for which nearly all are there. Files that the database does not name are
 * dropped in the end.
 *
 * The database is made under another name and gets its own as the last step: a folder without one is no backup.
 */
#include "server/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/data_dir.h"
#include "server/store/found_database.h"

#define ROUNDS_MAX  10
#define CHUNK_BYTES 65536
#define PART        "descentd.db.part"

struct backup {
    struct data_dir from, to;
    int in_use, makes_target;
    struct data_dir part; /* names the unfinished database; nothing else in it is used */
    struct backup_summary *summary;
};

/* ---- objects ---- */

static enum status copy_bytes(int from, int to, uint64_t *size, struct error *error)
{
    unsigned char chunk[CHUNK_BYTES];
    for (*size = 0;;) {
        ssize_t got = read(from, chunk, sizeof(chunk));
        if (got == 0) {
            return STATUS_OK;
        }
        if (got < 0 && errno != EINTR) {
            return file_failed(errno, "reading an object", error);
        }
        if (got > 0 && !file_write(to, chunk, (size_t)got)) {
            return file_failed(errno, "writing the copy of an object", error);
        }
        *size += got > 0 ? (uint64_t)got : 0;
    }
}

/* A file of its own, whole and durable before it has its name. *missing: it is gone. */
static enum status copy_object(struct backup *backup, const char *sha256, int *missing, struct error *error)
{
    char temporary[TEMPORARY_TEXT];
    uint64_t size;
    int moved, from = openat(backup->from.objects_fd, sha256, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    *missing = from < 0 && errno == ENOENT;
    if (from < 0) {
        return *missing ? STATUS_OK : file_failed(errno, "opening an object", error);
    }
    int to = data_dir_new_temporary(&backup->to, temporary);
    enum status status = to < 0 ? file_failed(errno, "making a file in the copy", error) : STATUS_OK;
    if (status == STATUS_OK) {
        status = copy_bytes(from, to, &size, error);
        if (status == STATUS_OK && fsync(to) != 0) {
            status = file_failed(errno, "writing the copy of an object", error);
        }
        close(to);
        if (status == STATUS_OK) {
            status = data_dir_publish(&backup->to, temporary, sha256, &moved, error);
        }
        if (status != STATUS_OK) {
            data_dir_remove_temporary(&backup->to, temporary);
        }
    }
    close(from);
    if (status == STATUS_OK) {
        backup->summary->copied++;
        backup->summary->object_bytes += size;
    }
    return status;
}

/* Another name for the same file where the system allows it. *missing: it is gone. */
static enum status take_object(struct backup *backup, const char *sha256, int *missing, struct error *error)
{
    struct stat file;
    *missing = 0;
    if (linkat(backup->from.objects_fd, sha256, backup->to.objects_fd, sha256, 0) == 0) {
        backup->summary->linked++;
        if (fstatat(backup->to.objects_fd, sha256, &file, AT_SYMLINK_NOFOLLOW) == 0) {
            backup->summary->object_bytes += (uint64_t)file.st_size;
        }
        return STATUS_OK;
    }
    switch (errno) {
    case EEXIST: /* from an earlier round */
        return STATUS_OK;
    case ENOENT:
        *missing = 1;
        return STATUS_OK;
    case EXDEV:
    case EPERM:
    case EMLINK:
    case EOPNOTSUPP:
        if (faccessat(backup->to.objects_fd, sha256, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            return STATUS_OK;
        }
        return copy_object(backup, sha256, missing, error);
    default:
        return file_failed(errno, "linking an object", error);
    }
}

static enum status take_found(void *context, const char *sha256, struct error *error)
{
    int missing; /* one that is gone by now nobody needs, or the snapshot will say so */
    return take_object(context, sha256, &missing, error);
}

/* ---- the database ---- */

/* Every page, as of the transaction that `from` is in. */
static enum status copy_pages(struct connection *from, struct connection *to, struct error *error)
{
    sqlite3_backup *pages = sqlite3_backup_init(to->handle, "main", from->handle, "main");
    if (pages == NULL) {
        return connection_fail(to, sqlite3_errcode(to->handle), error);
    }
    int code = sqlite3_backup_step(pages, -1), finished = sqlite3_backup_finish(pages);
    return code == SQLITE_DONE && finished == SQLITE_OK
               ? STATUS_OK
               : connection_fail(to, finished != SQLITE_OK ? finished : code, error);
}

static enum status copy_database(struct backup *backup, struct connection *from, struct error *error)
{
    struct connection to = {.handle = NULL};
    enum status status = connection_open(&to, &backup->part, CONNECTION_COPY, error);
    if (status == STATUS_OK) {
        status = copy_pages(from, &to, error);
        connection_close(&to);
    }
    return status;
}

/* Files that the database names and that are not there yet. *missing: one of them is gone. */
static enum status take_named(struct backup *backup, struct connection *database, int *missing, struct error *error)
{
    struct statement query;
    int row;
    *missing = 0;
    statement_begin(&query, database, "SELECT sha256 FROM objects WHERE bytes IS NULL");
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row && !*missing) {
        char sha256[SHA256_TEXT];
        status = statement_text(&query, 0, sha256, sizeof(sha256), error);
        if (status == STATUS_OK) {
            status = take_object(backup, sha256, missing, error);
        }
        if (status == STATUS_OK) {
            status = statement_step(&query, &row, error);
        }
    }
    statement_end(&query);
    return status;
}

struct sorting {
    struct backup *backup;
    struct connection *database;
};

static enum status drop_unnamed(void *context, const char *sha256, struct error *error)
{
    struct sorting *sorting = context;
    struct statement query;
    int found;
    statement_begin(&query, sorting->database, "SELECT 1 FROM objects WHERE sha256 = ? AND bytes IS NULL");
    statement_bind_text(&query, sha256);
    enum status status = statement_step(&query, &found, error);
    statement_end(&query);
    if (status == STATUS_OK && !found) {
        data_dir_remove_object(&sorting->backup->to, sha256);
    }
    return status;
}

/* In one transaction of the database: what it names, then the database itself. */
static enum status take_moment(struct backup *backup, struct connection *database, int *missing, struct error *error)
{
    struct sorting sorting = {backup, database};
    enum status status = connection_run(database, "BEGIN", error);
    if (status == STATUS_OK) {
        status = take_named(backup, database, missing, error);
    }
    if (status == STATUS_OK && !*missing) {
        status = copy_database(backup, database, error);
    }
    if (status == STATUS_OK && !*missing) {
        status = data_dir_each_object(&backup->to, drop_unnamed, &sorting, error);
    }
    return status; /* the transaction ends with the connection */
}

/* *missing: a file of that moment was gone before it could be taken. */
static enum status take_round(struct backup *backup, int *missing, struct error *error)
{
    struct found_database found;
    enum status status = data_dir_each_object(&backup->from, take_found, backup, error);
    if (status == STATUS_OK) {
        status = found_database_open(&found, &backup->from, backup->in_use, error);
    }
    if (status == STATUS_OK) {
        status = take_moment(backup, &found.connection, missing, error);
        found_database_close(&found);
    }
    return status;
}

/* Everything that is there becomes durable, then the database gets its name. */
static enum status finish(struct backup *backup, struct error *error)
{
    struct stat file = {.st_size = 0};
    int fd = openat(backup->to.fd, PART, O_RDONLY | O_NOFOLLOW | O_CLOEXEC); /* no connection to it is open any more */
    int failed = fd < 0 || fsync(fd) != 0 || fstat(fd, &file) != 0 || fsync(backup->to.objects_fd) != 0 ||
                 renameat(backup->to.fd, PART, backup->to.fd, "descentd.db") != 0 || fsync(backup->to.fd) != 0;
    enum status status = failed ? file_failed(errno, "writing the copy of the database", error) : STATUS_OK;
    if (fd >= 0) {
        close(fd);
    }
    if (status == STATUS_OK) {
        backup->summary->database_bytes = (uint64_t)file.st_size;
    }
    return status;
}

static enum status take_all(struct backup *backup, struct error *error)
{
    int missing = 1;
    enum status status = STATUS_OK;
    snprintf(backup->part.database, sizeof(backup->part.database), "%.*s/" PART, (int)sizeof(backup->to.path) - 1,
             backup->to.path);
    for (int i = 0; status == STATUS_OK && missing && i < ROUNDS_MAX; i++) {
        status = take_round(backup, &missing, error);
    }
    if (status == STATUS_OK && missing) {
        status =
            error_set(error, STATUS_STORAGE_ERROR,
                      "an object that the database names is missing, in %d rounds: descentd check says more", ROUNDS_MAX);
    }
    return status == STATUS_OK ? finish(backup, error) : status;
}

/* ---- the folders ---- */

/* At rest the folder is kept so until the end; from a server that has it open nothing is taken. */
static enum status open_source(struct backup *backup, const char *path, struct error *error)
{
    struct error locked = {.status = STATUS_OK};
    enum status status = data_dir_look(&backup->from, path, 1, &locked);
    backup->in_use = status == STATUS_DATA_DIR_LOCKED;
    if (backup->in_use) {
        return data_dir_look(&backup->from, path, 0, error);
    }
    return status == STATUS_OK ? status : error_set(error, status, "%s", locked.message);
}

/* A name that stands in the way: the folder is not empty. */
static enum status refuse_entry(void *context, const char *name, struct error *error)
{
    return error_set(error, STATUS_DATA_DIR_INVALID, "%s is not empty: %.200s is there", (const char *)context, name);
}

static enum status open_target(struct backup *backup, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    enum status status = STATUS_OK;
    backup->makes_target = fd < 0 && errno == ENOENT;
    if (fd >= 0) {
        status = data_dir_each_name(fd, refuse_entry, (void *)path, error);
        close(fd);
    }
    if (status == STATUS_OK) {
        status = data_dir_open(&backup->to, path, error);
    }
    size_t size = strlen(backup->from.path);
    if (status == STATUS_OK && strncmp(backup->to.path, backup->from.path, size) == 0 && backup->to.path[size] == '/') {
        status = error_set(error, STATUS_DATA_DIR_INVALID, "%s is inside the data folder that is to be copied", path);
    }
    return status;
}

static enum status remove_name(void *context, const char *name, struct error *error)
{
    (void)error;
    unlinkat(*(const int *)context, name, 0); /* what cannot be removed keeps the folder from being used again */
    return STATUS_OK;
}

/* After a failure the folder is empty again, or gone if it was made here, as far as that is in our hands. */
static void abandon(struct backup *backup, const char *path)
{
    static const char *const made[] = {"descentd.db", PART, PART "-journal", "lock"};
    static const char *const folders[] = {"objects", "tmp"};
    int fds[] = {backup->to.objects_fd, backup->to.tmp_fd};
    struct error ignored = {.status = STATUS_OK};
    if (backup->to.fd < 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        unlinkat(backup->to.fd, made[i], 0);
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (data_dir_each_name(fds[i], remove_name, &fds[i], &ignored) == STATUS_OK) {
            unlinkat(backup->to.fd, folders[i], AT_REMOVEDIR);
        }
    }
    if (backup->makes_target) {
        rmdir(path);
    }
}

enum status store_backup(const char *from, const char *to, struct backup_summary *summary, struct error *error)
{
    struct backup backup = {.summary = summary, .to = {.fd = -1, .objects_fd = -1, .tmp_fd = -1, .lock_fd = -1}};
    *summary = (struct backup_summary){.linked = 0};
    enum status status = open_source(&backup, from, error);
    if (status != STATUS_OK) {
        return status;
    }
    summary->was_running = backup.in_use;
    status = open_target(&backup, to, error);
    if (status == STATUS_OK) {
        status = take_all(&backup, error);
    }
    if (status != STATUS_OK) {
        abandon(&backup, to);
    }
    data_dir_close(&backup.to);
    data_dir_close(&backup.from);
    return status;
}
