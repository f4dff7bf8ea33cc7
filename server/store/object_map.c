/*
 * Reading objects: one mapping (or copy, of a small one) shared by all who need it at the same time.
 *
 * The first to ask opens and verifies it without the lock; who asks meanwhile waits for that one's outcome rather than
 * hash the same file twice.
 */
#include "server/store/object.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/sha256.h"
#include "server/store/store_private.h"

#define ALIGNMENT 64

struct object_view {
    struct object_view *next;
    char sha256[SHA256_TEXT];
    unsigned users; /* holders, and those who wait for it to be open */
    enum { OPENING, OPEN, FAILED } state;
    struct error failure;
    void *bytes;
    size_t size;
    int is_file; /* a mapping, not malloc'ed */
};

enum status object_cache_init(struct object_cache *cache, struct error *error)
{
    *cache = (struct object_cache){.first = NULL};
    if (pthread_mutex_init(&cache->lock, NULL) == 0) {
        if (pthread_cond_init(&cache->opened, NULL) == 0) {
            return STATUS_OK;
        }
        pthread_mutex_destroy(&cache->lock);
    }
    return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a lock");
}

void object_cache_close(struct object_cache *cache)
{
    assert(cache->first == NULL);
    pthread_cond_destroy(&cache->opened);
    pthread_mutex_destroy(&cache->lock);
}

/* ---- verifying ---- */

static int is_verified(struct object_cache *cache, const char *sha256, const struct stat *file)
{
    int known = 0;
    pthread_mutex_lock(&cache->lock);
    for (int i = 0; i < VERIFIED_MAX && !known; i++) {
        const struct verified_file *entry = &cache->verified[i];
        known = strcmp(entry->sha256, sha256) == 0 && entry->inode == file->st_ino &&
                entry->size == (uint64_t)file->st_size && entry->changed.tv_sec == file->st_mtim.tv_sec &&
                entry->changed.tv_nsec == file->st_mtim.tv_nsec;
    }
    pthread_mutex_unlock(&cache->lock);
    return known;
}

static void set_verified(struct object_cache *cache, const char *sha256, const struct stat *file)
{
    pthread_mutex_lock(&cache->lock);
    struct verified_file *entry = &cache->verified[cache->next_verified++ % VERIFIED_MAX];
    *entry = (struct verified_file){.inode = file->st_ino, .size = (uint64_t)file->st_size, .changed = file->st_mtim};
    memcpy(entry->sha256, sha256, SHA256_TEXT);
    pthread_mutex_unlock(&cache->lock);
}

static enum status verify(const struct object_view *view, struct error *error)
{
    char actual[SHA256_HEX];
    sha256_text(view->bytes, view->size, actual);
    if (strcmp(actual, view->sha256) != 0) {
        return error_set(error, STATUS_OBJECT_CORRUPT, "object %s has the content of %s", view->sha256, actual);
    }
    return STATUS_OK;
}

/* ---- opening ---- */

/* *missing: there is no such file. */
static enum status map_file(struct store *store, struct object_view *view, int *missing, struct error *error)
{
    int fd = openat(store->dir.objects_fd, view->sha256, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    *missing = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        return *missing ? STATUS_OBJECT_CORRUPT : file_failed(errno, "opening an object", error);
    }
    enum status status = STATUS_OK;
    struct stat file;
    if (fstat(fd, &file) != 0) {
        status = file_failed(errno, "opening an object", error);
    } else if ((uint64_t)file.st_size != view->size) {
        status = error_set(error, STATUS_OBJECT_CORRUPT, "object %s has %lld bytes instead of %zu", view->sha256,
                           (long long)file.st_size, view->size);
    } else {
        void *bytes = mmap(NULL, view->size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED) {
            status = file_failed(errno, "mapping an object", error);
        } else {
            view->bytes = bytes;
            view->is_file = 1;
        }
    }
    close(fd);
    if (status == STATUS_OK && !is_verified(&store->objects, view->sha256, &file)) {
        status = verify(view, error);
        if (status == STATUS_OK) {
            set_verified(&store->objects, view->sha256, &file);
        }
    }
    return status;
}

static enum status copy_blob(const struct statement *query, struct object_view *view, struct error *error)
{
    size_t size = (size_t)sqlite3_column_bytes(query->statement, 1);
    if (size != view->size) {
        return error_set(error, STATUS_OBJECT_CORRUPT, "object %s has %zu bytes instead of %zu", view->sha256, size,
                         view->size);
    }
    view->bytes = aligned_alloc(ALIGNMENT, (size / ALIGNMENT + 1) * ALIGNMENT);
    if (view->bytes == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an object of %zu bytes", size);
    }
    if (size > 0) {
        memcpy(view->bytes, sqlite3_column_blob(query->statement, 1), size);
    }
    return verify(view, error);
}

