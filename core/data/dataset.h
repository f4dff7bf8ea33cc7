/*
 * A data set in memory: feature rows with one class label (or a row of class probabilities) each.
 *
 * The canonical form is one block of bytes: [features][labels][names][trailer], written front to back while parsing
 * (block.h), so that nothing is held twice and the SHA-256 of the block is the data set's identity. A struct dataset
 * *borrows* such a block (usually a read-only mapping of its file) and never copies it.
 */
#ifndef DESCENT_CORE_DATA_DATASET_H
#define DESCENT_CORE_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum feature_type { FEATURE_U8, FEATURE_F32 };           /* images stay bytes; tables are float32 */
enum label_type { LABEL_NONE, LABEL_CLASS, LABEL_SOFT }; /* none: images that await their labels */

#define DATASET_MAX_CLASSES      4096
#define DATASET_MAX_FEATURES     1048576
#define DATASET_MAX_ROWS         2147483647 /* row numbers fit 31 bits */
#define DATASET_MAX_CELLS        2147483648 /* rows * (features + probabilities), unless a caller sets less */
#define DATASET_CLASS_NAME_MAX   128        /* bytes */
#define DATASET_FEATURE_NAME_MAX 256        /* bytes */

struct dataset {
    uint64_t rows;
    uint32_t features;                /* = channels * height * width */
    uint32_t channels, height, width; /* a table is 1 x 1 x features */
    int is_image;                     /* 1: image geometry is meaningful */
    enum feature_type feature_type;
    enum label_type label_type;
    uint32_t classes;
    const void *x;                    /* [rows][features] of feature_type, row-major */
    const int32_t *labels;            /* [rows], LABEL_CLASS */
    const float *soft_labels;         /* [rows][classes], LABEL_SOFT */
    const char *const *class_names;   /* [classes], UTF-8 */
    const char *const *feature_names; /* [features], or NULL when there are none */
    void *owned;                      /* what dataset_release frees (the name tables), not the block */
};

/*
 * Opens a canonical block (bytes [size], 64-byte aligned, must outlive the data set).
 * Every length, every label and every name is checked, the features' values are not; STATUS_OBJECT_CORRUPT says what is
 * wrong. On failure nothing needs to be released.
 */
MUST_CHECK enum status dataset_open(struct dataset *dataset, const void *bytes, size_t size, struct error *error);
void dataset_release(struct dataset *dataset);

/* One row widened to float32, no preprocessing. out [features]. */
void dataset_row(const struct dataset *dataset, uint64_t row, float *out);
/* Asks the caches for a row that will be read soon: up to a page of it. */
void dataset_prefetch(const struct dataset *dataset, uint64_t row);
/* The row's class (soft labels: its most probable one, the first of equals); -1 where there are no labels. */
int32_t dataset_label(const struct dataset *dataset, uint64_t row);
/* Rows of each class by dataset_label. counts [classes]. */
void dataset_class_counts(const struct dataset *dataset, uint64_t *counts);

/*
 * Whether row [classes] is a distribution: each value finite and >= 0, the sum, which *sum receives, within
 * classes * 1e-6 of 1 (each value may have been rounded to six decimals).
 */
int soft_label_valid(const float *row, uint32_t classes, double *sum);

struct feature_stats {
    float minimum, maximum;
    double mean, deviation; /* of the population */
};
/*
 * Statistics of every feature over rows [row_count] (NULL: all rows). stats [features], written.
 * The same bits for the same rows everywhere. STATUS_DATASET_EMPTY when there are no rows.
 */
MUST_CHECK enum status dataset_stats(const struct dataset *dataset, const uint32_t *rows, uint64_t row_count,
                                     struct feature_stats *stats, struct error *error);
/* Of all values together, from the statistics of each feature [features]. */
struct feature_stats feature_stats_overall(const struct feature_stats *stats, uint32_t features);

#endif
