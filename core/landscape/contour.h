/*
 * Contour lines of a function of two variables, by marching squares over a grid of its values: where the lines run, the area
 * below each, and which levels show most.
 */
#ifndef DESCENT_CORE_LANDSCAPE_CONTOUR_H
#define DESCENT_CORE_LANDSCAPE_CONTOUR_H

#include <stddef.h>

#include "core/base/status.h"
#include "core/landscape/formula.h"

#define CONTOUR_MAX_LEVELS 24

/* Values at nx * ny points, evenly from edge to edge of a box; values[j * nx + i] is that of column i, row j. */
struct contour_grid {
    unsigned nx, ny;
    double *values; /* owned; NaN or infinite where there is none */
};

/* nx, ny at least 2. STATUS_OUT_OF_MEMORY. Release with contour_grid_release. */
MUST_CHECK enum status contour_grid_make(struct contour_grid *grid, const struct formula *formula, const double box[2][2],
                                         unsigned nx, unsigned ny, struct error *error);
void contour_grid_release(struct contour_grid *grid);

/*
 * About `wanted` (at most CONTOUR_MAX_LEVELS) ascending levels within the grid's finite values; returns how many. Even
 * steps, or, where a tenth of the area lies below a small part of the range (a narrow valley), even factors above the lowest
 * value.
 */
size_t contour_levels(const struct contour_grid *grid, size_t wanted, double levels[CONTOUR_MAX_LEVELS]);

/*
 * A piece of what is drawn, in grid units: x from 0 to nx - 1, y from 0 to ny - 1. Of an area: a polygon of `count` corners;
 * of a line: its two ends. Cells with a corner that has no finite value have none.
 */
typedef void contour_piece(void *context, const double (*points)[2], size_t count);

void contour_area(const struct contour_grid *grid, double level, contour_piece *piece, void *context);
void contour_line(const struct contour_grid *grid, double level, contour_piece *piece, void *context);

#endif
