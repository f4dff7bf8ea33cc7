/*
 * From bytes that somebody sent to a data set in the store: the parser writes the canonical block through an object's
 * writer, the finished block is mapped, described, and handed over with its description.
 *
 * Uploads, files below the data root and data sets that come inline with a job all go this way; the description is
 * computed in one place.
 */
#ifndef DESCENT_SERVER_DATASET_IMPORT_H
#define DESCENT_SERVER_DATASET_IMPORT_H

#include "api/views.h"
#include "core/data/dataset.h"
#include "server/store/object.h"

#define DATASET_LISTED_FEATURES 1024 /* tables of more features are described over all values only */

/*
 * Describes an opened data set: rows, shape, status, classes with their counts, statistics of features and of all
 * values. id, name, created_at, bytes and sha256 stay empty; `format`: "csv", "idx", "inline", "generator".
 * Release with dataset_view_release; nothing to release after an error. STATUS_OUT_OF_MEMORY.
 * One pass over all values: not for a polling thread.
 */
MUST_CHECK enum status dataset_describe(const struct dataset *dataset, const char *format, struct dataset_view *view,
                                        struct error *error);

/* The same for an object that no row names yet: its bytes are read back, checked and described. */
MUST_CHECK enum status dataset_describe_object(const struct object *object, const char *format, struct dataset_view *view,
                                               struct error *error);

#endif
