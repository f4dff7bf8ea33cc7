#include "core/data/csv_columns.h"

#include <stdlib.h>
#include <string.h>

#include "core/data/decimal.h"
#include "core/data/excerpt.h"

#define NO_COLUMN UINT32_MAX

/* A column given by number; numbers too large for any column count as NO_COLUMN - 1. */
static int parse_index(const char *text, size_t size, uint32_t *index)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value = value > CSV_MAX_COLUMNS ? value : value * 10 + (uint32_t)(text[i] - '0');
    }
    *index = value;
    return size > 0;
}

/* The next of the comma-separated columns at *list; 0 when there is none. */
static int next_item(const char **list, const char **item, size_t *size)
{
    if (!*list)
        return 0;
    *item = *list;
    *size = strcspn(*item, ",");
    *list = (*item)[*size] == ',' ? *item + *size + 1 : NULL;
    return 1;
}

/* Whether the options name a column by something that only a header can have. */
static int asks_for_header(const struct parse_options *options)
{
    const char *list = options->label_columns, *item;
    size_t size;
    uint32_t index;

    if (options->label)
        return !parse_index(options->label, strlen(options->label), &index);
    while (next_item(&list, &item, &size))
        if (!parse_index(item, size, &index))
            return 1;
    return 0;
}

static int looks_like_header(const struct csv_row *first, const struct parse_options *options)
{
    uint32_t label = options->label_columns ? NO_COLUMN : first->cells - 1;
    double value;

    if (asks_for_header(options))
        return 1;
    if (options->label)
        (void)parse_index(options->label, strlen(options->label), &label);
    for (uint32_t i = 0; i < first->cells; i++) {
        size_t size = csv_cell_size(first, i);

        if (i != label && size > 0 && decimal_f64(csv_cell(first, i), size, &value) == DECIMAL_NONE)
            return 1;
    }
    return 0;
}

struct named_column {
    const char *name;
    uint32_t column;
};

static int compare_named(const void *a, const void *b)
{
    const struct named_column *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

static enum status check_duplicates(const struct csv_columns *columns, int64_t line, struct error *error)
{
    struct named_column *sorted = calloc(columns->count, sizeof *sorted);
    enum status status = STATUS_OK;
    char excerpt[EXCERPT_SIZE];

    if (!sorted)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for column names");
    for (uint32_t i = 0; i < columns->count; i++)
        sorted[i] = (struct named_column){.name = columns->names[i], .column = i};
    qsort(sorted, columns->count, sizeof *sorted, compare_named);
    for (uint32_t i = 1; i < columns->count && !status; i++)
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
            status = error_set_line(error, STATUS_CSV_DUPLICATE_COLUMN, line, (int64_t)sorted[i].column + 1,
                                    "columns %u and %u are both named \"%s\"", sorted[i - 1].column + 1,
                                    sorted[i].column + 1, excerpt_of(excerpt, sorted[i].name, strlen(sorted[i].name)));
    free(sorted);
    return status;
}

static enum status read_header(struct csv_columns *columns, const struct csv_row *first, struct error *error)
{
    size_t size = first->starts[first->cells];

    columns->has_header = 1;
    columns->text = malloc(size);
    if (!columns->text)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for column names");
    memcpy(columns->text, first->text, size);
    for (uint32_t i = 0; i < columns->count; i++)
        columns->names[i] = columns->text + first->starts[i];
    return check_duplicates(columns, first->line, error);
}

static enum status find_column(const struct csv_columns *columns, const char *text, size_t size, int64_t line,
                               uint32_t *column, struct error *error)
{
    char excerpt[EXCERPT_SIZE];

    for (uint32_t i = 0; i < columns->count; i++) {
        const char *name = columns->names[i];

        if (name && strlen(name) == size && memcmp(name, text, size) == 0) {
            *column = i;
            return STATUS_OK;
        }
    }
    if (parse_index(text, size, column) && *column < columns->count)
        return STATUS_OK;
    return error_set_line(error, STATUS_LABEL_COLUMN_MISSING, line, 0, "none of the %u columns is \"%s\"", columns->count,
                          excerpt_of(excerpt, text, size));
}

/* Marks the columns that are not features. */
static enum status mark_targets(struct csv_columns *columns, const struct parse_options *options, int64_t line,
                                struct error *error)
{
    const char *list = options->label_columns, *item;
    uint32_t column = columns->count - 1;
    size_t size;
    enum status status;

    if (!list) {
        if (options->label && (status = find_column(columns, options->label, strlen(options->label), line, &column, error)))
            return status;
        columns->label = column;
        columns->columns[column].role = COLUMN_LABEL;
        return STATUS_OK;
    }
    while (next_item(&list, &item, &size)) {
        if ((status = find_column(columns, item, size, line, &column, error)))
            return status;
        if (columns->columns[column].role == COLUMN_PROBABILITY)
            return error_set_line(error, STATUS_CSV_DUPLICATE_COLUMN, line, (int64_t)column + 1,
                                  "column %u is listed twice among the label columns", column + 1);
        columns->columns[column] = (struct csv_column){COLUMN_PROBABILITY, columns->probabilities++};
    }
    return STATUS_OK;
}

enum status csv_columns_decide(struct csv_columns *columns, const struct csv_row *first, const struct parse_options *options,
                               struct error *error)
{
    enum status status;

    *columns = (struct csv_columns){.count = first->cells};
    if (options->label && options->label_columns)
        return error_set(error, STATUS_CONFLICTING_FIELDS, "label and label_columns exclude each other");
    columns->columns = calloc(columns->count, sizeof *columns->columns);
    columns->names = calloc(columns->count, sizeof *columns->names);
    columns->feature_column = calloc(columns->count, sizeof *columns->feature_column);
    if (!columns->columns || !columns->names || !columns->feature_column)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u columns", columns->count);
    if (looks_like_header(first, options) && (status = read_header(columns, first, error)))
        return status;
    if ((status = mark_targets(columns, options, first->line, error)))
        return status;
    for (uint32_t i = 0; i < columns->count; i++) {
        if (columns->columns[i].role != COLUMN_FEATURE)
            continue;
        columns->columns[i].index = columns->features;
        columns->feature_column[columns->features++] = i;
    }
    if (columns->features == 0)
        return error_set_line(error, STATUS_CSV_NO_FEATURES, first->line, 0,
                              "the file's %u columns leave none for features (columns are separated by commas)",
                              columns->count);
    return STATUS_OK;
}

void csv_columns_release(struct csv_columns *columns)
{
    free(columns->columns);
    free(columns->names);
    free(columns->feature_column);
    free(columns->text);
    *columns = (struct csv_columns){0};
}
