/*
 * Drawing curves as SVG; what is drawn is decided in chart.c.
 *
 * Colours tell the split (blue: training, orange: validation; both distinguishable for the colour-blind), the same in
 * every panel. Viewers that know prefers-color-scheme show dark paper in a dark surrounding, all others white.
 */
#include "chart_svg.h"

#include <math.h>
#include <string.h>

#include "api/chart.h"
#include "api/svg.h"
#include "api/text.h"

#define WIDTH        800
#define PANEL_SPACE  300 /* height of all panels' plots together, for one or two panels */
#define EXTRA_PANEL  110 /* more of it for each further panel */
#define LEFT         70
#define RIGHT        26
#define TOP          58 /* title and subtitle */
#define PANEL_HEADER 34 /* legend above each plot */
#define BOTTOM       48 /* labels of x */
#define MARKERS      60 /* a series of at most so many points shows them */

static const char *const role_classes[] = {
    [CHART_BATCH] = "batch", [CHART_TRAIN] = "train", [CHART_VALIDATION] = "validation",
    [CHART_OTHER] = "other", [CHART_LIMIT] = "limit",
};

static const char style[] =
    SVG_STYLE(".line{fill:none;stroke-linejoin:round;stroke-linecap:round;stroke-width:2}"
              ".batch{stroke:#9ec5e8;stroke-width:1}.lone{stroke:#0969da}.key{stroke-width:3}.train{stroke:#0969da}"
              ".validation{stroke:#d4650a}.other{stroke:#1a7f64}.limit{stroke:#8c959f;stroke-dasharray:5 4}"
              ".dot.batch{fill:#9ec5e8}.dot.train{fill:#0969da}.dot.validation{fill:#d4650a}.dot.other{fill:#1a7f64}"
              ".dot.limit{fill:#8c959f}.dot{stroke:none}.best{fill:none;stroke-width:1.5}",
              ".batch{stroke:#2b5580}.lone{stroke:#4c9fff}.train{stroke:#4c9fff}.validation{stroke:#f0883e}"
              ".other{stroke:#3fb68b}.dot.batch{fill:#2b5580}.dot.train{fill:#4c9fff}.dot.validation{fill:#f0883e}"
              ".dot.other{fill:#3fb68b}");

/* A panel's plot on the paper, in pixels. */
struct box {
    double left, top, width, height;
};

/* The style of a series' line; minibatches alone in their panel need not stay in the background. */
static const char *line_class(const struct chart_panel *panel, const struct chart_series *series)
{
    return series->role == CHART_BATCH && panel->series_count == 1 ? "batch lone" : role_classes[series->role];
}

static double pixel_x(const struct box *box, const struct chart *chart, const struct metric_row *row)
{
    return box->left + box->width * chart_position(&chart->x, chart_x(chart, row));
}

static double pixel_y(const struct box *box, const struct chart_panel *panel, double value)
{
    return box->top + box->height * (1 - chart_position(&panel->y, value));
}

/* One path: broken where a value is infinite, drawn through where none was measured. */
static void put_line(struct text *out, const struct chart *chart, const struct chart_panel *panel,
                     const struct chart_series *series, const struct box *box)
{
    const char *move = "M";

    text_printf(out, "<path class=\"line %s\" d=\"", line_class(panel, series));
    for (size_t i = 0; i < chart->curve->count; i++) {
        const struct metric_row *row = &chart->curve->rows[i];
        double value = curve_value(row, series->series);

        if (isinf(value)) {
            move = "M";
        } else if (!isnan(value)) {
            text_printf(out, "%s%.1f %.1f", move, pixel_x(box, chart, row), pixel_y(box, panel, value));
            move = "L";
        }
    }
    text_string(out, "\"/>\n");
}

static void put_dots(struct text *out, const struct chart *chart, const struct chart_panel *panel,
                     const struct chart_series *series, const struct box *box)
{
    for (size_t i = 0; i < chart->curve->count; i++) {
        const struct metric_row *row = &chart->curve->rows[i];
        double value = curve_value(row, series->series);

        if (isfinite(value)) {
            text_printf(out, "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>\n", role_classes[series->role],
                        pixel_x(box, chart, row), pixel_y(box, panel, value));
        }
    }
}

/* Rings the best value of the validation split: what early stopping would keep. */
static void put_best(struct text *out, const struct chart *chart, const struct chart_panel *panel,
                     const struct chart_series *series, const struct box *box)
{
    if (series->role == CHART_VALIDATION && series->points > 1) {
        text_printf(out, "<circle class=\"best %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>\n", role_classes[series->role],
                    box->left + box->width * chart_position(&chart->x, series->best_x), pixel_y(box, panel, series->best));
    }
}

