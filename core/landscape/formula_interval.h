/* A formula over a box: intervals that contain its value, gradient and Hessian at every point of the box. */
#ifndef DESCENT_CORE_LANDSCAPE_FORMULA_INTERVAL_H
#define DESCENT_CORE_LANDSCAPE_FORMULA_INTERVAL_H

#include "core/landscape/formula.h"
#include "core/landscape/interval.h"

struct interval_jet {
    struct interval f, g[2];
    struct interval h[3]; /* xx, xy, yy */
};

enum interval_order {
    INTERVAL_GRADIENT, /* without h, which is 0 then */
    INTERVAL_HESSIAN,
};

/*
 * box: intervals of x and of y. Returns 0 where the formula has no value on the whole box; *jet is then not written.
 * Where it is not defined on a part, or not differentiable, the derivatives concerned are unbounded.
 */
int formula_interval(const struct formula *formula, const struct interval box[2], enum interval_order order,
                     struct interval_jet *jet);

#endif
