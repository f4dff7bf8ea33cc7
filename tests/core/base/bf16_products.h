/* What the tests of products of bfloat16 share: shapes at all edges, and what any of them must give. */
#ifndef DESCENT_TESTS_CORE_BASE_BF16_PRODUCTS_H
#define DESCENT_TESTS_CORE_BASE_BF16_PRODUCTS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/bf16.h"
#include "core/base/bf16_product.h"
#include "core/base/matrix_reference.h"
#include "core/base/rng.h"
#include "tests/assert_close.h"

enum { BF16_MAX = 1100, BF16_LINES = 150, BF16_STRIDE = BF16_MAX + 3 };

/* m, n, k: on both sides of tiles of 16, of 32 terms, of blocks of 32, of panels of 128 columns and of 512 terms. */
static const int64_t BF16_SHAPES[][3] = {{1, 1, 1},     {1, 40, 2},   {40, 1, 3},   {2, 3, 0},     {16, 16, 32},
                                         {17, 15, 31},  {32, 32, 64}, {33, 31, 33}, {65, 48, 100}, {5, 150, 40},
                                         {34, 20, 512}, {7, 18, 513}, {9, 33, 1100}};
#define BF16_SHAPE_COUNT (sizeof BF16_SHAPES / sizeof BF16_SHAPES[0])

/* A product, and where its operands' elements are. */
struct bf16_case {
    int trans_a, trans_b;
    float beta;
    int64_t m, n, k;
};

static struct {
    float a[BF16_MAX * BF16_STRIDE], b[BF16_MAX * BF16_STRIDE];
    float before[BF16_LINES * BF16_STRIDE], c[BF16_LINES * BF16_STRIDE], twin[BF16_LINES * BF16_STRIDE];
} bf16_data;

static inline float *bf16_a(const struct bf16_case *it, int64_t i, int64_t p)
{
    return &bf16_data.a[it->trans_a ? p * BF16_STRIDE + i : i * BF16_STRIDE + p];
}

static inline float *bf16_b(const struct bf16_case *it, int64_t p, int64_t j)
{
    return &bf16_data.b[it->trans_b ? j * BF16_STRIDE + p : p * BF16_STRIDE + j];
}

static inline struct bf16_case bf16_case(size_t shape, int variant)
{
    const int64_t *sizes = BF16_SHAPES[shape];

    return (struct bf16_case){variant & 1, variant >> 1 & 1, (float)(variant >> 2), sizes[0], sizes[1], sizes[2]};
}

/* Where the case has nothing there is NaN, which must not be read; in C too, which must not be written. */
static inline void bf16_fill(const struct bf16_case *it, int integers)
{
    for (size_t i = 0; i < BF16_MAX * BF16_STRIDE; i++) {
        bf16_data.a[i] = bf16_data.b[i] = NAN;
    }
    for (size_t i = 0; i < BF16_LINES * BF16_STRIDE; i++) {
        bf16_data.before[i] = NAN;
    }
    for (int64_t p = 0; p < it->k; p++) {
        for (int64_t i = 0; i < it->m; i++) {
            const double x = rng_normal_f64(1, 99, (uint32_t)p, (uint64_t)i);

            *bf16_a(it, i, p) = integers ? (float)rint(4 * x) : (float)x;
        }
        for (int64_t j = 0; j < it->n; j++) {
            const double x = rng_normal_f64(2, 99, (uint32_t)p, (uint64_t)j);

            *bf16_b(it, p, j) = integers ? (float)rint(4 * x) : (float)x;
        }
    }
    for (int64_t i = 0; i < it->m && it->beta != 0; i++) {
        for (int64_t j = 0; j < it->n; j++) {
            bf16_data.before[i * BF16_STRIDE + j] = (float)rint(8 * rng_normal_f64(3, 99, (uint32_t)i, (uint64_t)j));
        }
    }
}

static inline void bf16_run(bf16_product_kernel *kernel, const struct bf16_case *it, float *c)
{
    memcpy(c, bf16_data.before, sizeof bf16_data.before);
    kernel(it->trans_a, it->trans_b, it->m, it->n, it->k, bf16_data.a, BF16_STRIDE, bf16_data.b, BF16_STRIDE, it->beta, c,
           BF16_STRIDE);
}

/* The sum of rounded terms x[p] y[p], from `sum` on. */
typedef float bf16_order(int64_t k, const float *x, const float *y, float sum);

static inline void bf16_assert_element(const struct bf16_case *it, bf16_order *order, int64_t i, int64_t j)
{
    float x[BF16_MAX], y[BF16_MAX], sum = it->beta != 0 ? bf16_data.before[i * BF16_STRIDE + j] : 0;
    const float got = bf16_data.c[i * BF16_STRIDE + j];
    double exact = (double)sum, size = fabs(exact);

    for (int64_t p = 0; p < it->k; p++) {
        x[p] = bf16_round(*bf16_a(it, i, p));
        y[p] = bf16_round(*bf16_b(it, p, j));
        exact += (double)x[p] * (double)y[p];
        size += fabs((double)x[p] * (double)y[p]);
    }
    assert_close((double)got, exact, 0, size * 1e-6);
    sum = order(it->k, x, y, sum);
    if (memcmp(&sum, &got, sizeof got) != 0) {
        fail_msg("%d %d, beta %g, %ld x %ld x %ld: (%ld, %ld) is %.9g, not %.9g", it->trans_a, it->trans_b, (double)it->beta,
                 (long)it->m, (long)it->n, (long)it->k, (long)i, (long)j, (double)got, (double)sum);
    }
}

