#include "core/data/dataset.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/data/block.h"

#define PREFETCH_BYTES 4096u

#define SOFT_TOLERANCE 1e-6 /* a class: six printed decimals */

#define CORRUPT(error, ...) error_set((error), STATUS_OBJECT_CORRUPT, "data set block: " __VA_ARGS__)

static enum status read_trailer(struct block_trailer *trailer, const unsigned char *bytes, size_t size, struct error *error)
{
    if ((uintptr_t)bytes % BLOCK_ALIGNMENT != 0)
        return CORRUPT(error, "not aligned to %d bytes", BLOCK_ALIGNMENT);
    if (size < sizeof *trailer || size % BLOCK_ALIGNMENT != 0)
        return CORRUPT(error, "no block has %zu bytes", size);
    memcpy(trailer, bytes + size - sizeof *trailer, sizeof *trailer);
    if (memcmp(trailer->magic, BLOCK_MAGIC, sizeof trailer->magic) != 0)
        return CORRUPT(error, "no trailer at the end");
    if (trailer->version != BLOCK_VERSION)
        return CORRUPT(error, "version %" PRIu32 ", %d is known", trailer->version, BLOCK_VERSION);
    return STATUS_OK;
}

/* The counts, each in its range, so that no product of them overflows later. */
static enum status read_shape(struct dataset *dataset, const struct block_trailer *trailer, struct error *error)
{
    uint64_t pixels = (uint64_t)trailer->height * trailer->width;

    if (trailer->feature_type > FEATURE_F32 || trailer->label_type > LABEL_SOFT || trailer->is_image > 1 ||
        trailer->has_feature_names > 1)
        return CORRUPT(error, "a type is unknown");
    if (trailer->rows < 1 || trailer->rows > DATASET_MAX_ROWS)
        return CORRUPT(error, "%" PRIu64 " rows", trailer->rows);
    if (trailer->features < 1 || trailer->features > DATASET_MAX_FEATURES)
        return CORRUPT(error, "%" PRIu32 " features", trailer->features);
    if (pixels < 1 || pixels > trailer->features || trailer->channels > trailer->features ||
        pixels * trailer->channels != trailer->features)
        return CORRUPT(error, "%" PRIu32 " features are not %" PRIu32 " x %" PRIu32 " x %" PRIu32, trailer->features,
                       trailer->channels, trailer->height, trailer->width);
    if (trailer->label_type == LABEL_NONE ? trailer->classes != 0
                                          : trailer->classes < 2 || trailer->classes > DATASET_MAX_CLASSES)
        return CORRUPT(error, "%" PRIu32 " classes", trailer->classes);
    *dataset = (struct dataset){
        .rows = trailer->rows,
        .features = trailer->features,
        .channels = trailer->channels,
        .height = trailer->height,
        .width = trailer->width,
        .is_image = (int)trailer->is_image,
        .feature_type = trailer->feature_type == FEATURE_U8 ? FEATURE_U8 : FEATURE_F32,
        .label_type = (enum label_type)trailer->label_type,
        .classes = trailer->classes,
    };
    return STATUS_OK;
}

static enum status check_layout(const struct block_trailer *trailer, const struct block_layout *layout, size_t size,
                                struct error *error)
{
    if (trailer->labels_offset != layout->labels_offset || trailer->names_offset != layout->names_offset ||
        trailer->trailer_offset != layout->trailer_offset || layout->trailer_offset + sizeof *trailer != size)
        return CORRUPT(error, "its parts do not fill %zu bytes", size);
    return STATUS_OK;
}

static enum status check_labels(const struct dataset *dataset, struct error *error)
{
    double sum;

    if (dataset->label_type == LABEL_CLASS) {
        for (uint64_t row = 0; row < dataset->rows; row++)
            if (dataset->labels[row] < 0 || (uint32_t)dataset->labels[row] >= dataset->classes)
                return CORRUPT(error, "row %" PRIu64 " has class %" PRId32 " of %" PRIu32, row, dataset->labels[row],
                               dataset->classes);
    } else if (dataset->label_type == LABEL_SOFT) {
        for (uint64_t row = 0; row < dataset->rows; row++)
            if (!soft_label_valid(dataset->soft_labels + row * dataset->classes, dataset->classes, &sum))
                return CORRUPT(error, "row %" PRIu64 " has class probabilities that are none", row);
    }
    return STATUS_OK;
}

/* Cuts the next string off text [*size]; NULL unless it is UTF-8 of minimum to maximum bytes, ended by a NUL. */
static const char *next_name(const char **text, uint64_t *size, size_t minimum, size_t maximum)
{
    const char *name = *text;
    size_t length = strnlen(name, *size < maximum + 1 ? (size_t)*size : maximum + 1);

    if (length == *size || length < minimum || length > maximum || !utf8_valid(name, length))
        return NULL;
    *text += length + 1;
    *size -= length + 1;
    return name;
}

