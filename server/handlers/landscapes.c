/* The named landscapes. Everything here is computed from the request alone: no store, no state but what core keeps. */
#include <stdlib.h>
#include <string.h>

#include "api/encode_landscape.h"
#include "api/json_writer.h"
#include "api/landscape_svg.h"
#include "api/nearest.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/rose_svg.h"
#include "api/routes.h"
#include "core/base/sha256.h"
#include "core/landscape/landscape_facts.h"
#include "server/handlers/handlers.h"
#include "server/handlers/landscape_named.h"
#include "server/handlers/reply.h"

#define ROSE_SPOKES 36

/* An answer that is the same until the next version of the program: its tag is made of its text. */
static void reply_unchanging(struct request *request, struct json_writer *writer)
{
    struct error error = {0};
    struct response response;
    char digest[SHA256_HEX], tag[REPLY_TAG_TEXT], *text;
    size_t size;

    if (json_writer_take(writer, &text, &size, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    sha256_text(text, size, digest);
    reply_tag(tag, "%.32s", digest);
    if (reply_not_modified(request, tag)) {
        free(text);
        return;
    }
    response_text(&response, 200, MEDIA_JSON, text, size);
    reply_add_tag(&response, tag);
    request_respond(request, &response);
}

void list_landscapes(struct app *app, struct request *request)
{
    struct json_writer writer = {.depth = 0};

    (void)app;
    encode_landscape_list(&writer);
    reply_unchanging(request, &writer);
}

const struct landscape *landscape_of(struct request *request)
{
    const char *name = request_parameter(request, 0);
    const struct landscape *landscape = landscape_find(name, strlen(name));
    struct nearest nearest = nearest_to(name, strlen(name));

    if (landscape == NULL) {
        for (size_t i = 0; i < landscape_count(); i++) {
            nearest_offer(&nearest, landscape_at(i)->name);
        }
        reply_error(request, STATUS_NOT_FOUND, "there is no landscape %s%s%s%s", name,
                    nearest.name != NULL ? ", did you mean " : "", nearest.name != NULL ? nearest.name : "",
                    nearest.name != NULL ? "?" : "");
    }
    return landscape;
}

void get_landscape(struct app *app, struct request *request)
{
    const struct landscape *landscape = landscape_of(request);
    const struct critical_points *points;
    struct json_writer writer = {.depth = 0};
    struct error error = {0};

    (void)app;
    if (landscape == NULL) {
        return;
    }
    if (landscape_critical_points(landscape, &points, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    encode_landscape(landscape, points, &writer);
    reply_unchanging(request, &writer);
}

/* As many spokes as directions were asked for, or enough to see the shape. */
static void draw_rose(struct request *request, const struct landscape *landscape, const struct formula *formula)
{
    const struct query *query = request_query(request);
    double x = query_number(query, PARAMETER_X), y = query_number(query, PARAMETER_Y);
    unsigned directions = (unsigned)query_integer(query, PARAMETER_DIRECTIONS);
    struct json_writer writer = {.depth = 0};
    struct jet jet;

    formula_jet(formula, x, y, &jet);
    rose_svg(landscape->title, x, y, &jet, directions > 0 ? directions : ROSE_SPOKES, &writer.text);
    reply_text(request, 200, MEDIA_SVG, &writer);
}

void get_landscape_point(struct app *app, struct request *request)
{
    const struct query *query = request_query(request);
    const struct landscape *landscape = landscape_of(request);
    const struct formula *formula;
    struct json_writer writer = {.depth = 0};
    struct error error = {0};
    enum media media;

    (void)app;
    if (landscape == NULL) {
        return;
    }
    if (reply_negotiate(request, PARAMETER_PICTURE_FORMAT, &media, &error) != STATUS_OK ||
        landscape_formula(landscape, &formula, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    if (media == MEDIA_SVG) {
        draw_rose(request, landscape, formula);
        return;
    }
    encode_landscape_point(landscape, formula, query_number(query, PARAMETER_X), query_number(query, PARAMETER_Y),
                           (unsigned)query_integer(query, PARAMETER_DIRECTIONS), &writer);
    reply_json(request, 200, &writer);
}

/* The part that the query asks for, by default all of the landscape's box. */
static void grid_box(const struct query *query, const struct landscape *landscape, double box[2][2])
{
    static const enum query_id edges[2][2] = {{PARAMETER_X0, PARAMETER_X1}, {PARAMETER_Y0, PARAMETER_Y1}};

    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 2; k++) {
            box[i][k] = query_given(query, edges[i][k]) ? query_number(query, edges[i][k]) : landscape->box[i][k];
        }
    }
}

/* All that is wrong with the box; 0: it is answered already. */
static int grid_box_is_one(struct request *request, double box[2][2])
{
    struct problem problem;
    int is_one = box[0][0] < box[0][1] && box[1][0] < box[1][1];

    if (is_one) {
        return 1;
    }
    problem_init(&problem);
    for (int i = 0; i < 2; i++) {
        if (!(box[i][0] < box[i][1])) {
            char axis = i == 0 ? 'x' : 'y';

            query_refuse(&problem, STATUS_QUERY_INVALID, i == 0 ? "x1" : "y1", "%c1 is %g, more than %c0 = %g is wanted",
                         axis, box[i][1], axis, box[i][0]);
        }
    }
    request_respond_problem(request, &problem);
    problem_release(&problem);
    return 0;
}

static void draw_grid(struct request *request, const struct landscape *landscape, const struct formula *formula,
                      double box[2][2])
{
    struct landscape_picture picture = {.title = landscape->title, .text = landscape->formula, .formula = formula};
    struct json_writer writer = {.depth = 0};
    struct error error = {0};

    memcpy(picture.box, box, sizeof picture.box);
    if (landscape_critical_points(landscape, &picture.points, &error) != STATUS_OK ||
        landscape_svg(&picture, &writer.text, &error) != STATUS_OK) {
        json_writer_release(&writer);
        request_respond_error(request, &error);
        return;
    }
    reply_text(request, 200, MEDIA_SVG, &writer);
}

void get_landscape_grid(struct app *app, struct request *request)
{
    const struct query *query = request_query(request);
    const struct landscape *landscape = landscape_of(request);
    const struct formula *formula;
    struct json_writer writer = {.depth = 0};
    struct error error = {0};
    enum media media;
    double box[2][2];

    (void)app;
    if (landscape == NULL) {
        return;
    }
    grid_box(query, landscape, box);
    if (!grid_box_is_one(request, box)) {
        return;
    }
    if (reply_negotiate(request, PARAMETER_PICTURE_FORMAT, &media, &error) != STATUS_OK ||
        landscape_formula(landscape, &formula, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    if (media == MEDIA_SVG) {
        draw_grid(request, landscape, formula, box);
        return;
    }
    encode_landscape_grid(landscape, formula, box, (unsigned)query_integer(query, PARAMETER_NX),
                          (unsigned)query_integer(query, PARAMETER_NY), &writer);
    reply_json(request, 200, &writer);
}
