/* A mapping of the temporary file, or an aligned copy of a small object's bytes. */
#include "server/store/object_preview.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/store/store_private.h"

#define ALIGNMENT 64

static enum status copy_bytes(struct object_preview *preview, const struct object *object, struct error *error)
{
    size_t size = (size_t)object->size;

    preview->copy = aligned_alloc(ALIGNMENT, (size / ALIGNMENT + 1) * ALIGNMENT);
    if (preview->copy == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an object of %zu bytes", size);
    }
    if (size > 0) {
        memcpy(preview->copy, object->bytes, size);
    }
    preview->bytes = preview->copy;
    preview->size = size;
    return STATUS_OK;
}

static enum status map_temporary(struct object_preview *preview, const struct object *object, struct error *error)
{
    int fd = openat(object->store->dir.tmp_fd, object->temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return file_failed(errno, "opening a temporary file", error);
    }
    size_t size = (size_t)object->size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    int failure = errno;
    close(fd);
    if (bytes == MAP_FAILED) {
        return file_failed(failure, "mapping a temporary file", error);
    }
    preview->mapping = bytes;
    preview->bytes = bytes;
    preview->size = size;
    return STATUS_OK;
}

enum status object_preview_open(struct object_preview *preview, const struct object *object, struct error *error)
{
    *preview = (struct object_preview){.bytes = NULL};
    return object->bytes != NULL ? copy_bytes(preview, object, error) : map_temporary(preview, object, error);
}

void object_preview_close(struct object_preview *preview)
{
    free(preview->copy);
    if (preview->mapping != NULL) {
        munmap(preview->mapping, preview->size);
    }
    *preview = (struct object_preview){.bytes = NULL};
}
