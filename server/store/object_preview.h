/* The bytes of an object that is finished but has no row yet, for who describes it before it is stored. */
#ifndef DESCENT_SERVER_STORE_OBJECT_PREVIEW_H
#define DESCENT_SERVER_STORE_OBJECT_PREVIEW_H

#include "server/store/object.h"

struct object_preview {
    const void *bytes; /* [size], 64-byte aligned */
    size_t size;
    void *copy, *mapping; /* one of them is what bytes points to, owned */
};

/* Borrows nothing: good until object_preview_close, whatever happens to the object. STATUS_OUT_OF_MEMORY, _STORAGE_ERROR. */
MUST_CHECK enum status object_preview_open(struct object_preview *preview, const struct object *object, struct error *error);
/* A zeroed preview: nothing. */
void object_preview_close(struct object_preview *preview);

#endif
