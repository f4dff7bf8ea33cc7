/*
 * Drawing a plot with characters; what is drawn is decided in plot.c. Without colours lines are told apart by letters: each
 * series is drawn with its own, one a column; where two meet the later one shows.
 */
#include <math.h>
#include <string.h>

#include "api/plot.h"
#include "api/text.h"

#define MARGIN 10 /* columns left of the plot: label, space, axis */
#define ROWS   18

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

static void put_spaces(struct text *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_put(out, " ", 1);
    }
}

/* At most `width` characters, without control characters. */
static void put_cut(struct text *out, const char *string, size_t width)
{
    for (; *string != '\0'; string++) {
        int continues = ((unsigned char)*string & 0xc0) == 0x80; /* a byte inside a UTF-8 character */

        if (!continues && width-- == 0) {
            break;
        }
        if ((unsigned char)*string >= ' ' && *string != 0x7f) {
            text_put(out, string, 1);
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
        put_spaces(out, strlen(label) < MARGIN - 2 ? MARGIN - 2 - strlen(label) : 0);
        text_string(out, label);
        text_string(out, label[0] == '\0' ? " │" : " ┤");
        while (end > 0 && canvas->cells[row][end - 1] == ' ') {
            end--;
        }
        text_put(out, canvas->cells[row], end);
        text_put(out, "\n", 1);
    }
}

/* A tick's label; words are cut to what lies between two of them. */
static size_t tick_label(const struct plot *plot, uint32_t tick, size_t room, struct text *label)
{
    char number[CHART_LABEL_TEXT];

    label->size = 0;
    if (plot->categories != NULL) {
        put_cut(label, plot->categories[(size_t)plot->x.ticks[tick]], room);
    } else {
        chart_tick_label(&plot->x, plot->x.ticks[tick], number);
        text_string(label, number);
    }
    return label->size;
}

/* The axis with its ticks, below it the labels that do not touch. */
static void put_x_axis(struct text *out, const struct canvas *canvas, const struct plot *plot)
{
    char ticks[PLOT_ASCII_MAX_WIDTH] = {0};
    struct text label = {.data = NULL};
    size_t used = 0, room = plot->x.tick_count > 0 ? canvas->columns / plot->x.tick_count : 0;

    for (uint32_t t = 0; t < plot->x.tick_count; t++) {
        ticks[column_of(canvas, plot, plot->x.ticks[t])] = 1;
    }
    put_spaces(out, MARGIN - 1);
    text_string(out, "└");
    for (uint32_t column = 0; column < canvas->columns; column++) {
        text_string(out, ticks[column] ? "┬" : "─");
    }
    text_put(out, "\n", 1);
    for (uint32_t t = 0; t < plot->x.tick_count; t++) {
        size_t at = MARGIN + (size_t)column_of(canvas, plot, plot->x.ticks[t]), size = tick_label(plot, t, room - 1, &label);
        size_t start = at > size / 2 ? at - size / 2 : 0;

        if (start + size <= MARGIN + canvas->columns && (start > used || used == 0) && !label.failed && size > 0) {
            put_spaces(out, start - used);
            text_put(out, label.data, size);
            used = start + size;
        }
    }
    text_release(&label);
    text_put(out, "\n", 1);
    put_spaces(out, MARGIN + (strlen(plot->x_name) < canvas->columns ? (canvas->columns - strlen(plot->x_name)) / 2 : 0));
    put_cut(out, plot->x_name, canvas->columns);
    text_put(out, "\n", 1);
}

void plot_ascii(struct plot *plot, uint32_t width, struct text *out)
{
    struct canvas canvas;

    width = width < PLOT_ASCII_MIN_WIDTH ? PLOT_ASCII_MIN_WIDTH : width;
    width = width > PLOT_ASCII_MAX_WIDTH ? PLOT_ASCII_MAX_WIDTH : width;
    canvas.columns = width - MARGIN;
    memset(canvas.cells, ' ', sizeof canvas.cells);
    plot_plan(plot, canvas.columns / 10, 6);
    put_cut(out, plot->title, width);
    text_put(out, "\n", 1);
    put_cut(out, plot->is_empty ? "no points yet" : plot->subtitle, width);
    text_string(out, "\n\n");
    if (!plot->is_empty) {
        for (size_t s = 0; s < plot->series_count; s++) {
            draw_series(&canvas, plot, s);
        }
        put_cut(out, plot->y_name, width);
        text_put(out, "\n", 1);
        put_plot(out, &canvas, plot);
        put_x_axis(out, &canvas, plot);
    }
    for (size_t s = 0; s < plot->series_count; s++) {
        text_printf(out, "%c  ", letter_of(s));
        put_cut(out, plot->series[s].name, width - 3 - sizeof plot->series[s].note);
        text_printf(out, "%s%s\n", plot->series[s].note[0] != '\0' ? "  " : "", plot->series[s].note);
    }
}
