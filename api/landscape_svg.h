/*
 * Pictures of functions of two variables: contours, critical points, and the paths of descents over them with their
 * legend, as the lecture's comparison of optimizers.
 */
#ifndef DESCENT_API_LANDSCAPE_SVG_H
#define DESCENT_API_LANDSCAPE_SVG_H

#include "api/descent_request.h"
#include "core/landscape/descent_result.h"

struct text;

struct landscape_picture {
    const char *title;                    /* NULL: it is a formula of a user's own */
    const char *text;                     /* the formula */
    const struct formula *formula;        /* borrowed, as all here */
    double box[2][2];                     /* [[x0, x1], [y0, y1]] */
    const struct critical_points *points; /* NULL: none are known */
};

/* Contours and critical points alone. STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status landscape_svg(const struct landscape_picture *picture, struct text *out, struct error *error);

/*
 * With paths: results as encode_descents has them. Without paths (of many starts) dots where each descent begins and ends.
 * A formula without a box is drawn where its paths are. STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status descents_svg(const struct descent_request *request, const struct descent_result *results,
                                    const struct critical_points *known, struct text *out, struct error *error);

#endif
