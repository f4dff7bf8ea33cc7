/* Large arrays: zeros, aligned, of any size; more than there is, is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/large_array.h"

static void arrays_are_aligned_zeros(void **state)
{
    static const size_t SIZES[] = {1, 64, 1000, (4u << 20) - 1, 4u << 20, (6u << 20) + 1};

    (void)state;
    for (size_t n = 0; n < 2 * (sizeof SIZES / sizeof SIZES[0]); n++) { /* each twice: the second time of what was used */
        const size_t i = n / 2;
        unsigned char *bytes = large_array_new(SIZES[i]), any = 0;

        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        for (size_t k = 0; k < SIZES[i]; k++) {
            any |= bytes[k];
            bytes[k] = 1;
        }
        assert_int_equal(any, 0);
        free(bytes);
    }
}

static void there_is_no_array_of_all_memory(void **state)
{
    (void)state;
    assert_null(large_array_new(SIZE_MAX));
#ifndef __SANITIZE_ADDRESS__ /* which would end the program */
    assert_null(large_array_new(SIZE_MAX / 2));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_aligned_zeros),
        cmocka_unit_test(there_is_no_array_of_all_memory),
    };

    return cmocka_run_group_tests_name("large_array", tests, NULL, NULL);
}
