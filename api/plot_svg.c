/*
 * Drawing a plot as SVG; what is drawn is decided in plot.c.
 *
 * Eight colours that the colour-blind can tell apart, then the same eight with another dash: 64 lines that differ. Their
 * names stand in a column beside the plot, in the order in which they were given.
 */
#include <math.h>
#include <string.h>

#include "api/plot.h"
#include "api/svg.h"
#include "api/text.h"

#define WIDTH   800
#define HEIGHT  440
#define LEFT    76
#define RIGHT   26
#define LEGEND  216 /* its column, with the gap before it */
#define ROW     18  /* of the legend */
#define TOP     92  /* title, subtitle, name of y */
#define BOTTOM  48  /* labels and name of x */
#define MARKERS 60  /* a series of at most so many points shows them */
#define COLOURS 8
#define LETTERS 26 /* of a name in the legend */
#define NOTED   17 /* of one with a note behind it */

static const char style[] =
    SVG_STYLE(".line{fill:none;stroke-linejoin:round;stroke-linecap:butt;stroke-width:2}" SVG_COLOURS_LIGHT
              ".dot{stroke:none}.dot.c0{fill:#0969da}.dot.c1{fill:#d4650a}.dot.c2{fill:#1a7f64}.dot.c3{fill:#b3309b}"
              ".dot.c4{fill:#7a6200}.dot.c5{fill:#5b50d6}.dot.c6{fill:#c4303c}.dot.c7{fill:#4d5a66}",
              SVG_COLOURS_DARK
              ".dot.c0{fill:#4c9fff}.dot.c1{fill:#f0883e}.dot.c2{fill:#3fb68b}.dot.c3{fill:#e06ccb}.dot.c4{fill:#d4b13a}"
              ".dot.c5{fill:#9a92ff}.dot.c6{fill:#ff6b74}.dot.c7{fill:#9fb0c0}");

/* One a round of the colours; the first is solid. */
static const char *const dashes[] = {"", "7 4", "2 3", "10 3 2 3", "1 5", "14 4", "5 2 1 2", "3 8"};

/* The plot on the paper, in pixels. */
struct box {
    double left, top, width, height;
};

static double pixel_x(const struct plot *plot, const struct box *box, double x)
{
    return box->left + box->width * chart_position(&plot->x, x);
}

static double pixel_y(const struct plot *plot, const struct box *box, double y)
{
    return box->top + box->height * (1 - chart_position(&plot->y, y));
}

/* class="line c3" stroke-dasharray="7 4" */
static void put_stroke(struct text *out, size_t series)
{
    const char *dash = dashes[series / COLOURS % (sizeof dashes / sizeof *dashes)];

    text_printf(out, "class=\"line c%zu\"", series % COLOURS);
    if (dash[0] != '\0') {
        text_printf(out, " stroke-dasharray=\"%s\"", dash);
    }
}

static void put_line(struct text *out, const struct plot *plot, size_t s, const struct box *box)
{
    const struct plot_series *series = &plot->series[s];
    const char *move = "M";

    text_string(out, "<path ");
    put_stroke(out, s);
    text_string(out, " d=\"");
    for (size_t i = 0; i < series->count; i++) {
        const struct plot_point *point = &series->points[i];

        if (isinf(point->y)) {
            move = "M";
        } else if (!isnan(point->y)) {
            text_printf(out, "%s%.1f %.1f", move, pixel_x(plot, box, point->x), pixel_y(plot, box, point->y));
            move = "L";
        }
    }
    text_string(out, "\"/>\n");
}

static void put_dots(struct text *out, const struct plot *plot, size_t s, const struct box *box)
{
    const struct plot_series *series = &plot->series[s];

    for (size_t i = 0; i < series->count; i++) {
        const struct plot_point *point = &series->points[i];

        if (isfinite(point->y)) {
            text_printf(out, "<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>\n", s % COLOURS,
                        pixel_x(plot, box, point->x), pixel_y(plot, box, point->y), series->has_line ? "2.8" : "4");
        }
    }
}

