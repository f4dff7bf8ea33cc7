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

#endif
