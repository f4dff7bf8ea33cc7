#include "api/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/text.h"

static struct plot_point falling[] = {{0, 100}, {1, 10}, {2, (double)NAN}, {3, 1}, {4, (double)INFINITY}, {5, 0.1}};
static struct plot_point flat[] = {{0, 2}, {5, 2}};

static struct plot_series two[] = {
    {.name = "falling & <so on>", .note = "0.1", .points = falling, .count = 6, .has_line = 1},
    {.name = "flat", .points = flat, .count = 2, .has_line = 0},
};

static struct plot two_series(void)
{
    return (struct plot){.title = "t", .subtitle = "s", .x_name = "x", .y_name = "y", .series = two, .series_count = 2};
}

/* The picture, which the caller frees. */
static char *svg_of(struct plot *plot)
{
    struct text out = {.data = NULL};

    plot_svg(plot, &out);
    assert_false(out.failed);
    return out.data;
}

static void axes_are_logarithmic_where_values_span_much(void **state)
{
    struct plot plot = two_series();

    (void)state;
    plot_plan(&plot, 8, 6);
    assert_true(plot.y.logarithmic);
    assert_false(plot.x.logarithmic);
    plot.y_scale = PLOT_SCALE_LINEAR;
    plot_plan(&plot, 8, 6);
    assert_false(plot.y.logarithmic);
    assert_true(plot.y.low == 0 && plot.y.high >= 100);
}

static void x_is_logarithmic_above_a_factor_of_100_and_0_alone(void **state)
{
    struct plot_point points[] = {{0.001, 1}, {0.01, 2}, {0.1001, 3}};
    struct plot_series series = {.name = "s", .points = points, .count = 3, .has_line = 1};
    struct plot plot = {
        .title = "", .subtitle = "", .x_name = "", .y_name = "", .series = &series, .series_count = 1, .x_margin = 1};

    (void)state;
    plot_plan(&plot, 8, 6);
    assert_true(plot.x.logarithmic && plot.x.low < 0.001 && plot.x.high > 0.1001);
    points[2].x = 0.1;
    plot_plan(&plot, 8, 6);
    assert_false(plot.x.logarithmic);
    points[2].x = 1000;
    points[0].x = 0;
    plot_plan(&plot, 8, 6);
    assert_false(plot.x.logarithmic);
    plot.x_scale = PLOT_SCALE_LOG; /* asked for: what is not above 0 lies at the end */
    plot_plan(&plot, 8, 6);
    assert_true(plot.x.logarithmic && plot.x.low <= 0.01);
    assert_true(chart_position(&plot.x, 0) <= 0);
}

static void a_picture_breaks_lines_at_infinities_and_escapes_names(void **state)
{
    struct plot plot = two_series();
    char *svg = svg_of(&plot);
    const char *line = strstr(svg, "<path class=\"line c0\" d=\"M76.0 ");
    size_t moves = 0, segments = 0;

    (void)state;
    assert_non_null(line);
    for (line += strlen("<path class=\"line c0\" d=\""); *line != '"'; line++) {
        moves += *line == 'M';
        segments += *line == 'L';
    }
    assert_int_equal(moves, 2);
    assert_int_equal(segments, 2); /* drawn through what was not measured */
    assert_non_null(strstr(svg, "falling &amp; &lt;so on&gt;"));
    assert_null(strstr(svg, "<path class=\"line c1\" d=\"M76")); /* dots alone */
    assert_non_null(strstr(svg, "<circle class=\"dot c1\""));
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
    free(svg);
}

static void sixty_four_lines_differ(void **state)
{
    static struct plot_series many[64];
    static char names[64][8];
    struct plot plot = two_series();
    char *svg, *strokes[64];

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        snprintf(names[i], sizeof names[i], "job %zu", i);
        many[i] = (struct plot_series){.name = names[i], .points = flat, .count = 2, .has_line = 1};
    }
    plot.series = many;
    plot.series_count = 64;
    svg = svg_of(&plot);
    size_t found = 0;
    for (char *at = svg; (at = strstr(at, "<path class=\"line ")) != NULL; at++) {
        if (strstr(at, "h22") != NULL && strstr(at, "h22") < strchr(at, '>')) {
            assert_true(found < 64);
            strokes[found++] = at;
        }
    }
    assert_int_equal(found, 64);
    for (size_t i = 0; i < 64; i++) {
        for (size_t j = 0; j < i; j++) {
            size_t size = (size_t)(strstr(strokes[i], " d=") - strokes[i]);
            assert_true(strncmp(strokes[i], strokes[j], size) != 0 || strncmp(strokes[j] + size, " d=", 3) != 0);
        }
    }
    assert_non_null(strstr(svg, "job 63"));
    free(svg);
}

