/* Data sets as clients see them: the object, pages, and a look at their rows. */
#ifndef DESCENT_API_ENCODE_DATASET_H
#define DESCENT_API_ENCODE_DATASET_H

#include <stddef.h>

#include "api/views.h"
#include "core/data/dataset.h"

struct json_writer;

void encode_dataset(const struct dataset_view *dataset, struct json_writer *writer);
void encode_dataset_list(const struct dataset_view *datasets, size_t count, int has_more, struct json_writer *writer);

/*
 * Rows offset ... offset + limit - 1, as far as there are any, each {"row", "features":[...], "label"}; soft labels:
 * "probabilities" [classes] beside the most probable label. STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status encode_dataset_rows(const struct dataset *dataset, const char *id, uint64_t offset, uint64_t limit,
                                           struct json_writer *writer, struct error *error);

#endif
