/* Products by AMX, emulated, and the instructions themselves where there are any. */
#include "tests/core/base/bf16_products.h"
#include "tests/core/bf16_emulated.h"

#define BF16_PRODUCT emulated_product
bf16_product_kernel emulated_product;
#include "core/base/bf16_block_amx.inc"

/* Of 32 terms the even ones and the odd ones, then both. */
static float order_of_sums(int64_t k, const float *x, const float *y, float sum)
{
    for (int64_t p = 0; p < k; p += 32) {
        float parts[2] = {0, 0};

        for (int64_t q = p; q < k && q < p + 32; q++) {
            parts[q % 2] = fmaf(x[q], y[q], parts[q % 2]);
        }
        sum += parts[0] + parts[1];
    }
    return sum;
}

int main(void)
{
    struct bf16_instructions instructions = {"amx", emulated_product, bf16_product_amx, order_of_sums};

    return bf16_run_tests(&instructions);
}
