/*
 * Objects: immutable bytes named by their SHA-256 (canonical data sets, model files).
 *
 * Written through a sink, in any thread, into memory first; past 64 KiB into a temporary file that is synced by
 * object_writer_finish. An object exists for others once an operation has stored its row: a small one within that
 * transaction, a large one as a file that the writer thread moves into place just before it. So there is no row without
 * its file, and a file without a row is garbage that the next start removes.
 */
#ifndef DESCENT_SERVER_STORE_OBJECT_H
#define DESCENT_SERVER_STORE_OBJECT_H

#include <stddef.h>

#include "core/data/sink.h"
#include "server/store/store.h"

#define OBJECT_INLINE_BYTES 65536 /* what is not larger lives in the database */

/*
 * A finished object on its way into the store. Release it after the operation that takes it is done; one that has failed can
 * be made again with it.
 */
struct object {
    char sha256[SHA256_TEXT];
    uint64_t size;
    unsigned char *bytes; /* small: owned; NULL: the bytes are in the temporary file */
    char temporary[64];   /* its name in DATA/tmp, "": none, or moved into place */
    struct store *store;
};
void object_release(struct object *object);

struct object_writer;
/* limit: bytes after which writing fails with STATUS_BODY_TOO_LARGE, 0: none. */
MUST_CHECK enum status object_writer_new(struct object_writer **writer, struct store *store, uint64_t limit,
                                         struct error *error);
/*
 * STATUS_INSUFFICIENT_STORAGE on a full disk, STATUS_STORAGE_ERROR on a failing one: the temporary file is removed at
 * once and every later write fails alike. Used by one thread at a time.
 */
struct sink object_writer_sink(struct object_writer *writer);
/* Makes the bytes durable and names them. On failure *object needs no release. The writer is still to be freed. */
MUST_CHECK enum status object_writer_finish(struct object_writer *writer, struct object *object, struct error *error);
/* Without a successful finish: removes what was written. NULL: nothing. */
void object_writer_free(struct object_writer *writer);

/*
 * An object's bytes for reading, 64-byte aligned, shared by all who map it at the same time. Its hash is verified at the
 * first time, and again if the file has changed since: STATUS_OBJECT_CORRUPT. STATUS_NOT_FOUND: no such object.
 * Blocks for the disk; any thread. Stays good after the object was deleted, until object_unmap.
 */
struct object_map {
    const void *bytes;
    size_t size;
    struct object_view *view; /* private */
};
MUST_CHECK enum status object_map(struct object_map *map, struct store *store, const char *sha256, struct error *error);
/* A zeroed map: nothing. */
void object_unmap(struct store *store, struct object_map *map);

#endif
