/* Products by AVX-512 BF16, emulated, and the instructions themselves where there are any. */
#include "tests/core/base/bf16_products.h"
#include "tests/core/bf16_emulated.h"

#define BF16_PRODUCT emulated_product
bf16_product_kernel emulated_product;
#include "core/base/bf16_block_avx512.inc"

/* Of each pair the second term first; k is filled up with 0. */
static float order_of_sums(int64_t k, const float *x, const float *y, float sum)
{
    for (int64_t p = 0; p < k; p += 2) {
        sum = p + 1 < k ? fmaf(x[p + 1], y[p + 1], sum) : sum;
        sum = fmaf(x[p], y[p], sum);
    }
    return sum;
}

int main(void)
{
    struct bf16_instructions instructions = {"avx512", emulated_product, bf16_product_avx512, order_of_sums};

    return bf16_run_tests(&instructions);
}
