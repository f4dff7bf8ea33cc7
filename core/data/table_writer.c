#include "core/data/table_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/data/block.h"
#include "core/data/class_names.h"

struct table_writer {
    struct block_writer block;
    uint32_t features, soft_classes;
    uint64_t rows, max_rows, max_cells;
    char **feature_names; /* [features] or NULL */
    struct class_names classes;
    void *labels; /* int32 [capacity], or float32 [capacity][soft_classes] */
    uint64_t capacity;
};

static size_t label_size(const struct table_writer *writer)
{
    return writer->soft_classes > 0 ? writer->soft_classes * sizeof(float) : sizeof(int32_t);
}

static enum status check_spec(const struct table_spec *spec, struct error *error)
{
    if (spec->features < 1 || spec->features > DATASET_MAX_FEATURES)
        return error_set(error, STATUS_DATASET_TOO_LARGE, "%" PRIu32 " features, 1 to %d are allowed", spec->features,
                         DATASET_MAX_FEATURES);
    if (spec->soft_classes == 1)
        return error_set(error, STATUS_LABELS_SINGLE_CLASS, "one class probability per row, at least 2 are needed");
    if (spec->soft_classes > DATASET_MAX_CLASSES)
        return error_set(error, STATUS_TOO_MANY_CLASSES, "%" PRIu32 " class probabilities per row, %d are allowed",
                         spec->soft_classes, DATASET_MAX_CLASSES);
    return STATUS_OK;
}

static enum status copy_feature_names(struct table_writer *writer, const char *const *names, struct error *error)
{
    if (!names)
        return STATUS_OK;
    writer->feature_names = calloc(writer->features, sizeof *writer->feature_names);
    if (!writer->feature_names)
        goto no_memory;
    for (uint32_t i = 0; i < writer->features; i++) {
        size_t length = strlen(names[i]);

        if (length > DATASET_FEATURE_NAME_MAX)
            return error_set_line(error, STATUS_NAME_INVALID, 0, (int64_t)i + 1,
                                  "the name of feature %" PRIu32 " has %zu bytes, %d are allowed", i + 1, length,
                                  DATASET_FEATURE_NAME_MAX);
        if (!utf8_valid(names[i], length))
            return error_set_line(error, STATUS_NAME_INVALID, 0, (int64_t)i + 1,
                                  "the name of feature %" PRIu32 " is not UTF-8 text", i + 1);
        if (!(writer->feature_names[i] = strdup(names[i])))
            goto no_memory;
    }
    return STATUS_OK;
no_memory:
    return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for feature names");
}

static enum status copy_soft_classes(struct table_writer *writer, const char *const *names, struct error *error)
{
    for (uint32_t i = 0; i < writer->soft_classes; i++) {
        char number[16];
        const char *name = names ? names[i] : number;
        int32_t class;
        enum status status;

        snprintf(number, sizeof number, "%" PRIu32, i);
        if ((status = class_names_number(&writer->classes, name, strlen(name), &class, error)))
            return status;
        if (class != (int32_t)i)
            return error_set(error, STATUS_LABEL_INVALID, "two classes have the same name");
    }
    return STATUS_OK;
}

enum status table_writer_new(struct table_writer **writer, const struct table_spec *spec, struct sink sink,
                             struct error *error)
{
    struct table_writer *made;
    enum status status;

    *writer = NULL;
    if ((status = check_spec(spec, error)))
        return status;
    made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a table writer");
    made->features = spec->features;
    made->soft_classes = spec->soft_classes;
    made->max_rows = spec->max_rows > 0 && spec->max_rows < DATASET_MAX_ROWS ? spec->max_rows : DATASET_MAX_ROWS;
    made->max_cells = spec->max_cells > 0 ? spec->max_cells : DATASET_MAX_CELLS;
    if ((status = block_writer_init(&made->block, sink, error)) ||
        (status = copy_feature_names(made, spec->feature_names, error)) ||
        (status = copy_soft_classes(made, spec->soft_class_names, error))) {
        table_writer_free(made);
        return status;
    }
    *writer = made;
    return STATUS_OK;
}

void table_writer_free(struct table_writer *writer)
{
    if (!writer)
        return;
    for (uint32_t i = 0; writer->feature_names && i < writer->features; i++)
        free(writer->feature_names[i]);
    free(writer->feature_names);
    class_names_release(&writer->classes);
    free(writer->labels);
    block_writer_release(&writer->block);
    free(writer);
}

/* Room for one more row's label, within the limits. */
static enum status reserve_row(struct table_writer *writer, struct error *error)
{
    int64_t row = (int64_t)writer->rows + 1;
    uint64_t capacity = writer->capacity > 0 ? writer->capacity * 2 : 256;
    void *labels;

