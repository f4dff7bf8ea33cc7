/*
 * From back to front: areas below every second level, one over the other, so that valleys are darkest; contour lines; paths,
 * each over a broader line of the paper's colour; critical points; arrows. The plot has the box's proportions where they are
 * moderate, so that steepest descent is at right angles to the contours.
 */
#include "landscape_svg.h"

#include <math.h>
#include <string.h>

#include "api/chart_axis.h"
#include "api/svg.h"
#include "api/text.h"
#include "core/landscape/contour.h"

#define LEFT         70
#define TOP          74  /* title and formula */
#define BOTTOM       52  /* labels and name of x */
#define PLOT         520 /* the longer side of the plot */
#define LEGEND       230 /* its column, with the gap before it */
#define RIGHT        26
#define ROW          19  /* of the legend */
#define GRID         129 /* points along the longer side */
#define LEVELS       20
#define MOST_STRETCH 2.5 /* a box that is so many times as long as wide is drawn less long */
#define MARKERS      60  /* a path of at most so many rows shows them */
#define FEW_STARTS   20  /* up to so many are drawn large */
#define MOST_MARKS   400 /* critical points that are drawn */
#define FORMULA      104 /* characters of it below the title */
#define NAME         20  /* letters of a name in the legend */
#define COLOURS      8
#define ARROW        34 /* pixels of the longest */

static const char style[] =
    SVG_STYLE(".area{fill:#3b6ea5;fill-opacity:.085;stroke:none}"
              ".contour{stroke:#3b6ea5;stroke-opacity:.42;stroke-width:.8;stroke-linecap:round;fill:none}"
              ".halo{stroke:#fff;stroke-opacity:.8;stroke-width:4.5;fill:none;stroke-linejoin:round;stroke-linecap:round}"
              ".line{fill:none;stroke-linejoin:round;stroke-width:2}"
              ".arrow{fill:none;stroke:#1f2328;stroke-width:1.2;stroke-linecap:round;stroke-linejoin:round}"
              ".star{fill:#ffd33d;stroke:#1f2328;stroke-width:.9;stroke-linejoin:round}"
              ".mark{fill:#fff;stroke:#1f2328;stroke-width:1.3}.cross{fill:none;stroke:#1f2328;stroke-width:1.8}"
              ".dot{stroke:#fff;stroke-width:.8}.start{fill:#fff;stroke:#1f2328;stroke-width:1.6}"
              ".many{stroke-opacity:.5;stroke-width:1}" SVG_COLOURS_LIGHT
              ".f0{fill:#0969da}.f1{fill:#d4650a}.f2{fill:#1a7f64}.f3{fill:#b3309b}.f4{fill:#7a6200}.f5{fill:#5b50d6}"
              ".f6{fill:#c4303c}.f7{fill:#4d5a66}",
              ".area{fill:#6ea8e8;fill-opacity:.06}.contour{stroke:#6ea8e8}.halo{stroke:#0d1117}"
              ".arrow,.cross{stroke:#e6edf3}.star{stroke:#0d1117}.mark,.start{fill:#0d1117;stroke:#e6edf3}"
              ".dot{stroke:#0d1117}" SVG_COLOURS_DARK
              ".f0{fill:#4c9fff}.f1{fill:#f0883e}.f2{fill:#3fb68b}.f3{fill:#e06ccb}.f4{fill:#d4b13a}.f5{fill:#9a92ff}"
              ".f6{fill:#ff6b74}.f7{fill:#9fb0c0}");

static const char *const dashes[] = {"", "7 4"}; /* one a round of the colours: 16 lines that differ */

/* Where things stand on the paper, in pixels. */
struct sheet {
    struct text *out;
    const struct landscape_picture *picture;
    double width, height; /* of the plot */
    unsigned nx, ny;      /* of the grid */
    double paper_width, paper_height;
};

