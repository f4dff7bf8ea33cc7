/*
 * A bar reaches up to its bin's accuracy. What it lacks to the bin's mean confidence stands above it in orange
 * (overconfident), the part of it that is beyond that is green (underconfident). A bin of few rows is drawn faintly: its
 * accuracy is mostly chance.
 */
#include "api/reliability_svg.h"

#include <stdio.h>

#include "api/chart.h"
#include "api/svg.h"
#include "api/text.h"

#define LEFT          70
#define SIDE          300 /* of a diagram's square */
#define BETWEEN       74  /* two diagrams */
#define RIGHT         26
#define TOP           140
#define HISTOGRAM_GAP 22
#define HISTOGRAM     84
#define BOTTOM        48
#define TICKS         5  /* parts of an axis */
#define FEW           20 /* rows of a bin below which it is drawn faintly */

static const char style[] =
    SVG_STYLE(".ideal{stroke:#57606a;stroke-width:1.5;stroke-dasharray:5 4;fill:none}"
              ".mean{stroke:#1f2328;stroke-width:1.5;fill:none}.bar{fill:#0969da;fill-opacity:.55;stroke:#0969da}"
              ".over{fill:#d4650a;fill-opacity:.35;stroke:#d4650a}.under{fill:#1a7f64;fill-opacity:.4;stroke:#1a7f64}"
              ".few{opacity:.45}",
              ".ideal{stroke:#9198a1}.mean{stroke:#e6edf3}.bar{fill:#4c9fff;stroke:#4c9fff}"
              ".over{fill:#f0883e;stroke:#f0883e}.under{fill:#3fb68b;stroke:#3fb68b}");

/* The inside of an axis system on the paper, in pixels; both axes go from 0 to 1. */
struct box {
    double left, top, width, height;
};

static void put_rectangle(struct text *out, const char *class, const struct box *box, double x0, double x1, double y0,
                          double y1)
{
    text_printf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n", class,
                box->left + box->width * x0, box->top + box->height * (1 - y1), box->width * (x1 - x0),
                box->height * (y1 - y0));
}

static void put_grid(struct text *out, const struct box *box)
{
    for (int t = 0; t <= TICKS; t++) {
        double share = (double)t / TICKS, y = box->top + box->height * (1 - share), x = box->left + box->width * share;

        text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/><path class=\"grid\" d=\"M%.1f %.1fv%.1f\"/>\n",
                    box->left, y, box->width, x, box->top, box->height);
        text_printf(out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%.1f</text>\n", box->left - 8, y + 4, share);
    }
}

static void put_bins(struct text *out, const struct reliability_bins *bins, const struct box *box)
{
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        const struct calibration_bin *bin = &bins->bins[b];
        double from = (double)b / CALIBRATION_BINS, to = (double)(b + 1) / CALIBRATION_BINS;
        int is_over = bin->confidence > bin->accuracy;

        if (bin->count == 0) {
            continue;
        }
        text_printf(out, "<g%s><title>%llu rows, confidence %.4f, accuracy %.4f</title>\n",
                    bin->count < FEW ? " class=\"few\"" : "", (unsigned long long)bin->count, bin->confidence,
                    bin->accuracy);
        put_rectangle(out, "bar", box, from, to, 0, is_over ? bin->accuracy : bin->confidence);
        put_rectangle(out, is_over ? "over" : "under", box, from, to, is_over ? bin->accuracy : bin->confidence,
                      is_over ? bin->confidence : bin->accuracy);
        text_string(out, "</g>\n");
    }
    text_printf(out, "<path class=\"ideal\" d=\"M%.1f %.1fl%.1f %.1f\"/>\n", box->left, box->top + box->height, box->width,
                -box->height);
}

static double largest_share(const struct reliability_bins *bins)
{
    uint64_t most = 1;

    for (int b = 0; b < CALIBRATION_BINS; b++) {
        most = bins->bins[b].count > most ? bins->bins[b].count : most;
    }
    return bins->samples > 0 ? (double)most / (double)bins->samples : 1;
}

