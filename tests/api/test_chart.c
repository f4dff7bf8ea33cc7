#include "api/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/chart_ascii.h"
#include "api/chart_svg.h"
#include "api/text.h"
#include "tests/assert_close.h"

#define ROWS  400
#define EPOCH 40 /* steps */

static struct metric_row rows[ROWS];

static int make_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        double fall = exp(-(double)i / 60), end = (i + 1) % EPOCH == 0 ? 1 : (double)NAN;

        rows[i] = (struct metric_row){.seconds = (double)i / 100, .point = train_point_at(i + 1)};
        struct train_point *point = &rows[i].point;

        point->epoch = (double)(i + 1) / EPOCH;
        point->batch_loss = 0.02 + 2 * fall * (1 + 0.2 * sin((double)i));
        point->train_loss = end * (0.02 + 2 * fall);
        point->train_accuracy = end * (1 - 0.5 * fall);
        point->validation_loss = end * (0.3 + 2 * fall + 0.0004 * (double)i);
        point->validation_accuracy = end * (0.95 - 0.5 * fall);
        point->learning_rate = 0.1;
        point->gradient_norm = 1 + fall;
        point->step_size = 0.001 * (double)i;
        point->full_gradient_norm = end * fall;
        point->sharpness = 20 - 10 * fall;
        point->sharpness_limit = 20;
        point->noise_scale = 100 + 3 * (double)i;
        point->gradient_variance = 0.1 * fall;
        point->gradient_square = fall - 0.1;
        point->update_ratio[0] = 0.001 * fall;
        point->update_ratio[1] = 0.01 * fall;
    }
    return 0;
}

/* What make_rows fills in. */
static const unsigned measured =
    (CURVE_BIT(CURVE_SMOOTHED_LOSS) - 1) | CURVE_BIT(CURVE_UPDATE_RATIO_0) | CURVE_BIT(CURVE_UPDATE_RATIO_1);

static struct curve select_series(unsigned series, size_t count)
{
    struct curve_options options = {.series = series, .max_points = CURVE_MAX_POINTS, .minmax = 1};
    struct curve curve;

    assert_int_equal(curve_select(&curve, rows, count, &options, NULL), STATUS_OK);
    return curve;
}

static char *draw(unsigned series, size_t count, const char *title, uint32_t width)
{
    struct curve curve = select_series(series, count);
    struct text text = {.data = NULL};
    char *data;
    size_t size;

    if (width == 0) {
        chart_svg(&curve, title, &text);
    } else {
        chart_ascii(&curve, title, width, &text);
    }
    curve_release(&curve);
    assert_int_equal(text_take(&text, &data, &size, NULL), STATUS_OK);
    assert_int_equal(size, strlen(data));
    return data;
}

static size_t count_of(const char *text, const char *piece)
{
    size_t count = 0;

    for (; (text = strstr(text, piece)) != NULL; text += strlen(piece)) {
        count++;
    }
    return count;
}

/* Every element is closed, in order; no stray '<' or '&'. Enough of XML for what we write. */
static void assert_well_formed(const char *xml)
{
    char open[16][32];
    size_t depth = 0;

    for (const char *at = strpbrk(xml, "<&"); at != NULL; at = strpbrk(at + 1, "<&")) {
        const char *end = strpbrk(at + 1, *at == '&' ? "; <&" : "<>");
        size_t name = strcspn(at + 1, " />");

        assert_non_null(end);
        assert_true(*end == (*at == '&' ? ';' : '>'));
        if (*at == '&') {
            continue;
        }
        assert_true(name < sizeof open[0]);
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_memory_equal(at + 2, open[depth], strlen(open[depth]) + 0);
            assert_true(at[2 + strlen(open[depth])] == '>');
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            memcpy(open[depth], at + 1, name);
            open[depth++][name] = '\0';
        }
    }
    assert_int_equal(depth, 0);
}

static void a_picture_is_well_formed_and_names_every_series(void **state)
{
    char *svg = draw(0, ROWS, "a <b> & \"c\"\x01", 0);

    (void)state;
    assert_well_formed(svg);
    assert_non_null(strstr(svg, "<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"));
    for (int s = 0; s < CURVE_SERIES_COUNT; s++) {
        assert_int_equal(strstr(svg, curve_series_name((enum curve_series)s)) != NULL, (measured & CURVE_BIT(s)) != 0);
    }
    assert_int_equal(count_of(svg, "\" d=\"M"),
                     2 * __builtin_popcount(measured) + (int)count_of(svg, "class=\"grid\"") + CHART_PANELS_MAX);
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
    assert_null(strstr(svg, "script"));
    assert_null(strstr(svg, "http://www.w3.org/2000/svg\" xmlns"));
    free(svg);
}