static double pixel_x(const struct sheet *sheet, double x)
{
    const double *edge = sheet->picture->box[0];
    double pixel = LEFT + sheet->width * ((x - edge[0]) / (edge[1] - edge[0]));

    return fmin(fmax(pixel, -9999), 9999); /* far outside is far enough */
}

static double pixel_y(const struct sheet *sheet, double y)
{
    const double *edge = sheet->picture->box[1];
    double pixel = TOP + sheet->height * (1 - (y - edge[0]) / (edge[1] - edge[0]));

    return fmin(fmax(pixel, -9999), 9999);
}

static int is_in_box(const struct sheet *sheet, double x, double y)
{
    const double(*box)[2] = sheet->picture->box;

    return x >= box[0][0] && x <= box[0][1] && y >= box[1][0] && y <= box[1][1];
}

static void plan(struct sheet *sheet, const struct landscape_picture *picture, struct text *out, size_t legend_rows)
{
    double ratio = (picture->box[0][1] - picture->box[0][0]) / (picture->box[1][1] - picture->box[1][0]);

    ratio = fmin(fmax(ratio, 1 / MOST_STRETCH), MOST_STRETCH);
    *sheet = (struct sheet){.out = out, .picture = picture};
    sheet->width = ratio >= 1 ? PLOT : PLOT * ratio;
    sheet->height = ratio >= 1 ? PLOT / ratio : PLOT;
    sheet->nx = (unsigned)(1 + lround((GRID - 1) * sheet->width / PLOT));
    sheet->ny = (unsigned)(1 + lround((GRID - 1) * sheet->height / PLOT));
    sheet->paper_width = LEFT + fmax(sheet->width, 240) + LEGEND + RIGHT;
    sheet->paper_height = fmax(TOP + sheet->height + BOTTOM, TOP + ROW * (double)(legend_rows + 1) + 20);
}

/* ---- texts ---- */

/* At most `letters` characters; what is longer ends with dots. */
static void put_cut(struct text *out, const char *string, size_t letters)
{
    size_t used = 0, count = 0;

    for (; string[used] != '\0'; used++) {
        int begins = ((unsigned char)string[used] & 0xc0) != 0x80;

        if (begins && count++ == letters) {
            break;
        }
    }
    char cut[FORMULA_MAX_LENGTH + 1];
    memcpy(cut, string, used < sizeof cut ? used : sizeof cut - 1);
    cut[used < sizeof cut ? used : sizeof cut - 1] = '\0';
    svg_escaped(out, cut);
    text_string(out, string[used] != '\0' ? "…" : "");
}

static void put_head(const struct sheet *sheet)
{
    struct text *out = sheet->out;
    const char *title = sheet->picture->title;

    text_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
                "role=\"img\">\n<title>",
                sheet->paper_width, sheet->paper_height, sheet->paper_width, sheet->paper_height);
    svg_escaped(out, title != NULL ? title : "f(x, y)");
    text_string(out, ": ");
    svg_escaped(out, sheet->picture->text);
    text_string(out, "</title>\n");
    text_string(out, style);
    text_printf(out,
                "<defs><clipPath id=\"plot\"><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/></clipPath></defs>\n",
                LEFT, TOP, sheet->width, sheet->height);
    text_printf(out,
                "<rect class=\"paper\" width=\"%.0f\" height=\"%.0f\" rx=\"6\"/>\n<text class=\"title\" x=\"%d\" y=\"32\">",
                sheet->paper_width, sheet->paper_height, LEFT);
    svg_escaped(out, title != NULL ? title : "f(x, y)");
    text_printf(out, "</text>\n<text x=\"%d\" y=\"53\">f = ", LEFT);
    put_cut(out, sheet->picture->text, FORMULA);
    text_string(out, "</text>\n");
}

