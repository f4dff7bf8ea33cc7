/*
 * Files below the folder that the operator opened to requests (--data-root): the only place where a request names a file.
 *
 * A path is walked segment by segment, each opened from its folder's descriptor. No segment may be "..", a symbolic link
 * or anything but a folder (the last: a regular file), so nothing outside can be reached, whatever the folder holds or
 * becomes meanwhile. (openat2 would do the same in one call where the kernel and the sandbox around us have it; one way
 * that works everywhere is easier to trust.)
 */
#ifndef DESCENT_SERVER_DATA_ROOT_H
#define DESCENT_SERVER_DATA_ROOT_H

#include "core/base/status.h"

/* Whether `root` can serve as data root: a folder that may be entered. STATUS_CONFIG_INVALID. */
MUST_CHECK enum status data_root_check(const char *root, struct error *error);

/*
 * Opens root/path for reading; the caller closes *fd. Errors carry `pointer`, the place of the path in the request.
 * STATUS_PATH_FORBIDDEN: `root` is NULL, no paths are allowed here. STATUS_PATH_INVALID: absolute, too long, an empty
 * segment, "." or "..". STATUS_PATH_NOT_FOUND: no regular file that can be read, or a symbolic link on the way (one
 * answer for all: what the folder holds otherwise is nobody's business).
 */
MUST_CHECK enum status data_root_open(const char *root, const char *path, const char *pointer, int *fd, struct error *error);

#endif
