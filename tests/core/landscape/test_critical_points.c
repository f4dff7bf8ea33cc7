#include "core/landscape/critical_points.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/landscape/landscape_facts.h"
#include "tests/assert_close.h"

#define GOLDEN "tests/golden/critical_points.txt"
#define BUDGET 20000

static const struct critical_points *points_of(const char *name)
{
    const struct critical_points *points;

    assert_int_equal(landscape_critical_points(landscape_find(name, strlen(name)), &points, NULL), STATUS_OK);
    return points;
}

static size_t count_of(const struct critical_points *points, enum critical_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < points->count; i++) {
        count += points->points[i].type == type;
    }
    return count;
}

/* A user's formula on [x0, x1] x [y0, y1]. Release with critical_points_release. */
static struct critical_points find(const char *text, double x0, double x1, double y0, double y1, uint64_t budget)
{
    const double box[2][2] = {{x0, x1}, {y0, y1}};
    struct critical_points points;
    struct formula *formula;

    assert_int_equal(formula_compile(&formula, text, strlen(text), NULL), STATUS_OK);
    assert_int_equal(critical_points_find(&points, formula, box, budget, NULL), STATUS_OK);
    formula_free(formula);
    return points;
}

static void check_point(const struct critical_point *got, const char *name, const double want[5], const char *type)
{
    if (fabs(got->x - want[0]) > 1e-13 * (1 + fabs(want[0])) || fabs(got->y - want[1]) > 1e-13 * (1 + fabs(want[1])) ||
        strcmp(critical_type_name(got->type), type) != 0) {
        print_error("%s: a %s at %.17g, %.17g; a %s at %.17g, %.17g is wanted\n", name, critical_type_name(got->type),
                    got->x, got->y, type, want[0], want[1]);
        fail();
    }
    assert_close(got->f, want[2], 1e-12, 1e-12);
    assert_all_close(got->eigenvalues, want + 3, 2, 0, 1e-12 * fmax(fabs(want[3]), fabs(want[4])));
}

/* None is missing, none invented: each golden point is found once, and there are as many. */
static void up_to_fifty_points_are_found_to_the_last_digits(void **state)
{
    FILE *file = fopen(GOLDEN, "r");
    char line[512], name[64], type[32];
    size_t rows[64] = {0};
    int all = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        double want[5];
        const struct critical_point *nearest = NULL;

        if (sscanf(line, "%63s %lf %lf %lf %31s %lf %lf", name, &want[0], &want[1], &want[2], type, &want[3], &want[4]) !=
            7) {
            assert_int_equal(line[0], '#');
            continue;
        }
        const struct critical_points *points = points_of(name);
        for (size_t i = 0; i < points->count; i++) {
            const struct critical_point *point = &points->points[i];

            if (nearest == NULL ||
                hypot(point->x - want[0], point->y - want[1]) < hypot(nearest->x - want[0], nearest->y - want[1])) {
                nearest = point;
            }
        }
        if (nearest == NULL) {
            fail();
            continue;
        }
        check_point(nearest, name, want, type);
        rows[landscape_find(name, strlen(name)) - landscape_at(0)]++;
        all++;
    }
    fclose(file);
    assert_int_equal(all, 197);
    for (size_t i = 0; i < landscape_count(); i++) {
        if (rows[i] > 0) {
            assert_int_equal(points_of(landscape_at(i)->name)->count, rows[i]);
        }
    }
}

static void the_lists_of_all_landscapes_are_complete_and_sorted(void **state)
{
    static const struct {
        const char *name;
        size_t minima, maxima, saddles;
    } large[] = {
        {"rastrigin", 121, 100, 220}, {"ackley", 120, 100, 220},      {"levy13", 313, 200, 512},
        {"griewank", 17, 18, 24},     {"bohachevsky1", 25, 16, 40},   {"bohachevsky2", 25, 16, 40},
        {"spiky_bowl", 81, 64, 144},  {"trefethen4", 693, 667, 1360}, {"michalewicz", 2, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const struct critical_points *points = points_of(large[i].name);

        assert_int_equal(count_of(points, CRITICAL_MINIMUM), large[i].minima);
        assert_int_equal(count_of(points, CRITICAL_MAXIMUM), large[i].maxima);
        assert_int_equal(count_of(points, CRITICAL_SADDLE), large[i].saddles);
    }
    assert_int_equal(points_of("ackley")->points[0].type, CRITICAL_NONSMOOTH);
    assert_close(points_of("trefethen4")->points[0].f, -3.30686864747523728, 1e-14, 0);
    for (size_t i = 0; i < landscape_count(); i++) {
        const struct critical_points *points = points_of(landscape_at(i)->name);

        assert_true(points->complete);
        for (size_t k = 1; k < points->count; k++) {
            assert_true(points->points[k - 1].f <= points->points[k].f);
        }
    }
}

static void rough_points_are_known_as_well_as_smooth_ones(void **state)
{
    const struct critical_point *cusp = &points_of("ackley")->points[0];

    (void)state;
    assert_close(cusp->x, 0, 0, 1e-12);
    assert_close(cusp->y, 0, 0, 1e-12);
    assert_close(cusp->f, 0, 0, 1e-14);
    assert_true(isnan(cusp->eigenvalues[0]) && isnan(cusp->eigenvalues[1]));
}

static double turn(const struct jet *from, const struct jet *to)
{
    return atan2(from->gx * to->gy - from->gy * to->gx, from->gx * to->gx + from->gy * to->gy);
}

/* How often the gradient turns along the edges of a box, counterclockwise. */
static double winding(const struct formula *formula, double x0, double x1, double y0, double y1, int steps)
{
    const double corners[5][2] = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}};
    struct jet last, next;
    double sum = 0;

    formula_jet(formula, x0, y0, &last);
    for (int side = 0; side < 4; side++) {
        for (int i = 1; i <= steps; i++) {
            double t = (double)i / steps;

            formula_jet(formula, corners[side][0] + t * (corners[side + 1][0] - corners[side][0]),
                        corners[side][1] + t * (corners[side + 1][1] - corners[side][1]), &next);
            sum += turn(&last, &next);
            last = next;
        }
    }
    return sum / (8 * atan(1));
}

