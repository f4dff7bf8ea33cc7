/* Panels of charts and what is in them; see chart.h. */
#include "chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The panels, from the top; a series belongs to the panel that names it. */
static const struct {
    const char *title;
    double weight;
    struct {
        enum curve_series series;
        enum chart_role role;
    } members[TRAIN_POINT_LAYERS];
    int member_count;
    int best;        /* -1: small is good, 1: large is good, 0: neither */
    int logarithmic; /* may its axis be? */
    int digits;      /* of values in the legend: accuracies differ in the fourth */
} panel_table[CHART_PANELS_MAX] = {
    {.title = "loss (nats)",
     .weight = 2,
     .members = {{CURVE_BATCH_LOSS, CHART_BATCH},
                 {CURVE_TRAIN_LOSS, CHART_TRAIN},
                 {CURVE_SMOOTHED_LOSS, CHART_TRAIN},
                 {CURVE_VALIDATION_LOSS, CHART_VALIDATION}},
     .member_count = 4,
     .best = -1,
     .logarithmic = 1,
     .digits = 3},
    {.title = "accuracy",
     .weight = 1,
     .members = {{CURVE_TRAIN_ACCURACY, CHART_TRAIN}, {CURVE_VALIDATION_ACCURACY, CHART_VALIDATION}},
     .member_count = 2,
     .best = 1,
     .digits = 4},
    {.title = "learning rate", .weight = 1, .members = {{CURVE_LEARNING_RATE, CHART_OTHER}}, .member_count = 1, .digits = 3},
    {.title = "gradient norm",
     .weight = 1,
     .members = {{CURVE_GRADIENT_NORM, CHART_OTHER}, {CURVE_FULL_GRADIENT_NORM, CHART_TRAIN}},
     .member_count = 2,
     .logarithmic = 1,
     .digits = 3},
    {.title = "step size",
     .weight = 1,
     .members = {{CURVE_STEP_SIZE, CHART_OTHER}},
     .member_count = 1,
     .logarithmic = 1,
     .digits = 3},
    {.title = "sharpness",
     .weight = 1,
     .members = {{CURVE_SHARPNESS, CHART_OTHER}, {CURVE_SHARPNESS_LIMIT, CHART_LIMIT}},
     .member_count = 2,
     .logarithmic = 1,
     .digits = 3},
    {.title = "noise scale",
     .weight = 1,
     .members = {{CURVE_NOISE_SCALE, CHART_OTHER}},
     .member_count = 1,
     .logarithmic = 1,
     .digits = 3},
    {.title = "gradient",
     .weight = 1,
     .members = {{CURVE_GRADIENT_VARIANCE, CHART_OTHER}, {CURVE_GRADIENT_SQUARE, CHART_LIMIT}},
     .member_count = 2,
     .logarithmic = 1,
     .digits = 3},
    {.title = "update ratio",
     .weight = 1,
     .members = {{CURVE_UPDATE_RATIO_0, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_1, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_2, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_3, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_4, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_5, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_6, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_7, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_8, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_9, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_10, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_11, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_12, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_13, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_14, CHART_OTHER},
                 {CURVE_UPDATE_RATIO_15, CHART_OTHER}},
     .member_count = TRAIN_POINT_LAYERS,
     .logarithmic = 1,
     .digits = 2},
};

double chart_x(const struct chart *chart, const struct metric_row *row)
{
    return chart->by_rate ? row->point.learning_rate : chart->by_epoch ? row->point.epoch : (double)row->point.step;
}

const char *chart_x_name(const struct chart *chart)
{
    return chart->by_rate ? "learning rate" : chart->by_epoch ? "epoch" : "step";
}

/*
 * The smallest value of a series that the axis must show. A minibatch's loss may come near to 0 by chance: its lowest
 * hundredth is left out, lest a logarithmic axis be all about it.
 */
static double shown_minimum(const struct curve *curve, const struct chart_series *series, double minimum, double maximum)
{
    enum { BINS = 512 };
    size_t histogram[BINS] = {0}, skip = series->points / 100, seen = 0;

    if (series->role != CHART_BATCH || !(minimum > 0) || maximum / minimum <= CHART_LOG_SPAN) {
        return minimum;
    }
    double span = log(maximum / minimum);
    for (size_t i = 0; i < curve->count; i++) {
        double value = curve_value(&curve->rows[i], series->series);
        if (isfinite(value)) {
            size_t bin = (size_t)(log(value / minimum) / span * BINS);
            histogram[bin < BINS ? bin : BINS - 1]++;
        }
    }
    for (size_t bin = 0; bin < BINS; bin++) {
        seen += histogram[bin];
        if (seen > skip) {
            return minimum * exp(span * (double)bin / BINS);
        }
    }
    return minimum;
}

