/*
 * Drawing curves with characters; what is drawn is decided in chart.c.
 *
 * The first series of a panel is a line of braille dots (2 x 4 a character). Without colours a second line would not be
 * told from it, so the other series are marks over it, one at each value: ends of epochs are few.
 */
#include "chart_ascii.h"

#include <math.h>
#include <string.h>

#include "api/ascii.h"
#include "api/chart.h"
#include "api/text.h"

#define MAX_ROWS   16
#define ROWS_TALL  14 /* of the loss panel's plot */
#define ROWS_SHORT 7
#define BRAILLE    0x2800 /* U+2800 + one bit a dot */

/* What stands in a character of the plot. */
struct canvas {
    uint32_t columns, rows;
    unsigned char dots[MAX_ROWS][CHART_ASCII_MAX_WIDTH];
    const char *marks[MAX_ROWS][CHART_ASCII_MAX_WIDTH]; /* over the dots; NULL: none */
};

/* Marks of the series after the first one; what the legend shows for the line of the first. */
static const char *const role_marks[] = {
    [CHART_BATCH] = "·", [CHART_TRAIN] = "●", [CHART_VALIDATION] = "○", [CHART_OTHER] = "+", [CHART_LIMIT] = "-"};
static const char line_key[] = "⣀⠤⠒";

static void set_dot(struct canvas *canvas, int x, int y)
{
    /* bit of the dot at [row][column] of a character (Unicode, "Braille Patterns") */
    static const unsigned char bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

    canvas->dots[y / 4][x / 2] |= bits[y % 4][x % 2];
}

/* Bresenham's line between two dots. */
static void draw_line(struct canvas *canvas, int x0, int y0, int x1, int y1)
{
    int dx = x1 > x0 ? x1 - x0 : x0 - x1, dy = y1 > y0 ? y0 - y1 : y1 - y0;
    int step_x = x0 < x1 ? 1 : -1, step_y = y0 < y1 ? 1 : -1, error = dx + dy;

    for (;;) {
        int twice = 2 * error;

        set_dot(canvas, x0, y0);
        if (x0 == x1 && y0 == y1) {
            return;
        }
        if (twice >= dy) {
            error += dy;
            x0 += step_x;
        }
        if (twice <= dx) {
            error += dx;
            y0 += step_y;
        }
    }
}

/* The dot of a value: columns from the left, rows from the top. */
static int dot_x(const struct canvas *canvas, const struct chart *chart, const struct metric_row *row)
{
    return (int)lround(chart_position(&chart->x, chart_x(chart, row)) * (2 * canvas->columns - 1));
}

static int dot_y(const struct canvas *canvas, const struct chart_panel *panel, double value)
{
    return (int)lround((1 - chart_position(&panel->y, value)) * (4 * canvas->rows - 1));
}

static void draw_series(struct canvas *canvas, const struct chart *chart, const struct chart_panel *panel, uint32_t s)
{
    const struct chart_series *series = &panel->series[s];
    int before_x = -1, before_y = -1;

    for (size_t i = 0; i < chart->curve->count; i++) {
        const struct metric_row *row = &chart->curve->rows[i];
        double value = curve_value(row, series->series);

        if (isinf(value)) {
            before_x = -1;
        } else if (!isnan(value)) {
            int x = dot_x(canvas, chart, row), y = dot_y(canvas, panel, value);

            if (s == 0) {
                draw_line(canvas, before_x < 0 ? x : before_x, before_x < 0 ? y : before_y, x, y);
            } else {
                canvas->marks[y / 4][x / 2] = role_marks[series->role];
            }
            before_x = x;
            before_y = y;
        }
    }
}

static void put_cell(struct text *out, const struct canvas *canvas, uint32_t row, uint32_t column)
{
    unsigned code = BRAILLE + canvas->dots[row][column];
    const char utf8[] = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f))};

    if (canvas->marks[row][column] != NULL) {
        text_string(out, canvas->marks[row][column]);
    } else if (code == BRAILLE) {
        text_put(out, " ", 1);
    } else {
        text_put(out, utf8, sizeof utf8);
    }
}