    if (writer->rows >= writer->max_rows)
        return error_set_line(error, STATUS_DATASET_TOO_LARGE, row, 0, "more than %" PRIu64 " rows", writer->max_rows);
    if (writer->rows + 1 > writer->max_cells / ((uint64_t)writer->features + writer->soft_classes))
        return error_set_line(error, STATUS_DATASET_TOO_LARGE, row, 0, "more than %" PRIu64 " values", writer->max_cells);
    if (writer->rows < writer->capacity)
        return STATUS_OK;
    labels = realloc(writer->labels, (size_t)capacity * label_size(writer));
    if (!labels)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the labels of %" PRIu64 " rows", capacity);
    writer->labels = labels;
    writer->capacity = capacity;
    return STATUS_OK;
}

static enum status put_features(struct table_writer *writer, const float *x, struct error *error)
{
    for (uint32_t i = 0; i < writer->features; i++)
        if (!isfinite(x[i]))
            return error_set_line(error, STATUS_NON_FINITE_VALUE, (int64_t)writer->rows + 1, (int64_t)i + 1,
                                  "feature %" PRIu32 " of row %" PRIu64 " is %s", i + 1, writer->rows + 1,
                                  isnan(x[i]) ? "not a number" : "infinite");
    return block_writer_put(&writer->block, x, writer->features * sizeof *x, error);
}

enum status table_writer_row(struct table_writer *writer, const float *x, const char *label, size_t label_length,
                             struct error *error)
{
    struct error local = {0};
    enum status status;
    int32_t class;

    assert(writer->soft_classes == 0);
    if ((status = reserve_row(writer, error)))
        return status;
    if ((status = class_names_number(&writer->classes, label, label_length, &class, &local)))
        return error_set_line(error, status, (int64_t)writer->rows + 1, 0, "%s", local.message);
    if ((status = put_features(writer, x, error)))
        return status;
    ((int32_t *)writer->labels)[writer->rows++] = class;
    return STATUS_OK;
}

enum status table_writer_soft_row(struct table_writer *writer, const float *x, const float *probabilities,
                                  struct error *error)
{
    enum status status;
    double sum;

    assert(writer->soft_classes > 0);
    if ((status = reserve_row(writer, error)))
        return status;
    if (!soft_label_valid(probabilities, writer->soft_classes, &sum))
        return error_set_line(error, STATUS_SOFT_LABEL_INVALID, (int64_t)writer->rows + 1, 0,
                              "class probabilities are at least 0 and sum to 1; here the sum is %.9g", sum);
    if ((status = put_features(writer, x, error)))
        return status;
    memcpy((float *)writer->labels + writer->rows * writer->soft_classes, probabilities, label_size(writer));
    writer->rows++;
    return STATUS_OK;
}

/* The classes in their final order, and the labels with them. */
static enum status settle_classes(struct table_writer *writer, struct error *error)
{
    int32_t *labels = writer->labels;
    int32_t *renumbered;
    enum status status;

    if (writer->soft_classes > 0)
        return STATUS_OK;
    if (writer->classes.count < 2)
        return error_set(error, STATUS_LABELS_SINGLE_CLASS, "all %" PRIu64 " rows have the same label", writer->rows);
    renumbered = calloc(writer->classes.count, sizeof *renumbered);
    if (!renumbered)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to sort the classes");
    status = class_names_sort(&writer->classes, renumbered, error);
    for (uint64_t row = 0; !status && row < writer->rows; row++)
        labels[row] = renumbered[labels[row]];
    free(renumbered);
    return status;
}

enum status table_writer_finish(struct table_writer *writer, struct error *error)
{
    enum status status;

    if (writer->rows == 0)
        return error_set(error, STATUS_DATASET_EMPTY, "there is no row");
    if ((status = settle_classes(writer, error)))
        return status;
    return block_writer_finish(&writer->block,
                               &(struct dataset){
                                   .rows = writer->rows,
                                   .features = writer->features,
                                   .channels = 1,
                                   .height = 1,
                                   .width = writer->features,
                                   .feature_type = FEATURE_F32,
                                   .label_type = writer->soft_classes > 0 ? LABEL_SOFT : LABEL_CLASS,
                                   .classes = writer->classes.count,
                                   .labels = writer->labels,
                                   .soft_labels = writer->labels,
                                   .class_names = (const char *const *)writer->classes.names,
                                   .feature_names = (const char *const *)writer->feature_names,
                               },
                               error);
}
