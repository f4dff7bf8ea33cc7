#include "core/landscape/critical_cluster.h"

#include <math.h>

#include "core/base/mathx.h"

#define POINT_SIZE  16 /* sizes of the smallest box, at most, for a cluster to be a point */
#define ROUND_TO    1e6
#define RING_POINTS 64
#define RING_RADIUS 1e-9 /* of the whole box's width */

static int touch(const struct box *a, const struct box *b, const double gap[2])
{
    for (int i = 0; i < 2; i++) {
        if (a->side[i].lo > b->side[i].hi + gap[i] || b->side[i].lo > a->side[i].hi + gap[i]) {
            return 0;
        }
    }
    return 1;
}

static void include(struct box *a, const struct box *b)
{
    for (int i = 0; i < 2; i++) {
        a->side[i].lo = fmin(a->side[i].lo, b->side[i].lo);
        a->side[i].hi = fmax(a->side[i].hi, b->side[i].hi);
    }
}

size_t cluster_merge(struct box *boxes, size_t count, const struct box *whole, double smallest)
{
    const double gap[2] = {smallest * interval_width(whole->side[0]), smallest * interval_width(whole->side[1])};

    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count;) {
            if (touch(&boxes[i], &boxes[k], gap)) {
                include(&boxes[i], &boxes[k]);
                boxes[k] = boxes[--count];
                k = i + 1; /* the larger one may touch those that were passed */
            } else {
                k++;
            }
        }
    }
    return count;
}

static int on_the_edge(const struct box *cluster, const struct box *whole, double smallest)
{
    for (int i = 0; i < 2; i++) {
        double margin = smallest * interval_width(whole->side[i]);

        if (cluster->side[i].lo <= whole->side[i].lo + margin || cluster->side[i].hi >= whole->side[i].hi - margin) {
            return 1;
        }
    }
    return 0;
}

/* Every place in the cluster is as good as any other: the one with few digits, if there is one, else the middle. */
static double place_in(struct interval side)
{
    double middle = interval_middle(side), round_one = rint(middle * ROUND_TO) / ROUND_TO;

    return interval_contains(side, round_one) ? round_one + 0.0 : middle;
}

/*
 * Whether 0 is among the means of the gradients around a point (Clarke 1983's condition for a minimum or maximum where
 * there is no derivative): they do not all lie on one side of a line through 0.
 */
static int gradients_surround_zero(const struct formula *formula, double x, double y, const struct box *whole)
{
    struct jet ring[RING_POINTS];

    for (int i = 0; i < RING_POINTS; i++) {
        double sine, cosine;

        mathx_sincos_turns_f64((i + 0.5) / RING_POINTS, &sine, &cosine);
        formula_jet(formula, x + cosine * RING_RADIUS * interval_width(whole->side[0]),
                    y + sine * RING_RADIUS * interval_width(whole->side[1]), &ring[i]);
        if (!isfinite(ring[i].gx) || !isfinite(ring[i].gy)) {
            return 0;
        }
    }
    for (int i = 0; i < RING_POINTS; i++) {
        int left = 0, right = 0;

        for (int k = 0; k < RING_POINTS; k++) {
            double side = ring[i].gx * ring[k].gy - ring[i].gy * ring[k].gx;
            double ahead = ring[i].gx * ring[k].gx + ring[i].gy * ring[k].gy;

            left |= side > 0 || (side == 0 && ahead < 0);
            right |= side < 0 || (side == 0 && ahead < 0);
        }
        if (!left || !right) {
            return ring[i].gx == 0 && ring[i].gy == 0;
        }
    }
    return 1;
}

enum cluster_verdict cluster_point(struct critical_point *point, const struct formula *formula, const struct box *cluster,
                                   const struct box *whole, double smallest, int rough)
{
    struct jet jet;

    if (on_the_edge(cluster, whole, smallest)) {
        return CLUSTER_NOTHING;
    }
    for (int i = 0; i < 2; i++) {
        if (interval_width(cluster->side[i]) > POINT_SIZE * smallest * interval_width(whole->side[i])) {
            return CLUSTER_UNKNOWN;
        }
    }
    point->x = place_in(cluster->side[0]);
    point->y = place_in(cluster->side[1]);
    formula_jet(formula, point->x, point->y, &jet);
    point->f = jet.f;
    critical_classify(&jet, point->eigenvalues);
    point->type = CRITICAL_DEGENERATE;
    if (rough) {
        point->type = CRITICAL_NONSMOOTH;
        point->eigenvalues[0] = point->eigenvalues[1] = (double)NAN;
        if (!isfinite(jet.f) || !gradients_surround_zero(formula, point->x, point->y, whole)) {
            return CLUSTER_NOTHING;
        }
    }
    return CLUSTER_POINT;
}