static void put_axes(const struct sheet *sheet)
{
    struct text *out = sheet->out;
    const double(*box)[2] = sheet->picture->box;
    struct chart_axis x = {.low = box[0][0], .high = box[0][1]}, y = {.low = box[1][0], .high = box[1][1]};
    double bottom = TOP + sheet->height;
    char label[CHART_LABEL_TEXT];

    chart_axis_ticks(&x, (uint32_t)(sheet->width / 65), 0);
    chart_axis_ticks(&y, (uint32_t)(sheet->height / 55), 0);
    for (uint32_t t = 0; t < x.tick_count; t++) {
        chart_tick_label(&x, x.ticks[t], label);
        text_printf(out, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>", pixel_x(sheet, x.ticks[t]), bottom);
        text_printf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", pixel_x(sheet, x.ticks[t]), bottom + 19,
                    label);
    }
    for (uint32_t t = 0; t < y.tick_count; t++) {
        chart_tick_label(&y, y.ticks[t], label);
        text_printf(out, "<path class=\"axis\" d=\"M%d %.1fh-5\"/>", LEFT, pixel_y(sheet, y.ticks[t]));
        text_printf(out, "<text class=\"end\" x=\"%d\" y=\"%.1f\">%s</text>\n", LEFT - 9, pixel_y(sheet, y.ticks[t]) + 4,
                    label);
    }
    text_printf(out, "<rect class=\"axis\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>\n", LEFT, TOP, sheet->width,
                sheet->height);
    text_printf(out, "<text class=\"middle name\" x=\"%.1f\" y=\"%.1f\">x</text>", LEFT + sheet->width / 2, bottom + 40);
    text_printf(out, "<text class=\"middle name\" x=\"20\" y=\"%.1f\">y</text>\n", TOP + sheet->height / 2 + 4);
}

/* ---- contours ---- */

/* A piece of a contour; an area's is closed. */
static void put_piece(void *context, const double (*points)[2], size_t count)
{
    const struct sheet *sheet = context;
    double x_unit = sheet->width / (sheet->nx - 1), y_unit = sheet->height / (sheet->ny - 1);

    for (size_t i = 0; i < count; i++) {
        text_printf(sheet->out, "%s%.1f %.1f", i == 0 ? "M" : "L", LEFT + x_unit * points[i][0],
                    TOP + sheet->height - y_unit * points[i][1]);
    }
    if (count > 2) {
        text_string(sheet->out, "Z");
    }
}

static enum status put_contours(struct sheet *sheet, struct error *error)
{
    double levels[CONTOUR_MAX_LEVELS];
    struct contour_grid grid;
    enum status status = contour_grid_make(&grid, sheet->picture->formula, sheet->picture->box, sheet->nx, sheet->ny, error);

    if (status != STATUS_OK) {
        return status;
    }
    size_t count = contour_levels(&grid, LEVELS, levels);
    for (size_t i = count; i-- > 0;) {
        if (i % 2 == 1) {
            text_string(sheet->out, "<path class=\"area\" d=\"");
            contour_area(&grid, levels[i], put_piece, sheet);
            text_string(sheet->out, "\"/>\n");
        }
    }
    for (size_t i = 0; i < count; i++) {
        text_string(sheet->out, "<path class=\"contour\" d=\"");
        contour_line(&grid, levels[i], put_piece, sheet);
        text_string(sheet->out, "\"/>\n");
    }
    contour_grid_release(&grid);
    return STATUS_OK;
}

/* ---- critical points ---- */

static void put_mark(struct text *out, enum critical_type type, double x, double y)
{
    switch (type) {
    case CRITICAL_MINIMUM:
        text_printf(out,
                    "<path class=\"star\" d=\"M%.1f %.1fl1.8 4.6l5 .3l-3.9 3.1l1.3 4.8l-4.2 -2.7l-4.2 2.7l1.3 -4.8l-3.9 "
                    "-3.1l5 -.3Z\"/>\n",
                    x, y - 7.2);
        break;
    case CRITICAL_MAXIMUM:
        text_printf(out, "<path class=\"mark\" d=\"M%.1f %.1fl4.6 8h-9.2Z\"/>\n", x, y - 5);
        break;
    case CRITICAL_SADDLE:
        text_printf(out, "<path class=\"cross\" d=\"M%.1f %.1fl7 7m0 -7l-7 7\"/>\n", x - 3.5, y - 3.5);
        break;
    case CRITICAL_DEGENERATE:
    case CRITICAL_NONSMOOTH:
    case CRITICAL_TYPE_COUNT:
        text_printf(out, "<path class=\"mark\" d=\"M%.1f %.1fl5 5l-5 5l-5 -5Z\"/>\n", x, y - 5);
        break;
    }
}

