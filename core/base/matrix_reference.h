/*
 * Plain matrix products with a fixed order of summation: equal bits on every processor. The matrix library's twins in
 * tests, and all there is in the "reference" tier.
 */
#ifndef DESCENT_CORE_BASE_MATRIX_REFERENCE_H
#define DESCENT_CORE_BASE_MATRIX_REFERENCE_H

#include <stdint.h>

/* Columns that the product of float64 works on at once; numbers of columns that are multiples of it are fastest. */
#define MATRIX_REFERENCE_COLUMNS_F64 12

/*
 * C = op(A) op(B) + beta C, row-major; op transposes where trans_a or trans_b is not 0.
 *
 *   op(A) [m][k], op(B) [k][n], C [m][n]; lda, ldb, ldc: elements from one stored row to the next.
 *   beta 0 or 1; with 0 the old C is not read.
 *
 * Each element is summed over k in index order, from 0 or from its old value, one multiplication and one addition a term.
 */
void matrix_reference_sgemm(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                            const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
/* The same of elements of A and B rounded to bfloat16 (bf16.h). */
void matrix_reference_bf16gemm(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                               const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
void matrix_reference_dgemm(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const double *a, int64_t lda,
                            const double *b, int64_t ldb, double beta, double *c, int64_t ldc);

#endif
