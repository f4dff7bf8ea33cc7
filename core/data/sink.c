#include "core/data/sink.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

static enum status reserve(struct buffer_sink *buffer, size_t size, struct error *error)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : 4096;
    unsigned char *data;

    while (capacity < size) {
        if (capacity > SIZE_MAX / 4)
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu bytes of data", size);
        capacity *= 2;
    }
    if (capacity == buffer->capacity)
        return STATUS_OK;
    data = aligned_alloc(ALIGNMENT, capacity);
    if (!data)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu bytes of data", capacity);
    if (buffer->size > 0)
        memcpy(data, buffer->data, buffer->size);
    free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return STATUS_OK;
}

static enum status buffer_write(void *context, const void *bytes, size_t size, struct error *error)
{
    struct buffer_sink *buffer = context;
    size_t limit = buffer->limit > 0 ? buffer->limit : SIZE_MAX / 4;
    enum status status;

    if (size > limit - buffer->size)
        return error_set(error, STATUS_DATASET_TOO_LARGE, "the data take more than %zu bytes", limit);
    if ((status = reserve(buffer, buffer->size + size, error)))
        return status;
    if (size > 0)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    return STATUS_OK;
}

struct sink buffer_sink(struct buffer_sink *buffer)
{
    return (struct sink){.write = buffer_write, .context = buffer};
}

void buffer_sink_release(struct buffer_sink *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer_sink){0};
}
