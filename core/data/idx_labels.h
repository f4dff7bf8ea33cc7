/*
 * Labels from an IDX file of rank 1 (raw or gzip), pushed in pieces of any size. Class ids must lie in
 * [0, DATASET_MAX_CLASSES); they may leave gaps.
 */
#ifndef DESCENT_CORE_DATA_IDX_LABELS_H
#define DESCENT_CORE_DATA_IDX_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct idx_labels_parser;

/* Gives a parser to be freed with idx_labels_parser_free. max_rows 0: DATASET_MAX_ROWS. */
MUST_CHECK enum status idx_labels_parser_new(struct idx_labels_parser **parser, uint64_t max_rows, struct error *error);
/*
 * STATUS_IDX_BAD_MAGIC, STATUS_IDX_BAD_TYPE (integers only), STATUS_IDX_BAD_RANK, STATUS_LABEL_OUT_OF_RANGE with the row
 * (from 1) as `line`, STATUS_IDX_TRAILING_BYTES, STATUS_FORMAT_MISMATCH, STATUS_GZIP_CORRUPT, STATUS_COMPRESSION_RATIO,
 * STATUS_DATASET_TOO_LARGE. A parser that failed repeats its first error.
 */
MUST_CHECK enum status idx_labels_parser_feed(struct idx_labels_parser *parser, const void *bytes, size_t size,
                                              struct error *error);
/* End of input: STATUS_DATASET_EMPTY, STATUS_IDX_TRUNCATED. */
MUST_CHECK enum status idx_labels_parser_finish(struct idx_labels_parser *parser, struct error *error);
/* After finish: gives the labels, malloc'ed [*count]; the caller frees them. */
int32_t *idx_labels_parser_take(struct idx_labels_parser *parser, uint64_t *count);
void idx_labels_parser_free(struct idx_labels_parser *parser);

#endif
