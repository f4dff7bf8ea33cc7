/* The door, in tier "reference", which any processor has. */
#include "tests/core/base/bf16_products.h"

/* In index order. */
static float plain_order(int64_t k, const float *x, const float *y, float sum)
{
    for (int64_t p = 0; p < k; p++) {
        sum += x[p] * y[p];
    }
    return sum;
}

static void the_reference_tier_has_plain_products(void **state)
{
    (void)state;
    bf16_assert_order(bf16_product, plain_order);
}

static void what_is_not_finite_spreads(void **state)
{
    (void)state;
    bf16_assert_non_finite_numbers_spread(bf16_product);
}

static void plain_products_keep_subnormal_numbers(void **state)
{
    const float a = 0x1p-130f, b = 0x1p20f;
    float c;

    (void)state;
    bf16_product(0, 0, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
    assert_close((double)c, 0x1p-110, 0, 0);
}

static void the_kernel_tier_names_the_instructions(void **state)
{
    (void)state;
    assert_string_equal(kernel_tier_of(PRECISION_F32), kernel_tier());
    assert_int_equal(strncmp(kernel_tier_of(PRECISION_BF16), kernel_tier(), strlen(kernel_tier())), 0);
    assert_string_equal(kernel_tier_of(PRECISION_BF16) + strlen(kernel_tier()), "/bf16-plain");
}

static void tiers_below_avx512_have_none(void **state)
{
    (void)state;
    assert_null(bf16_product_setup(ISA_BASELINE));
    assert_null(bf16_product_setup(ISA_AVX2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_tier_has_plain_products), cmocka_unit_test(what_is_not_finite_spreads),
        cmocka_unit_test(plain_products_keep_subnormal_numbers), cmocka_unit_test(the_kernel_tier_names_the_instructions),
        cmocka_unit_test(tiers_below_avx512_have_none),
    };

    if (kernel_tier_set(ISA_REFERENCE, NULL) != STATUS_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