/* Which types there are to be seen, as bits; 0 where there are too many points. */
static unsigned types_of(const struct sheet *sheet)
{
    const struct critical_points *points = sheet->picture->points;
    unsigned types = 0;

    for (size_t i = 0; points != NULL && points->count <= MOST_MARKS && i < points->count; i++) {
        if (is_in_box(sheet, points->points[i].x, points->points[i].y)) {
            types |= 1u << points->points[i].type;
        }
    }
    return types;
}

static void put_marks(const struct sheet *sheet)
{
    const struct critical_points *points = sheet->picture->points;

    if (types_of(sheet) == 0) {
        return;
    }
    for (size_t i = 0; i < points->count; i++) {
        const struct critical_point *point = &points->points[i];

        if (is_in_box(sheet, point->x, point->y)) {
            put_mark(sheet->out, point->type, pixel_x(sheet, point->x), pixel_y(sheet, point->y));
        }
    }
}

/* What the marks mean, below `y` of the legend's column. */
static void put_mark_legend(const struct sheet *sheet, double x, double y)
{
    unsigned types = types_of(sheet);

    for (int type = 0; type < CRITICAL_TYPE_COUNT; type++) {
        if ((types >> type & 1) != 0) {
            put_mark(sheet->out, (enum critical_type)type, x + 11, y - 4);
            text_printf(sheet->out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 30, y,
                        critical_type_name((enum critical_type)type));
            y += ROW;
        }
    }
}

static double legend_x(const struct sheet *sheet)
{
    return LEFT + sheet->width + 24;
}

enum status landscape_svg(const struct landscape_picture *picture, struct text *out, struct error *error)
{
    struct sheet sheet;
    enum status status;

    plan(&sheet, picture, out, CRITICAL_TYPE_COUNT);
    put_head(&sheet);
    text_string(out, "<g clip-path=\"url(#plot)\">\n");
    status = put_contours(&sheet, error);
    text_string(out, "</g>\n");
    put_axes(&sheet);
    put_marks(&sheet);
    put_mark_legend(&sheet, legend_x(&sheet), TOP + 10);
    text_string(out, "</svg>\n");
    return status;
}

/* ---- descents ---- */

/* What of a path is drawn: rows that are at least half a pixel from the one before. */
static void put_path_data(const struct sheet *sheet, const struct descent_result *result)
{
    double x = -1e9, y = -1e9;

    for (size_t i = 0; i < result->path_count; i++) {
        double next_x = pixel_x(sheet, result->path[i].x), next_y = pixel_y(sheet, result->path[i].y);

        if (fabs(next_x - x) + fabs(next_y - y) >= 0.5 || i + 1 == result->path_count) {
            text_printf(sheet->out, "%s%.1f %.1f", i == 0 ? "M" : "L", next_x, next_y);
            x = next_x;
            y = next_y;
        }
    }
}

static void put_dash(struct text *out, size_t optimizer)
{
    const char *dash = dashes[optimizer / COLOURS % (sizeof dashes / sizeof *dashes)];

    if (dash[0] != '\0') {
        text_printf(out, " stroke-dasharray=\"%s\"", dash);
    }
}

static void put_dot(const struct sheet *sheet, const struct descent_row *row, size_t optimizer, double radius)
{
    if (is_in_box(sheet, row->x, row->y)) {
        text_printf(sheet->out, "<circle class=\"dot f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", optimizer % COLOURS,
                    pixel_x(sheet, row->x), pixel_y(sheet, row->y), radius);
    }
}