/*
 * Poincare and Hopf: minima and maxima count 1, saddles -1, others what the gradient turns around them; the sum is what
 * it turns along the edge of the box. A point too many or too few breaks it. (Michalewicz' gradient is 0 on two edges.)
 */
static void indices_add_up_to_the_turns_along_the_edge(void **state)
{
    (void)state;
    for (size_t i = 0; i < landscape_count(); i++) {
        const struct landscape *landscape = landscape_at(i);
        const struct critical_points *points = points_of(landscape->name);
        const struct formula *formula;
        double sum = 0;

        if (strcmp(landscape->name, "michalewicz") == 0) {
            continue;
        }
        assert_int_equal(landscape_formula(landscape, &formula, NULL), STATUS_OK);
        for (size_t k = 0; k < points->count; k++) {
            const struct critical_point *point = &points->points[k];
            double around = 1;

            if (point->type == CRITICAL_SADDLE) {
                around = -1;
            } else if (point->type == CRITICAL_DEGENERATE || point->type == CRITICAL_NONSMOOTH) {
                around = winding(formula, point->x - 1e-3, point->x + 1e-3, point->y - 1e-3, point->y + 1e-3, 200);
            }
            sum += around;
        }
        double edge = winding(formula, landscape->box[0][0], landscape->box[0][1], landscape->box[1][0],
                              landscape->box[1][1], strcmp(landscape->name, "trefethen4") == 0 ? 100000 : 4000);
        if (!(fabs(edge - sum) < 1e-6)) {
            print_error("%s: the indices' sum is %g, the edge's %g\n", landscape->name, sum, edge);
            fail();
        }
    }
}