/* At most `letters` characters; what is longer ends with dots. */
static void put_name(struct text *out, const char *name, size_t letters)
{
    char cut[4 * LETTERS + 1];
    size_t used = 0, count = 0;

    for (; used < sizeof cut - 1 && name[used] != '\0'; used++) {
        int begins = ((unsigned char)name[used] & 0xc0) != 0x80;

        if (begins && count++ == letters) {
            break;
        }
        cut[used] = name[used];
    }
    cut[used] = '\0';
    svg_escaped(out, cut);
    text_string(out, name[used] != '\0' ? "…" : "");
}

static void put_legend(struct text *out, const struct plot *plot)
{
    double x = WIDTH - RIGHT - LEGEND + 18, y = TOP + 4;

    for (size_t s = 0; s < plot->series_count; s++, y += ROW) {
        const struct plot_series *series = &plot->series[s];

        if (series->has_line) {
            text_string(out, "<path ");
            put_stroke(out, s);
            text_printf(out, " d=\"M%.1f %.1fh22\"/>", x, y - 4);
        } else {
            text_printf(out, "<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", s % COLOURS, x + 11, y - 4);
        }
        text_printf(out, "<text x=\"%.1f\" y=\"%.1f\">", x + 28, y);
        put_name(out, series->name, series->note[0] != '\0' ? NOTED : LETTERS);
        text_printf(out, "</text><text class=\"end\" x=\"%d\" y=\"%.1f\">%s</text>\n", WIDTH - RIGHT, y, series->note);
    }
}

static void put_x_label(struct text *out, const struct plot *plot, uint32_t tick, double x, double y)
{
    char label[CHART_LABEL_TEXT];

    text_printf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">", x, y);
    if (plot->categories != NULL) {
        put_name(out, plot->categories[(size_t)plot->x.ticks[tick]], plot->x.tick_count > 6 ? 6 : 12);
    } else {
        chart_tick_label(&plot->x, plot->x.ticks[tick], label);
        text_string(out, label);
    }
    text_string(out, "</text>\n");
}

static void put_axes(struct text *out, const struct plot *plot, const struct box *box)
{
    char label[CHART_LABEL_TEXT];
    double bottom = box->top + box->height;

    for (uint32_t t = 0; t < plot->y.tick_count; t++) {
        double y = pixel_y(plot, box, plot->y.ticks[t]);

        chart_tick_label(&plot->y, plot->y.ticks[t], label);
        text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", box->left, y, box->width);
        text_printf(out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", box->left - 8, y + 4, label);
    }
    for (uint32_t t = 0; t < plot->x.tick_count; t++) {
        double x = pixel_x(plot, box, plot->x.ticks[t]);

        text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fv%.1f\"/>", x, box->top, box->height);
        put_x_label(out, plot, t, x, bottom + 18);
    }
    text_printf(out, "<path class=\"axis\" d=\"M%.1f %.1fh%.1f\"/>\n", box->left, bottom, box->width);
    text_printf(out, "<text class=\"name\" x=\"%d\" y=\"%d\">", LEFT, TOP - 14);
    svg_escaped(out, plot->y_name);
    text_printf(out, "</text>\n<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">", box->left + box->width / 2, bottom + 36);
    svg_escaped(out, plot->x_name);
    text_string(out, "</text>\n");
}

void plot_svg(struct plot *plot, struct text *out)
{
    int needed = TOP + ROW * (int)plot->series_count + BOTTOM / 2, height = needed > HEIGHT ? needed : HEIGHT;
    struct box box = {.left = LEFT, .top = TOP, .width = WIDTH - LEFT - RIGHT - LEGEND, .height = HEIGHT - TOP - BOTTOM};

    plot_plan(plot, 8, 7);
    svg_begin(out, &(struct svg_head){.width = WIDTH,
                                      .height = height,
                                      .left = LEFT,
                                      .name = plot->title,
                                      .title = plot->title,
                                      .subtitle = plot->is_empty ? "no points yet" : plot->subtitle,
                                      .style = style});
    put_legend(out, plot);
    if (!plot->is_empty) {
        put_axes(out, plot, &box);
        for (size_t s = 0; s < plot->series_count; s++) {
            if (plot->series[s].has_line) {
                put_line(out, plot, s, &box);
            }
            if (!plot->series[s].has_line || plot->series[s].count <= MARKERS) {
                put_dots(out, plot, s, &box);
            }
        }
    }
    text_string(out, "</svg>\n");
}
