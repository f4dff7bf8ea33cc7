#include "core/landscape/contour.h"

#include <math.h>

#include "tests/assert_close.h"
#include "tests/core/landscape/descending.h"

static const double BOX[2][2] = {{-2, 2}, {-1, 3}};

static struct contour_grid grid_of(const char *text, unsigned nx, unsigned ny)
{
    struct formula *formula = compile(text);
    struct error error = {.status = STATUS_OK};
    struct contour_grid grid;

    assert_int_equal(contour_grid_make(&grid, formula, BOX, nx, ny, &error), STATUS_OK);
    formula_free(formula);
    return grid;
}

static void a_grid_has_x_along_its_rows_from_edge_to_edge(void **state)
{
    struct contour_grid grid = grid_of("10*x + y", 5, 3);

    (void)state;
    assert_close(grid.values[0], -21, 0, 0);
    assert_close(grid.values[1], -11, 0, 0);
    assert_close(grid.values[5], -19, 0, 0);
    assert_close(grid.values[14], 23, 0, 0);
    contour_grid_release(&grid);
}

/* ---- lines ---- */

struct measure {
    const struct contour_grid *grid;
    double length, area, worst; /* worst: of |f - level| at the ends of lines, by x^2 + y^2 */
    size_t pieces;
};

static void to_plane(const struct contour_grid *grid, const double point[2], double place[2])
{
    place[0] = BOX[0][0] + (BOX[0][1] - BOX[0][0]) * point[0] / (grid->nx - 1);
    place[1] = BOX[1][0] + (BOX[1][1] - BOX[1][0]) * point[1] / (grid->ny - 1);
}

static void measure_line(void *context, const double (*points)[2], size_t count)
{
    struct measure *measure = context;
    double a[2], b[2];

    assert_int_equal(count, 2);
    to_plane(measure->grid, points[0], a);
    to_plane(measure->grid, points[1], b);
    measure->length += sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]));
    measure->worst = fmax(measure->worst, fabs(a[0] * a[0] + a[1] * a[1] - 0.5));
    measure->pieces++;
}

static void measure_area(void *context, const double (*points)[2], size_t count)
{
    struct measure *measure = context;
    double twice = 0;

    assert_true(count >= 3 && count <= 8);
    for (size_t i = 0; i < count; i++) {
        double a[2], b[2];

        to_plane(measure->grid, points[i], a);
        to_plane(measure->grid, points[(i + 1) % count], b);
        twice += a[0] * b[1] - b[0] * a[1];
    }
    assert_true(twice >= 0); /* counter-clockwise, all of them */
    measure->area += twice / 2;
    measure->pieces++;
}

static void a_circle_has_its_circumference_and_its_area(void **state)
{
    struct contour_grid grid = grid_of("x^2 + y^2", 161, 121);
    struct measure measure = {.grid = &grid};

    (void)state;
    contour_line(&grid, 0.5, measure_line, &measure);
    assert_close(measure.length, 2 * 3.141592653589793 * sqrt(0.5), 1e-3, 0);
    assert_true(measure.worst < 1e-3);
    contour_area(&grid, 0.5, measure_area, &measure);
    assert_close(measure.area, 3.141592653589793 * 0.5, 2e-3, 0);
    contour_grid_release(&grid);
}

/* Unlike a circle, a slope tells x from y and up from down. */
static void a_slope_is_cut_where_it_should_be(void **state)
{
    struct contour_grid grid = grid_of("x", 9, 5);
    struct measure measure = {.grid = &grid};

    (void)state;
    contour_area(&grid, -1.25, measure_area, &measure);
    assert_close(measure.area, 0.75 * 4, 1e-12, 0);
    contour_grid_release(&grid);
    grid = grid_of("y", 9, 5);
    measure = (struct measure){.grid = &grid};
    contour_area(&grid, 2.25, measure_area, &measure);
    assert_close(measure.area, 3.25 * 4, 1e-12, 0);
    contour_line(&grid, 2.25, measure_line, &measure);
    assert_close(measure.length, 4, 1e-12, 0);
    contour_grid_release(&grid);
}

static void a_cell_with_opposite_corners_below_hangs_together(void **state)
{
    double values[4] = {0, 1, 1, 0}; /* corners (0,0) and (1,1) are below */
    struct contour_grid grid = {.nx = 2, .ny = 2, .values = values};
    struct measure measure = {.grid = &grid};

    (void)state;
    contour_area(&grid, 0.5, measure_area, &measure);
    assert_int_equal(measure.pieces, 1);
    assert_close(measure.area, 16 * 0.75, 1e-12, 0);
    measure.pieces = 0;
    contour_line(&grid, 0.5, measure_line, &measure);
    assert_int_equal(measure.pieces, 2);
    assert_close(measure.length, 2 * 2 * sqrt(2), 1e-12, 0); /* the two other corners are cut off */
}

static void cells_without_a_value_are_left_out(void **state)
{
    struct contour_grid grid = grid_of("log(x)", 9, 5);
    struct measure measure = {.grid = &grid};

    (void)state;
    contour_area(&grid, 100, measure_area, &measure);
    assert_close(measure.area, 1.5 * 4, 1e-12, 0); /* from x = 0.5 on: there is no log(0) */
    contour_grid_release(&grid);
}

/* ---- levels ---- */

static void levels_ascend_within_the_values(void **state)
{
    static const char *const texts[] = {"x^2 + y^2", "(1-x)^2 + 100*(y-x^2)^2", "-exp(-x^2-y^2)", "1e200*x", "log(x)"};

    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct contour_grid grid = grid_of(texts[t], 41, 41);
        double levels[CONTOUR_MAX_LEVELS];
        size_t count = contour_levels(&grid, 20, levels);

        assert_int_equal(count, 20);
        for (size_t i = 0; i < count; i++) {
            size_t below = 0, above = 0;

            for (size_t v = 0; v < 41 * 41; v++) {
                below += grid.values[v] < levels[i];
                above += grid.values[v] > levels[i];
            }
            assert_true(below > 0 && above > 0);
            assert_true(i == 0 || levels[i] > levels[i - 1]);
        }
        contour_grid_release(&grid);
    }
}

/* Half of the levels of a narrow valley lie low, where even steps would put one or two. */
static void a_valley_gets_levels_by_factors(void **state)
{
    struct contour_grid grid = grid_of("(1-x)^2 + 100*(y-x^2)^2", 129, 129);
    double levels[CONTOUR_MAX_LEVELS];

    (void)state;
    assert_int_equal(contour_levels(&grid, 20, levels), 20);
    assert_true(levels[9] < 100 && levels[0] < 3 && levels[19] > 1000);
    contour_grid_release(&grid);
}

static void a_plane_without_values_or_heights_has_no_levels(void **state)
{
    static const char *const texts[] = {"3", "log(-1)", "1/0"};
    double levels[CONTOUR_MAX_LEVELS];

    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct contour_grid grid = grid_of(texts[t], 9, 9);

        assert_int_equal(contour_levels(&grid, 20, levels), 0);
        contour_grid_release(&grid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_has_x_along_its_rows_from_edge_to_edge),
        cmocka_unit_test(a_circle_has_its_circumference_and_its_area),
        cmocka_unit_test(a_slope_is_cut_where_it_should_be),
        cmocka_unit_test(a_cell_with_opposite_corners_below_hangs_together),
        cmocka_unit_test(cells_without_a_value_are_left_out),
        cmocka_unit_test(levels_ascend_within_the_values),
        cmocka_unit_test(a_valley_gets_levels_by_factors),
        cmocka_unit_test(a_plane_without_values_or_heights_has_no_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
