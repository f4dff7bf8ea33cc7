/* The axes of a plot; see plot.h. */
#include "plot.h"

#include <math.h>

#define X_LOG_SPAN 100

/* What the finite points of a plot span. */
struct span {
    double low, high, positive; /* positive: the smallest value above 0 */
};

static void widen(struct span *span, double value)
{
    span->low = fmin(span->low, value);
    span->high = fmax(span->high, value);
    if (value > 0) {
        span->positive = fmin(span->positive, value);
    }
}

static void measure(const struct plot *plot, struct span *x, struct span *y)
{
    *x = *y = (struct span){INFINITY, -INFINITY, INFINITY};
    for (size_t s = 0; s < plot->series_count; s++) {
        for (size_t i = 0; i < plot->series[s].count; i++) {
            const struct plot_point *point = &plot->series[s].points[i];

            if (isfinite(point->x) && isfinite(point->y)) {
                widen(x, point->x);
                widen(y, point->y);
            }
        }
    }
}

/* A tick each, or at every n-th where they are too many to be read. */
static void plan_categories(struct plot *plot, uint32_t ticks)
{
    size_t stride = (plot->category_count + ticks - 1) / ticks;

    plot->x = (struct chart_axis){.low = -0.5, .high = (double)plot->category_count - 0.5};
    for (size_t i = 0; i < plot->category_count && plot->x.tick_count < CHART_TICKS_MAX; i += stride) {
        plot->x.ticks[plot->x.tick_count++] = (double)i;
    }
}

static void plan_x(struct plot *plot, const struct span *span, uint32_t ticks)
{
    int may_be_logarithmic = plot->x_scale == PLOT_SCALE_AUTO && span->low > 0 && span->high / span->low > X_LOG_SPAN;

    if (plot->x_scale == PLOT_SCALE_LOG && span->positive <= span->high) {
        chart_axis_plan(&plot->x, span->positive, span->high, ticks, CHART_LOGARITHMIC, 0);
    } else if (may_be_logarithmic || plot->x_margin) {
        chart_axis_plan(&plot->x, span->low, span->high, ticks, may_be_logarithmic ? CHART_LOGARITHMIC : CHART_LINEAR, 1);
    } else {
        plot->x =
            (struct chart_axis){.low = span->low >= 0 && span->low <= 0.1 * span->high ? 0 : span->low, .high = span->high};
        if (!(plot->x.high > plot->x.low)) { /* a single point stands in the middle */
            plot->x.low -= 1;
            plot->x.high += 1;
        }
        chart_axis_ticks(&plot->x, ticks, 0);
    }
}

void plot_plan(struct plot *plot, uint32_t x_ticks, uint32_t y_ticks)
{
    struct span x, y;

    measure(plot, &x, &y);
    plot->is_empty = !(x.low <= x.high);
    if (plot->is_empty) {
        return;
    }
    if (plot->categories != NULL) {
        plan_categories(plot, x_ticks);
    } else {
        plan_x(plot, &x, x_ticks);
    }
    if (plot->y_scale == PLOT_SCALE_LOG && y.positive <= y.high) {
        chart_axis_plan(&plot->y, y.positive, y.high, y_ticks, CHART_LOGARITHMIC, 0);
    } else {
        chart_axis_plan(&plot->y, y.low, y.high, y_ticks, plot->y_scale == PLOT_SCALE_AUTO ? CHART_AUTO : CHART_LINEAR, 1);
    }
}