static void put_grid(struct text *out, const struct chart *chart, const struct chart_panel *panel, const struct box *box)
{
    char label[CHART_LABEL_TEXT];

    for (uint32_t t = 0; t < panel->y.tick_count; t++) {
        double y = pixel_y(box, panel, panel->y.ticks[t]);

        chart_tick_label(&panel->y, panel->y.ticks[t], label);
        text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", box->left, y, box->width);
        text_printf(out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", box->left - 8, y + 4, label);
    }
    for (uint32_t t = 0; t < chart->x.tick_count; t++) {
        double x = box->left + box->width * chart_position(&chart->x, chart->x.ticks[t]);

        text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fv%.1f\"/>\n", x, box->top, box->height);
    }
    text_printf(out, "<path class=\"axis\" d=\"M%.1f %.1fh%.1f\"/>\n", box->left, box->top + box->height, box->width);
}

/* "loss (nats)   -- train_loss 0.231   -- validation_loss 0.302, best 0.298 at epoch 7", above the plot. */
static void put_legend(struct text *out, const struct chart *chart, const struct chart_panel *panel, const struct box *box)
{
    /* widths are estimates (6.3 pixels a character): no font is known here */
    double x = box->left + 18 + 7 * (double)strlen(panel->title), y = box->top - 12;

    text_printf(out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", box->left, y, panel->title);
    for (uint32_t s = 0; s < panel->series_count; s++) {
        const struct chart_series *series = &panel->series[s];
        char label[CHART_LEGEND_TEXT];

        chart_legend(chart, panel, series, label);
        if (s > 0 && x + 24 + 6.3 * (double)strlen(label) > WIDTH) { /* no room for more names */
            break;
        }
        text_printf(out, "<path class=\"line %s key\" d=\"M%.1f %.1fh18\"/>", line_class(panel, series), x, y - 4);
        text_printf(out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 24, y, label);
        x += 42 + 6.3 * (double)strlen(label);
    }
}

static void put_panel(struct text *out, const struct chart *chart, const struct chart_panel *panel, const struct box *box)
{
    put_legend(out, chart, panel, box);
    put_grid(out, chart, panel, box);
    for (uint32_t s = 0; s < panel->series_count; s++) {
        const struct chart_series *series = &panel->series[s];

        put_line(out, chart, panel, series, box);
        if (series->points <= MARKERS && (series->role != CHART_BATCH || series->points == 1)) {
            put_dots(out, chart, panel, series, box);
        }
        put_best(out, chart, panel, series, box);
    }
}

static void put_x_labels(struct text *out, const struct chart *chart, const struct box *lowest)
{
    double y = lowest->top + lowest->height + 18;
    char label[CHART_LABEL_TEXT];

    for (uint32_t t = 0; t < chart->x.tick_count; t++) {
        chart_tick_label(&chart->x, chart->x.ticks[t], label);
        text_printf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                    lowest->left + lowest->width * chart_position(&chart->x, chart->x.ticks[t]), y, label);
    }
    text_printf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", lowest->left + lowest->width / 2, y + 18,
                chart_x_name(chart));
}

void chart_svg(const struct curve *curve, const char *title, struct text *out)
{
    struct chart chart;
    char subtitle[96] = "no points yet";
    double weights = 0;

    chart_plan(&chart, curve, 10, 6);
    int panels = chart.panel_count == 0 ? 1 : (int)chart.panel_count;
    int space = PANEL_SPACE + (panels > 2 ? EXTRA_PANEL * (panels - 2) : 0) - (panels > 1 ? PANEL_HEADER : 0);
    int height = TOP + panels * PANEL_HEADER + space + BOTTOM;
    if (chart.panel_count > 0) {
        chart_subtitle(&chart, subtitle, sizeof subtitle);
    }
    svg_begin(out, &(struct svg_head){.width = WIDTH,
                                      .height = height,
                                      .left = LEFT,
                                      .name = title,
                                      .title = title,
                                      .subtitle = subtitle,
                                      .style = style});
    for (uint32_t p = 0; p < chart.panel_count; p++) {
        weights += chart.panels[p].weight;
    }
    struct box box = {.left = LEFT, .top = TOP, .width = WIDTH - LEFT - RIGHT};
    for (uint32_t p = 0; p < chart.panel_count; p++) {
        box.top += box.height + PANEL_HEADER;
        box.height = space * chart.panels[p].weight / weights;
        put_panel(out, &chart, &chart.panels[p], &box);
    }
    if (chart.panel_count > 0) {
        put_x_labels(out, &chart, &box);
    }
    text_string(out, "</svg>\n");
}