static void put_path(const struct sheet *sheet, const struct descent_result *result, size_t optimizer)
{
    text_string(sheet->out, "<path class=\"halo\" d=\"");
    put_path_data(sheet, result);
    text_printf(sheet->out, "\"/>\n<path class=\"line c%zu\"", optimizer % COLOURS);
    put_dash(sheet->out, optimizer);
    text_string(sheet->out, " d=\"");
    put_path_data(sheet, result);
    text_string(sheet->out, "\"/>\n");
    for (size_t i = 1; i + 1 < result->path_count && result->path_count <= MARKERS; i++) {
        put_dot(sheet, &result->path[i], optimizer, 2.8);
    }
}

/* -gradient at a row, as long as the square root of its share of the longest one on the path. */
static void put_arrow(const struct sheet *sheet, const struct descent_row *row, double longest)
{
    const double(*box)[2] = sheet->picture->box;
    struct jet jet;

    formula_jet(sheet->picture->formula, row->x, row->y, &jet);
    double x = -jet.gx * sheet->width / (box[0][1] - box[0][0]), y = jet.gy * sheet->height / (box[1][1] - box[1][0]);
    double norm = vector_length(x, y), pixels = ARROW * sqrt(row->gradient_norm / longest);

    if (!(norm > 0) || !isfinite(norm) || pixels < 4 || !is_in_box(sheet, row->x, row->y)) {
        return;
    }
    x /= norm;
    y /= norm;
    double from_x = pixel_x(sheet, row->x), from_y = pixel_y(sheet, row->y);
    double to_x = from_x + pixels * x, to_y = from_y + pixels * y, head = fmin(6, pixels / 2);
    text_printf(sheet->out, "<path class=\"arrow\" d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f %.1f\"/>\n", from_x,
                from_y, to_x, to_y, to_x - head * (x - 0.5 * y), to_y - head * (y + 0.5 * x), to_x, to_y,
                to_x - head * (x + 0.5 * y), to_y - head * (y - 0.5 * x));
}

static void put_arrows(const struct sheet *sheet, const struct descent_request *request, const struct descent_result *result)
{
    uint64_t every = descent_request_every(request), last = 0;
    double longest = 0;

    for (size_t i = 0; i < result->path_count; i++) {
        longest = fmax(longest, result->path[i].gradient_norm);
    }
    for (size_t i = 0; request->arrows > 0 && i < result->path_count; i++) {
        uint64_t turn = descent_path_step(result->taken, every, i) / request->arrows;

        if (i == 0 || turn != last) {
            put_arrow(sheet, &result->path[i], longest);
        }
        last = turn;
    }
}

/* Names, and the value reached: the last one, or the lowest of many starts. */
static void put_legend(const struct sheet *sheet, const struct descent_request *request,
                       const struct descent_result *results)
{
    double x = legend_x(sheet), y = TOP + 10, right = x + LEGEND - 24;
    int is_many = request->start_count > 1;

    text_printf(sheet->out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", right, y,
                is_many ? "lowest f" : "f at the end");
    for (size_t o = 0; o < request->optimizer_count; o++) {
        double best = NAN;

        y += ROW;
        for (size_t s = 0; s < request->start_count; s++) {
            const struct descent_result *result = &results[s * request->optimizer_count + o];

            best = fmin(best, result->path[result->path_count - 1].f);
        }
        if (request->path) {
            text_printf(sheet->out, "<path class=\"line c%zu\"", o % COLOURS);
            put_dash(sheet->out, o);
            text_printf(sheet->out, " d=\"M%.1f %.1fh22\"/>", x, y - 4);
        } else {
            text_printf(sheet->out, "<circle class=\"dot f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", o % COLOURS, x + 11,
                        y - 4);
        }
        text_printf(sheet->out, "<text x=\"%.1f\" y=\"%.1f\">", x + 30, y);
        put_cut(sheet->out, request->optimizers[o].name, NAME);
        text_printf(sheet->out, "</text><text class=\"end\" x=\"%.1f\" y=\"%.1f\">", right, y);
        if (isfinite(best)) {
            text_printf(sheet->out, "%.4g", best);
        }
        text_string(sheet->out, "</text>\n");
    }
    put_mark_legend(sheet, x, y + ROW + 10);
}

