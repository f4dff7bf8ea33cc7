/* Critical points of a function of two variables: where its gradient is 0, and what kind of point each is. */
#ifndef DESCENT_CORE_LANDSCAPE_CRITICAL_POINTS_H
#define DESCENT_CORE_LANDSCAPE_CRITICAL_POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/landscape/formula.h"

enum critical_type {
    CRITICAL_MINIMUM,
    CRITICAL_MAXIMUM,
    CRITICAL_SADDLE,
    CRITICAL_DEGENERATE, /* the Hessian is singular, or nearly: it does not say what the point is */
    CRITICAL_NONSMOOTH,  /* there is no Hessian */
    CRITICAL_TYPE_COUNT
};

struct critical_point {
    double x, y, f;
    double eigenvalues[2]; /* of the Hessian, ascending; NaN where there is none */
    enum critical_type type;
};

/* "minimum", "maximum", "saddle", "degenerate", "nonsmooth" */
const char *critical_type_name(enum critical_type type);

/*
 * What a point is if its gradient is 0, from its Hessian's eigenvalues (written, ascending): nonsmooth where they are not
 * finite, degenerate where one of them is at most 1e-8 of the other, by absolute value.
 */
enum critical_type critical_classify(const struct jet *jet, double eigenvalues[2]);

struct critical_points {
    struct critical_point *points; /* [count], owned; by f, then x, then y */
    size_t count;
    int complete; /* 1: there are no others in the open box */
};

/*
 * Every critical point of a formula inside of an open box: box[0][0] < x < box[0][1], box[1][0] < y < box[1][1].
 *
 * The box is cut into smaller ones. Interval arithmetic shows of most that the gradient is not 0 anywhere in them, and of
 * others, by Krawczyk's test, that it is 0 at exactly one point (docs/mathematics.md), which Newton's method then finds to
 * the last digits. What is left at a size of about 1e-8 of the box, and hangs together, is one point where the Hessian is
 * singular (degenerate) or is none (nonsmooth; there the box is about 1e-13 of the whole): such a point is known as well
 * as its box. Points on the box's edge, as far as can be told, are not inside.
 *
 * budget is the largest number of boxes to look at. When it is used up, and where whole lines or areas are critical, what
 * was found by then is given, and complete is 0.
 * Release with critical_points_release, also after an error. The result depends on the arguments alone.
 * Source: Krawczyk 1969; Moore, Kearfott, Cloud 2009, "Introduction to interval analysis", chapter 8.
 */
MUST_CHECK enum status critical_points_find(struct critical_points *out, const struct formula *formula,
                                            const double box[2][2], uint64_t budget, struct error *error);
void critical_points_release(struct critical_points *points);

#endif