/* Each row with the tick that lies in it, if any, and nothing behind its last character. */
static void put_plot(struct text *out, const struct canvas *canvas, const struct chart_panel *panel)
{
    for (uint32_t row = 0; row < canvas->rows; row++) {
        char label[CHART_LABEL_TEXT] = "";
        uint32_t end = canvas->columns;

        for (uint32_t t = 0; t < panel->y.tick_count; t++) {
            if ((uint32_t)dot_y(canvas, panel, panel->y.ticks[t]) / 4 == row) {
                chart_tick_label(&panel->y, panel->y.ticks[t], label);
            }
        }
        ascii_row_begin(out, label);
        while (end > 0 && canvas->dots[row][end - 1] == 0 && canvas->marks[row][end - 1] == NULL) {
            end--;
        }
        for (uint32_t column = 0; column < end; column++) {
            put_cell(out, canvas, row, column);
        }
        text_put(out, "\n", 1);
    }
}

/* The panel's name, and each series with its key; a new line where the width ends, the remark on the best left out. */
static void put_legend(struct text *out, const struct chart *chart, const struct chart_panel *panel, size_t width)
{
    size_t column = strlen(panel->title);

    text_string(out, panel->title);
    for (uint32_t s = 0; s < panel->series_count; s++) {
        const struct chart_series *series = &panel->series[s];
        size_t key = strlen("   ") + (s == 0 ? 3u : 1u) + strlen(" ");
        char label[CHART_LEGEND_TEXT];

        chart_legend(chart, panel, series, label);
        if (key + strlen(label) > width) {
            label[strcspn(label, ",")] = '\0';
        }
        if (column + key + strlen(label) > width) {
            text_put(out, "\n", 1);
            column = 0;
        }
        text_printf(out, "   %s %s", s == 0 ? line_key : role_marks[series->role], label);
        column += key + strlen(label);
    }
    text_put(out, "\n", 1);
}

static uint32_t x_column(const struct canvas *canvas, const struct chart *chart, uint32_t tick)
{
    return (uint32_t)lround(chart_position(&chart->x, chart->x.ticks[tick]) * (canvas->columns - 1));
}

static void put_x_axis(struct text *out, const struct canvas *canvas, const struct chart *chart)
{
    char ticks[CHART_ASCII_MAX_WIDTH] = {0}, label[CHART_LABEL_TEXT];
    size_t used = 0;

    for (uint32_t t = 0; t < chart->x.tick_count; t++) {
        ticks[x_column(canvas, chart, t)] = 1;
    }
    ascii_x_axis(out, ticks, canvas->columns);
    for (uint32_t t = 0; t < chart->x.tick_count; t++) {
        chart_tick_label(&chart->x, chart->x.ticks[t], label);
        ascii_x_label(out, &used, label, x_column(canvas, chart, t), canvas->columns);
    }
    ascii_x_name(out, chart_x_name(chart), canvas->columns);
}

void chart_ascii(const struct curve *curve, const char *title, uint32_t width, struct text *out)
{
    struct chart chart;
    char subtitle[96];

    width = width < CHART_ASCII_MIN_WIDTH ? CHART_ASCII_MIN_WIDTH : width;
    width = width > CHART_ASCII_MAX_WIDTH ? CHART_ASCII_MAX_WIDTH : width;
    chart_plan(&chart, curve, (width - ASCII_MARGIN) / 10, 6);
    ascii_cut(out, title, width);
    text_put(out, "\n", 1);
    if (chart.panel_count == 0) {
        text_string(out, "no points yet\n");
        return;
    }
    chart_subtitle(&chart, subtitle, sizeof subtitle);
    text_printf(out, "%s\n\n", subtitle);
    for (uint32_t p = 0; p < chart.panel_count; p++) {
        const struct chart_panel *panel = &chart.panels[p];
        struct canvas canvas = {.columns = width - ASCII_MARGIN, .rows = panel->weight > 1 ? ROWS_TALL : ROWS_SHORT};

        for (uint32_t s = 0; s < panel->series_count; s++) {
            draw_series(&canvas, &chart, panel, s);
        }
        put_legend(out, &chart, panel, width);
        put_plot(out, &canvas, panel);
        if (p + 1 == chart.panel_count) {
            put_x_axis(out, &canvas, &chart);
        } else {
            text_put(out, "\n", 1);
        }
    }
}