static void put_paths(const struct sheet *sheet, const struct descent_request *request, const struct descent_result *results)
{
    size_t count = request->path ? request->start_count * request->optimizer_count : 0;

    for (size_t i = 0; i < count; i++) {
        put_path(sheet, &results[i], i % request->optimizer_count);
    }
    for (size_t i = 0; i < count; i++) {
        put_arrows(sheet, request, &results[i]);
    }
}

/* All starts below all ends. */
static void put_ends(const struct sheet *sheet, const struct descent_request *request, const struct descent_result *results)
{
    int are_many = request->start_count > FEW_STARTS;

    for (size_t s = 0; s < request->start_count; s++) {
        const struct descent_row *first = &results[s * request->optimizer_count].path[0];

        if (is_in_box(sheet, first->x, first->y)) {
            text_printf(sheet->out, "<circle class=\"start%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>\n",
                        are_many ? " many" : "", pixel_x(sheet, first->x), pixel_y(sheet, first->y), are_many ? "1.5" : "5");
        }
    }
    for (size_t i = 0; i < request->start_count * request->optimizer_count; i++) {
        put_dot(sheet, &results[i].path[results[i].path_count - 1], i % request->optimizer_count, are_many ? 3.2 : 4.6);
    }
}

/* The box around all finite rows, with a margin. */
static void box_around(const struct descent_request *request, const struct descent_result *results, double box[2][2])
{
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};

    for (size_t i = 0; i < request->start_count * request->optimizer_count; i++) {
        size_t rows = results[i].stop == DESCENT_DIVERGED ? 1 : results[i].path_count; /* a way to infinity says little */

        for (size_t r = 0; r < rows; r++) {
            const double place[2] = {results[i].path[r].x, results[i].path[r].y};

            for (int axis = 0; axis < 2; axis++) {
                low[axis] = fmin(low[axis], place[axis]);
                high[axis] = fmax(high[axis], place[axis]);
            }
        }
    }
    double size = fmax(fmax(high[0] - low[0], high[1] - low[1]), 1e-9 * fmax(fabs(high[0]), fabs(high[1])));
    for (int axis = 0; axis < 2; axis++) { /* nor is one axis much narrower than the other */
        double margin = fmax(0.12 * size, 0.5 * (0.5 * size - (high[axis] - low[axis])));

        margin = size > 0 ? margin : 1;
        box[axis][0] = low[axis] - margin;
        box[axis][1] = high[axis] + margin;
    }
}

enum status descents_svg(const struct descent_request *request, const struct descent_result *results,
                         const struct critical_points *known, struct text *out, struct error *error)
{
    struct landscape_picture picture = {.title = request->landscape != NULL ? request->landscape->title : NULL,
                                        .text = request->text,
                                        .formula = request->formula,
                                        .points = known};
    struct sheet sheet;
    enum status status;

    memcpy(picture.box, request->box, sizeof picture.box);
    if (!request->has_box) {
        box_around(request, results, picture.box);
    }
    plan(&sheet, &picture, out, request->optimizer_count + CRITICAL_TYPE_COUNT);
    put_head(&sheet);
    text_string(out, "<g clip-path=\"url(#plot)\">\n");
    status = put_contours(&sheet, error);
    put_paths(&sheet, request, results);
    text_string(out, "</g>\n");
    put_axes(&sheet);
    put_marks(&sheet);
    put_ends(&sheet, request, results);
    put_legend(&sheet, request, results);
    text_string(out, "</svg>\n");
    return status;
}