static void points_are_told_apart_by_their_hessians(void **state)
{
    static const struct {
        struct jet jet;
        double eigenvalues[2];
        enum critical_type type;
    } rows[] = {
        {{.hxx = 2, .hyy = 3}, {2, 3}, CRITICAL_MINIMUM},
        {{.hxx = 3, .hyy = 2}, {2, 3}, CRITICAL_MINIMUM},
        {{.hxx = -2, .hyy = -3}, {-3, -2}, CRITICAL_MAXIMUM},
        {{.hxx = -1, .hyy = 4}, {-1, 4}, CRITICAL_SADDLE},
        {{.hxx = 1, .hyy = -1}, {-1, 1}, CRITICAL_SADDLE},
        {{.hxx = 1, .hxy = 2, .hyy = 1}, {-1, 3}, CRITICAL_SADDLE},
        {{.hxy = 5}, {-5, 5}, CRITICAL_SADDLE},
        {{.hxx = 2, .hxy = 1, .hyy = 2}, {1, 3}, CRITICAL_MINIMUM},
        {{.hxx = 0}, {0, 0}, CRITICAL_DEGENERATE},
        {{.hxx = 1}, {0, 1}, CRITICAL_DEGENERATE},
        {{.hxx = 1, .hyy = 0.9e-8}, {0.9e-8, 1}, CRITICAL_DEGENERATE},
        {{.hxx = 1, .hyy = 1.1e-8}, {1.1e-8, 1}, CRITICAL_MINIMUM},
        {{.hxx = NAN, .hyy = 1}, {NAN, NAN}, CRITICAL_NONSMOOTH},
        {{.hxx = 1, .hxy = HUGE_VAL, .hyy = 1}, {NAN, NAN}, CRITICAL_NONSMOOTH},
        /* eigenvalues 1e-7 and about 1, in a turned frame: no digits are lost to their difference */
        {{.hxx = 0.5 + 0.5e-7, .hxy = 0.5 - 0.5e-7, .hyy = 0.5 + 0.5e-7}, {1e-7, 1}, CRITICAL_MINIMUM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double eigenvalues[2];

        assert_int_equal(critical_classify(&rows[i].jet, eigenvalues), rows[i].type);
        assert_all_close(eigenvalues, rows[i].eigenvalues, 2, 1e-8, 0);
    }
}

static void formulas_of_users_are_searched_too(void **state)
{
    struct critical_points points = find("x*log(x) + y^2", -1, 2, -1, 1, BUDGET); /* not defined in a third of the box */

    (void)state;
    assert_true(points.complete);
    assert_int_equal(points.count, 1);
    assert_close(points.points[0].x, exp(-1), 1e-14, 0);
    critical_points_release(&points);
    points = find("(x - 0.3)^2*(x - 0.301)^2 + y^2", -1, 1, -1, 1, BUDGET); /* close together */
    assert_true(points.complete);
    assert_true(count_of(&points, CRITICAL_MINIMUM) == 2 && count_of(&points, CRITICAL_SADDLE) == 1);
    critical_points_release(&points);
    points = find("x + y", -1, 1, -1, 1, BUDGET);
    assert_true(points.complete && points.count == 0);
    critical_points_release(&points);
}

static void points_on_the_edge_are_not_inside(void **state)
{
    struct critical_points points = find("x^2 + y^2", 0, 1, -1, 1, BUDGET);

    (void)state;
    assert_true(points.complete && points.count == 0);
    critical_points_release(&points);
    points = find("x^4 + y^2", 0, 1, -1, 1, BUDGET);
    assert_true(points.complete && points.count == 0);
    critical_points_release(&points);
    points = find("x^2 + y^2", -1e-6, 1, -1, 1, BUDGET);
    assert_true(points.complete && points.count == 1);
    critical_points_release(&points);
}

static void kinks_count_where_no_way_leads_on(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {"sqrt(x^2 + y^2)", 1},       {"sqrt(x^2 + y^2) + 5*x", 0}, {"abs(x) + abs(y) + x/2", 1},
        {"abs(x) + abs(y) + 2*x", 0}, {"abs(x) - y^2", 1},          {"1/(x^2 + y^2)", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct critical_points points = find(rows[i].text, -1, 1.5, -1, 1.5, BUDGET);

        if (points.count != rows[i].count || !points.complete ||
            (points.count == 1 && points.points[0].type != CRITICAL_NONSMOOTH)) {
            print_error("%s: %zu points, complete %d\n", rows[i].text, points.count, points.complete);
            fail();
        }
        critical_points_release(&points);
    }
}

/* Where whole lines are critical, or the budget is too small, the list does not claim to be all. */
static void what_cannot_be_decided_is_not_called_complete(void **state)
{
    struct critical_points points = find("x^2", -1, 1, -1, 1, BUDGET);

    (void)state;
    assert_false(points.complete);
    assert_int_equal(points.count, 0);
    critical_points_release(&points);
    points = find("3", -1, 1, -1, 1, BUDGET);
    assert_false(points.complete);
    critical_points_release(&points);
    points = find("exp(sin(50*x)) + sin(60*exp(y)) + sin(70*sin(x)) + sin(sin(80*y)) - sin(10*(x + y)) + (x^2 + y^2)/4", -1,
                  1, -1, 1, 1000);
    assert_false(points.complete);
    critical_points_release(&points);
}

static void degenerate_points_are_found_where_they_are(void **state)
{
    struct critical_points points = find("(x - 0.7)^4 + (y + 0.123456789)^2", -1, 1, -1, 1, BUDGET);

    (void)state;
    assert_true(points.complete);
    assert_int_equal(points.count, 1);
    assert_int_equal(points.points[0].type, CRITICAL_DEGENERATE);
    assert_close(points.points[0].x, 0.7, 0, 1e-6);
    assert_close(points.points[0].y, -0.123456789, 0, 1e-6);
    critical_points_release(&points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_fifty_points_are_found_to_the_last_digits),
        cmocka_unit_test(the_lists_of_all_landscapes_are_complete_and_sorted),
        cmocka_unit_test(rough_points_are_known_as_well_as_smooth_ones),
        cmocka_unit_test(indices_add_up_to_the_turns_along_the_edge),
        cmocka_unit_test(points_are_told_apart_by_their_hessians),
        cmocka_unit_test(formulas_of_users_are_searched_too),
        cmocka_unit_test(points_on_the_edge_are_not_inside),
        cmocka_unit_test(kinks_count_where_no_way_leads_on),
        cmocka_unit_test(what_cannot_be_decided_is_not_called_complete),
        cmocka_unit_test(degenerate_points_are_found_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
