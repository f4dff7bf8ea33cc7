/*
 * Rows of float32 features with a label each, in; a canonical data-set block, out.
 *
 * Every source of tables ends here: CSV files, inline JSON data, generators. Features go to the sink as they come; only
 * the labels and the class names are held until the end, when the classes get their final order: ascending by value if
 * every name is a decimal number, by bytes otherwise. So the block, and with it the data set's identity, does not depend
 * on which class happens to come first.
 */
#ifndef DESCENT_CORE_DATA_TABLE_WRITER_H
#define DESCENT_CORE_DATA_TABLE_WRITER_H

#include "core/data/dataset.h"
#include "core/data/sink.h"

/* What a table looks like. Strings are copied. */
struct table_spec {
    uint32_t features;                   /* 1 ... DATASET_MAX_FEATURES */
    const char *const *feature_names;    /* [features], or NULL */
    uint32_t soft_classes;               /* 0: rows carry a label; else 2 ... DATASET_MAX_CLASSES probabilities */
    const char *const *soft_class_names; /* [soft_classes], kept in this order; NULL: "0", "1", ... */
    uint64_t max_rows;                   /* 0: DATASET_MAX_ROWS */
    uint64_t max_cells;                  /* rows * (features + soft_classes); 0: DATASET_MAX_CELLS */
};

struct table_writer;

/*
 * Gives a writer to be freed with table_writer_free. STATUS_DATASET_TOO_LARGE, STATUS_LABELS_SINGLE_CLASS,
 * STATUS_TOO_MANY_CLASSES for counts out of range; STATUS_NAME_INVALID, STATUS_LABEL_INVALID for names.
 */
MUST_CHECK enum status table_writer_new(struct table_writer **writer, const struct table_spec *spec, struct sink sink,
                                        struct error *error);

/*
 * One row: x [features], label [label_length] UTF-8 without NUL, 1 ... DATASET_CLASS_NAME_MAX bytes (need not be
 * NUL-terminated). Errors carry the row's number, from 1, as `line` and the feature's, from 1, as `column` (0: the label):
 * STATUS_NON_FINITE_VALUE, STATUS_LABEL_INVALID, STATUS_TOO_MANY_CLASSES, STATUS_DATASET_TOO_LARGE. A writer that
 * failed can only be freed.
 */
MUST_CHECK enum status table_writer_row(struct table_writer *writer, const float *x, const char *label, size_t label_length,
                                        struct error *error);

/*
 * One row with probabilities [soft_classes], kept as they are. STATUS_SOFT_LABEL_INVALID unless soft_label_valid, and the
 * errors of table_writer_row.
 */
MUST_CHECK enum status table_writer_soft_row(struct table_writer *writer, const float *x, const float *probabilities,
                                             struct error *error);

/* Writes labels, names and header. STATUS_DATASET_EMPTY without rows; STATUS_LABELS_SINGLE_CLASS. */
MUST_CHECK enum status table_writer_finish(struct table_writer *writer, struct error *error);
void table_writer_free(struct table_writer *writer);

#endif
