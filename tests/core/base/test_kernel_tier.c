#include "core/base/kernel_tier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/matrix_library.h"

/* The tier is the process's: the tests run in the order in which they stand in main. */

static void a_tier_that_the_processor_lacks_is_refused(void **state)
{
    struct error error = {0};

    (void)state;
    if (kernel_tier_detect() == ISA_AVX512) {
        skip();
    }
    assert_int_equal(kernel_tier_set(ISA_AVX512, &error), STATUS_NOT_SUPPORTED);
    assert_non_null(strstr(error.message, "avx512"));
}

static void the_reference_tier_uses_the_plain_products(void **state)
{
    enum { N = 100 };
    float a[N], b[N], library, plain;

    (void)state;
    for (int i = 0; i < N; i++) {
        a[i] = 1 / (float)(i + 1);
        b[i] = 1 / (float)(2 * i + 1);
    }
    assert_int_equal(kernel_tier_set(ISA_REFERENCE, NULL), STATUS_OK);
    assert_int_equal(kernel_tier_isa(), ISA_REFERENCE);
    matrix_library_sgemm(0, 0, 1, 1, N, a, N, b, 1, 0, &library, 1);
    matrix_reference_sgemm(0, 0, 1, 1, N, a, N, b, 1, 0, &plain, 1);
    assert_memory_equal(&library, &plain, sizeof(plain));
}

static void the_reference_tier_names_no_machine(void **state)
{
    (void)state;
    assert_string_equal(kernel_tier(), "reference/n4");
}

static void a_fixed_tier_stays(void **state)
{
    struct error error = {0};

    (void)state;
    assert_int_equal(kernel_tier_set(ISA_REFERENCE, NULL), STATUS_OK);
    assert_int_equal(kernel_tier_set(ISA_BASELINE, &error), STATUS_NOT_SUPPORTED);
    assert_non_null(strstr(error.message, "already reference"));
    assert_int_equal(kernel_tier_isa(), ISA_REFERENCE);
}

static void every_instruction_set_has_a_name(void **state)
{
    static const char *const names[ISA_COUNT] = {"reference", "baseline", "avx2", "avx512"};

    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        assert_string_equal(instruction_set_name((enum instruction_set)isa), names[isa]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tier_that_the_processor_lacks_is_refused),
        cmocka_unit_test(the_reference_tier_uses_the_plain_products),
        cmocka_unit_test(the_reference_tier_names_no_machine),
        cmocka_unit_test(a_fixed_tier_stays),
        cmocka_unit_test(every_instruction_set_has_a_name),
    };
    return cmocka_run_group_tests_name("kernel_tier", tests, NULL, NULL);
}
