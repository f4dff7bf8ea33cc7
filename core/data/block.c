#include "core/data/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE 65536

static uint64_t align(uint64_t offset)
{
    return (offset + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

struct block_layout block_layout(const struct dataset *shape, uint64_t names_size)
{
    struct block_layout layout;
    uint64_t value_size = shape->feature_type == FEATURE_U8 ? 1 : sizeof(float);
    uint64_t row_labels_size = shape->label_type == LABEL_CLASS  ? sizeof(int32_t)
                               : shape->label_type == LABEL_SOFT ? sizeof(float) * shape->classes
                                                                 : 0;

    layout.features_size = shape->rows * shape->features * value_size;
    layout.labels_offset = align(layout.features_size);
    layout.labels_size = shape->rows * row_labels_size;
    layout.names_offset = align(layout.labels_offset + layout.labels_size);
    layout.trailer_offset = align(layout.names_offset + names_size);
    return layout;
}

enum status block_writer_init(struct block_writer *writer, struct sink sink, struct error *error)
{
    *writer = (struct block_writer){.sink = sink, .buffer = malloc(BUFFER_SIZE)};
    if (!writer->buffer)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a write buffer");
    return STATUS_OK;
}

void block_writer_release(struct block_writer *writer)
{
    free(writer->buffer);
    writer->buffer = NULL;
}

static enum status flush(struct block_writer *writer, struct error *error)
{
    size_t used = writer->used;

    writer->used = 0;
    return used == 0 ? STATUS_OK : writer->sink.write(writer->sink.context, writer->buffer, used, error);
}

enum status block_writer_put(struct block_writer *writer, const void *bytes, size_t size, struct error *error)
{
    writer->written += size;
    if (size > BUFFER_SIZE - writer->used) {
        enum status status = flush(writer, error);

        if (status)
            return status;
        if (size >= BUFFER_SIZE)
            return writer->sink.write(writer->sink.context, bytes, size, error);
    }
    if (size > 0)
        memcpy(writer->buffer + writer->used, bytes, size);
    writer->used += size;
    return STATUS_OK;
}

static enum status put_padding(struct block_writer *writer, struct error *error)
{
    static const unsigned char zero[BLOCK_ALIGNMENT];

    return block_writer_put(writer, zero, (size_t)(align(writer->written) - writer->written), error);
}

static enum status put_names(struct block_writer *writer, const char *const *names, uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        enum status status = block_writer_put(writer, names[i], strlen(names[i]) + 1, error);

        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status block_writer_finish(struct block_writer *writer, const struct dataset *dataset, struct error *error)
{
    struct block_layout layout = block_layout(dataset, 0);
    const void *labels = dataset->label_type == LABEL_SOFT ? (const void *)dataset->soft_labels : dataset->labels;
    uint64_t names_size;
    enum status status;

    assert(writer->written == layout.features_size);
    if ((status = put_padding(writer, error)) ||
        (status = block_writer_put(writer, labels, (size_t)layout.labels_size, error)) ||
        (status = put_padding(writer, error)) ||
        (status = put_names(writer, dataset->class_names, dataset->classes, error)) ||
        (dataset->feature_names && (status = put_names(writer, dataset->feature_names, dataset->features, error))))
        return status;
    names_size = writer->written - layout.names_offset;
    if ((status = put_padding(writer, error)))
        return status;

    struct block_trailer trailer = {
        .version = BLOCK_VERSION,
        .feature_type = dataset->feature_type,
        .label_type = dataset->label_type,
        .is_image = (uint32_t)dataset->is_image,
        .rows = dataset->rows,
        .features = dataset->features,
        .channels = dataset->channels,
        .height = dataset->height,
        .width = dataset->width,
        .classes = dataset->classes,
        .has_feature_names = dataset->feature_names != NULL,
        .labels_offset = layout.labels_offset,
        .names_offset = layout.names_offset,
        .names_size = names_size,
        .trailer_offset = writer->written,
    };
    memcpy(trailer.magic, BLOCK_MAGIC, sizeof trailer.magic);
    if ((status = block_writer_put(writer, &trailer, sizeof trailer, error)))
        return status;
    return flush(writer, error);
}
