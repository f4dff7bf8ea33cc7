/* Answers about landscapes: the list, one with its critical points, a point of it, a grid of values. */
#ifndef DESCENT_API_ENCODE_LANDSCAPE_H
#define DESCENT_API_ENCODE_LANDSCAPE_H

#include <stddef.h>

#include "core/landscape/critical_points.h"
#include "core/landscape/landscape.h"

struct json_writer;

#define LANDSCAPE_MAX_DIRECTIONS 360
#define LANDSCAPE_MAX_GRID       256 /* points in x, and in y */

/* {"object":"list","data":[...]}, without critical points. */
void encode_landscape_list(struct json_writer *writer);

/*
 * One landscape with everything that is known. A minimum has two figures more: max_learning_rate, 2 / largest eigenvalue,
 * above which plain gradient descent leaves it; and condition_number, largest / smallest eigenvalue.
 */
void encode_landscape(const struct landscape *landscape, const struct critical_points *points, struct json_writer *writer);

/*
 * Value, gradient and Hessian at (x, y). With directions > 0 also the derivatives in that many directions, evenly around
 * the circle from (1, 0) on, and that of the steepest one, which is the gradient's norm.
 */
void encode_landscape_point(const struct landscape *landscape, const struct formula *formula, double x, double y,
                            unsigned directions, struct json_writer *writer);

/* Values at nx * ny points, both at least 2, evenly from edge to edge of the box; values[j][i] at (x[i], y[j]). */
void encode_landscape_grid(const struct landscape *landscape, const struct formula *formula, double box[2][2], unsigned nx,
                           unsigned ny, struct json_writer *writer);

#endif
