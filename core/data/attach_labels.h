/* Images that await their labels, and the labels: one labelled data set. */
#ifndef DESCENT_CORE_DATA_ATTACH_LABELS_H
#define DESCENT_CORE_DATA_ATTACH_LABELS_H

#include "core/data/dataset.h"
#include "core/data/sink.h"

/*
 * Writes a new canonical block to the sink: the features of `images` (whose own labels, if any, are left out) and
 * labels [count]. Classes are 0 ... the largest label, named by their numbers. STATUS_ROW_COUNT_MISMATCH;
 * STATUS_LABEL_OUT_OF_RANGE with the row (from 1) as `line`; STATUS_LABELS_SINGLE_CLASS when all labels are equal.
 */
MUST_CHECK enum status dataset_attach_labels(const struct dataset *images, const int32_t *labels, uint64_t count,
                                             struct sink sink, struct error *error);

#endif
