/*
 * Branch and bound: a generation of boxes is looked at, what cannot be decided is cut in two for the next one. So all
 * parts of the box are looked at alike, also where the budget ends before the search.
 */
#include "core/landscape/critical_points.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/landscape/critical_cluster.h"
#include "core/landscape/krawczyk.h"

#define SMALLEST_SMOOTH 0x1p-27 /* of the whole box's widths: smaller boxes are not cut */
#define SMALLEST_ROUGH  0x1p-43
#define JUMP            1e-3   /* of the usual slope: what the gradient may vary by in a small box where f is smooth */
#define CUT_AT          0.4853 /* not in the middle, where functions like to have their critical points */
#define NEWTON_STEPS    60
#define ON_THE_EDGE     1e-12 /* of the whole box's width */
#define SLIMMEST        0.01
#define HALVED          0.5 /* a box that shrinks to less than this is looked at again as it is */

struct box_list {
    struct box *boxes;
    size_t count, capacity;
};

struct search {
    const struct formula *formula;
    struct box whole;
    double slope;                  /* how large the gradient is somewhere */
    struct box_list now, next;     /* this generation and the one that it makes */
    struct box_list unique;        /* around each point of `points`: no other one is in it */
    struct box_list smooth, rough; /* too small to be cut, with a Hessian and without */
    struct critical_points *points;
    size_t capacity;
    struct error *error;
};

void critical_points_release(struct critical_points *points)
{
    free(points->points);
    *points = (struct critical_points){0};
}

/* The elements, with room for one more of `size` bytes; NULL: there is no memory for it. */
static void *with_room(void *elements, size_t count, size_t *capacity, size_t size, struct error *error)
{
    size_t larger = *capacity == 0 ? 64 : 2 * *capacity;

    if (count < *capacity) {
        return elements;
    }
    void *grown = reallocarray(elements, larger, size);
    if (grown == NULL) {
        (void)error_set(error, STATUS_OUT_OF_MEMORY, "no memory to look for critical points");
        return NULL;
    }
    *capacity = larger;
    return grown;
}

static enum status append_box(struct search *search, struct box_list *list, const struct interval side[2])
{
    struct box *boxes = with_room(list->boxes, list->count, &list->capacity, sizeof *boxes, search->error);

    assert(side != NULL);
    if (boxes == NULL) {
        return STATUS_OUT_OF_MEMORY;
    }
    list->boxes = boxes;
    boxes[list->count++] = (struct box){.side = {side[0], side[1]}};
    return STATUS_OK;
}

static enum status append_point(struct search *search, const struct critical_point *point, const struct interval unique[2])
{
    struct critical_points *found = search->points;
    struct critical_point *points = with_room(found->points, found->count, &search->capacity, sizeof *points, search->error);

    if (points == NULL) {
        return STATUS_OUT_OF_MEMORY;
    }
    found->points = points;
    points[found->count++] = *point;
    return append_box(search, &search->unique, unique);
}

static int is_inside(const struct search *search, double x, double y)
{
    const double at[2] = {x, y};

    for (int i = 0; i < 2; i++) {
        double margin = ON_THE_EDGE * interval_width(search->whole.side[i]);

        if (!(at[i] > search->whole.side[i].lo + margin && at[i] < search->whole.side[i].hi - margin)) {
            return 0;
        }
    }
    return 1;
}

static int box_contains(const struct interval side[2], double x, double y)
{
    return interval_contains(side[0], x) && interval_contains(side[1], y);
}

static int is_known(const struct search *search, const struct critical_point *point, const struct interval unique[2])
{
    for (size_t i = 0; i < search->points->count; i++) {
        const struct critical_point *known = &search->points->points[i];

        if (box_contains(search->unique.boxes[i].side, point->x, point->y) || box_contains(unique, known->x, known->y)) {
            return 1;
        }
    }
    return 0;
}

