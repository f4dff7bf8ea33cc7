/*
 * The one door to oneDNN: matrix products of float32.
 *
 * In the "reference" tier they are the plain ones (matrix_reference.h), so that unlike processors give equal bits. No call's
 * shape may depend on the number of threads: the library chooses its blocking, and so its bits, by the shape.
 *
 * Rejected: products of our own with AVX2 (packed panels of 32 columns, sums of 3 rows and 4 vectors in registers, the
 * update's operands fetched meanwhile). They are a fifth faster where B is transposed and some 5 % slower elsewhere; what
 * that makes of training is less than can be measured.
 */
#ifndef DESCENT_CORE_BASE_MATRIX_LIBRARY_H
#define DESCENT_CORE_BASE_MATRIX_LIBRARY_H

#include <stdint.h>

#include "core/base/kernel_tier.h"
#include "core/base/matrix_reference.h"

/* Fixes the instruction set and strict arithmetic; kernel_tier.c calls it once, before any product. */
void matrix_library_setup(enum instruction_set isa);
/* Name and build, e.g. "onednn-2.6.3"; process lifetime. */
const char *matrix_library_name(void);

/*
 * Must be called once by every thread before it uses the library: the packaged build uses OpenMP, whose number of
 * threads is a setting of the calling thread. Our own threads share the work, so it is set to 1.
 */
void matrix_library_thread_init(void);

/*
 * C = op(A) op(B) + beta C, row-major, on the calling thread; op transposes where trans_a or trans_b is not 0.
 *
 *   op(A) [m][k], op(B) [k][n], C [m][n]; lda, ldb, ldc: elements from one stored row to the next.
 *   beta 0 or 1; with 0 the old C is not read.
 * Safe concurrently on disjoint C.
 */
void matrix_library_sgemm(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                          const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

#endif
