#include "server/unlinked_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Each start removes what ends so from DATA/tmp; this only shows between mkostemps and unlink. */
#define SUFFIX ".part"
#define NAME   "tmp/answer-XXXXXX" SUFFIX

static enum status failed(int code, struct error *error)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return error_set(error, STATUS_INSUFFICIENT_STORAGE, "there is no room for a temporary file");
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return error_set(error, STATUS_OUT_OF_MEMORY, "too much is open at the moment");
    default:
        return error_set(error, STATUS_STORAGE_ERROR, "a temporary file could not be written");
    }
}

enum status unlinked_file_open(struct unlinked_file *file, const char *data, struct error *error)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s/%s", data, NAME);

    *file = (struct unlinked_file){.stream = NULL};
    if (size < 0 || (size_t)size >= sizeof(path)) {
        return failed(ENAMETOOLONG, error);
    }
    int fd = mkostemps(path, sizeof(SUFFIX) - 1, O_CLOEXEC);
    if (fd < 0) {
        return failed(errno, error);
    }
    unlink(path);
    file->stream = fdopen(fd, "w+");
    if (file->stream == NULL) {
        int code = errno;
        close(fd);
        return failed(code, error);
    }
    sha256_init(&file->hash);
    return STATUS_OK;
}

static enum status write_bytes(void *context, const void *bytes, size_t size, struct error *error)
{
    struct unlinked_file *file = context;

    if (size > 0 && fwrite(bytes, size, 1, file->stream) != 1) {
        return failed(errno, error);
    }
    sha256_update(&file->hash, bytes, size);
    file->size += size;
    return STATUS_OK;
}

struct sink unlinked_file_sink(struct unlinked_file *file)
{
    return (struct sink){.write = write_bytes, .context = file};
}

enum status unlinked_file_finish(struct unlinked_file *file, int *fd, unsigned char digest[SHA256_BYTES],
                                 struct error *error)
{
    enum status status = STATUS_OK;

    *fd = -1;
    if (fflush(file->stream) == 0) {
        *fd = fcntl(fileno(file->stream), F_DUPFD_CLOEXEC, 0);
    }
    if (*fd < 0) {
        status = failed(errno, error);
    }
    sha256_final(&file->hash, digest);
    unlinked_file_close(file);
    return status;
}

void unlinked_file_close(struct unlinked_file *file)
{
    if (file->stream != NULL) {
        fclose(file->stream);
        file->stream = NULL;
    }
}