/* Looks the object up: its size, and its bytes if they are in the database. */
static enum status read_row(struct store *store, struct object_view *view, int *in_file, struct error *error)
{
    struct connection *connection;
    enum status status = reader_begin(&store->readers, &connection, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct statement query;
    int row;
    statement_begin(&query, connection, "SELECT size, bytes FROM objects WHERE sha256 = ?");
    statement_bind_text(&query, view->sha256);
    status = statement_step(&query, &row, error);
    if (status == STATUS_OK && !row) {
        status = error_set(error, STATUS_NOT_FOUND, "there is no object %s", view->sha256);
    } else if (status == STATUS_OK) {
        view->size = (size_t)statement_i64(&query, 0);
        *in_file = sqlite3_column_type(query.statement, 1) == SQLITE_NULL;
        status = *in_file ? STATUS_OK : copy_blob(&query, view, error);
    }
    statement_end(&query);
    reader_end(&store->readers, connection);
    return status;
}

static enum status open_view(struct store *store, struct object_view *view, struct error *error)
{
    int in_file = 0, missing = 0;
    enum status status = read_row(store, view, &in_file, error);
    if (status == STATUS_OK && in_file) {
        status = map_file(store, view, &missing, error);
    }
    if (missing) { /* lost, or deleted since we saw its row? */
        status = read_row(store, view, &in_file, error);
        if (status == STATUS_OK) {
            status = error_set(error, STATUS_OBJECT_CORRUPT, "the file of object %s is missing", view->sha256);
        }
    }
    return status;
}

/* ---- sharing ---- */

static void free_view(struct object_view *view)
{
    if (view->is_file) {
        munmap(view->bytes, view->size);
    } else {
        free(view->bytes);
    }
    free(view);
}

/* With the lock held: takes the view out of the list. */
static void unlink_view(struct object_cache *cache, const struct object_view *view)
{
    struct object_view **link = &cache->first;
    while (*link != NULL && *link != view) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = view->next;
    }
}

static void leave(struct object_cache *cache, struct object_view *view)
{
    pthread_mutex_lock(&cache->lock);
    int last = --view->users == 0;
    if (last) {
        unlink_view(cache, view);
    }
    pthread_mutex_unlock(&cache->lock);
    if (last) {
        free_view(view);
    }
}

/* Joins the view of `sha256`, waiting while another opens it; or makes one, to be opened by the caller (*is_new). */
static struct object_view *join(struct object_cache *cache, const char *sha256, int *is_new)
{
    pthread_mutex_lock(&cache->lock);
    struct object_view *view = cache->first;
    while (view != NULL && strcmp(view->sha256, sha256) != 0) {
        view = view->next;
    }
    *is_new = view == NULL;
    if (*is_new) {
        view = calloc(1, sizeof(*view));
        if (view != NULL) {
            memcpy(view->sha256, sha256, SHA256_TEXT);
            view->users = 1;
            view->next = cache->first;
            cache->first = view;
        }
    } else {
        view->users++;
        while (view->state == OPENING) {
            pthread_cond_wait(&cache->opened, &cache->lock);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return view;
}

/* What failed once is tried anew by whoever asks next: so a failed view leaves the list at once. */
static void tell_opened(struct object_cache *cache, struct object_view *view, enum status status)
{
    pthread_mutex_lock(&cache->lock);
    view->state = status == STATUS_OK ? OPEN : FAILED;
    if (status != STATUS_OK) {
        unlink_view(cache, view);
    }
    pthread_cond_broadcast(&cache->opened);
    pthread_mutex_unlock(&cache->lock);
}

enum status object_map(struct object_map *map, struct store *store, const char *sha256, struct error *error)
{
    *map = (struct object_map){.bytes = NULL};
    if (strlen(sha256) != SHA256_TEXT - 1) {
        return error_set(error, STATUS_NOT_FOUND, "there is no object %.64s", sha256);
    }
    int is_new;
    struct object_view *view = join(&store->objects, sha256, &is_new);
    if (view == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an object");
    }
    if (is_new) {
        enum status status = open_view(store, view, &view->failure);
        tell_opened(&store->objects, view, status);
    }
    if (view->state == FAILED) {
        enum status status = error_set(error, view->failure.status, "%s", view->failure.message);
        leave(&store->objects, view);
        return status;
    }
    *map = (struct object_map){.bytes = view->bytes, .size = view->size, .view = view};
    return STATUS_OK;
}

void object_unmap(struct store *store, struct object_map *map)
{
    if (map->view != NULL) {
        leave(&store->objects, map->view);
    }
    *map = (struct object_map){.bytes = NULL};
}
