/* What a store is made of. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_STORE_PRIVATE_H
#define DESCENT_SERVER_STORE_STORE_PRIVATE_H

#include "server/store/data_dir.h"
#include "server/store/object_cache.h"
#include "server/store/readers.h"
#include "server/store/store.h"
#include "server/store/writer.h"

struct store {
    struct data_dir dir;
    struct writer *writer;
    struct readers readers;
    struct object_cache objects;
};

/* An operation knows only its own head: the struct that begins with it. */
#define OP_OF(op, type) ((type *)(void *)(op))

#endif
