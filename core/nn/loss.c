/*
 * The rows' work is written in passes over a block of rows, so that the exponentials and logarithms, nearly all of the
 * time, run as vector code; everything between is a few operations a value.
 */
#include "core/nn/loss.h"

#include <assert.h>
#include <math.h>

#include "core/base/mathx.h"
#include "core/base/vector_clones.h"

/* Values of a block of rows: it stays in the first-level cache. */
#define BLOCK_VALUES LOSS_MAX_CLASSES
#define BLOCK_ROWS   64

double softmax_cross_entropy_normaliser(const struct softmax_loss *loss, const int32_t *labels, size_t rows)
{
    double sum = 0;

    if (loss->class_weights == NULL || labels == NULL) {
        return (double)rows;
    }
    for (size_t i = 0; i < rows; i++) {
        sum += loss->class_weights[labels[i]];
    }
    return sum;
}

/* A block of rows on its way: e [rows][classes], and what the softmax of a row i hangs on. */
struct block {
    double e[BLOCK_VALUES];      /* z - max, then exp of it, the winner's exp being 0 instead of 1 */
    double maximum[BLOCK_ROWS];  /* NaN: the row has no softmax */
    uint32_t winner[BLOCK_ROWS]; /* the first class with the largest logit */
    int ordered[BLOCK_ROWS];     /* no logit is NaN */
    double others[BLOCK_ROWS];   /* sum of e without the winner, in class order; sum of all = 1 + others */
    double log_sum[BLOCK_ROWS];  /* log1p(others) = lse - max */
};

static size_t block_rows(uint32_t classes)
{
    assert(classes >= 1 && classes <= LOSS_MAX_CLASSES);
    return BLOCK_VALUES / classes < BLOCK_ROWS ? BLOCK_VALUES / classes : BLOCK_ROWS;
}

static inline void block_exponentials(struct block *block, uint32_t classes, size_t rows)
{
    mathx_exp_array_f64(rows * classes, block->e, block->e);
    for (size_t i = 0; i < rows; i++) {
        double *e = block->e + i * classes, sum = 0;

        e[block->winner[i]] = block->maximum[i] - block->maximum[i]; /* 0, or NaN */
        for (size_t c = 0; c < classes; c++) {
            sum += e[c];
        }
        block->others[i] = sum;
    }
    mathx_log1p_array_f64(rows, block->others, block->log_sum);
}

static void block_probabilities(const struct block *block, uint32_t classes, size_t rows, double *out)
{
    for (size_t i = 0; i < rows; i++) {
        const double *e = block->e + i * classes;
        double *p = out + i * classes, total = 1 + block->others[i];

        for (size_t c = 0; c < classes; c++) {
            p[c] = e[c] / total;
        }
        p[block->winner[i]] = 1 / total;
    }
}

#define REAL            float
#define NAMED(function) function##_f32
#include "core/nn/loss.inc"
#undef REAL
#undef NAMED

#define REAL            double
#define NAMED(function) function##_f64
#include "core/nn/loss.inc"
