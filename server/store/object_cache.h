/* Which objects are mapped, and which files are known to be whole. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_OBJECT_CACHE_H
#define DESCENT_SERVER_STORE_OBJECT_CACHE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "api/views.h"
#include "core/base/status.h"

#define VERIFIED_MAX 64

/* A file whose hash was verified, as it was then. */
struct verified_file {
    char sha256[SHA256_TEXT];
    uint64_t inode, size;
    struct timespec changed;
};

struct object_cache {
    pthread_mutex_t lock; /* guards all below; a leaf, never held while reading or hashing */
    pthread_cond_t opened;
    struct object_view *first;
    struct verified_file verified[VERIFIED_MAX]; /* the latest ones, a ring */
    unsigned next_verified;
};

MUST_CHECK enum status object_cache_init(struct object_cache *cache, struct error *error);
/* Nothing may be mapped any more. */
void object_cache_close(struct object_cache *cache);

#endif
