#include "api/encode_landscape.h"

#include <math.h>

#include "api/encode_common.h"
#include "api/json_writer.h"
#include "core/base/mathx.h"

static void write_numbers(struct json_writer *writer, const char *key, const double *numbers, size_t count)
{
    if (key != NULL) {
        json_key(writer, key);
    }
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_number(writer, numbers[i]);
    }
    json_end_array(writer);
}

static void write_description(const struct landscape *landscape, struct json_writer *writer)
{
    json_member_string(writer, "object", "landscape");
    json_member_string(writer, "name", landscape->name);
    json_member_string(writer, "title", landscape->title);
    json_member_string(writer, "formula", landscape->formula);
    json_key(writer, "box");
    json_begin_array(writer);
    write_numbers(writer, NULL, landscape->box[0], 2);
    write_numbers(writer, NULL, landscape->box[1], 2);
    json_end_array(writer);
    json_member_bool(writer, "convex", landscape->convex);
    write_numbers(writer, "start", landscape->start, 2);
    json_member_string(writer, "note", landscape->note);
}

void encode_landscape_list(struct json_writer *writer)
{
    encode_list_begin(writer);
    for (size_t i = 0; i < landscape_count(); i++) {
        json_begin_object(writer);
        write_description(landscape_at(i), writer);
        json_end_object(writer);
    }
    encode_list_end(writer, landscape_at(0)->name, landscape_at(landscape_count() - 1)->name, 0);
}

static void write_critical_point(const struct critical_point *point, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_number(writer, "x", point->x);
    json_member_number(writer, "y", point->y);
    json_member_number(writer, "f", point->f);
    json_member_string(writer, "type", critical_type_name(point->type));
    write_numbers(writer, "eigenvalues", point->eigenvalues, 2);
    if (point->type == CRITICAL_MINIMUM) {
        json_member_number(writer, "max_learning_rate", 2 / point->eigenvalues[1]);
        json_member_number(writer, "condition_number", point->eigenvalues[1] / point->eigenvalues[0]);
    }
    json_end_object(writer);
}

void encode_landscape(const struct landscape *landscape, const struct critical_points *points, struct json_writer *writer)
{
    uint64_t counts[CRITICAL_TYPE_COUNT] = {0};

    for (size_t i = 0; i < points->count; i++) {
        counts[points->points[i].type]++;
    }
    json_begin_object(writer);
    write_description(landscape, writer);
    json_member_bool(writer, "complete", points->complete);
    json_key(writer, "counts");
    json_begin_object(writer);
    for (unsigned type = 0; type < CRITICAL_TYPE_COUNT; type++) {
        json_member_uint(writer, critical_type_name((enum critical_type)type), counts[type]);
    }
    json_end_object(writer);
    json_key(writer, "critical_points");
    json_begin_array(writer);
    for (size_t i = 0; i < points->count; i++) {
        write_critical_point(&points->points[i], writer);
    }
    json_end_array(writer);
    json_key(writer, "links");
    json_begin_object(writer);
    encode_link(writer, "self", "/v1/landscapes", landscape->name, "");
    encode_link(writer, "point", "/v1/landscapes", landscape->name, "/point");
    encode_link(writer, "grid", "/v1/landscapes", landscape->name, "/grid");
    json_end_object(writer);
    json_end_object(writer);
}

static void write_directions(const struct jet *jet, unsigned count, struct json_writer *writer)
{
    double norm = jet_gradient_norm(jet);
    const double steepest[2] = {norm > 0 ? jet->gx / norm : (double)NAN, norm > 0 ? jet->gy / norm : (double)NAN};

    json_key(writer, "steepest");
    json_begin_object(writer);
    write_numbers(writer, "direction", steepest, 2); /* [null, null] where the gradient is 0 */
    json_member_number(writer, "derivative", norm);
    json_end_object(writer);
    json_key(writer, "directions");
    json_begin_array(writer);
    for (unsigned i = 0; i < count; i++) {
        double direction[2];

        mathx_sincos_turns_f64((double)i / count, &direction[1], &direction[0]);
        direction[0] += 0.0; /* -0 is 0 */
        direction[1] += 0.0;
        json_begin_object(writer);
        write_numbers(writer, "direction", direction, 2);
        json_member_number(writer, "derivative", direction[0] * jet->gx + direction[1] * jet->gy);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void encode_landscape_point(const struct landscape *landscape, const struct formula *formula, double x, double y,
                            unsigned directions, struct json_writer *writer)
{
    double eigenvalues[2];
    struct jet jet;

    formula_jet(formula, x, y, &jet);
    enum critical_type type = critical_classify(&jet, eigenvalues);
    json_begin_object(writer);
    json_member_string(writer, "object", "landscape_point");
    json_member_string(writer, "landscape", landscape->name);
    json_member_number(writer, "x", x);
    json_member_number(writer, "y", y);
    json_member_number(writer, "f", jet.f);
    write_numbers(writer, "gradient", (const double[]){jet.gx, jet.gy}, 2);
    json_member_number(writer, "gradient_norm", jet_gradient_norm(&jet));
    json_key(writer, "hessian");
    json_begin_array(writer);
    write_numbers(writer, NULL, (const double[]){jet.hxx, jet.hxy}, 2);
    write_numbers(writer, NULL, (const double[]){jet.hxy, jet.hyy}, 2);
    json_end_array(writer);
    write_numbers(writer, "eigenvalues", eigenvalues, 2);
    json_member_string(writer, "type", critical_type_name(type));
    if (directions > 0) {
        write_directions(&jet, directions, writer);
    }
    json_end_object(writer);
}

/* Point i of n along a side, which begins and ends exactly where the box does. */
static double along(const double side[2], unsigned i, unsigned n)
{
    return i == n - 1 ? side[1] : side[0] + (side[1] - side[0]) * ((double)i / (n - 1));
}

static void write_side(struct json_writer *writer, const char *key, const double side[2], unsigned n)
{
    json_key(writer, key);
    json_begin_array(writer);
    for (unsigned i = 0; i < n; i++) {
        json_number(writer, along(side, i, n));
    }
    json_end_array(writer);
}

void encode_landscape_grid(const struct landscape *landscape, const struct formula *formula, double box[2][2], unsigned nx,
                           unsigned ny, struct json_writer *writer)
{
    double lowest = (double)NAN, highest = (double)NAN;

    json_begin_object(writer);
    json_member_string(writer, "object", "landscape_grid");
    json_member_string(writer, "landscape", landscape->name);
    write_side(writer, "x", box[0], nx);
    write_side(writer, "y", box[1], ny);
    json_key(writer, "values");
    json_begin_array(writer);
    for (unsigned j = 0; j < ny; j++) {
        json_begin_array(writer);
        for (unsigned i = 0; i < nx; i++) {
            double f = formula_value(formula, along(box[0], i, nx), along(box[1], j, ny));

            json_number(writer, f);
            if (isfinite(f)) {
                lowest = fmin(lowest, f);
                highest = fmax(highest, f);
            }
        }
        json_end_array(writer);
    }
    json_end_array(writer);
    json_member_number(writer, "minimum", lowest);
    json_member_number(writer, "maximum", highest);
    json_end_object(writer);
}
