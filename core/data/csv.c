#include "core/data/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/csv_columns.h"
#include "core/data/csv_reader.h"
#include "core/data/decimal.h"
#include "core/data/excerpt.h"
#include "core/data/table_writer.h"

struct csv {
    struct parse_options options; /* its strings are our copies */
    struct sink sink;
    struct csv_reader *reader;
    int started;
    struct csv_columns columns;
    struct table_writer *writer; /* from the first row on */
    float *x;                    /* [features] */
    float *probabilities;        /* [probabilities] */
};

static enum status take_row(void *context, const struct csv_row *row, struct error *error);

static void csv_free(void *state)
{
    struct csv *csv = state;

    free((char *)csv->options.label);
    free((char *)csv->options.label_columns);
    csv_reader_free(csv->reader);
    csv_columns_release(&csv->columns);
    table_writer_free(csv->writer);
    free(csv->x);
    free(csv->probabilities);
    free(csv);
}

static enum status csv_new(void **state, const struct parse_options *options, struct sink sink, struct error *error)
{
    struct csv *csv = *state = calloc(1, sizeof *csv);

    if (!csv)
        goto no_memory;
    csv->options = *options;
    csv->options.label = options->label ? strdup(options->label) : NULL;
    csv->options.label_columns = options->label_columns ? strdup(options->label_columns) : NULL;
    csv->sink = sink;
    if (!csv->options.label != !options->label || !csv->options.label_columns != !options->label_columns)
        goto no_memory;
    return csv_reader_new(&csv->reader, take_row, csv, error);
no_memory:
    return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a CSV parser");
}

/* The writer's error, with its place (row and feature) turned into the file's (line and column). */
static enum status relocate(const struct csv *csv, const struct error *from, int64_t line, struct error *error)
{
    int of_label = from->status == STATUS_LABEL_INVALID || from->status == STATUS_TOO_MANY_CLASSES;
    int64_t column = 0;

    if (from->line == 0 && from->column == 0)
        return error_set(error, from->status, "%s", from->message);
    if (from->column > 0)
        column = (int64_t)csv->columns.feature_column[from->column - 1] + 1;
    else if (of_label)
        column = (int64_t)csv->columns.label + 1;
    return error_set_line(error, from->status, line, column, "%s", from->message);
}

static enum status start_table(struct csv *csv, const struct csv_row *first, struct error *error)
{
    const struct csv_columns *columns = &csv->columns;
    const char **feature_names = calloc(columns->features, sizeof *feature_names);
    const char **class_names = calloc(columns->probabilities + 1, sizeof *class_names);
    struct error local = {0};
    enum status status = STATUS_OK;

    csv->x = calloc(columns->features, sizeof *csv->x);
    csv->probabilities = calloc(columns->probabilities + 1, sizeof *csv->probabilities);
    if (!feature_names || !class_names || !csv->x || !csv->probabilities) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u columns", columns->count);
        goto out;
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        if (columns->columns[i].role == COLUMN_FEATURE)
            feature_names[columns->columns[i].index] = columns->names[i];
        if (columns->columns[i].role == COLUMN_PROBABILITY)
            class_names[columns->columns[i].index] = columns->names[i];
    }
    const struct table_spec spec = {
        .features = columns->features,
        .feature_names = columns->has_header ? feature_names : NULL,
        .soft_classes = columns->probabilities,
        .soft_class_names = columns->has_header ? class_names : NULL,
        .max_rows = csv->options.max_rows,
        .max_cells = csv->options.max_cells,
    };
    if (table_writer_new(&csv->writer, &spec, csv->sink, &local))
        status = relocate(csv, &local, first->line, error);
out:
    free(feature_names);
    free(class_names);
    return status;
}

static enum status parse_cell(const struct csv *csv, const struct csv_row *row, uint32_t column, float *value,
                              struct error *error)
{
    const char *text = csv_cell(row, column), *name = csv->columns.names[column];
    size_t size = csv_cell_size(row, column);
    enum decimal_kind kind = decimal_f32(text, size, value);
    char excerpt[EXCERPT_SIZE], where[EXCERPT_SIZE + 4] = "";

    if (kind == DECIMAL_FINITE)
        return STATUS_OK;
    if (name)
        snprintf(where, sizeof where, " (%s)", excerpt_of(excerpt, name, strlen(name)));
    if (size == 0)
        return error_set_line(error, STATUS_CSV_NOT_NUMBER, row->line, (int64_t)column + 1, "column %u%s is empty",
                              column + 1, where);
    if (kind == DECIMAL_NON_FINITE)
        return error_set_line(error, STATUS_NON_FINITE_VALUE, row->line, (int64_t)column + 1,
                              "column %u%s has \"%s\", which is not finite in float32", column + 1, where,
                              excerpt_of(excerpt, text, size));
    return error_set_line(error, STATUS_CSV_NOT_NUMBER, row->line, (int64_t)column + 1,
                          "column %u%s has \"%s\", which is not a number", column + 1, where,
                          excerpt_of(excerpt, text, size));
}

static enum status take_data(struct csv *csv, const struct csv_row *row, struct error *error)
{
    const struct csv_columns *columns = &csv->columns;
    struct error local = {0};
    enum status status;

    if (row->cells != columns->count)
        return error_set_line(error, STATUS_CSV_RAGGED_ROW, row->line, 0, "the row has %u fields, the first has %u",
                              row->cells, columns->count);
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct csv_column *column = &columns->columns[i];
        float *values = column->role == COLUMN_FEATURE ? csv->x : csv->probabilities;

        if (column->role != COLUMN_LABEL && (status = parse_cell(csv, row, i, &values[column->index], error)))
            return status;
    }
    if (columns->probabilities > 0)
        status = table_writer_soft_row(csv->writer, csv->x, csv->probabilities, &local);
    else
        status =
            table_writer_row(csv->writer, csv->x, csv_cell(row, columns->label), csv_cell_size(row, columns->label), &local);
    return status ? relocate(csv, &local, row->line, error) : STATUS_OK;
}

static enum status take_row(void *context, const struct csv_row *row, struct error *error)
{
    struct csv *csv = context;
    enum status status;

    if (csv->writer)
        return take_data(csv, row, error);
    if ((status = csv_columns_decide(&csv->columns, row, &csv->options, error)) || (status = start_table(csv, row, error)))
        return status;
    return csv->columns.has_header ? STATUS_OK : take_data(csv, row, error);
}

static enum status csv_feed(void *state, const void *bytes, size_t size, struct error *error)
{
    static const unsigned char MARK[3] = {0xEF, 0xBB, 0xBF};
    struct csv *csv = state;
    size_t skipped = 0;

    if (!csv->started && size >= sizeof MARK && memcmp(bytes, MARK, sizeof MARK) == 0)
        skipped = sizeof MARK;
    csv->started = 1;
    return csv_reader_feed(csv->reader, (const unsigned char *)bytes + skipped, size - skipped, error);
}

static enum status csv_finish(void *state, struct error *error)
{
    struct csv *csv = state;
    enum status status = csv_reader_finish(csv->reader, error);

    if (status)
        return status;
    if (!csv->writer)
        return error_set(error, STATUS_DATASET_EMPTY, "the file has only blank lines");
    return table_writer_finish(csv->writer, error);
}

const struct format_parser csv_format = {
    .name = "csv",
    .media_type = "text/csv",
    .new = csv_new,
    .feed = csv_feed,
    .finish = csv_finish,
    .free = csv_free,
};
