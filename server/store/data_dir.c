/* The folder DATA and the files in it. */
#include "server/store/data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/failpoint.h"
#include "server/ids.h"

int file_write(int fd, const void *bytes, size_t size)
{
    const char *rest = bytes;
    while (size > 0) {
        ssize_t written = write(fd, rest, size);
        if (written < 0 && errno != EINTR) {
            return 0;
        }
        rest += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return 1;
}

enum status file_failed(int system_error, const char *what, struct error *error)
{
    char text[96];
    const char *reason = strerror_r(system_error, text, sizeof(text));
    switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return error_set(error, STATUS_INSUFFICIENT_STORAGE, "%s: %s", what, reason);
    case EROFS:
        return error_set(error, STATUS_READ_ONLY, "%s: %s", what, reason);
    case ENOMEM:
        return error_set(error, STATUS_OUT_OF_MEMORY, "%s: %s", what, reason);
    default:
        return error_set(error, STATUS_STORAGE_ERROR, "%s: %s", what, reason);
    }
}

static enum status unusable(const char *path, const char *name, struct error *error)
{
    char text[96];
    return error_set(error, STATUS_DATA_DIR_INVALID, "data folder %s%s: %s", path, name,
                     strerror_r(errno, text, sizeof(text)));
}

/* Why the data folder itself could not be made or opened, in other words than those of a path that was looked for. */
static enum status no_folder(const char *path, struct error *error)
{
    if (errno == ENOENT) {
        return error_set(error, STATUS_DATA_DIR_INVALID, "data folder %s: the folder that it belongs in is missing", path);
    }
    if (errno == ENOTDIR) {
        return error_set(error, STATUS_DATA_DIR_INVALID, "data folder %s: it is no folder, or a symbolic link to one", path);
    }
    return unusable(path, "", error);
}

/* Opens the folder `name` in `parent`, making it where it is missing. */
static int open_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        return -1;
    }
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A folder that was made is there after a power failure once its parent knows of it. */
static int sync_parent(int fd)
{
    int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) {
        return errno == EACCES ? 0 : -1; /* one that may not be read cannot be synced */
    }
    int failure = fsync(parent) == 0 ? 0 : errno;
    close(parent);
    errno = failure;
    return failure == 0 || failure == EINVAL || failure == EROFS ? 0 : -1;
}

/* Tries the lock on lock_fd. F_RDLCK keeps a server out, too. */
static enum status set_lock(const struct data_dir *dir, short type, struct error *error)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    if (fcntl(dir->lock_fd, F_OFD_SETLK, &lock) == 0) {
        return STATUS_OK;
    }
    if (errno == EAGAIN || errno == EACCES) {
        return error_set(error, STATUS_DATA_DIR_LOCKED, "data folder %s is open in another server", dir->path);
    }
    return unusable(dir->path, "/lock", error);
}

/* An open file description's lock: unlike a process's lock it is not lost when some other descriptor is closed. */
static enum status take_lock(struct data_dir *dir, struct error *error)
{
    dir->lock_fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0) {
        return unusable(dir->path, "/lock", error);
    }
    return set_lock(dir, F_WRLCK, error);
}

enum status data_dir_each_name(int folder_fd, enum status (*visit)(void *context, const char *name, struct error *error),
                               void *context, struct error *error)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* closedir closes it */
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        enum status status = file_failed(errno, "reading a folder of the store", error);
        if (fd >= 0) {
            close(fd);
        }
        return status;
    }
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        errno = 0;
        struct dirent *entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        if (entry == NULL) {
            status = errno == 0 ? STATUS_OK : file_failed(errno, "reading a folder of the store", error);
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            status = visit(context, entry->d_name, error);
        }
    }
    closedir(folder);
    return status;
}

static enum status purge_temporary(void *context, const char *name, struct error *error)
{
    struct data_dir *dir = context;
    size_t length = strlen(name);
    int is_ours = length > 5 && strcmp(name + length - 5, ".part") == 0;
    if (is_ours && unlinkat(dir->tmp_fd, name, 0) != 0) {
        return unusable(dir->path, "/tmp", error);
    }
    FAILPOINT(BOOT_PURGE_MID);
    return STATUS_OK;
}

static enum status name_paths(struct data_dir *dir, const char *path, struct error *error)
{
    char *real = realpath(path, NULL);
    if (real == NULL || strlen(real) >= sizeof(dir->path)) {
        errno = real == NULL ? errno : ENAMETOOLONG;
        free(real);
        return unusable(path, "", error);
    }
    snprintf(dir->path, sizeof(dir->path), "%s", real);
    snprintf(dir->database, sizeof(dir->database), "%s/descentd.db", real);
    free(real);
    return STATUS_OK;
}

