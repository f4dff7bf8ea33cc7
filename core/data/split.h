/*
 * Cutting a data set into training, validation and test rows: a pure function of labels, fractions and seed.
 *
 * Sizes: the test split has fraction * rows rows, rounded to the nearest (halves up), so has the validation split;
 * training has the rest. Stratified, each class gives to (test + validation) in proportion to its rows and from that to
 * the test split, rounded by largest remainders (Hamilton; the lower class first among equals) so that the sizes hold
 * exactly. Which rows of a class: the first ones of its shuffled rows go to the test split, the next ones to validation.
 */
#ifndef DESCENT_CORE_DATA_SPLIT_H
#define DESCENT_CORE_DATA_SPLIT_H

#include "core/data/dataset.h"

struct split_spec {
    double validation, test; /* fractions in [0, 1), together below 1 */
    int stratified;          /* the same fraction of every class, up to rounding */
};

/* Rows in ascending order, disjoint, together all rows of the data set. */
struct split {
    uint32_t *train, *validation, *test;
    uint64_t train_count, validation_count, test_count;
};

/*
 * STATUS_OUT_OF_RANGE for the fractions; STATUS_SPLIT_EMPTY when a non-zero fraction (or the training split) would get
 * no row. Free with split_release.
 */
MUST_CHECK enum status split_make(struct split *split, const struct dataset *dataset, const struct split_spec *spec,
                                  uint64_t seed, struct error *error);
void split_release(struct split *split);

enum split_part { PART_TRAIN, PART_VALIDATION, PART_TEST, PART_COUNT };
const char *split_part_name(enum split_part part); /* "train" */

struct split_rows {
    const uint32_t *rows; /* [count] */
    uint64_t count;
};
/* The rows of a part; borrows `split`. */
struct split_rows split_rows_of(const struct split *split, enum split_part part);

#endif