/* Newton's method in a box that has one zero, until its steps get no shorter: then they are rounding errors. */
static void polish(const struct formula *formula, const struct interval unique[2], double *x, double *y)
{
    double last = HUGE_VAL;
    struct jet jet;

    *x = interval_middle(unique[0]);
    *y = interval_middle(unique[1]);
    for (int i = 0; i < NEWTON_STEPS; i++) {
        formula_jet(formula, *x, *y, &jet);
        double determinant = jet.hxx * jet.hyy - jet.hxy * jet.hxy;
        double dx = (jet.hyy * jet.gx - jet.hxy * jet.gy) / determinant;
        double dy = (jet.hxx * jet.gy - jet.hxy * jet.gx) / determinant;
        double length = dx * dx + dy * dy;

        if (!(length < last) || !box_contains(unique, *x - dx, *y - dy)) {
            return;
        }
        *x -= dx;
        *y -= dy;
        last = length;
    }
}

static enum status record(struct search *search, const struct interval unique[2])
{
    struct critical_point point = {0};
    struct jet jet;

    polish(search->formula, unique, &point.x, &point.y);
    if (!is_inside(search, point.x, point.y) || is_known(search, &point, unique)) {
        return STATUS_OK;
    }
    formula_jet(search->formula, point.x, point.y, &jet);
    point.f = jet.f;
    point.type = critical_classify(&jet, point.eigenvalues);
    return append_point(search, &point, unique);
}

/* The side to cut: the one along which the gradient varies more, as far as there are bounds for it. */
static int side_to_cut(const struct search *search, const struct krawczyk *result, const double smallest)
{
    double varies[2];

    for (int i = 0; i < 2; i++) {
        double part = interval_width(result->rest[i]) / interval_width(search->whole.side[i]);

        varies[i] = part;
        if (result->verdict == KRAWCZYK_SOME) {
            varies[i] =
                interval_width(result->rest[i]) *
                (interval_width(interval_abs(result->hessian[i])) + fabs(interval_middle(result->hessian[i])) +
                 interval_width(interval_abs(result->hessian[i + 1])) + fabs(interval_middle(result->hessian[i + 1])));
        }
        if (part <= smallest) {
            varies[i] = -1;
        }
    }
    return varies[1] > varies[0];
}

/* Without a Hessian, or next to a place without one: the gradient varies there as much as elsewhere, however small the box.
 */
static int is_rough(const struct search *search, const struct krawczyk *result)
{
    double varies = 0;

    if (result->verdict == KRAWCZYK_ROUGH) {
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 2; k++) {
            varies = fmax(varies, interval_abs(result->hessian[i + k]).hi * interval_width(result->rest[k]));
        }
    }
    return varies > JUMP * search->slope;
}

static enum status cut(struct search *search, const struct krawczyk *result)
{
    int rough = is_rough(search, result);
    double smallest = rough ? SMALLEST_ROUGH : SMALLEST_SMOOTH;
    const struct interval *rest = result->rest, *whole = search->whole.side;
    enum status status;

    if (interval_width(rest[0]) <= smallest * interval_width(whole[0]) &&
        interval_width(rest[1]) <= smallest * interval_width(whole[1])) {
        return append_box(search, rough ? &search->rough : &search->smooth, rest);
    }
    int side = side_to_cut(search, result, smallest);
    double at = rest[side].lo + CUT_AT * interval_width(rest[side]);
    struct interval low[2] = {rest[0], rest[1]}, high[2] = {rest[0], rest[1]};

    low[side].hi = at;
    high[side].lo = at;
    status = append_box(search, &search->next, low);
    return status == STATUS_OK ? append_box(search, &search->next, high) : status;
}

static double area(const struct interval side[2])
{
    return interval_width(side[0]) * interval_width(side[1]);
}

/*
 * A side that K leaves next to nothing of (the gradient is linear in it) would keep the test from ever finding K inside of
 * the box: it is given back a hundredth of what it had.
 */
static void keep_wide(const struct search *search, const struct interval side[2], struct interval rest[2])
{
    for (int i = 0; i < 2; i++) {
        double least = SLIMMEST * interval_width(side[i]),
               smallest = SMALLEST_SMOOTH * interval_width(search->whole.side[i]);
        double by = 0.5 * ((least > smallest ? least : smallest) - interval_width(rest[i]));

        if (by > 0) {
            interval_intersect(interval_of(rest[i].lo - by, rest[i].hi + by), side[i], &rest[i]);
        }
    }
}

static enum status look_at(struct search *search, const struct interval side[2])
{
    struct krawczyk result;

