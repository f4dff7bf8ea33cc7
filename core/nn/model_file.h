/*
 * The server's own model file: everything of a struct model in one block, checked on the way in. (Exports in other
 * programs' formats are core/export/.)
 */
#ifndef DESCENT_CORE_NN_MODEL_FILE_H
#define DESCENT_CORE_NN_MODEL_FILE_H

#include "core/data/sink.h"
#include "core/nn/model.h"

/* Bytes that model_file_write writes. */
uint64_t model_file_size(const struct model *model);
MUST_CHECK enum status model_file_write(const struct model *model, struct sink sink, struct error *error);
/* Copies out of `bytes`. Every length is checked, the digest recomputed: STATUS_OBJECT_CORRUPT says what is wrong. */
MUST_CHECK enum status model_file_read(struct model *model, const void *bytes, size_t size, struct error *error);

#endif
