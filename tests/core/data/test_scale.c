#include "core/data/scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static const uint8_t BYTES[] = {0, 7, 255, 51, 7, 0, 102, 7, 100};
static const float FLOATS[] = {0, 7, 255, 51, 7, 0, 102, 7, 100};
static const struct dataset IMAGES = {.rows = 3, .features = 3, .feature_type = FEATURE_U8, .x = BYTES},
                            TABLE = {.rows = 3, .features = 3, .feature_type = FEATURE_F32, .x = FLOATS};

/* The scaled rows, gathered from bytes, gathered from floats and applied in place, are the same bits; want [3][3]. */
static void assert_scaled(enum preprocessing type, const uint32_t *rows, uint64_t count, const float *want, double tolerance)
{
    struct scaler scaler, from_table;
    float applied[9], gathered[3];

    assert_int_equal(scaler_fit(&scaler, type, &IMAGES, rows, count, NULL), STATUS_OK);
    assert_int_equal(scaler_fit(&from_table, type, &TABLE, rows, count, NULL), STATUS_OK);
    memcpy(applied, FLOATS, sizeof applied);
    scaler_apply(&scaler, applied, 3);
    for (uint64_t row = 0; row < 3; row++) {
        scaler_gather(&scaler, &IMAGES, row, gathered);
        assert_all_close_f32(gathered, want + 3 * row, 3, tolerance, 0);
        assert_memory_equal(gathered, applied + 3 * row, sizeof gathered);
        scaler_gather(&scaler, &TABLE, row, gathered);
        assert_memory_equal(gathered, applied + 3 * row, sizeof gathered);
        scaler_gather(&from_table, &TABLE, row, gathered);
        assert_all_close_f32(gathered, want + 3 * row, 3, tolerance + 2e-7, 0);
    }
    scaler_release(&scaler);
    scaler_release(&from_table);
}

static void scale_none_only_widens(void **state)
{
    (void)state;
    assert_scaled(PREPROCESS_NONE, NULL, 0, FLOATS, 0);
}

static void scale_255_maps_bytes_to_the_unit_interval(void **state)
{
    (void)state;
    assert_scaled(PREPROCESS_SCALE_255, NULL, 0,
                  (const float[]){0, 7 / 255.0f, 1, 0.2f, 7 / 255.0f, 0, 0.4f, 7 / 255.0f, 100 / 255.0f}, 1.2e-7);
}

static void scale_minmax_maps_to_the_unit_interval_and_leaves_constants_at_zero(void **state)
{
    (void)state;
    assert_scaled(PREPROCESS_MINMAX, NULL, 0, (const float[]){0, 0, 1, 0.5f, 0, 0, 1, 0, 100 / 255.0f}, 1.2e-7);
}

static void scale_standardize_gives_mean_0_and_deviation_1(void **state)
{
    const float r = 1.224744871391589f; /* sqrt(3/2) */

    (void)state;
    assert_scaled(PREPROCESS_STANDARDIZE, NULL, 0, (const float[]){-r, 0, 1.3027366f, 0, 0, -1.1279793f, r, 0, -0.1747573f},
                  1e-6);
}

static void scale_constants_come_from_the_rows_given_only(void **state)
{
    const uint32_t rows[] = {0, 1};

    (void)state;
    assert_scaled(PREPROCESS_MINMAX, rows, 2, (const float[]){0, 0, 1, 1, 0, 0, 2, 0, 100 / 255.0f}, 1.2e-7);
}

static void scale_divides_nearly_constant_features_by_one(void **state)
{
    const float tiny[] = {0, 1e-44f};
    const struct dataset dataset = {.rows = 2, .features = 1, .feature_type = FEATURE_F32, .x = tiny};
    struct scaler scaler;

    (void)state;
    assert_int_equal(scaler_fit(&scaler, PREPROCESS_MINMAX, &dataset, NULL, 0, NULL), STATUS_OK);
    assert_true(scaler.factor[0] == 1);
    scaler_release(&scaler);
}

static void scale_copy_has_arrays_of_its_own(void **state)
{
    struct scaler scaler, copy, uniform;

    (void)state;
    assert_int_equal(scaler_fit(&scaler, PREPROCESS_MINMAX, &IMAGES, NULL, 0, NULL), STATUS_OK);
    assert_int_equal(scaler_copy(&copy, &scaler, NULL), STATUS_OK);
    assert_memory_equal(copy.factor, scaler.factor, 3 * sizeof(float));
    assert_memory_equal(copy.shift, scaler.shift, 3 * sizeof(float));
    assert_ptr_not_equal(copy.factor, scaler.factor);
    scaler_release(&scaler);
    scaler_release(&copy);
    assert_int_equal(scaler_fit(&scaler, PREPROCESS_NONE, &IMAGES, NULL, 0, NULL), STATUS_OK);
    assert_int_equal(scaler_copy(&uniform, &scaler, NULL), STATUS_OK);
    assert_null(uniform.shift);
    scaler_release(&uniform);
    scaler_release(&scaler);
}

static void scale_refuses_a_fit_to_no_rows(void **state)
{
    const uint32_t rows[] = {0};
    struct scaler scaler;

    (void)state;
    assert_int_equal(scaler_fit(&scaler, PREPROCESS_MINMAX, &IMAGES, rows, 0, NULL), STATUS_DATASET_EMPTY);
    assert_null(scaler.shift);
}

static void scale_has_a_name_for_each_preprocessing(void **state)
{
    (void)state;
    assert_string_equal(preprocessing_name(PREPROCESS_NONE), "none");
    assert_string_equal(preprocessing_name(PREPROCESS_SCALE_255), "scale_255");
    assert_string_equal(preprocessing_name(PREPROCESS_STANDARDIZE), "standardize");
    assert_string_equal(preprocessing_name(PREPROCESS_MINMAX), "minmax");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_none_only_widens),
        cmocka_unit_test(scale_255_maps_bytes_to_the_unit_interval),
        cmocka_unit_test(scale_minmax_maps_to_the_unit_interval_and_leaves_constants_at_zero),
        cmocka_unit_test(scale_standardize_gives_mean_0_and_deviation_1),
        cmocka_unit_test(scale_constants_come_from_the_rows_given_only),
        cmocka_unit_test(scale_divides_nearly_constant_features_by_one),
        cmocka_unit_test(scale_copy_has_arrays_of_its_own),
        cmocka_unit_test(scale_refuses_a_fit_to_no_rows),
        cmocka_unit_test(scale_has_a_name_for_each_preprocessing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
