#include "core/data/attach_labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/data/block.h"

#define NUMBER_TEXT 12 /* any 32-bit number and a NUL */

static enum status count_classes(const int32_t *labels, uint64_t count, uint32_t *classes, struct error *error)
{
    int32_t largest = 0;
    int several = 0;

    for (uint64_t row = 0; row < count; row++) {
        if (labels[row] < 0 || labels[row] >= DATASET_MAX_CLASSES)
            return error_set_line(error, STATUS_LABEL_OUT_OF_RANGE, (int64_t)row + 1, 0,
                                  "row %" PRIu64 " has class %" PRId32 ", 0 to %d are allowed", row + 1, labels[row],
                                  DATASET_MAX_CLASSES - 1);
        largest = labels[row] > largest ? labels[row] : largest;
        several |= labels[row] != labels[0];
    }
    if (!several)
        return error_set(error, STATUS_LABELS_SINGLE_CLASS, "all %" PRIu64 " rows have class %" PRId32, count, labels[0]);
    *classes = (uint32_t)largest + 1;
    return STATUS_OK;
}

enum status dataset_attach_labels(const struct dataset *images, const int32_t *labels, uint64_t count, struct sink sink,
                                  struct error *error)
{
    char numbers[DATASET_MAX_CLASSES][NUMBER_TEXT];
    const char *names[DATASET_MAX_CLASSES];
    struct block_writer block;
    struct dataset labelled = *images;
    enum status status;

    if (count != images->rows)
        return error_set(error, STATUS_ROW_COUNT_MISMATCH, "%" PRIu64 " labels for %" PRIu64 " rows", count, images->rows);
    if ((status = count_classes(labels, count, &labelled.classes, error)))
        return status;
    for (uint32_t i = 0; i < labelled.classes; i++) {
        snprintf(numbers[i], NUMBER_TEXT, "%" PRIu32, i);
        names[i] = numbers[i];
    }
    labelled.label_type = LABEL_CLASS;
    labelled.labels = labels;
    labelled.class_names = names;
    if ((status = block_writer_init(&block, sink, error)))
        return status;
    status = block_writer_put(&block, images->x, (size_t)block_layout(images, 0).features_size, error);
    if (!status)
        status = block_writer_finish(&block, &labelled, error);
    block_writer_release(&block);
    return status;
}
