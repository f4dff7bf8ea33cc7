/*
 * With c the middle of the box X, H its interval Hessian and Y an approximate inverse of H's middle, all zeros of the
 * gradient g in X lie in
 *
 *     K(X) = c - Y g(c) + (I - Y H) (X - c)
 *
 * and if K(X) lies in the interior of X, there is exactly one. A zero at the edge of X cannot be shown that way, so where
 * K is much smaller than X, it is widened around K and tried again there.
 */
#include "core/landscape/krawczyk.h"

#include <math.h>
#include <string.h>

#define MUCH_SMALLER 0.5 /* K's width as a part of X's at which it is worth trying around K */

/* The operator's result. */
enum image {
    IMAGE_EMPTY, /* the mean value theorem shows that there is no zero */
    IMAGE_FOUND,
    IMAGE_NONE, /* the Hessian's middle has no inverse */
};

static int gradient_excluded(const struct interval g[2])
{
    return !interval_contains(g[0], 0) || !interval_contains(g[1], 0);
}

static struct interval scaled(double a, struct interval b)
{
    return interval_multiply(interval_of(a, a), b);
}

/* a p + b q */
static struct interval combination(double a, struct interval p, double b, struct interval q)
{
    return interval_add(scaled(a, p), scaled(b, q));
}

static enum image krawczyk_image(const struct formula *formula, const struct interval box[2], const struct interval h[3],
                                 struct interval image[2])
{
    const double c[2] = {interval_middle(box[0]), interval_middle(box[1])};
    const double xx = interval_middle(h[0]), xy = interval_middle(h[1]), yy = interval_middle(h[2]);
    const double determinant = xx * yy - xy * xy;
    struct interval centre[2], away[2], mean[2];
    struct interval_jet jet;

    for (int i = 0; i < 2; i++) {
        centre[i] = interval_of(c[i], c[i]);
        away[i] = interval_subtract(box[i], centre[i]);
    }
    if (!formula_interval(formula, centre, INTERVAL_GRADIENT, &jet)) {
        return IMAGE_NONE;
    }
    for (int i = 0; i < 2; i++) {
        mean[i] =
            interval_add(jet.g[i], interval_add(interval_multiply(h[i], away[0]), interval_multiply(h[i + 1], away[1])));
    }
    if (gradient_excluded(mean)) {
        return IMAGE_EMPTY;
    }
    const double y[2][2] = {{yy / determinant, -xy / determinant}, {-xy / determinant, xx / determinant}};
    if (!isfinite(y[0][0]) || !isfinite(y[0][1]) || !isfinite(y[1][1])) {
        return IMAGE_NONE;
    }
    for (int i = 0; i < 2; i++) {
        const struct interval step = combination(y[i][0], jet.g[0], y[i][1], jet.g[1]);
        const struct interval first =
            interval_subtract(interval_of(i == 0, i == 0), combination(y[i][0], h[0], y[i][1], h[1]));
        const struct interval second =
            interval_subtract(interval_of(i == 1, i == 1), combination(y[i][0], h[1], y[i][1], h[2]));

        image[i] = interval_add(interval_multiply(first, away[0]), interval_multiply(second, away[1]));
        image[i] = interval_add(interval_subtract(centre[i], step), image[i]);
    }
    return IMAGE_FOUND;
}

static int both_within(const struct interval a[2], const struct interval b[2])
{
    return interval_within(a[0], b[0]) && interval_within(a[1], b[1]);
}

/* Whether the box has exactly one zero. */
static int has_one(const struct formula *formula, const struct interval box[2])
{
    struct interval image[2];
    struct interval_jet jet;

    return formula_interval(formula, box, INTERVAL_HESSIAN, &jet) && interval_is_bounded(jet.h[0]) &&
           interval_is_bounded(jet.h[1]) && interval_is_bounded(jet.h[2]) &&
           krawczyk_image(formula, box, jet.h, image) == IMAGE_FOUND && both_within(image, box);
}

/* Three times as wide, and a little more: K may be a point. */
static void widen(const struct interval image[2], struct interval wide[2])
{
    for (int i = 0; i < 2; i++) {
        double by = interval_width(image[i]) + 1e-13 * (fabs(image[i].lo) + fabs(image[i].hi)) + 1e-300;

        wide[i] = interval_of(image[i].lo - by, image[i].hi + by);
    }
}

/* From the image of the box: what is left of it. */
static void judge(struct krawczyk *result, const struct formula *formula, const struct interval box[2],
                  const struct interval image[2])
{
    struct interval wide[2];

    if (both_within(image, box)) {
        memcpy(result->unique, box, sizeof result->unique);
        result->verdict = KRAWCZYK_ONE;
        return;
    }
    if (!interval_intersect(image[0], box[0], &result->rest[0]) || !interval_intersect(image[1], box[1], &result->rest[1])) {
        result->verdict = KRAWCZYK_NONE;
        return;
    }
    if (interval_width(image[0]) < MUCH_SMALLER * interval_width(box[0]) &&
        interval_width(image[1]) < MUCH_SMALLER * interval_width(box[1])) {
        widen(image, wide);
        if (has_one(formula, wide)) {
            memcpy(result->unique, wide, sizeof result->unique);
            result->verdict = KRAWCZYK_ONE;
        }
    }
}

void krawczyk_test(struct krawczyk *result, const struct formula *formula, const struct interval box[2])
{
    struct interval image[2];
    struct interval_jet jet;

    result->verdict = KRAWCZYK_NONE;
    if (!formula_interval(formula, box, INTERVAL_HESSIAN, &jet) || gradient_excluded(jet.g)) {
        return;
    }
    memcpy(result->rest, box, sizeof result->rest);
    memcpy(result->hessian, jet.h, sizeof result->hessian);
    if (!interval_is_bounded(jet.h[0]) || !interval_is_bounded(jet.h[1]) || !interval_is_bounded(jet.h[2])) {
        result->verdict = KRAWCZYK_ROUGH;
        return;
    }
    result->verdict = KRAWCZYK_SOME;
    switch (krawczyk_image(formula, box, jet.h, image)) {
    case IMAGE_EMPTY:
        result->verdict = KRAWCZYK_NONE;
        break;
    case IMAGE_FOUND:
        judge(result, formula, box, image);
        break;
    case IMAGE_NONE:
        break;
    }
}
