/*
 * Push parsers of data-set files: bytes in, in pieces of any size, a canonical block out.
 *
 * The result, or the error, does not depend on how the input is cut into pieces. A parser holds O(row + classes + labels),
 * never the features. After an error every call repeats it. Formats are one table (parser.c); each is one file (csv.c,
 * idx.c), which says how it reads.
 */
#ifndef DESCENT_CORE_DATA_PARSER_H
#define DESCENT_CORE_DATA_PARSER_H

#include "core/data/sink.h"

enum data_format { DATA_CSV, DATA_IDX, DATA_FORMAT_COUNT };

struct parse_options {
    const char *label;         /* CSV: label column by name or 0-based index; NULL: the last */
    const char *label_columns; /* CSV: comma-separated columns of class probabilities; NULL: none */
    uint64_t max_cells;        /* rows * (features + probabilities); 0: DATASET_MAX_CELLS */
    uint64_t max_rows;         /* 0: DATASET_MAX_ROWS */
};

struct dataset_parser;

const char *data_format_name(enum data_format format);       /* "csv", "idx" */
const char *data_format_media_type(enum data_format format); /* "text/csv", "application/x-idx" */

/* New parser writing to `sink`. options may be NULL. Gives ownership; free with dataset_parser_free. */
MUST_CHECK enum status dataset_parser_new(struct dataset_parser **parser, enum data_format format,
                                          const struct parse_options *options, struct sink sink, struct error *error);
MUST_CHECK enum status dataset_parser_feed(struct dataset_parser *parser, const void *bytes, size_t size,
                                           struct error *error);
/* End of input: checks completeness, writes labels, names and header. */
MUST_CHECK enum status dataset_parser_finish(struct dataset_parser *parser, struct error *error);
void dataset_parser_free(struct dataset_parser *parser);

#endif
