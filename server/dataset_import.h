/*
 * From bytes that somebody sent to a data set that the store can take: the parser writes the canonical block through an
 * object's writer, the finished block is opened as every later reader will open it, and described.
 *
 * Uploads and files below the data root go this way; data sets that come inline with a job are described here, too. Nothing
 * here is stored yet: datasets_insert, datasets_label or jobs_insert do that.
 */
#ifndef DESCENT_SERVER_DATASET_IMPORT_H
#define DESCENT_SERVER_DATASET_IMPORT_H

#include "api/views.h"
#include "core/data/dataset.h"
#include "core/data/parser.h"
#include "server/store/object.h"

#define DATASET_LISTED_FEATURES 1024 /* data sets with more features are described over all values only */

/*
 * Describes an opened data set: rows, shape, status, classes with their counts, statistics of the features and of all
 * values. `format`: "csv", "idx", "inline". id, name, created_at, bytes and sha256 stay empty.
 * Release *view with dataset_view_release; nothing is left to release after an error. STATUS_OUT_OF_MEMORY.
 * Reads every value: not for a polling thread.
 */
MUST_CHECK enum status dataset_describe(const struct dataset *dataset, const char *format, struct dataset_view *view,
                                        struct error *error);

/*
 * What all imports give: the object, and its description as datasets_insert wants it (without name). Release it after
 * the operation that takes it is done; a zeroed one is nothing.
 */
struct imported_dataset {
    struct object object;
    struct dataset_view view;
};
void imported_dataset_release(struct imported_dataset *imported);

/* A file in pieces of any size. The errors are those of dataset_parser_... and of object_writer_... */
struct dataset_import;
MUST_CHECK enum status dataset_import_new(struct dataset_import **import, struct store *store, enum data_format format,
                                          const struct parse_options *options, struct error *error);
MUST_CHECK enum status dataset_import_feed(struct dataset_import *import, const void *bytes, size_t size,
                                           struct error *error);
/* The file is complete. Blocks for the disk. The import is still to be freed. */
MUST_CHECK enum status dataset_import_finish(struct dataset_import *import, struct imported_dataset *imported,
                                             struct error *error);
/* Without a successful finish: removes what was written. NULL: nothing. */
void dataset_import_free(struct dataset_import *import);

/* Images and their labels [count] as one data set (core/data/attach_labels.h). Blocks for the disk. */
MUST_CHECK enum status dataset_import_labels(struct store *store, const struct dataset *images, const int32_t *labels,
                                             uint64_t count, struct imported_dataset *imported, struct error *error);

#endif
