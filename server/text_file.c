#include "server/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to `size` bytes: a file that grows meanwhile is cut where it ended. */
static enum status read_bytes(int fd, char *bytes, size_t size, const char *path, const char *what, struct error *error)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, STATUS_CONFIG_INVALID, "%s %.100s cannot be read", what, path);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    bytes[done] = '\0';
    return STATUS_OK;
}

enum status text_file_read_open(int fd, const char *path, const char *what, enum text_file_kind kind, char **text,
                                struct error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return error_set(error, STATUS_CONFIG_INVALID, "%s %.100s is not a regular file", what, path);
    if (kind == TEXT_FILE_SECRET && info.st_mode & S_IRWXO)
        return error_set(error, STATUS_CONFIG_INVALID, "%s %.100s is open to everybody: chmod o-rwx it", what, path);
    if (info.st_size > TEXT_FILE_BYTES_MAX)
        return error_set(error, STATUS_CONFIG_INVALID, "%s %.100s is larger than 1 MiB", what, path);
    char *bytes = calloc(1, (size_t)info.st_size + 1);
    if (bytes == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the %s %.100s", what, path);
    enum status status = read_bytes(fd, bytes, (size_t)info.st_size, path, what, error);
    if (status == STATUS_OK)
        *text = bytes;
    else
        text_file_free_secret(bytes);
    return status;
}

enum status text_file_read(const char *path, const char *what, enum text_file_kind kind, char **text, struct error *error)
{
    /* O_NONBLOCK: a pipe must not hold us until somebody writes to it; it is refused afterwards. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, STATUS_CONFIG_INVALID, "%s %.100s: %s", what, path,
                         errno == ENOENT ? "there is no such file" : "it cannot be opened");
    enum status status = text_file_read_open(fd, path, what, kind, text, error);
    close(fd);
    return status;
}

void text_file_read_system(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, room - 1) : 0;
    text[size > 0 ? size : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

void text_file_free_secret(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}
