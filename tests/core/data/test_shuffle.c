#include "core/data/shuffle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"

/* Computed independently from the rule in shuffle.h, with seed 42 and stream 1. */
static void shuffle_equals_the_vectors(void **state)
{
    static const uint32_t EPOCH_0[] = {5, 7, 3, 9, 8, 1, 4, 2, 6, 0}, EPOCH_1[] = {7, 4, 3, 5, 1, 0, 8, 6, 2, 9},
                          LONG[] = {319, 526, 311, 368, 512, 746, 750, 310};
    uint32_t items[1000];

    (void)state;
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        for (uint32_t i = 0; i < 10; i++)
            items[i] = i;
        shuffle_items(42, RNG_SHUFFLE, epoch, 10, items);
        assert_memory_equal(items, epoch == 0 ? EPOCH_0 : EPOCH_1, sizeof EPOCH_0);
    }
    for (uint32_t i = 0; i < 1000; i++)
        items[i] = i;
    shuffle_items(42, RNG_SHUFFLE, 0, 1000, items);
    assert_memory_equal(items, LONG, sizeof LONG);
}

/* With bound 3 * 2^30 a quarter of all words is rejected: without rejection low numbers would come twice as often. */
static void shuffle_draws_without_bias(void **state)
{
    const uint32_t bound = 3u << 30;
    uint32_t low = 0, draws = 30000;

    (void)state;
    for (uint32_t i = 0; i < draws; i++) {
        uint32_t value = shuffle_draw(1, RNG_SHUFFLE, 0, i, bound);

        assert_true(value < bound);
        low += value % 3 == 0;
    }
    assert_in_range(low, 9700, 10300); /* 10,000 expected, standard deviation 82; biased: 15,000 or 7,500 */
}

static void shuffle_handles_the_smallest_and_largest_bounds(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(shuffle_draw(1, RNG_SHUFFLE, 0, i, 1), 0);
    assert_true(shuffle_draw(1, RNG_SHUFFLE, 0, 0, UINT32_MAX) < UINT32_MAX);
    shuffle_items(1, RNG_SHUFFLE, 0, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffle_equals_the_vectors),
        cmocka_unit_test(shuffle_draws_without_bias),
        cmocka_unit_test(shuffle_handles_the_smallest_and_largest_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
