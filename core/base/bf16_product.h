/*
 * Matrix products of operands rounded to bfloat16, summed in float32: what jobs of this precision (precision.h) train with.
 *
 * By the kernel tier: in "reference" plain (matrix_reference.h); in "avx512" with AMX where processor and operating system
 * have it, else with AVX-512 BF16 where the processor has that. There are no others. The three sum in unlike orders, so
 * which one it is belongs to the kernel tier of such jobs (kernel_tier_of). Rejected: computing the order of one with the
 * instructions of another, which takes more time than bfloat16 saves; oneDNN's products, whose order is not ours to know.
 */
#ifndef DESCENT_CORE_BASE_BF16_PRODUCT_H
#define DESCENT_CORE_BASE_BF16_PRODUCT_H

#include <stdint.h>

#include "core/base/kernel_tier.h"

/*
 * Finds out what there is; kernel_tier.c calls it once, before any product and any thread that would compute one. Returns
 * what the products are computed with: "plain", "avx512", "amx"; NULL: there are none in this kernel tier.
 */
const char *bf16_product_setup(enum instruction_set isa);

/*
 * C = op(A) op(B) + beta C, row-major, on the calling thread, as matrix_library_sgemm; but elements of A and B are rounded
 * to bfloat16 first. Only where kernel_tier_of(PRECISION_BF16) is not NULL.
 *
 *   op(A) [m][k], op(B) [k][n], C [m][n]; lda, ldb, ldc: elements from one stored row to the next.
 *   beta 0 or 1; with 0 the old C is not read.
 *
 * Takes about 200 KiB of stack. The instructions take subnormal operands for 0 and give 0 where a sum is subnormal; plain
 * products do not. Safe concurrently on disjoint C.
 */
typedef void bf16_product_kernel(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                                 const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
bf16_product_kernel bf16_product;

/* In an order of their own each, which is told where they are written (bf16_block_avx512.inc, bf16_block_amx.inc). */
bf16_product_kernel bf16_product_avx512, bf16_product_amx;

#endif
