/*
 * Axes of charts: from which value to which, linear or logarithmic, with ticks at round numbers and their labels. Whoever
 * draws (chart_svg.c, chart_ascii.c, plot_svg.c ...) only asks where on the axis a value lies.
 */
#ifndef DESCENT_API_CHART_AXIS_H
#define DESCENT_API_CHART_AXIS_H

#include <stdint.h>

#define CHART_TICKS_MAX  24
#define CHART_LABEL_TEXT 28 /* 20 digits, 6 commas, a NUL */
#define CHART_LOG_SPAN   10 /* above this ratio of the largest to the smallest value an axis may be logarithmic */

enum chart_scale {
    CHART_LINEAR,
    CHART_AUTO,        /* logarithmic where values are above 0 and span more than CHART_LOG_SPAN */
    CHART_LOGARITHMIC, /* values must be above 0 */
};

struct chart_axis {
    double low, high; /* low < high */
    int logarithmic;
    double ticks[CHART_TICKS_MAX]; /* [tick_count], ascending, within [low, high] */
    uint32_t tick_count;
};

/*
 * The axis for values from `low` to `high` (finite), in about `ticks` ticks: widened to round numbers; from_zero: a linear
 * one begins at 0, where low is above it but near.
 */
void chart_axis_plan(struct chart_axis *axis, double low, double high, uint32_t ticks, enum chart_scale scale,
                     int from_zero);
/* Ticks of an axis whose ends are set; snap: which moves a linear one's to the next ticks outside. */
void chart_axis_ticks(struct chart_axis *axis, uint32_t wanted, int snap);

/* Where a value lies on an axis: 0 at low, 1 at high, clamped. NaN for NaN. */
double chart_position(const struct chart_axis *axis, double value);
/* A tick's label in as many decimals as tell the ticks apart: "0.25", "1e-05", "12,000". */
void chart_tick_label(const struct chart_axis *axis, double value, char label[CHART_LABEL_TEXT]);
/* 12345 as "12,345". */
void chart_thousands(uint64_t value, char out[CHART_LABEL_TEXT]);

#endif