enum status data_dir_open(struct data_dir *dir, const char *path, struct error *error)
{
    *dir = (struct data_dir){.fd = -1, .objects_fd = -1, .tmp_fd = -1, .lock_fd = -1};
    umask(077);
    id_new(dir->boot, "");
    dir->fd = open_folder(AT_FDCWD, path);
    if (dir->fd < 0) {
        return no_folder(path, error);
    }
    enum status status = sync_parent(dir->fd) == 0 ? STATUS_OK : unusable(path, "/..", error);
    if (status == STATUS_OK) {
        status = name_paths(dir, path, error);
    }
    if (status == STATUS_OK) {
        status = take_lock(dir, error);
    }
    if (status != STATUS_OK) {
        goto out;
    }
    FAILPOINT(BOOT_LOCK);
    dir->objects_fd = open_folder(dir->fd, "objects");
    dir->tmp_fd = dir->objects_fd < 0 ? -1 : open_folder(dir->fd, "tmp");
    if (dir->tmp_fd < 0 || fsync(dir->fd) != 0) {
        status = unusable(dir->path, dir->objects_fd < 0 ? "/objects" : "/tmp", error);
        goto out;
    }
    status = data_dir_each_name(dir->tmp_fd, purge_temporary, dir, error);
out:
    if (status != STATUS_OK) {
        data_dir_close(dir);
    }
    return status;
}

/* A folder without the file `lock` is open in no server. */
static enum status share_lock(struct data_dir *dir, struct error *error)
{
    dir->lock_fd = openat(dir->fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->lock_fd < 0) {
        return errno == ENOENT ? STATUS_OK : unusable(dir->path, "/lock", error);
    }
    return set_lock(dir, F_RDLCK, error);
}

enum status data_dir_look(struct data_dir *dir, const char *path, int exclusive, struct error *error)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    *dir = (struct data_dir){.objects_fd = -1, .tmp_fd = -1, .lock_fd = -1};
    dir->fd = open(path, flags);
    if (dir->fd < 0) {
        return errno == ENOENT ? error_set(error, STATUS_DATA_DIR_INVALID, "data folder %s: there is none", path)
                               : no_folder(path, error);
    }
    enum status status = name_paths(dir, path, error);
    if (status == STATUS_OK && exclusive) {
        status = share_lock(dir, error);
    }
    if (status == STATUS_OK) {
        dir->objects_fd = openat(dir->fd, "objects", flags);
        dir->tmp_fd = dir->objects_fd < 0 ? -1 : openat(dir->fd, "tmp", flags);
        if (dir->tmp_fd < 0) {
            status = unusable(dir->path, dir->objects_fd < 0 ? "/objects" : "/tmp", error);
        }
    }
    if (status != STATUS_OK) {
        data_dir_close(dir);
    }
    return status;
}

void data_dir_close(struct data_dir *dir)
{
    int *const fds[] = {&dir->tmp_fd, &dir->objects_fd, &dir->fd, &dir->lock_fd}; /* the lock goes last */
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (*fds[i] >= 0) {
            close(*fds[i]);
        }
        *fds[i] = -1;
    }
}

int data_dir_new_temporary(struct data_dir *dir, char name[TEMPORARY_TEXT])
{
    uint64_t number = atomic_fetch_add(&dir->temporaries, 1);
    snprintf(name, TEMPORARY_TEXT, "%s-%" PRIx64 ".part", dir->boot, number);
    return openat(dir->tmp_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void data_dir_remove_temporary(const struct data_dir *dir, const char *name)
{
    unlinkat(dir->tmp_fd, name, 0); /* what cannot be removed now goes at the next start */
}

enum status data_dir_publish(const struct data_dir *dir, const char *temporary, const char *sha256, int *moved,
                             struct error *error)
{
    /* A file without a row may stand there from before a failed transaction; the new one is known to be whole. */
    *moved = renameat(dir->tmp_fd, temporary, dir->objects_fd, sha256) == 0;
    if (!*moved || FAILPOINT_OBJECT_FAILS(RENAMED) || fsync(dir->objects_fd) != 0 || FAILPOINT_OBJECT_FAILS(DIR_FSYNCED)) {
        return file_failed(errno, "moving a file into the store", error);
    }
    return STATUS_OK;
}

int data_dir_withdraw(const struct data_dir *dir, const char *sha256, const char *temporary)
{
    return renameat(dir->objects_fd, sha256, dir->tmp_fd, temporary) == 0;
}

void data_dir_remove_object(const struct data_dir *dir, const char *sha256)
{
    unlinkat(dir->objects_fd, sha256, 0); /* what cannot be removed now goes at the next start */
}

struct object_visitor {
    enum status (*visit)(void *context, const char *sha256, struct error *error);
    void *context;
};

/* Strangers' files in the folder are left alone. */
static enum status visit_object(void *context, const char *name, struct error *error)
{
    const struct object_visitor *visitor = context;
    int is_object = strlen(name) == SHA256_TEXT - 1 && strspn(name, "0123456789abcdef") == SHA256_TEXT - 1;
    return is_object ? visitor->visit(visitor->context, name, error) : STATUS_OK;
}

enum status data_dir_each_object(const struct data_dir *dir,
                                 enum status (*visit)(void *context, const char *sha256, struct error *error), void *context,
                                 struct error *error)
{
    struct object_visitor visitor = {visit, context};
    return data_dir_each_name(dir->objects_fd, visit_object, &visitor, error);
}