static void a_series_that_was_not_chosen_is_not_drawn(void **state)
{
    char *svg = draw(CURVE_BIT(CURVE_TRAIN_LOSS) | CURVE_BIT(CURVE_VALIDATION_LOSS), ROWS, "x", 0);

    (void)state;
    assert_non_null(strstr(svg, "train_loss"));
    assert_null(strstr(svg, "batch_loss"));
    assert_null(strstr(svg, ">accuracy<"));
    assert_int_equal(count_of(svg, "class=\"line train"), 2); /* the line and its key */
    assert_int_equal(count_of(svg, "class=\"dot train"), ROWS / EPOCH);
    free(svg);
}

static void the_best_validation_loss_is_ringed_and_named(void **state)
{
    struct curve curve = select_series(CURVE_BIT(CURVE_VALIDATION_LOSS), ROWS);
    double best = (double)INFINITY, epoch = 0;
    struct chart chart;
    char label[CHART_LEGEND_TEXT], *svg = draw(CURVE_BIT(CURVE_VALIDATION_LOSS), ROWS, "x", 0);

    (void)state;
    for (size_t i = EPOCH - 1; i < ROWS; i += EPOCH) {
        epoch = rows[i].point.validation_loss < best ? rows[i].point.epoch : epoch;
        best = fmin(best, rows[i].point.validation_loss);
    }
    chart_plan(&chart, &curve, 10, 6);
    assert_close(chart.panels[0].series[0].best, best, 0, 0);
    assert_close(chart.panels[0].series[0].best_x, epoch, 0, 0);
    chart_legend(&chart, &chart.panels[0], &chart.panels[0].series[0], label);
    assert_non_null(strstr(label, ", best "));
    assert_non_null(strstr(svg, label));
    assert_int_equal(count_of(svg, "class=\"best validation\""), 1);
    curve_release(&curve);
    free(svg);
}

static void losses_that_span_much_are_logarithmic_and_accuracies_never(void **state)
{
    struct curve curve = select_series(0, ROWS);
    struct chart chart;

    (void)state;
    chart_plan(&chart, &curve, 10, 6);
    assert_int_equal(chart.panel_count, CHART_PANELS_MAX);
    assert_true(chart.by_epoch);
    assert_true(chart.panels[0].y.logarithmic);
    assert_false(chart.panels[1].y.logarithmic);
    assert_false(chart.panels[2].y.logarithmic);
    for (uint32_t p = 0; p < chart.panel_count; p++) {
        const struct chart_axis *axis = &chart.panels[p].y;

        assert_true(axis->low < axis->high && axis->tick_count >= 2);
        for (uint32_t t = 0; t < axis->tick_count; t++) {
            assert_in_range((int)(1000 * chart_position(axis, axis->ticks[t])), 0, 1000);
            assert_true(t == 0 || axis->ticks[t - 1] < axis->ticks[t]);
        }
    }
    curve_release(&curve);
}

static void a_range_test_is_drawn_over_the_learning_rate_on_a_logarithmic_axis(void **state)
{
    static struct metric_row sweep[200];
    struct curve_options options = {.series = CURVE_CHART_SERIES, .max_points = CURVE_MAX_POINTS, .minmax = 1};
    struct text text = {.data = NULL};
    struct curve curve;
    struct chart chart;

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        sweep[i] = (struct metric_row){.seconds = (double)i, .point = train_point_at(i + 1)};
        sweep[i].point.epoch = (double)i / 50;
        sweep[i].point.learning_rate = 1e-6 * pow(10, (double)i * 7 / 199);
        sweep[i].point.batch_loss = sweep[i].point.smoothed_loss = 2 - (double)i / 200;
    }
    assert_int_equal(curve_select(&curve, sweep, 200, &options, NULL), STATUS_OK);
    chart_plan(&chart, &curve, 10, 6);
    assert_true(chart.by_rate && chart.x.logarithmic);
    assert_close(chart_x(&chart, &sweep[0]), 1e-6, 1e-12, 0);
    assert_close(chart.x.high, 10, 1e-9, 0);
    assert_close(chart_position(&chart.x, 1e-6), 0, 0, 1e-9);
    assert_close(chart_position(&chart.x, sqrt(1e-5)), 0.5, 1e-9, 0);
    assert_true(chart.x.tick_count >= 7);
    for (uint32_t i = 1; i < chart.x.tick_count; i++) { /* a logarithmic axis has its own ticks */
        assert_in_range(chart.x.ticks[i] / chart.x.ticks[i - 1], 2, 10);
    }
    assert_string_equal(chart_x_name(&chart), "learning rate");
    chart_svg(&curve, "x", &text);
    assert_non_null(strstr(text.data, ">learning rate</text>"));
    assert_non_null(strstr(text.data, "smoothed_loss"));
    assert_well_formed(text.data);
    text_release(&text);
    chart_ascii(&curve, "x", 80, &text);
    assert_non_null(strstr(text.data, "learning rate\n"));
    text_release(&text);
    curve_release(&curve);
}