static enum status read_names(struct dataset *dataset, const char *text, uint64_t size, int has_feature_names,
                              struct error *error)
{
    size_t feature_names = has_feature_names ? dataset->features : 0;
    const char **names = calloc(dataset->classes + feature_names + 1, sizeof *names);

    if (!names)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a data set's names");
    dataset->owned = names;
    dataset->class_names = names;
    dataset->feature_names = has_feature_names ? names + dataset->classes : NULL;
    for (uint32_t i = 0; i < dataset->classes; i++)
        if (!(names[i] = next_name(&text, &size, 1, DATASET_CLASS_NAME_MAX)))
            return CORRUPT(error, "class %" PRIu32 " has no valid name", i);
    for (size_t i = 0; i < feature_names; i++)
        if (!(names[dataset->classes + i] = next_name(&text, &size, 0, DATASET_FEATURE_NAME_MAX)))
            return CORRUPT(error, "feature %zu has no valid name", i);
    if (size != 0)
        return CORRUPT(error, "%" PRIu64 " bytes follow the names", size);
    return STATUS_OK;
}

enum status dataset_open(struct dataset *dataset, const void *bytes, size_t size, struct error *error)
{
    const unsigned char *block = bytes;
    struct block_trailer trailer;
    struct block_layout layout;
    enum status status;

    *dataset = (struct dataset){0};
    if ((status = read_trailer(&trailer, block, size, error)) || (status = read_shape(dataset, &trailer, error)))
        goto out;
    if (trailer.names_size > size) {
        status = CORRUPT(error, "%" PRIu64 " bytes of names", trailer.names_size);
        goto out;
    }
    layout = block_layout(dataset, trailer.names_size);
    if ((status = check_layout(&trailer, &layout, size, error)))
        goto out;
    dataset->x = block;
    if (dataset->label_type == LABEL_CLASS)
        dataset->labels = (const void *)(block + layout.labels_offset);
    if (dataset->label_type == LABEL_SOFT)
        dataset->soft_labels = (const void *)(block + layout.labels_offset);
    if ((status = check_labels(dataset, error)))
        goto out;
    status = read_names(dataset, (const char *)block + layout.names_offset, trailer.names_size,
                        (int)trailer.has_feature_names, error);
out:
    if (status)
        dataset_release(dataset);
    return status;
}

void dataset_release(struct dataset *dataset)
{
    free(dataset->owned);
    *dataset = (struct dataset){0};
}

void dataset_row(const struct dataset *dataset, uint64_t row, float *out)
{
    assert(row < dataset->rows);
    if (dataset->feature_type == FEATURE_U8) {
        const uint8_t *x = (const uint8_t *)dataset->x + row * dataset->features;

        for (uint32_t i = 0; i < dataset->features; i++)
            out[i] = x[i];
    } else {
        memcpy(out, (const float *)dataset->x + row * dataset->features, sizeof(float) * dataset->features);
    }
}

void dataset_prefetch(const struct dataset *dataset, uint64_t row)
{
    const size_t value = dataset->feature_type == FEATURE_F32 ? sizeof(float) : 1;
    const size_t size = dataset->features * value, most = size < PREFETCH_BYTES ? size : PREFETCH_BYTES;
    const char *x = (const char *)dataset->x + row * size;

    for (size_t at = 0; at < most; at += 64) {
        __builtin_prefetch(x + at);
    }
}

int32_t dataset_label(const struct dataset *dataset, uint64_t row)
{
    const float *soft;
    uint32_t best = 0;

    assert(row < dataset->rows);
    if (dataset->label_type == LABEL_NONE)
        return -1;
    if (dataset->label_type == LABEL_CLASS)
        return dataset->labels[row];
    soft = dataset->soft_labels + row * dataset->classes;
    for (uint32_t i = 1; i < dataset->classes; i++)
        if (soft[i] > soft[best])
            best = i;
    return (int32_t)best;
}

int soft_label_valid(const float *row, uint32_t classes, double *sum)
{
    int valid = 1;

    *sum = 0;
    for (uint32_t i = 0; i < classes; i++) {
        valid &= row[i] >= 0 && isfinite(row[i]);
        *sum += (double)row[i];
    }
    return valid && fabs(*sum - 1) <= SOFT_TOLERANCE * classes;
}

void dataset_class_counts(const struct dataset *dataset, uint64_t *counts)
{
    memset(counts, 0, sizeof *counts * dataset->classes);
    for (uint64_t row = 0; dataset->classes > 0 && row < dataset->rows; row++)
        counts[dataset_label(dataset, row)]++;
}
