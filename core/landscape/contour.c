#include "core/landscape/contour.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mathx.h"

#define VALLEY 25 /* levels go by factors where the area's 98th percentile is so many times its 10th */

enum status contour_grid_make(struct contour_grid *grid, const struct formula *formula, const double box[2][2], unsigned nx,
                              unsigned ny, struct error *error)
{
    *grid = (struct contour_grid){.nx = nx, .ny = ny};
    grid->values = malloc((size_t)nx * ny * sizeof *grid->values);
    if (grid->values == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a grid of %u by %u values", nx, ny);
    }
    for (unsigned j = 0; j < ny; j++) {
        double y = box[1][0] + (box[1][1] - box[1][0]) * j / (ny - 1);

        for (unsigned i = 0; i < nx; i++) {
            double x = box[0][0] + (box[0][1] - box[0][0]) * i / (nx - 1);

            grid->values[(size_t)j * nx + i] = formula_value(formula, x, y);
        }
    }
    return STATUS_OK;
}

void contour_grid_release(struct contour_grid *grid)
{
    free(grid->values);
    grid->values = NULL;
}

/* ---- levels ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The finite values, ascending; *count of them. NULL: none, or no memory. */
static double *sorted_values(const struct contour_grid *grid, size_t *count)
{
    size_t all = (size_t)grid->nx * grid->ny;
    double *sorted = malloc(all * sizeof *sorted);

    *count = 0;
    for (size_t i = 0; sorted != NULL && i < all; i++) {
        if (isfinite(grid->values[i])) {
            sorted[(*count)++] = grid->values[i];
        }
    }
    if (*count == 0) {
        free(sorted);
        return NULL;
    }
    qsort(sorted, *count, sizeof *sorted, by_value);
    return sorted;
}

size_t contour_levels(const struct contour_grid *grid, size_t wanted, double levels[CONTOUR_MAX_LEVELS])
{
    size_t count;
    double *sorted = sorted_values(grid, &count);

    if (sorted == NULL) {
        return 0;
    }
    double low = sorted[0], high = sorted[count - 1], tenth = sorted[count / 10] - low;
    double most = sorted[count - 1 - count / 50] - low, first = sorted[count / 100] - low;
    free(sorted);
    if (!(high > low) || !isfinite(high - low)) {
        return 0;
    }
    wanted = wanted < CONTOUR_MAX_LEVELS ? wanted : CONTOUR_MAX_LEVELS;
    int by_factors = most > VALLEY * tenth && first > 0;
    for (size_t i = 0; i < wanted; i++) {
        double part = ((double)i + 0.5) / (double)wanted;

        levels[i] =
            by_factors ? low + first * mathx_exp_f64(part * mathx_log_f64((high - low) / first)) : low + part * (high - low);
    }
    return wanted;
}

/* ---- marching squares ---- */

/* A cell's corners counter-clockwise, and their values. */
struct cell {
    double corners[4][2], values[4];
};

static int load(const struct contour_grid *grid, unsigned i, unsigned j, struct cell *cell)
{
    static const unsigned around[4][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
    int is_finite = 1;

    for (int c = 0; c < 4; c++) {
        unsigned column = i + around[c][0], row = j + around[c][1];

        cell->corners[c][0] = column;
        cell->corners[c][1] = row;
        cell->values[c] = grid->values[(size_t)row * grid->nx + column];
        is_finite = is_finite && isfinite(cell->values[c]);
    }
    return is_finite;
}

/* Where the level lies between two corners, one of which is below it and one is not. */
static void cross(const struct cell *cell, int a, int b, double level, double point[2])
{
    double part = (level - cell->values[a]) / (cell->values[b] - cell->values[a]);

    part = part >= 0 && part <= 1 ? part : 0.5; /* the difference may have overflowed */
    point[0] = cell->corners[a][0] + part * (cell->corners[b][0] - cell->corners[a][0]);
    point[1] = cell->corners[a][1] + part * (cell->corners[b][1] - cell->corners[a][1]);
}

static unsigned corners_below(const struct cell *cell, double level)
{
    unsigned below = 0;

    for (unsigned c = 0; c < 4; c++) {
        below |= (unsigned)(cell->values[c] < level) << c;
    }
    return below;
}

/* The part of a cell that is below; of two opposite corners the one in which they hang together. */
static void put_polygon(const struct cell *cell, double level, contour_piece *piece, void *context)
{
    double points[8][2];
    size_t count = 0;

    for (int c = 0; c < 4; c++) {
        int next = (c + 1) % 4;

        if (cell->values[c] < level) {
            memcpy(points[count++], cell->corners[c], sizeof points[0]);
        }
        if ((cell->values[c] < level) != (cell->values[next] < level)) {
            cross(cell, c, next, level, points[count++]);
        }
    }
    piece(context, (const double(*)[2])points, count);
}

/* Whole cells of a row that lie below as one rectangle, the others as polygons. */
void contour_area(const struct contour_grid *grid, double level, contour_piece *piece, void *context)
{
    struct cell cell;

    for (unsigned j = 0; j + 1 < grid->ny; j++) {
        unsigned begin = 0, inside = 0;

        for (unsigned i = 0; i + 1 < grid->nx; i++) {
            unsigned below = load(grid, i, j, &cell) ? corners_below(&cell, level) : 0;

            if (below == 15) {
                begin = inside ? begin : i;
                inside = 1;
            }
            if (inside && (below != 15 || i + 2 == grid->nx)) {
                double end = below == 15 ? i + 1 : i;
                double points[4][2] = {{begin, j}, {end, j}, {end, j + 1}, {begin, j + 1}};

                piece(context, (const double(*)[2])points, 4);
                inside = 0;
            }
            if (below != 0 && below != 15) {
                put_polygon(&cell, level, piece, context);
            }
        }
    }
}

/* Around the cell a line begins where it goes from below to above, and ends at the next way back. */
static void put_segments(const struct cell *cell, double level, contour_piece *piece, void *context)
{
    for (int c = 0; c < 4; c++) {
        double ends[2][2];
        int next = (c + 1) % 4, back = next;

        if (!(cell->values[c] < level) || cell->values[next] < level) {
            continue;
        }
        while (!(cell->values[(back + 1) % 4] < level)) {
            back = (back + 1) % 4;
        }
        cross(cell, c, next, level, ends[0]);
        cross(cell, back, (back + 1) % 4, level, ends[1]);
        piece(context, (const double(*)[2])ends, 2);
    }
}

void contour_line(const struct contour_grid *grid, double level, contour_piece *piece, void *context)
{
    struct cell cell;

    for (unsigned j = 0; j + 1 < grid->ny; j++) {
        for (unsigned i = 0; i + 1 < grid->nx; i++) {
            if (load(grid, i, j, &cell)) {
                put_segments(&cell, level, piece, context);
            }
        }
    }
}