/* Characters, not bytes. */
static size_t longest_line(const char *text, size_t *lines)
{
    size_t longest = 0, length = 0;

    *lines = 0;
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            (*lines)++;
            length = 0;
        } else if (((unsigned char)*text & 0xc0) != 0x80) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void a_terminal_chart_keeps_to_its_width(void **state)
{
    static const char title[] = "a rather long name of a job with sixty-four characters, just so";

    (void)state;
    for (uint32_t width = CHART_ASCII_MIN_WIDTH; width <= CHART_ASCII_MAX_WIDTH; width += 8) {
        char *text = draw(0, ROWS, title, width);
        size_t lines, longest = longest_line(text, &lines);

        assert_true(longest <= width && longest > width / 2);
        assert_true(lines > 20);
        for (int s = 0; s < CURVE_SERIES_COUNT; s++) {
            assert_int_equal(strstr(text, curve_series_name((enum curve_series)s)) != NULL, (measured & CURVE_BIT(s)) != 0);
        }
        free(text);
    }
}

static void a_terminal_chart_shows_lines_marks_and_axes(void **state)
{
    char *text = draw(CURVE_CHART_SERIES, ROWS, "x\x1b[31m\n", 80);

    (void)state;
    assert_memory_equal(text, "x[31m\n", 6); /* no control characters from titles */
    assert_non_null(strstr(text, "10 epochs, 400 steps, 3.99 s"));
    assert_true(count_of(text, "\xe2\xa1") + count_of(text, "\xe2\xa2") + count_of(text, "\xe2\xa3") > 50); /* braille */
    assert_true(count_of(text, "○") > 10);
    assert_true(count_of(text, "●") > 5);
    assert_non_null(strstr(text, "┬"));
    assert_non_null(strstr(text, "epoch\n"));
    free(text);
}

static void curves_of_no_and_of_one_point_are_charts_too(void **state)
{
    (void)state;
    for (size_t count = 0; count < 3; count++) {
        char *svg = draw(CURVE_CHART_SERIES, count, "x", 0), *text = draw(CURVE_CHART_SERIES, count, "x", 80);

        assert_well_formed(svg);
        assert_null(strstr(svg, "nan"));
        assert_true((strstr(svg, "no points yet") != NULL) == (count == 0));
        assert_true((strstr(text, "no points yet") != NULL) == (count == 0));
        free(svg);
        free(text);
    }
}

static void constant_zero_and_negative_values_have_an_axis(void **state)
{
    static const double values[] = {0, 1, -3, 1e-300, 1e300};
    double before[2] = {rows[0].point.learning_rate, rows[1].point.learning_rate};

    (void)state;
    for (size_t v = 0; v < 5; v++) {
        rows[0].point.learning_rate = rows[1].point.learning_rate = values[v];
        char *svg = draw(CURVE_BIT(CURVE_LEARNING_RATE), 2, "x", 0);

        assert_well_formed(svg);
        assert_null(strstr(svg, "nan"));
        free(svg);
    }
    rows[0].point.learning_rate = before[0];
    rows[1].point.learning_rate = before[1];
}

static void a_line_breaks_where_a_value_is_infinite(void **state)
{
    double before = rows[200].point.batch_loss;

    (void)state;
    rows[200].point.batch_loss = (double)INFINITY;
    char *svg = draw(CURVE_BIT(CURVE_BATCH_LOSS), ROWS, "x", 0), *text = draw(CURVE_BIT(CURVE_BATCH_LOSS), ROWS, "x", 80);
    rows[200].point.batch_loss = before;
    const char *line = strstr(svg, "<path class=\"line batch lone\" d=\"");
    assert_non_null(line);
    size_t moves = 0;
    for (line += 33; *line != '"'; line++) {
        moves += *line == 'M' ? 1 : 0;
    }
    assert_int_equal(moves, 2);
    assert_null(strstr(svg, "inf"));
    free(svg);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_well_formed_and_names_every_series),
        cmocka_unit_test(a_series_that_was_not_chosen_is_not_drawn),
        cmocka_unit_test(the_best_validation_loss_is_ringed_and_named),
        cmocka_unit_test(losses_that_span_much_are_logarithmic_and_accuracies_never),
        cmocka_unit_test(a_range_test_is_drawn_over_the_learning_rate_on_a_logarithmic_axis),
        cmocka_unit_test(a_terminal_chart_keeps_to_its_width),
        cmocka_unit_test(a_terminal_chart_shows_lines_marks_and_axes),
        cmocka_unit_test(curves_of_no_and_of_one_point_are_charts_too),
        cmocka_unit_test(constant_zero_and_negative_values_have_an_axis),
        cmocka_unit_test(a_line_breaks_where_a_value_is_infinite),
    };

    return cmocka_run_group_tests(tests, make_rows, NULL);
}
