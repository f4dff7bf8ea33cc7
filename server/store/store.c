/* The store as a whole: its parts come up in one order and go down in the reverse, readers before the writer. */
#include "server/store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "server/store/store_private.h"

#define RESERVE_BYTES ((uint64_t)256 << 20)
#define RESERVE_SHARE 20 /* or one part in so many of a small disk */

/* Errors of the store name no path, since clients may read them; who starts the server must. */
static enum status name_database(const struct data_dir *dir, enum status status, struct error *error)
{
    if (error != NULL) {
        const struct error reason = *error;
        *error = (struct error){.status = STATUS_OK};
        return error_set(error, status, "%.120s, in %s", reason.message, dir->database);
    }
    return status;
}

enum status store_open(struct store **result, const char *path, struct error *error)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the store");
    }
    enum status status = data_dir_open(&store->dir, path, error);
    if (status != STATUS_OK) {
        goto no_dir;
    }
    status = object_cache_init(&store->objects, error);
    if (status != STATUS_OK) {
        goto no_cache;
    }
    status = readers_init(&store->readers, &store->dir, error);
    if (status != STATUS_OK) {
        goto no_readers;
    }
    status = writer_new(&store->writer, &store->dir, error);
    if (status == STATUS_OK) {
        *result = store;
        return STATUS_OK;
    }
    status = name_database(&store->dir, status, error);
    readers_close(&store->readers);
no_readers:
    object_cache_close(&store->objects);
no_cache:
    data_dir_close(&store->dir);
no_dir:
    free(store);
    return status;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    writer_stop(store->writer);
    readers_close(&store->readers);
    writer_free(store->writer);
    object_cache_close(&store->objects);
    data_dir_close(&store->dir);
    free(store);
}

void store_submit(struct store *store, struct store_op *op, store_done *done, void *context)
{
    op->done = done;
    op->context = context;
    writer_submit(store->writer, op);
}

struct waiting {
    pthread_mutex_t lock; /* guards done */
    pthread_cond_t wake;
    int done;
};

static void end_waiting(void *context, enum status status, const struct error *error)
{
    (void)status; /* both stand in the operation */
    (void)error;
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = 1;
    pthread_cond_signal(&waiting->wake); /* under the lock: the waiter's stack goes away right after */
    pthread_mutex_unlock(&waiting->lock);
}

enum status store_wait(struct store *store, struct store_op *op, struct error *error)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    store_submit(store, op, end_waiting, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done) {
        pthread_cond_wait(&waiting.wake, &waiting.lock);
    }
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.wake);
    pthread_mutex_destroy(&waiting.lock);
    if (op->status != STATUS_OK && error != NULL && error->status == STATUS_OK) {
        *error = op->error;
    }
    return op->status;
}

void store_on_commit(struct store *store, store_changed *changed, void *context)
{
    writer_on_commit(store->writer, changed, context);
}

int store_is_read_only(const struct store *store)
{
    return writer_is_read_only(store->writer);
}

uint64_t store_generation(const struct store *store)
{
    return writer_generation(store->writer);
}

/* A look by name: a descriptor of the database's files that is closed would drop SQLite's locks. */
static uint64_t file_size(const char *database, const char *suffix)
{
    char path[PATH_MAX + 8];
    struct stat file;
    snprintf(path, sizeof(path), "%s%s", database, suffix);
    if (stat(path, &file) == 0) {
        return (uint64_t)file.st_size;
    }
    return errno == ENOENT ? 0 : UINT64_MAX;
}

struct store_sizes store_sizes(const struct store *store)
{
    struct store_sizes sizes = {.database = file_size(store->dir.database, ""),
                                .wal = file_size(store->dir.database, "-wal"),
                                .disk = UINT64_MAX,
                                .disk_free = UINT64_MAX};
    struct statvfs disk;
    if (fstatvfs(store->dir.fd, &disk) == 0) {
        sizes.disk = (uint64_t)disk.f_blocks * disk.f_frsize;
        sizes.disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    }
    return sizes;
}

enum status store_check_room(const struct store *store, uint64_t bytes, struct error *error)
{
    struct statvfs disk;
    if (fstatvfs(store->dir.fd, &disk) != 0) {
        return error_set(error, STATUS_STORAGE_ERROR, "the disk of %s cannot be asked for its room", store->dir.path);
    }
    uint64_t total = (uint64_t)disk.f_blocks * disk.f_frsize, room = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t reserve = total / RESERVE_SHARE < RESERVE_BYTES ? total / RESERVE_SHARE : RESERVE_BYTES;
    if (room < reserve || room - reserve < bytes) {
        return error_set(error, STATUS_INSUFFICIENT_STORAGE, "%llu bytes are free, %llu are kept in reserve",
                         (unsigned long long)room, (unsigned long long)reserve);
    }
    return STATUS_OK;
}
