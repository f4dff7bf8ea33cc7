/* Where a writer's bytes go: a file, a hash, a growing buffer. The core knows no files. */
#ifndef DESCENT_CORE_DATA_SINK_H
#define DESCENT_CORE_DATA_SINK_H

#include <stddef.h>

#include "core/base/status.h"

struct sink {
    enum status (*write)(void *context, const void *bytes, size_t size, struct error *error);
    void *context;
};

/*
 * A sink that keeps everything in memory. Zero-initialise; data is malloc'ed, 64-byte aligned. More than `limit` bytes
 * (0: no limit) are STATUS_DATASET_TOO_LARGE.
 */
struct buffer_sink {
    unsigned char *data;
    size_t size, capacity, limit;
};
struct sink buffer_sink(struct buffer_sink *buffer);
void buffer_sink_release(struct buffer_sink *buffer);

#endif