/* Counts and measures a series; widens [*low, *high] by it. */
static void measure_series(const struct chart *chart, struct chart_series *series, int best, double *low, double *high)
{
    double minimum = INFINITY, maximum = -INFINITY;

    series->last = series->best = series->best_x = NAN;
    for (size_t i = 0; i < chart->curve->count; i++) {
        const struct metric_row *row = &chart->curve->rows[i];
        double value = curve_value(row, series->series);

        if (!isfinite(value)) {
            continue;
        }
        series->points++;
        series->last = value;
        minimum = fmin(minimum, value);
        maximum = fmax(maximum, value);
        if (best != 0 && series->role != CHART_BATCH && !(best * value <= best * series->best)) {
            series->best = value;
            series->best_x = chart_x(chart, row);
        }
    }
    if (series->points > 0) {
        *low = fmin(*low, shown_minimum(chart->curve, series, minimum, maximum));
        *high = fmax(*high, maximum);
    }
}

static int is_chosen(const struct curve *curve, enum curve_series series)
{
    for (uint32_t s = 0; s < curve->series_count; s++) {
        if (curve->series[s] == series) {
            return 1;
        }
    }
    return 0;
}

static void plan_panel(struct chart *chart, size_t row, uint32_t ticks)
{
    struct chart_panel *panel = &chart->panels[chart->panel_count];
    double low = INFINITY, high = -INFINITY;

    *panel = (struct chart_panel){
        .title = panel_table[row].title, .weight = panel_table[row].weight, .digits = panel_table[row].digits};
    for (int m = 0; m < panel_table[row].member_count; m++) {
        struct chart_series *series = &panel->series[panel->series_count];

        *series =
            (struct chart_series){.series = panel_table[row].members[m].series, .role = panel_table[row].members[m].role};
        if (!is_chosen(chart->curve, series->series)) {
            continue;
        }
        measure_series(chart, series, panel_table[row].best, &low, &high);
        panel->series_count += series->points > 0;
    }
    if (panel->series_count > 0) {
        ticks = (uint32_t)(ticks * panel->weight / panel_table[0].weight);
        chart_axis_plan(&panel->y, low, high, ticks < 2 ? 2 : ticks,
                        panel_table[row].logarithmic ? CHART_AUTO : CHART_LINEAR, panel_table[row].best <= 0);
        chart->panel_count++;
    }
}

void chart_plan(struct chart *chart, const struct curve *curve, uint32_t x_ticks, uint32_t y_ticks)
{
    *chart = (struct chart){.curve = curve};
    if (curve->count == 0) {
        return;
    }
    const struct metric_row *first = &curve->rows[0], *last = &curve->rows[curve->count - 1];
    chart->by_rate = isfinite(last->point.smoothed_loss) && last->point.learning_rate > first->point.learning_rate;
    chart->by_epoch = last->point.epoch >= 2;
    double from = chart_x(chart, first), to = chart_x(chart, last);
    chart->x = (struct chart_axis){.low = from <= 0.1 * to ? 0 : from, .high = to > from || from > 0 ? to : 1};
    if (!(chart->x.high > chart->x.low)) { /* a single point stands in the middle */
        chart->x.low -= 1;
        chart->x.high += 1;
    }
    if (chart->by_rate) {
        chart->x = (struct chart_axis){.low = from, .high = to, .logarithmic = 1};
    }
    chart_axis_ticks(&chart->x, x_ticks, 0);
    for (size_t row = 0; row < CHART_PANELS_MAX; row++) {
        plan_panel(chart, row, y_ticks);
    }
}

void chart_legend(const struct chart *chart, const struct chart_panel *panel, const struct chart_series *series,
                  char label[CHART_LEGEND_TEXT])
{
    int used = snprintf(label, CHART_LEGEND_TEXT, "%s %.*g", curve_series_name(series->series), panel->digits, series->last);

    if (series->role == CHART_VALIDATION && series->best != series->last) {
        (void)snprintf(label + used, CHART_LEGEND_TEXT - (size_t)used, ", best %.*g at %s %.4g", panel->digits, series->best,
                       chart->by_epoch ? "epoch" : "step", series->best_x);
    }
}

void chart_subtitle(const struct chart *chart, char *out, size_t capacity)
{
    const struct metric_row *last = &chart->curve->rows[chart->curve->count - 1];
    char steps[CHART_LABEL_TEXT];

    chart_thousands(last->point.step, steps);
    (void)snprintf(out, capacity, "%.4g %s, %s %s, %.3g s", last->point.epoch, last->point.epoch == 1 ? "epoch" : "epochs",
                   steps, last->point.step == 1 ? "step" : "steps", last->seconds);
}
