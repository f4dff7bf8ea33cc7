/* Small files, read whole: the operator's (tokens, certificates, keys), and those in which the system tells its figures. */
#ifndef DESCENT_SERVER_TEXT_FILE_H
#define DESCENT_SERVER_TEXT_FILE_H

#include <stddef.h>

#include "core/base/status.h"

#define TEXT_FILE_BYTES_MAX (1 << 20)

enum text_file_kind {
    TEXT_FILE_PUBLIC,
    TEXT_FILE_SECRET, /* refused when everybody may open it */
};

/*
 * Reads `path` into *text, owned by the caller, which a NUL ends. `what` ("the key") begins the messages.
 * STATUS_CONFIG_INVALID: it is missing, cannot be opened or read, is no regular file, is larger than
 * TEXT_FILE_BYTES_MAX, is open to everybody.
 */
MUST_CHECK enum status text_file_read(const char *path, const char *what, enum text_file_kind kind, char **text,
                                      struct error *error);

/* The same of an open file, from where it stands; `path` is for messages only. */
MUST_CHECK enum status text_file_read_open(int fd, const char *path, const char *what, enum text_file_kind kind, char **text,
                                           struct error *error);

/* A file of the system's, as far as it fits into `room` with its NUL; "" where there is none. */
void text_file_read_system(const char *path, char *text, size_t room);

/* Overwrites and frees; NULL is fine. */
void text_file_free_secret(char *text);

#endif
