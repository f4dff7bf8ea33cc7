/* Writing an object: into memory, and past OBJECT_INLINE_BYTES into a temporary file. */
#include "server/store/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/sha256.h"
#include "server/failpoint.h"
#include "server/store/store_private.h"

struct object_writer {
    struct store *store;
    uint64_t limit, size;
    struct sha256 hash;
    char temporary[TEMPORARY_TEXT]; /* "": all is in `held` yet */
    int fd;                         /* of the temporary file, -1: none */
    struct error failure;           /* the first; every later write repeats it */
    size_t held;
    unsigned char buffer[OBJECT_INLINE_BYTES]; /* [held] bytes that are not in the file */
};

enum status object_writer_new(struct object_writer **result, struct store *store, uint64_t limit, struct error *error)
{
    struct object_writer *writer = malloc(sizeof(*writer));
    if (writer == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a file's buffer");
    }
    writer->store = store;
    writer->limit = limit;
    writer->size = 0;
    writer->temporary[0] = '\0';
    writer->fd = -1;
    writer->failure = (struct error){.status = STATUS_OK};
    writer->held = 0;
    sha256_init(&writer->hash);
    *result = writer;
    return STATUS_OK;
}

static void discard(struct object_writer *writer)
{
    if (writer->fd >= 0) {
        close(writer->fd);
        writer->fd = -1;
    }
    if (writer->temporary[0] != '\0') {
        data_dir_remove_temporary(&writer->store->dir, writer->temporary);
        writer->temporary[0] = '\0';
    }
}

static enum status fail(struct object_writer *writer, const char *what)
{
    enum status status = file_failed(errno, what, &writer->failure);
    discard(writer);
    return status;
}

static enum status write_file(struct object_writer *writer, const unsigned char *bytes, size_t size)
{
    if (writer->fd < 0) {
        char name[TEMPORARY_TEXT];
        writer->fd = data_dir_new_temporary(&writer->store->dir, name);
        if (writer->fd < 0) {
            return fail(writer, "making a temporary file");
        }
        memcpy(writer->temporary, name, sizeof(name));
        FAILPOINT_OBJECT(CREATED);
    }
    if (FAILPOINT_OBJECT_WRITES(MID, writer->fd, bytes, size) || !file_write(writer->fd, bytes, size)) {
        return fail(writer, "writing a temporary file");
    }
    return STATUS_OK;
}

/* Small pieces are gathered in the buffer, large ones go past it. */
static enum status store_bytes(struct object_writer *writer, const unsigned char *bytes, size_t size)
{
    if (size > sizeof(writer->buffer) - writer->held) {
        enum status status = write_file(writer, writer->buffer, writer->held);
        writer->held = 0;
        if (status != STATUS_OK || size > sizeof(writer->buffer)) {
            return status == STATUS_OK ? write_file(writer, bytes, size) : status;
        }
    }
    memcpy(writer->buffer + writer->held, bytes, size);
    writer->held += size;
    return STATUS_OK;
}

static enum status object_writer_write(void *context, const void *bytes, size_t size, struct error *error)
{
    struct object_writer *writer = context;
    enum status status = writer->failure.status;
    if (status == STATUS_OK && writer->limit > 0 && size > writer->limit - writer->size) {
        status = error_set(&writer->failure, STATUS_BODY_TOO_LARGE, "there is more than %llu bytes",
                           (unsigned long long)writer->limit);
        discard(writer);
    }
    if (status == STATUS_OK && size > 0) {
        sha256_update(&writer->hash, bytes, size);
        writer->size += size;
        status = store_bytes(writer, bytes, size);
    }
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "%s", writer->failure.message);
}

struct sink object_writer_sink(struct object_writer *writer)
{
    return (struct sink){.write = object_writer_write, .context = writer};
}

/* A file whose fsync failed is never synced again: the kernel may have dropped what it could not write. */
static enum status sync_file(struct object_writer *writer)
{
    enum status status = write_file(writer, writer->buffer, writer->held);
    if (status != STATUS_OK) {
        return status;
    }
    FAILPOINT_OBJECT(WRITTEN);
    if (fsync(writer->fd) != 0 || FAILPOINT_OBJECT_FAILS(FSYNCED)) {
        return fail(writer, "syncing a temporary file");
    }
    int fd = writer->fd;
    writer->fd = -1;
    return close(fd) == 0 || errno == EINTR ? STATUS_OK : fail(writer, "closing a temporary file");
}

enum status object_writer_finish(struct object_writer *writer, struct object *object, struct error *error)
{
    *object = (struct object){.size = writer->size, .store = writer->store};
    enum status status = writer->failure.status;
    if (status == STATUS_OK && writer->fd >= 0) {
        status = sync_file(writer);
    }
    if (status != STATUS_OK) {
        return error_set(error, status, "%s", writer->failure.message);
    }
    if (writer->temporary[0] != '\0') {
        memcpy(object->temporary, writer->temporary, sizeof(object->temporary));
        writer->temporary[0] = '\0';
    } else {
        object->bytes = malloc(writer->held > 0 ? writer->held : 1);
        if (object->bytes == NULL) {
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an object of %zu bytes", writer->held);
        }
        memcpy(object->bytes, writer->buffer, writer->held);
    }
    unsigned char digest[SHA256_BYTES];
    sha256_final(&writer->hash, digest);
    sha256_hex(digest, object->sha256);
    return STATUS_OK;
}

void object_writer_free(struct object_writer *writer)
{
    if (writer != NULL) {
        discard(writer);
        free(writer);
    }
}

void object_release(struct object *object)
{
    if (object->temporary[0] != '\0') {
        data_dir_remove_temporary(&object->store->dir, object->temporary);
    }
    free(object->bytes);
    *object = (struct object){.size = 0};
}
