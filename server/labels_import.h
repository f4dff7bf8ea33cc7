/* From an IDX file of labels, and images that are there, to the labelled data set that the store can take. */
#ifndef DESCENT_SERVER_LABELS_IMPORT_H
#define DESCENT_SERVER_LABELS_IMPORT_H

#include "server/dataset_import.h"

struct labels_import;

/* For `images` images: their number bounds the memory. Free with labels_import_free. */
MUST_CHECK enum status labels_import_new(struct labels_import **import, uint64_t images, struct error *error);
/* Errors are those of idx_labels_parser_feed; more labels than images are STATUS_ROW_COUNT_MISMATCH. */
MUST_CHECK enum status labels_import_feed(struct labels_import *import, const void *bytes, size_t size, struct error *error);
/* The file is complete; block [size] is the images'. Blocks for the disk. */
MUST_CHECK enum status labels_import_finish(struct labels_import *import, struct store *store, const void *block,
                                            size_t size, struct imported_dataset *imported, struct error *error);
void labels_import_free(struct labels_import *import);

#endif
