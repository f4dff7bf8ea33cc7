/* A data set's labels in the numbering of somebody else's classes: a model's, a training set's. */
#ifndef DESCENT_CORE_DATA_MATCH_LABELS_H
#define DESCENT_CORE_DATA_MATCH_LABELS_H

#include "core/data/dataset.h"

/*
 * Classes are the same where their names are. class_names [classes] -> *labels [rows], malloc'ed, the caller's; NULL where
 * the data set's own labels fit as they are (always so for soft labels, whose classes must be the same in the same order).
 * STATUS_UNKNOWN_VALUE names a class that occurs here and not there.
 */
MUST_CHECK enum status dataset_match_labels(const struct dataset *dataset, const char *const *class_names, uint32_t classes,
                                            int32_t **labels, struct error *error);

#endif
