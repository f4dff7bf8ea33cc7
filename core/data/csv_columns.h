/* What each column of a CSV file is, decided from the first row and the options. */
#ifndef DESCENT_CORE_DATA_CSV_COLUMNS_H
#define DESCENT_CORE_DATA_CSV_COLUMNS_H

#include "core/data/csv_reader.h"
#include "core/data/parser.h"

enum column_role { COLUMN_FEATURE, COLUMN_LABEL, COLUMN_PROBABILITY };

struct csv_column {
    enum column_role role;
    uint32_t index; /* among the features; among the probabilities, as listed in the options */
};

struct csv_columns {
    uint32_t count;
    struct csv_column *columns; /* [count] */
    uint32_t features, probabilities;
    uint32_t label; /* the label's column, where there is one */
    int has_header;
    char *text;               /* the header's cells */
    const char **names;       /* [count] into text; all NULL without a header */
    uint32_t *feature_column; /* [features]: the column of each */
};

/*
 * Fills *columns from the first row; csv_columns_release frees it, also after an error. STATUS_LABEL_COLUMN_MISSING,
 * STATUS_CSV_DUPLICATE_COLUMN, STATUS_CSV_NO_FEATURES, STATUS_CONFLICTING_FIELDS.
 */
MUST_CHECK enum status csv_columns_decide(struct csv_columns *columns, const struct csv_row *first,
                                          const struct parse_options *options, struct error *error);
void csv_columns_release(struct csv_columns *columns);

#endif
