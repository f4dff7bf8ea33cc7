#include "inline_data.h"

#include <stdio.h>

#include "api/fields.h"
#include "api/json_rows.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "core/data/table_writer.h"

#define MAX_BYTES ((size_t)64 << 20) /* of a block: no body of the size that is accepted makes a larger one */

/* Both arrays while they are read, side by side. */
struct reading {
    struct json_rows x, y;
    int soft;
    struct table_writer *writer;
};

/* Row by row; the writer is made when the first row has told the widths. */
static enum status copy_rows(struct reading *r, struct sink sink, struct error *error)
{
    for (uint64_t row = 0; row < r->x.span.count; row++) {
        const float *x, *probabilities = NULL;
        const char *label = NULL;
        size_t size = 0;
        enum status status = json_rows_next(&r->x, &x, error);

        if (status == STATUS_OK) {
            status =
                r->soft ? json_rows_next(&r->y, &probabilities, error) : json_rows_next_label(&r->y, &label, &size, error);
        }
        if (status == STATUS_OK && r->writer == NULL) {
            struct table_spec spec = {.features = r->x.width, .soft_classes = r->y.width};

            status = table_writer_new(&r->writer, &spec, sink, error);
        }
        if (status == STATUS_OK) {
            status = r->soft ? table_writer_soft_row(r->writer, x, probabilities, error)
                             : table_writer_row(r->writer, x, label, size, error);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return table_writer_finish(r->writer, error);
}

/* The table's own errors name row and column; here they become pointers. */
static void add_error(const struct error *error, const char *pointer, struct problem *problem)
{
    struct error placed = *error;

    if (error->pointer[0] != '\0') {
        problem_add(problem, error);
        return;
    }
    if (error->line == 0) {
        snprintf(placed.pointer, sizeof placed.pointer, "%s/y", pointer);
    } else if (error->column > 0) {
        snprintf(placed.pointer, sizeof placed.pointer, "%s/x/%lld/%lld", pointer, (long long)error->line - 1,
                 (long long)error->column - 1);
    } else {
        snprintf(placed.pointer, sizeof placed.pointer, "%s/y/%lld", pointer, (long long)error->line - 1);
    }
    placed.line = placed.column = 0;
    problem_add(problem, &placed);
}

void inline_data_decode(struct buffer_sink *block, const struct json_span *x, const struct json_span *y, const char *pointer,
                        struct problem *problem)
{
    char x_pointer[FIELD_POINTER_TEXT], y_pointer[FIELD_POINTER_TEXT];
    struct error error = {.status = STATUS_OK};

    field_pointer(x_pointer, pointer, "x");
    field_pointer(y_pointer, pointer, "y");
    if (x->count == 0) {
        problem_add_field(problem, STATUS_DATASET_EMPTY, x_pointer, NULL, "there is no row");
        return;
    }
    if (x->count != y->count) {
        problem_add_field(problem, STATUS_ROW_COUNT_MISMATCH, y_pointer, NULL, "%zu labels for %zu rows", y->count,
                          x->count);
        return;
    }
    block->limit = MAX_BYTES;
    struct reading r = {
        .x = {.pointer = x_pointer,
              .span = *x,
              .max_width = DATASET_MAX_FEATURES,
              .width_error = STATUS_FEATURE_COUNT_MISMATCH},
        .y = {.pointer = y_pointer,
              .span = *y,
              .max_width = DATASET_MAX_CLASSES,
              .width_error = STATUS_CLASS_COUNT_MISMATCH},
    };
    r.soft = json_rows_is_nested(&r.y);
    if (copy_rows(&r, buffer_sink(block), &error) != STATUS_OK) {
        add_error(&error, pointer, problem);
    }
    table_writer_free(r.writer);
    json_rows_release(&r.x);
    json_rows_release(&r.y);
}

static void encode_y(const struct dataset *dataset, uint64_t row, struct json_writer *writer)
{
    if (dataset->label_type != LABEL_SOFT) {
        json_string(writer, dataset->class_names[dataset->labels[row]]);
        return;
    }
    json_begin_array(writer);
    for (uint32_t c = 0; c < dataset->classes; c++) {
        json_float(writer, dataset->soft_labels[row * dataset->classes + c]);
    }
    json_end_array(writer);
}

void inline_data_encode(const struct buffer_sink *block, struct json_writer *writer)
{
    struct dataset dataset;
    struct error ignored = {.status = STATUS_OK}; /* the writer's failure says it */

    if (dataset_open(&dataset, block->data, block->size, &ignored) != STATUS_OK) {
        writer->text.failed = 1; /* a block of our own that cannot be opened: there is no memory for its names */
        return;
    }
    const float *x = dataset.x;
    json_key(writer, "x");
    json_begin_array(writer);
    for (uint64_t row = 0; row < dataset.rows; row++) {
        json_begin_array(writer);
        for (uint32_t i = 0; i < dataset.features; i++) {
            json_float(writer, x[row * dataset.features + i]);
        }
        json_end_array(writer);
    }
    json_end_array(writer);
    json_key(writer, "y");
    json_begin_array(writer);
    for (uint64_t row = 0; row < dataset.rows; row++) {
        encode_y(&dataset, row, writer);
    }
    json_end_array(writer);
    dataset_release(&dataset);
}
