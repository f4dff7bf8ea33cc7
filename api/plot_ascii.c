/*
 * Drawing a plot with characters; what is drawn is decided in plot.c. Without colours lines are told apart by letters: each
 * series is drawn with its own, one a column; where two meet the later one shows.
 */
#include <math.h>
#include <string.h>

#include "api/ascii.h"
#include "api/plot.h"
#include "api/text.h"

#define ROWS 18

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@";

struct canvas {
    uint32_t columns;
    char cells[ROWS][PLOT_ASCII_MAX_WIDTH];
};

static char letter_of(size_t series)
{
    return letters[series % (sizeof letters - 1)];
}

static int column_of(const struct canvas *canvas, const struct plot *plot, double x)
{
    return (int)lround(chart_position(&plot->x, x) * (canvas->columns - 1));
}

static int row_of(const struct plot *plot, double y)
{
    return (int)lround((1 - chart_position(&plot->y, y)) * (ROWS - 1));
}

/* The columns between two points, each with its own height. */
static void draw_segment(struct canvas *canvas, int x0, int y0, int x1, int y1, char letter)
{
    for (int x = x0; x <= x1; x++) {
        int y = x1 == x0 ? y1 : y0 + (int)lround((double)(y1 - y0) * (x - x0) / (x1 - x0));

        canvas->cells[y][x] = letter;
    }
}

static void draw_series(struct canvas *canvas, const struct plot *plot, size_t s)
{
    const struct plot_series *series = &plot->series[s];
    int before_x = -1, before_y = -1;

    for (size_t i = 0; i < series->count; i++) {
        const struct plot_point *point = &series->points[i];

        if (isinf(point->y)) {
            before_x = -1;
        } else if (!isnan(point->y)) {
            int x = column_of(canvas, plot, point->x), y = row_of(plot, point->y);

            if (series->has_line && before_x >= 0) {
                draw_segment(canvas, before_x, before_y, x, y, letter_of(s));
            } else {
                canvas->cells[y][x] = letter_of(s);
            }
            before_x = x;
            before_y = y;
        }
    }
}

static void put_plot(struct text *out, const struct canvas *canvas, const struct plot *plot)
{
    for (int row = 0; row < ROWS; row++) {
        char label[CHART_LABEL_TEXT] = "";
        uint32_t end = canvas->columns;

        for (uint32_t t = 0; t < plot->y.tick_count; t++) {
            if (row_of(plot, plot->y.ticks[t]) == row) {
                chart_tick_label(&plot->y, plot->y.ticks[t], label);
            }
        }
        ascii_row_begin(out, label);
        while (end > 0 && canvas->cells[row][end - 1] == ' ') {
            end--;
        }
        text_put(out, canvas->cells[row], end);
        text_put(out, "\n", 1);
    }
}

/* A tick's label; words are cut to what lies between two of them. */
static void put_x_label(struct text *out, size_t *used, const struct canvas *canvas, const struct plot *plot, uint32_t tick)
{
    const uint32_t column = (uint32_t)column_of(canvas, plot, plot->x.ticks[tick]);
    char number[CHART_LABEL_TEXT];
    struct text word = {.data = NULL};

    if (plot->categories == NULL) {
        chart_tick_label(&plot->x, plot->x.ticks[tick], number);
        ascii_x_label(out, used, number, column, canvas->columns);
        return;
    }
    ascii_cut(&word, plot->categories[(size_t)plot->x.ticks[tick]], canvas->columns / plot->x.tick_count - 1);
    if (word.data != NULL && !word.failed) { /* else it is left out, as one without room */
        ascii_x_label(out, used, word.data, column, canvas->columns);
    }
    text_release(&word);
}

static void put_x_axis(struct text *out, const struct canvas *canvas, const struct plot *plot)
{
    char ticks[PLOT_ASCII_MAX_WIDTH] = {0};
    size_t used = 0;

    for (uint32_t t = 0; t < plot->x.tick_count; t++) {
        ticks[column_of(canvas, plot, plot->x.ticks[t])] = 1;
    }
    ascii_x_axis(out, ticks, canvas->columns);
    for (uint32_t t = 0; t < plot->x.tick_count; t++) {
        put_x_label(out, &used, canvas, plot, t);
    }
    ascii_x_name(out, plot->x_name, canvas->columns);
}

void plot_ascii(struct plot *plot, uint32_t width, struct text *out)
{
    struct canvas canvas;

    width = width < PLOT_ASCII_MIN_WIDTH ? PLOT_ASCII_MIN_WIDTH : width;
    width = width > PLOT_ASCII_MAX_WIDTH ? PLOT_ASCII_MAX_WIDTH : width;
    canvas.columns = width - ASCII_MARGIN;
    memset(canvas.cells, ' ', sizeof canvas.cells);
    plot_plan(plot, canvas.columns / 10, 6);
    ascii_cut(out, plot->title, width);
    text_put(out, "\n", 1);
    ascii_cut(out, plot->is_empty ? "no points yet" : plot->subtitle, width);
    text_string(out, "\n\n");
    if (!plot->is_empty) {
        for (size_t s = 0; s < plot->series_count; s++) {
            draw_series(&canvas, plot, s);
        }
        ascii_cut(out, plot->y_name, width);
        text_put(out, "\n", 1);
        put_plot(out, &canvas, plot);
        put_x_axis(out, &canvas, plot);
    }
    for (size_t s = 0; s < plot->series_count; s++) {
        text_printf(out, "%c  ", letter_of(s));
        ascii_cut(out, plot->series[s].name, width - 3 - sizeof plot->series[s].note);
        text_printf(out, "%s%s\n", plot->series[s].note[0] != '\0' ? "  " : "", plot->series[s].note);
    }
}