/* Bits of the order that is told, near what float64 gives, and nothing else is written. */
static inline void bf16_assert_order(bf16_product_kernel *kernel, bf16_order *order)
{
    for (size_t shape = 0; shape < BF16_SHAPE_COUNT; shape++) {
        for (int variant = 0; variant < 8; variant++) {
            const struct bf16_case it = bf16_case(shape, variant);

            bf16_fill(&it, 0);
            bf16_run(kernel, &it, bf16_data.c);
            for (int64_t i = 0; i < BF16_LINES; i++) {
                for (int64_t j = 0; j < BF16_STRIDE; j++) {
                    if (i < it.m && j < it.n) {
                        bf16_assert_element(&it, order, i, j);
                    } else {
                        assert_true(isnan(bf16_data.c[i * BF16_STRIDE + j]));
                    }
                }
            }
        }
    }
}

/* Sums of small integers are exact in any order. */
static inline void bf16_assert_exact_integers(bf16_product_kernel *kernel)
{
    for (size_t shape = 0; shape < BF16_SHAPE_COUNT; shape++) {
        for (int variant = 0; variant < 8; variant++) {
            const struct bf16_case it = bf16_case(shape, variant);

            bf16_fill(&it, 1);
            bf16_run(kernel, &it, bf16_data.c);
            bf16_run(matrix_reference_bf16gemm, &it, bf16_data.twin);
            for (int64_t i = 0; i < it.m; i++) {
                for (int64_t j = 0; j < it.n; j++) {
                    assert_close((double)bf16_data.c[i * BF16_STRIDE + j], (double)bf16_data.twin[i * BF16_STRIDE + j], 0,
                                 0);
                }
            }
        }
    }
}

/* A number that is not finite spoils its row or column of C and no other, whatever a kernel fills up with. */
static inline void bf16_assert_non_finite_numbers_spread(bf16_product_kernel *kernel)
{
    for (int variant = 0; variant < 4; variant++) {
        const struct bf16_case it = {variant & 1, variant >> 1, 0, 35, 37, 45};

        bf16_fill(&it, 0);
        *bf16_a(&it, 33, 44) = NAN;
        *bf16_b(&it, 7, 36) = INFINITY;
        bf16_run(kernel, &it, bf16_data.c);
        for (int64_t i = 0; i < it.m; i++) {
            for (int64_t j = 0; j < it.n; j++) {
                const float got = bf16_data.c[i * BF16_STRIDE + j];

                assert_int_equal(fpclassify(got), i == 33 ? FP_NAN : j == 36 ? FP_INFINITE : FP_NORMAL);
            }
        }
    }
}

/* ---- the tests of one kind of instructions, whose state is this ---- */

struct bf16_instructions {
    const char *name; /* as bf16_product_setup tells it */
    bf16_product_kernel *emulated;
    bf16_product_kernel *real; /* for processors that have them */
    bf16_order *order;
};

/* The instructions themselves, if this processor has them: whoever has AMX has AVX-512 BF16, too. */
static inline bf16_product_kernel *bf16_real(const struct bf16_instructions *it)
{
    const char *best = kernel_tier_detect() == ISA_AVX512 ? bf16_product_setup(ISA_AVX512) : NULL;

    return best != NULL && (strcmp(best, "amx") == 0 || strcmp(best, it->name) == 0) ? it->real : NULL;
}

static inline void bf16_products_have_the_bits_of_their_order(void **state)
{
    const struct bf16_instructions *it = *state;

    bf16_assert_order(it->emulated, it->order);
    if (bf16_real(it) != NULL) {
        bf16_assert_order(bf16_real(it), it->order);
    }
}

static inline void bf16_small_integers_are_exact(void **state)
{
    bf16_assert_exact_integers(((const struct bf16_instructions *)*state)->emulated);
}

static inline void bf16_what_is_not_finite_spreads(void **state)
{
    bf16_assert_non_finite_numbers_spread(((const struct bf16_instructions *)*state)->emulated);
}

static inline void bf16_subnormal_numbers_are_zero(void **state)
{
    const struct bf16_instructions *it = *state;
    const float a[2] = {0x1p-130f, 0x1p-70f}, b[2] = {0x1p20f, 0x1p-70f};
    float c = 0x1p-130f;

    it->emulated(0, 0, 1, 1, 2, a, 2, b, 1, 1, &c, 1);
    assert_close((double)c, 0, 0, 0);
}

static inline int bf16_run_tests(struct bf16_instructions *it)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(bf16_products_have_the_bits_of_their_order, it),
        cmocka_unit_test_prestate(bf16_small_integers_are_exact, it),
        cmocka_unit_test_prestate(bf16_what_is_not_finite_spreads, it),
        cmocka_unit_test_prestate(bf16_subnormal_numbers_are_zero, it),
    };

    return cmocka_run_group_tests_name(it->name, tests, NULL, NULL);
}

#endif
