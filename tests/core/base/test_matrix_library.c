#include "core/base/matrix_library.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

enum { MAX = 40, PAD = 3, STRIDE = MAX + PAD };

/* Shapes on both sides of the plain product's tiles of 4 x 16. */
static const int64_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {4, 16, 9}, {5, 17, 1}, {16, 10, 40}, {37, 33, 20}, {2, 3, 0}};

static struct {
    double a[MAX * STRIDE], b[MAX * STRIDE], c[MAX * STRIDE], want[MAX * STRIDE];
    float a32[MAX * STRIDE], b32[MAX * STRIDE], c32[MAX * STRIDE], want32[MAX * STRIDE];
} data;

static void fill(void)
{
    for (uint64_t i = 0; i < MAX * STRIDE; i++) {
        data.a[i] = (double)(data.a32[i] = (float)rng_normal_f64(1, 99, 0, i));
        data.b[i] = (double)(data.b32[i] = (float)rng_normal_f64(1, 99, 1, i));
        data.c[i] = data.want[i] = (double)(data.c32[i] = data.want32[i] = (float)rng_normal_f64(1, 99, 2, i));
    }
}

/* The definition, in the promised order of summation. */
static void define(int trans_a, int trans_b, const int64_t *shape, double beta)
{
    for (int64_t i = 0; i < shape[0]; i++) {
        for (int64_t j = 0; j < shape[1]; j++) {
            double sum = beta == 0 ? 0 : data.want[i * STRIDE + j];
            float sum32 = beta == 0 ? 0 : data.want32[i * STRIDE + j];

            for (int64_t k = 0; k < shape[2]; k++) {
                int64_t at_a = trans_a ? k * STRIDE + i : i * STRIDE + k, at_b = trans_b ? j * STRIDE + k : k * STRIDE + j;
                sum += data.a[at_a] * data.b[at_b];
                sum32 += data.a32[at_a] * data.b32[at_b];
            }
            data.want[i * STRIDE + j] = sum;
            data.want32[i * STRIDE + j] = sum32;
        }
    }
}

static void plain_products_have_the_bits_of_the_definition(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
        for (int variant = 0; variant < 8; variant++) {
            const int trans_a = variant & 1, trans_b = variant >> 1 & 1, beta = variant >> 2;
            const int64_t *n = shapes[s];

            fill();
            define(trans_a, trans_b, n, beta);
            matrix_reference_dgemm(trans_a, trans_b, n[0], n[1], n[2], data.a, STRIDE, data.b, STRIDE, beta, data.c, STRIDE);
            matrix_reference_sgemm(trans_a, trans_b, n[0], n[1], n[2], data.a32, STRIDE, data.b32, STRIDE, (float)beta,
                                   data.c32, STRIDE);
            assert_memory_equal(data.c, data.want, sizeof(data.c)); /* the padding too */
            assert_memory_equal(data.c32, data.want32, sizeof(data.c32));
        }
    }
}

static void library_products_are_those_of_the_plain_twin(void **state)
{
    (void)state;
    matrix_library_thread_init();
    for (size_t s = 0; s + 1 < sizeof(shapes) / sizeof(shapes[0]); s++) {
        for (int variant = 0; variant < 8; variant++) {
            const int trans_a = variant & 1, trans_b = variant >> 1 & 1, beta = variant >> 2;
            const int64_t *n = shapes[s];

            fill();
            define(trans_a, trans_b, n, beta);
            matrix_library_sgemm(trans_a, trans_b, n[0], n[1], n[2], data.a32, STRIDE, data.b32, STRIDE, (float)beta,
                                 data.c32, STRIDE);
            assert_all_close_f32(data.c32, data.want32, (size_t)(n[0] - 1) * STRIDE + (size_t)n[1], 1e-5, 1e-5);
            assert_memory_equal(data.c32 + n[0] * STRIDE, data.want32 + n[0] * STRIDE,
                                sizeof(float) * (size_t)((MAX - n[0]) * STRIDE));
        }
    }
}

static void the_old_values_are_not_read_where_beta_is_0(void **state)
{
    float a = 2, b = 3, c = NAN;

    (void)state;
    matrix_reference_sgemm(0, 0, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
    assert_true(c == 6);
    c = NAN;
    matrix_library_sgemm(0, 0, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
    assert_true(c == 6);
}

static void the_detected_tier_names_instruction_set_version_library_and_caches(void **state)
{
    char want[64];

    (void)state;
    snprintf(want, sizeof(want), "%s/n%d/%s/l1-", instruction_set_name(kernel_tier_detect()), NUMERICS_VERSION,
             matrix_library_name());
    assert_int_equal(kernel_tier_isa(), kernel_tier_detect());
    assert_memory_equal(kernel_tier(), want, strlen(want));
    assert_non_null(strstr(kernel_tier(), "-l2-"));
    assert_non_null(strstr(kernel_tier(), "-l3-"));
}

static void the_library_tells_its_version(void **state)
{
    (void)state;
    assert_memory_equal(matrix_library_name(), "onednn-", 7);
    assert_true(strlen(matrix_library_name()) >= strlen("onednn-0.0.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_products_have_the_bits_of_the_definition),
        cmocka_unit_test(library_products_are_those_of_the_plain_twin),
        cmocka_unit_test(the_old_values_are_not_read_where_beta_is_0),
        cmocka_unit_test(the_detected_tier_names_instruction_set_version_library_and_caches),
        cmocka_unit_test(the_library_tells_its_version),
    };
    return cmocka_run_group_tests_name("matrix_library", tests, NULL, NULL);
}
