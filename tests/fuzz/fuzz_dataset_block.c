/*
 * Canonical blocks. Most of the work is to get behind the trailer, so the input is put together as a block: its last bytes
 * are the trailer, and where the first byte is odd, magic, version and offsets are made right.
 */
#include <stdlib.h>
#include <string.h>

#include "core/data/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct dataset *dataset)
{
    float *row = malloc(dataset->features * sizeof *row);
    uint64_t *counts = calloc(dataset->classes + 1, sizeof *counts);
    struct feature_stats *stats = malloc(dataset->features * sizeof *stats);
    size_t length = 0;

    if (row && counts && stats) {
        dataset_row(dataset, dataset->rows - 1, row);
        dataset_class_counts(dataset, counts);
        if (dataset_stats(dataset, NULL, 0, stats, NULL))
            __builtin_trap();
    }
    for (uint32_t i = 0; i < dataset->classes; i++)
        length += strlen(dataset->class_names[i]);
    for (uint32_t i = 0; dataset->feature_names && i < dataset->features; i++)
        length += strlen(dataset->feature_names[i]);
    if (length > SIZE_MAX / 2)
        __builtin_trap();
    free(row);
    free(counts);
    free(stats);
}

static void mend(unsigned char *block, size_t size)
{
    struct block_trailer trailer;
    struct dataset shape;
    struct block_layout layout;

    memcpy(&trailer, block + size - sizeof trailer, sizeof trailer);
    memcpy(trailer.magic, BLOCK_MAGIC, sizeof trailer.magic);
    trailer.version = BLOCK_VERSION;
    shape = (struct dataset){.rows = trailer.rows % 64,
                             .features = trailer.features,
                             .classes = trailer.classes,
                             .feature_type = trailer.feature_type == 0 ? FEATURE_U8 : FEATURE_F32,
                             .label_type = (enum label_type)(trailer.label_type % 3)};
    trailer.rows = shape.rows;
    trailer.label_type = (uint32_t)shape.label_type;
    layout = block_layout(&shape, trailer.names_size);
    trailer.labels_offset = layout.labels_offset;
    trailer.names_offset = layout.names_offset;
    trailer.trailer_offset = layout.trailer_offset;
    memcpy(block + size - sizeof trailer, &trailer, sizeof trailer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t block_size = size == 0 ? 0 : size - 1;
    unsigned char *block = aligned_alloc(BLOCK_ALIGNMENT, (block_size + 63) / 64 * 64 + 64);
    struct dataset dataset;
    struct error error = {0};

    if (!block)
        return 0;
    if (block_size > 0)
        memcpy(block, data + 1, block_size);
    if (block_size >= sizeof(struct block_trailer) && data[0] % 2 == 1)
        mend(block, block_size);
    if (dataset_open(&dataset, block, block_size, &error) == STATUS_OK)
        use(&dataset);
    else if (error.message[0] == '\0')
        __builtin_trap();
    dataset_release(&dataset);
    free(block);
    return 0;
}