static void words_have_places_of_their_own(void **state)
{
    static const char *const words[] = {"sgd", "a rather long name of an optimizer", "ä"};
    struct plot_point points[] = {{0, 1}, {1, 2}, {2, 3}};
    struct plot_series series = {.name = "s", .points = points, .count = 3, .has_line = 1};
    struct plot plot = {.title = "t",
                        .subtitle = "",
                        .x_name = "type",
                        .y_name = "y",
                        .series = &series,
                        .series_count = 1,
                        .categories = words,
                        .category_count = 3};
    char *svg = svg_of(&plot);
    struct text out = {.data = NULL};

    (void)state;
    assert_int_equal(plot.x.tick_count, 3);
    assert_true(plot.x.low == -0.5 && plot.x.high == 2.5);
    assert_non_null(strstr(svg, ">sgd</text>"));
    assert_non_null(strstr(svg, ">a rather lon…</text>"));
    free(svg);
    plot_ascii(&plot, 60, &out);
    assert_non_null(strstr(out.data, "sgd"));
    assert_non_null(strstr(out.data, "a rather long n"));
    text_release(&out);
    plot.category_count = 3;
    plot_plan(&plot, 2, 6); /* no room for all */
    assert_int_equal(plot.x.tick_count, 2);
}

static void terminals_get_a_letter_a_series(void **state)
{
    struct plot plot = two_series();
    struct text out = {.data = NULL};

    (void)state;
    plot_ascii(&plot, 60, &out);
    assert_false(out.failed);
    assert_non_null(strstr(out.data, "\na  falling & <so on>  0.1\n"));
    assert_non_null(strstr(out.data, "\nb  flat\n"));
    assert_non_null(strstr(out.data, "┤a"));
    assert_true(strcspn(out.data, "b") < (size_t)(strstr(out.data, "\na  ") - out.data)); /* not in the legend alone */
    text_release(&out);
}

static void a_terminals_axis_tells_where_it_ends(void **state)
{
    struct plot_point points[] = {{0, 1}, {1000, 2}};
    struct plot_series series = {.name = "s", .points = points, .count = 2, .has_line = 1};
    struct plot plot = two_series();
    struct text out = {.data = NULL};

    (void)state;
    plot.series = &series;
    plot.series_count = 1;
    plot_ascii(&plot, 60, &out);
    assert_non_null(strstr(out.data, " 1,000\n"));
    text_release(&out);
}

static void nothing_to_draw_is_said(void **state)
{
    struct plot_point none[] = {{1, (double)NAN}, {2, (double)INFINITY}};
    struct plot_series series = {.name = "s", .points = none, .count = 2, .has_line = 1};
    struct plot plot = two_series();
    struct text out = {.data = NULL};
    char *svg;

    (void)state;
    plot.series = &series;
    plot.series_count = 1;
    svg = svg_of(&plot);
    assert_true(plot.is_empty);
    assert_non_null(strstr(svg, "no points yet"));
    free(svg);
    plot_ascii(&plot, 60, &out);
    assert_non_null(strstr(out.data, "no points yet"));
    text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_are_logarithmic_where_values_span_much),
        cmocka_unit_test(x_is_logarithmic_above_a_factor_of_100_and_0_alone),
        cmocka_unit_test(a_picture_breaks_lines_at_infinities_and_escapes_names),
        cmocka_unit_test(sixty_four_lines_differ),
        cmocka_unit_test(words_have_places_of_their_own),
        cmocka_unit_test(terminals_get_a_letter_a_series),
        cmocka_unit_test(a_terminals_axis_tells_where_it_ends),
        cmocka_unit_test(nothing_to_draw_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
