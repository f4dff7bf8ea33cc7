#include "cross_entropy_chart.h"

#include <math.h>
#include <stdio.h>

#include "api/cross_entropy_request.h"
#include "api/plot.h"

#define PAIRS   40   /* drawn, at most */
#define POINTS  300  /* of the curve */
#define HIGHEST 5.0  /* nats, unless a pair costs more */
#define CEILING 40.0 /* a pair that costs more stands in the legend alone: the curve would be flat beside it */

struct drawing {
    struct plot_point curve[POINTS], dots[PAIRS];
    struct plot_series series[1 + PAIRS];
    char names[PAIRS][32];
    double highest;
};

static void add_pairs(struct drawing *drawing, const struct cross_entropy_request *request, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double h = cross_entropy_request_compute(request, i).cross_entropy;
        struct plot_series *series = &drawing->series[1 + i];

        drawing->dots[i] = (struct plot_point){exp(-h), h};
        (void)snprintf(drawing->names[i], sizeof drawing->names[i], request->pairs > 1 ? "pair %zu" : "H(u, v)", i);
        *series = (struct plot_series){.name = drawing->names[i], .points = &drawing->dots[i], .count = 1};
        if (isinf(h)) {
            (void)snprintf(series->note, sizeof series->note, "infinite");
        } else {
            (void)snprintf(series->note, sizeof series->note, "%.4g", h);
        }
        if (h > CEILING) {
            series->count = 0;
        } else {
            drawing->highest = fmax(drawing->highest, fmin(1.05 * h, CEILING));
        }
    }
}

/* Steps of equal height, so that the steep part is as smooth as the flat one. */
static void add_curve(struct drawing *drawing)
{
    for (size_t i = 0; i < POINTS; i++) {
        double nats = drawing->highest * (double)(POINTS - 1 - i) / (POINTS - 1);

        drawing->curve[i] = (struct plot_point){exp(-nats), nats};
    }
    drawing->series[0] = (struct plot_series){.name = "−ln v", .points = drawing->curve, .count = POINTS, .has_line = 1};
}

void cross_entropy_chart(const struct cross_entropy_request *request, struct text *out)
{
    size_t count = request->pairs < PAIRS ? request->pairs : PAIRS;
    struct drawing drawing = {.highest = HIGHEST};
    char subtitle[96];
    struct plot plot = {.title = "Cross-entropy",
                        .subtitle = subtitle,
                        .x_name = "probability v of what is true",
                        .y_name = "H (nats)",
                        .series = drawing.series,
                        .series_count = 1 + count,
                        .x_scale = PLOT_SCALE_LINEAR,
                        .y_scale = PLOT_SCALE_LINEAR};

    if (count < request->pairs) {
        (void)snprintf(subtitle, sizeof subtitle, "the first %zu of %zu pairs", count, request->pairs);
    } else if (count == 1) {
        struct cross_entropy figures = cross_entropy_request_compute(request, 0);

        (void)snprintf(subtitle, sizeof subtitle, "entropy %.4g, divergence %.4g nats", figures.entropy, figures.kl);
    } else {
        (void)snprintf(subtitle, sizeof subtitle, "%zu pairs", count);
    }
    add_pairs(&drawing, request, count);
    add_curve(&drawing);
    plot_svg(&plot, out);
}
