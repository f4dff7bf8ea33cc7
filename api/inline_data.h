/*
 * Data sets that come inside a request: {"x": [[1, 2], ...], "y": ["a", ...]}. The rows go from the body's text straight
 * into a canonical block. y: strings or numbers, both as names; or rows of class probabilities (soft labels).
 */
#ifndef DESCENT_API_INLINE_DATA_H
#define DESCENT_API_INLINE_DATA_H

#include "core/data/sink.h"

struct json_span;
struct json_writer;
struct problem;

/*
 * Writes the block of x and y, arrays that stand at pointer/x and pointer/y, into *block (empty; the caller releases it).
 * The first error goes to `problem`: STATUS_TYPE_MISMATCH, STATUS_NUMBER_OUT_OF_RANGE, STATUS_FEATURE_COUNT_MISMATCH
 * (ragged rows), STATUS_CLASS_COUNT_MISMATCH (ragged probabilities), STATUS_ROW_COUNT_MISMATCH, and table_writer.h's.
 */
void inline_data_decode(struct buffer_sink *block, const struct json_span *x, const struct json_span *y, const char *pointer,
                        struct problem *problem);
/* The members "x" and "y" of a block, which decode into the same block again. */
void inline_data_encode(const struct buffer_sink *block, struct json_writer *writer);

#endif
