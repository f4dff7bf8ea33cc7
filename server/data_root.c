#include "server/data_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What running out of descriptors or a failing disk means is not the path's fault. */
static enum status open_failed(int code, const char *pointer, struct error *error)
{
    switch (code) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return error_set(error, STATUS_OUT_OF_MEMORY, "too much is open at the moment");
    case EIO:
        return error_set(error, STATUS_STORAGE_ERROR, "a file below the data root could not be read");
    default:
        return error_set_pointer(error, STATUS_PATH_NOT_FOUND, pointer, "there is no such file below the data root");
    }
}

/* The length of the segment that `path` begins with; 0: none that may be walked. */
static size_t segment_size(const char *path)
{
    size_t size = strcspn(path, "/");

    if (size > NAME_MAX || (size == 1 && path[0] == '.') || (size == 2 && path[0] == '.' && path[1] == '.')) {
        return 0;
    }
    return size;
}

static int path_is_valid(const char *path)
{
    size_t total = strlen(path);

    if (total >= PATH_MAX) {
        return 0;
    }
    for (size_t at = 0;;) {
        size_t size = segment_size(path + at);
        if (size == 0) {
            return 0;
        }
        at += size;
        if (at == total) {
            return 1;
        }
        at++;
    }
}

/* Walks from `folder`, which it closes, to the file. -1: errno tells why. */
static int walk(int folder, const char *path)
{
    char name[NAME_MAX + 1];

    for (;;) {
        size_t size = segment_size(path);
        int last = path[size] == '\0';
        memcpy(name, path, size);
        name[size] = '\0';
        /* O_NONBLOCK: a pipe must not hold us until somebody writes to it; it is refused afterwards. */
        int next =
            openat(folder, name, O_NOFOLLOW | O_CLOEXEC | (last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY));
        int failure = errno;
        close(folder);
        errno = failure;
        if (next < 0 || last) {
            return next;
        }
        folder = next;
        path += size + 1;
    }
}

enum status data_root_check(const char *root, struct error *error)
{
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int failure = folder < 0 || faccessat(folder, ".", X_OK, 0) != 0 ? errno : 0;

    if (folder >= 0) {
        close(folder);
    }
    return failure == 0 ? STATUS_OK
                        : error_set(error, STATUS_CONFIG_INVALID, "--data-root %.150s: %s", root,
                                    failure == ENOENT    ? "there is no such folder"
                                    : failure == ENOTDIR ? "it is no folder"
                                                         : "it cannot be opened");
}

enum status data_root_open(const char *root, const char *path, const char *pointer, int *fd, struct error *error)
{
    if (root == NULL) {
        return error_set_pointer(error, STATUS_PATH_FORBIDDEN, pointer, "this server was started without --data-root");
    }
    if (!path_is_valid(path)) {
        return error_set_pointer(error, STATUS_PATH_INVALID, pointer,
                                 "a path is relative to the data root and has no \".\", \"..\" or empty segments");
    }
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return open_failed(errno, pointer, error);
    }
    int file = walk(folder, path);
    if (file < 0) {
        return open_failed(errno, pointer, error);
    }
    struct stat info;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(file);
        return open_failed(ENOENT, pointer, error);
    }
    *fd = file;
    return STATUS_OK;
}
