/*
 * What every chart of curves decides before it draws: panels, axes, ticks. chart_svg.c and chart_ascii.c only draw.
 *
 * Losses share one panel, accuracies a second one with the same x axis, instead of two y axes in one picture that invite
 * comparing what cannot be compared; what else is measured gets further panels. The axis of losses and
 * norms is logarithmic when their values are positive and span more than a factor of 10.
 */
#ifndef DESCENT_API_CHART_H
#define DESCENT_API_CHART_H

#include "api/chart_axis.h"
#include "api/curve.h"

#define CHART_LEGEND_TEXT 96
#define CHART_PANELS_MAX  9

enum chart_role { CHART_BATCH, CHART_TRAIN, CHART_VALIDATION, CHART_OTHER, CHART_LIMIT };

struct chart_series {
    enum curve_series series;
    enum chart_role role;
    size_t points; /* finite ones */
    double last;   /* the last finite value; NaN: none */
    double best;   /* the smallest loss, the largest accuracy; NaN: none, or meaningless */
    double best_x;
};

struct chart_panel {
    const char *title; /* "loss (nats)" */
    double weight;     /* share of the height */
    int digits;        /* significant ones, of values in the legend */
    struct chart_axis y;
    struct chart_series series[CURVE_SERIES_COUNT];
    uint32_t series_count;
};

struct chart {
    const struct curve *curve; /* borrowed */
    int by_rate;               /* a range test's: x is the learning rate, on a logarithmic axis */
    int by_epoch;              /* x counts epochs; otherwise steps */
    struct chart_axis x;
    struct chart_panel panels[CHART_PANELS_MAX];
    uint32_t panel_count; /* 0: there is no point to draw */
};

/* x_ticks, y_ticks: how many ticks look well, y for the panel with the greatest weight. */
void chart_plan(struct chart *chart, const struct curve *curve, uint32_t x_ticks, uint32_t y_ticks);

double chart_x(const struct chart *chart, const struct metric_row *row);
const char *chart_x_name(const struct chart *chart); /* "epoch" */
/* "validation_loss 0.305, best 0.303 at epoch 9" */
void chart_legend(const struct chart *chart, const struct chart_panel *panel, const struct chart_series *series,
                  char label[CHART_LEGEND_TEXT]);
/* "10 epochs, 4,690 steps, 12.3 s" */
void chart_subtitle(const struct chart *chart, char *out, size_t capacity);

#endif