    krawczyk_test(&result, search->formula, side);
    switch (result.verdict) {
    case KRAWCZYK_NONE:
        return STATUS_OK;
    case KRAWCZYK_ONE:
        return record(search, result.unique);
    case KRAWCZYK_SOME:
        keep_wide(search, side, result.rest);
        if (area(result.rest) < HALVED * area(side)) {
            return append_box(search, &search->next, result.rest);
        }
        break;
    case KRAWCZYK_ROUGH:
        break;
    }
    return cut(search, &result);
}

/* All generations; what is left in search->now when the budget ends is undecided. */
static enum status look_everywhere(struct search *search, uint64_t budget)
{
    enum status status = append_box(search, &search->now, search->whole.side);

    while (status == STATUS_OK && search->now.count > 0 && search->now.count <= budget) {
        budget -= search->now.count;
        for (size_t i = 0; status == STATUS_OK && i < search->now.count; i++) {
            status = look_at(search, search->now.boxes[i].side);
        }
        struct box_list done = search->now;

        search->now = search->next;
        search->next = done;
        search->next.count = 0;
    }
    return status;
}

/* Points of boxes that could not be decided, and what they take away from completeness. */
static enum status add_clusters(struct search *search, struct box_list *list, double smallest, int rough)
{
    enum status status = STATUS_OK;

    if (list->count > CLUSTERED_BOXES) {
        search->points->complete = 0;
        return STATUS_OK;
    }
    list->count = cluster_merge(list->boxes, list->count, &search->whole, smallest);
    for (size_t i = 0; status == STATUS_OK && i < list->count; i++) {
        struct critical_point point;

        switch (cluster_point(&point, search->formula, &list->boxes[i], &search->whole, smallest, rough)) {
        case CLUSTER_POINT:
            status = append_point(search, &point, list->boxes[i].side);
            break;
        case CLUSTER_NOTHING:
            break;
        case CLUSTER_UNKNOWN:
            search->points->complete = 0;
            break;
        }
    }
    return status;
}

/* The largest finite gradient at a few places. */
static double usual_slope(const struct formula *formula, const double box[2][2])
{
    double slope = 0;

    for (int i = 0; i < 16; i++) {
        const double u = (i % 4 + 0.43) / 4, v = ((i - i % 4) / 4.0 + 0.57) / 4; /* not where functions like to be flat */
        struct jet jet;

        formula_jet(formula, box[0][0] + u * (box[0][1] - box[0][0]), box[1][0] + v * (box[1][1] - box[1][0]), &jet);
        double norm = jet_gradient_norm(&jet);
        slope = norm > slope && norm <= DBL_MAX ? norm : slope;
    }
    return slope;
}

static int compare(const void *left, const void *right)
{
    const struct critical_point *a = left, *b = right;

    if (a->f != b->f) {
        return a->f < b->f ? -1 : 1;
    }
    if (a->x != b->x) {
        return a->x < b->x ? -1 : 1;
    }
    return (a->y > b->y) - (a->y < b->y);
}

enum status critical_points_find(struct critical_points *out, const struct formula *formula, const double box[2][2],
                                 uint64_t budget, struct error *error)
{
    struct search search = {.formula = formula, .points = out, .error = error};
    enum status status;

    *out = (struct critical_points){0};
    for (int i = 0; i < 2; i++) {
        assert(isfinite(box[i][0]) && isfinite(box[i][1]) && box[i][0] < box[i][1]);
        search.whole.side[i] = interval_of(box[i][0], box[i][1]);
    }
    search.slope = usual_slope(formula, box);
    status = look_everywhere(&search, budget);
    out->complete = search.now.count == 0;
    if (status == STATUS_OK) {
        status = add_clusters(&search, &search.smooth, SMALLEST_SMOOTH, 0);
    }
    if (status == STATUS_OK) {
        status = add_clusters(&search, &search.rough, SMALLEST_ROUGH, 1);
    }
    if (out->count > 0) {
        qsort(out->points, out->count, sizeof *out->points, compare);
    }
    free(search.now.boxes);
    free(search.next.boxes);
    free(search.unique.boxes);
    free(search.smooth.boxes);
    free(search.rough.boxes);
    return status;
}
