#include "core/data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "tests/assert_close.h"

static void assert_stats(const struct feature_stats *got, double minimum, double maximum, double mean, double deviation)
{
    assert_close((double)got->minimum, minimum, 0, 0);
    assert_close((double)got->maximum, maximum, 0, 0);
    assert_close(got->mean, mean, 1e-15, 0);
    assert_close(got->deviation, deviation, 1e-14, 0);
}

static void stats_of_bytes_and_of_floats_agree(void **state)
{
    static const uint8_t BYTES[] = {1, 255, 2, 255, 3, 255, 4, 254};
    const float floats[] = {1, 255, 2, 255, 3, 255, 4, 254};
    const struct dataset bytes = {.rows = 4, .features = 2, .feature_type = FEATURE_U8, .x = BYTES},
                         table = {.rows = 4, .features = 2, .feature_type = FEATURE_F32, .x = floats};
    struct feature_stats stats[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dataset_stats(i == 0 ? &bytes : &table, NULL, 0, stats, NULL), STATUS_OK);
        assert_stats(&stats[0], 1, 4, 2.5, sqrt(1.25));
        assert_stats(&stats[1], 254, 255, 254.75, sqrt(0.1875));
    }
}

static void stats_look_at_the_rows_given_only(void **state)
{
    static const uint8_t BYTES[] = {1, 2, 3, 4};
    const struct dataset dataset = {.rows = 4, .features = 1, .feature_type = FEATURE_U8, .x = BYTES};
    const uint32_t rows[] = {3, 1};
    struct feature_stats stats;

    (void)state;
    assert_int_equal(dataset_stats(&dataset, rows, 2, &stats, NULL), STATUS_OK);
    assert_stats(&stats, 2, 4, 3, 1);
    assert_int_equal(dataset_stats(&dataset, rows, 0, &stats, NULL), STATUS_DATASET_EMPTY);
}

/* A mean that is large against the deviation ruins one-pass formulas in floating point. */
static void stats_keep_digits_far_from_zero(void **state)
{
    const float values[] = {16777214, 16777215, 16777216};
    const struct dataset dataset = {.rows = 3, .features = 1, .feature_type = FEATURE_F32, .x = values};
    struct feature_stats stats;

    (void)state;
    assert_int_equal(dataset_stats(&dataset, NULL, 0, &stats, NULL), STATUS_OK);
    assert_stats(&stats, 16777214, 16777216, 16777215, sqrt(2.0 / 3));
}

static void stats_of_a_constant_feature_have_no_deviation(void **state)
{
    uint8_t bytes[7];
    const struct dataset dataset = {.rows = 7, .features = 1, .feature_type = FEATURE_U8, .x = bytes};
    struct feature_stats stats;

    (void)state;
    memset(bytes, 251, sizeof bytes);
    assert_int_equal(dataset_stats(&dataset, NULL, 0, &stats, NULL), STATUS_OK);
    assert_stats(&stats, 251, 251, 251, 0);
}

static void overall_stats_are_those_of_all_values(void **state)
{
    const float values[] = {1, 10, 2, 20, 6, 60}, flat[] = {1, 10, 2, 20, 6, 60};
    const struct dataset table = {.rows = 3, .features = 2, .feature_type = FEATURE_F32, .x = values},
                         all = {.rows = 6, .features = 1, .feature_type = FEATURE_F32, .x = flat};
    struct feature_stats stats[2], want, got;

    (void)state;
    assert_int_equal(dataset_stats(&table, NULL, 0, stats, NULL), STATUS_OK);
    assert_int_equal(dataset_stats(&all, NULL, 0, &want, NULL), STATUS_OK);
    got = feature_stats_overall(stats, 2);
    assert_stats(&got, 1, 60, want.mean, want.deviation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_of_bytes_and_of_floats_agree),
        cmocka_unit_test(stats_look_at_the_rows_given_only),
        cmocka_unit_test(stats_keep_digits_far_from_zero),
        cmocka_unit_test(stats_of_a_constant_feature_have_no_deviation),
        cmocka_unit_test(overall_stats_are_those_of_all_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
