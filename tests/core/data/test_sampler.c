#include "core/data/sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 500

static void order_of(enum shuffle shuffle, uint64_t seed, uint64_t epoch, uint32_t *order)
{
    memset(order, 0xFF, COUNT * sizeof *order);
    sampler_order(shuffle, seed, epoch, COUNT, order);
}

/* How many different positions there are, all of them below COUNT. */
static int distinct(const uint32_t *order)
{
    unsigned char seen[COUNT] = {0};
    int count = 0;

    for (int i = 0; i < COUNT; i++) {
        assert_true(order[i] < COUNT);
        count += !seen[order[i]];
        seen[order[i]] = 1;
    }
    return count;
}

static int equal(const uint32_t *a, const uint32_t *b)
{
    return memcmp(a, b, COUNT * sizeof *a) == 0;
}

static void sampler_every_epoch_is_another_permutation(void **state)
{
    uint32_t first[COUNT], again[COUNT], second[COUNT], other[COUNT];

    (void)state;
    order_of(SHUFFLE_EVERY_EPOCH, 1, 0, first);
    order_of(SHUFFLE_EVERY_EPOCH, 1, 0, again);
    order_of(SHUFFLE_EVERY_EPOCH, 1, 1, second);
    order_of(SHUFFLE_EVERY_EPOCH, 2, 0, other);
    assert_int_equal(distinct(first), COUNT);
    assert_int_equal(distinct(second), COUNT);
    assert_true(equal(first, again));
    assert_false(equal(first, second));
    assert_false(equal(first, other));
}

static void sampler_once_is_the_first_epochs_order_always(void **state)
{
    uint32_t first[COUNT], later[COUNT];

    (void)state;
    order_of(SHUFFLE_EVERY_EPOCH, 1, 0, first);
    order_of(SHUFFLE_ONCE, 1, 7, later);
    assert_true(equal(first, later));
}

static void sampler_none_keeps_the_rows_order(void **state)
{
    uint32_t order[COUNT];

    (void)state;
    order_of(SHUFFLE_NONE, 1, 3, order);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(order[i], i);
}

static void sampler_with_replacement_repeats_positions(void **state)
{
    uint32_t first[COUNT], second[COUNT];

    (void)state;
    order_of(SHUFFLE_WITH_REPLACEMENT, 1, 0, first);
    order_of(SHUFFLE_WITH_REPLACEMENT, 1, 1, second);
    assert_in_range(distinct(first), COUNT * 55 / 100, COUNT * 71 / 100); /* 1 - 1/e of them expected */
    assert_false(equal(first, second));
}

static void sampler_has_a_name_for_each_shuffle(void **state)
{
    (void)state;
    assert_string_equal(shuffle_name(SHUFFLE_EVERY_EPOCH), "every_epoch");
    assert_string_equal(shuffle_name(SHUFFLE_ONCE), "once");
    assert_string_equal(shuffle_name(SHUFFLE_NONE), "none");
    assert_string_equal(shuffle_name(SHUFFLE_WITH_REPLACEMENT), "with_replacement");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampler_every_epoch_is_another_permutation),
        cmocka_unit_test(sampler_once_is_the_first_epochs_order_always),
        cmocka_unit_test(sampler_none_keeps_the_rows_order),
        cmocka_unit_test(sampler_with_replacement_repeats_positions),
        cmocka_unit_test(sampler_has_a_name_for_each_shuffle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
