#include "api/chart_axis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static void positions_run_from_0_to_1_and_are_clamped(void **state)
{
    const struct chart_axis linear = {.low = 2, .high = 4}, logarithmic = {.low = 0.01, .high = 100, .logarithmic = 1};

    (void)state;
    assert_close(chart_position(&linear, 2), 0, 0, 0);
    assert_close(chart_position(&linear, 3.5), 0.75, 1e-15, 0);
    assert_close(chart_position(&linear, 9), 1, 0, 0);
    assert_close(chart_position(&logarithmic, 1), 0.5, 1e-15, 0);
    assert_close(chart_position(&logarithmic, 10), 0.75, 1e-12, 0);
    assert_close(chart_position(&logarithmic, 0), 0, 0, 0);
    assert_close(chart_position(&logarithmic, -5), 0, 0, 0);
    assert_close(chart_position(&logarithmic, (double)INFINITY), 1, 0, 0);
}

static void assert_label(double first, double second, double value, const char *want)
{
    const struct chart_axis axis = {
        .low = first, .high = value > second ? value : second, .ticks = {first, second}, .tick_count = 2};
    char label[CHART_LABEL_TEXT];

    chart_tick_label(&axis, value, label);
    assert_string_equal(label, want);
}

static void labels_have_the_decimals_that_tell_ticks_apart(void **state)
{
    const struct chart_axis logarithmic = {.low = 1e-6, .high = 100, .logarithmic = 1};
    char label[CHART_LABEL_TEXT];

    (void)state;
    assert_label(0, 0.5, 1, "1.0");
    assert_label(0, 0.05, 0.25, "0.25");
    assert_label(0, 2, 4, "4");
    assert_label(0, 2, 0, "0");
    assert_label(0, 2000, 12000, "12,000");
    assert_label(0, 1e7, 3e7, "3e+07");
    assert_label(0, 1e-5, 3e-5, "3e-05");
    chart_tick_label(&logarithmic, 0.05, label);
    assert_string_equal(label, "0.05");
    chart_tick_label(&logarithmic, 20, label);
    assert_string_equal(label, "20");
    chart_tick_label(&logarithmic, 1e-6, label);
    assert_string_equal(label, "1e-06");
    chart_thousands(UINT64_MAX, label);
    assert_string_equal(label, "18,446,744,073,709,551,615");
}

static void an_axis_shows_its_values_between_ticks_that_rise(void **state)
{
    static const struct {
        double low, high;
        enum chart_scale scale;
        int logarithmic;
    } rows[] = {
        {0.1, 0.4, CHART_AUTO, 0}, {0.01, 40, CHART_AUTO, 1},         {0.01, 40, CHART_LINEAR, 0},
        {-3, 5, CHART_AUTO, 0},    {0.3, 0.41, CHART_LOGARITHMIC, 1}, {7, 7, CHART_LOGARITHMIC, 1},
        {7, 7, CHART_AUTO, 0},     {1e-300, 1e300, CHART_AUTO, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct chart_axis axis;

        chart_axis_plan(&axis, rows[i].low, rows[i].high, 6, rows[i].scale, 1);
        assert_int_equal(axis.logarithmic, rows[i].logarithmic);
        assert_true(axis.low < axis.high && axis.low <= rows[i].low && axis.high >= rows[i].high);
        assert_true(axis.tick_count >= 1 && axis.tick_count <= CHART_TICKS_MAX);
        for (uint32_t t = 0; t < axis.tick_count; t++) {
            assert_true(axis.ticks[t] >= axis.low - 1e-6 * fabs(axis.low) &&
                        axis.ticks[t] <= axis.high + 1e-6 * fabs(axis.high));
            assert_true(t == 0 || axis.ticks[t - 1] < axis.ticks[t]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_run_from_0_to_1_and_are_clamped),
        cmocka_unit_test(labels_have_the_decimals_that_tell_ticks_apart),
        cmocka_unit_test(an_axis_shows_its_values_between_ticks_that_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