/* Which share of the rows each bin has, and where their mean confidence and their accuracy lie. */
static void put_histogram(struct text *out, const struct reliability_bins *bins, const struct box *box)
{
    const double top = largest_share(bins), samples = bins->samples > 0 ? (double)bins->samples : 1;
    const double bottom = box->top + box->height;

    text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>\n", box->left, box->top, box->width);
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        if (bins->bins[b].count > 0) {
            put_rectangle(out, "bar", box, (double)b / CALIBRATION_BINS, (double)(b + 1) / CALIBRATION_BINS, 0,
                          (double)bins->bins[b].count / samples / top);
        }
    }
    text_printf(out, "<path class=\"axis\" d=\"M%.1f %.1fh%.1f\"/>\n", box->left, bottom, box->width);
    text_printf(out, "<path class=\"mean\" d=\"M%.1f %.1fv%.1f\"/>", box->left + box->width * bins->confidence, box->top,
                box->height);
    text_printf(out, "<path class=\"ideal\" d=\"M%.1f %.1fv%.1f\"/>\n", box->left + box->width * bins->accuracy, box->top,
                box->height);
    for (int t = 0; t <= TICKS; t++) {
        double share = (double)t / TICKS;

        text_printf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%.1f</text>\n", box->left + box->width * share,
                    bottom + 18, share);
    }
    text_printf(out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%.2g %%</text>", box->left - 8, box->top + 4, 100 * top);
    text_printf(out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">0 %%</text>\n", box->left - 8, bottom + 4);
    text_printf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">confidence</text>\n", box->left + box->width / 2,
                bottom + 36);
}

/* A name of the y axis, from below to above. */
static void put_y_name(struct text *out, const struct box *box, const char *name)
{
    double x = box->left - 40, y = box->top + box->height / 2;

    text_printf(out, "<text class=\"middle\" transform=\"rotate(-90 %.1f %.1f)\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, y, x,
                y, name);
}

static void put_diagram(struct text *out, const struct reliability_bins *bins, const char *name, double left)
{
    const struct box square = {.left = left, .top = TOP, .width = SIDE, .height = SIDE};
    const struct box histogram = {.left = left, .top = TOP + SIDE + HISTOGRAM_GAP, .width = SIDE, .height = HISTOGRAM};

    text_printf(out, "<text class=\"name\" x=\"%.1f\" y=\"%d\">%s: ECE %.4f, gap %+.4f</text>\n", left, TOP - 34, name,
                bins->ece, bins->confidence - bins->accuracy);
    text_printf(out, "<path class=\"mean\" d=\"M%.1f %dh14\"/><text x=\"%.1f\" y=\"%d\">confidence %.4f</text>\n", left,
                TOP - 20, left + 20, TOP - 16, bins->confidence);
    text_printf(out, "<path class=\"ideal\" d=\"M%.1f %dh14\"/><text x=\"%.1f\" y=\"%d\">accuracy %.4f</text>\n", left + 158,
                TOP - 20, left + 178, TOP - 16, bins->accuracy);
    put_grid(out, &square);
    put_bins(out, bins, &square);
    put_y_name(out, &square, "accuracy");
    put_histogram(out, bins, &histogram);
    put_y_name(out, &histogram, "rows");
}

static void put_head(struct text *out, const struct reliability *reliability, const char *title, int width, int height)
{
    static const struct {
        const char *class, *text;
        int left;
    } keys[] = {{"bar", "accuracy", 0}, {"over", "confident beyond it", 78}, {"under", "short of it", 220}};
    char samples[CHART_LABEL_TEXT], subtitle[96];
    struct text name = {.data = NULL};

    chart_thousands(reliability->plain.samples, samples);
    text_printf(&name, "%s: reliability, ECE %.4f", title, reliability->plain.ece);
    (void)snprintf(subtitle, sizeof subtitle, "%s, %s rows, %d bins", reliability->rows, samples, CALIBRATION_BINS);
    svg_begin(out, &(struct svg_head){.width = width,
                                      .height = height,
                                      .left = LEFT,
                                      .name = name.data == NULL ? title : name.data,
                                      .title = title,
                                      .subtitle = subtitle,
                                      .style = style});
    text_release(&name);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        text_printf(out,
                    "<rect class=\"%s\" x=\"%d\" y=\"61\" width=\"10\" height=\"10\"/><text x=\"%d\" y=\"70\">%s</text>\n",
                    keys[k].class, LEFT + keys[k].left, LEFT + keys[k].left + 16, keys[k].text);
    }
}

void reliability_svg(const struct reliability *reliability, const char *title, struct text *out)
{
    int both = reliability->temperature > 0, width = LEFT + SIDE + RIGHT + (both ? BETWEEN + SIDE : 0);
    char name[48];

    put_head(out, reliability, title, width, TOP + SIDE + HISTOGRAM_GAP + HISTOGRAM + BOTTOM);
    put_diagram(out, &reliability->plain, "as the model says", LEFT);
    if (both) {
        (void)snprintf(name, sizeof name, "at T = %.4g", reliability->temperature);
        put_diagram(out, &reliability->calibrated, name, LEFT + SIDE + BETWEEN);
    }
    text_string(out, "</svg>\n");
}
