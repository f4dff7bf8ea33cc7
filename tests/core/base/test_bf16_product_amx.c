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

/* The instructions themselves, if this processor has them. */
static bf16_product_kernel *real_product(void)
{
    const char *best = kernel_tier_detect() == ISA_AVX512 ? bf16_product_setup(ISA_AVX512) : NULL;

    return best != NULL && strcmp(best, "amx") == 0 ? bf16_product_amx : NULL;
}

static void products_have_the_bits_of_their_order(void **state)
{
    (void)state;
    bf16_assert_order(emulated_product, order_of_sums);
    if (real_product() != NULL) {
        bf16_assert_order(real_product(), order_of_sums);
    }
}

static void small_integers_are_exact(void **state)
{
    (void)state;
    bf16_assert_exact_integers(emulated_product);
}

static void what_is_not_finite_spreads(void **state)
{
    (void)state;
    bf16_assert_non_finite_numbers_spread(emulated_product);
}

static void subnormal_numbers_are_zero(void **state)
{
    const float a[2] = {0x1p-130f, 0x1p-70f}, b[2] = {0x1p20f, 0x1p-70f};
    float c = 0x1p-130f;

    (void)state;
    emulated_product(0, 0, 1, 1, 2, a, 2, b, 1, 1, &c, 1);
    assert_close((double)c, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_have_the_bits_of_their_order),
        cmocka_unit_test(small_integers_are_exact),
        cmocka_unit_test(what_is_not_finite_spreads),
        cmocka_unit_test(subnormal_numbers_are_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
