/*
 * Several lines over one x axis in one panel, with a legend: comparisons of jobs, the curve of the cross-entropy. (The
 * curves of one job, in panels by their units: chart.h.) What is drawn is decided here; plot_svg.c and plot_ascii.c only
 * draw.
 */
#ifndef DESCENT_API_PLOT_H
#define DESCENT_API_PLOT_H

#include <stddef.h>

#include "api/chart_axis.h"

#define PLOT_ASCII_MIN_WIDTH 40
#define PLOT_ASCII_MAX_WIDTH 200

struct text;

struct plot_point {
    double x, y; /* y NaN: nothing here; infinite: the line breaks */
};

struct plot_series {
    const char *name;          /* borrowed */
    char note[24];             /* behind the name in the legend: "0.0231" */
    struct plot_point *points; /* [count], borrowed, x ascending unless there is no line */
    size_t count;
    int has_line; /* otherwise dots alone */
};

enum plot_scale { PLOT_SCALE_AUTO, PLOT_SCALE_LINEAR, PLOT_SCALE_LOG };

struct plot {
    const char *title, *subtitle, *x_name, *y_name; /* borrowed, UTF-8 */
    const struct plot_series *series;               /* [series_count], borrowed */
    size_t series_count;
    /* x counts these words, 0 ... category_count - 1; NULL: it is a number */
    const char *const *categories;
    size_t category_count;
    /* AUTO: logarithmic where values are above 0 and span much: x a factor above 100, y above 10. LOG: what is not above 0
     * lies on the axis' low end */
    enum plot_scale x_scale, y_scale;
    int x_margin;           /* 1: points keep a distance from the ends of x */
    struct chart_axis x, y; /* by plot_plan */
    int is_empty;           /* likewise: there is no finite point */
};

/* Fills in the axes, with about so many ticks. */
void plot_plan(struct plot *plot, uint32_t x_ticks, uint32_t y_ticks);

/* A standalone SVG 800 wide, as high as its legend needs; plans on its own. */
void plot_svg(struct plot *plot, struct text *out);
/* UTF-8 text for a terminal of `width` columns (clamped to the limits above), each series with a letter of its own. */
void plot_ascii(struct plot *plot, uint32_t width, struct text *out);

#endif
