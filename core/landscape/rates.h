/*
 * How fast a descent converges near a critical point: measured from its path, and what theory says of the rules of the sgd
 * family on a quadratic (docs/mathematics.md, "Rates").
 */
#ifndef DESCENT_CORE_LANDSCAPE_RATES_H
#define DESCENT_CORE_LANDSCAPE_RATES_H

#include <stdint.h>

#include "core/landscape/critical_points.h"
#include "core/landscape/descent.h"

/* Constant parameters that make the rate smallest on a quadratic, and that rate. */
struct rate_best {
    double learning_rate, momentum, rate;
};

struct rate_theory {
    double rate;                  /* largest modulus of the iteration's eigenvalues over both curvatures; >= 1: diverges */
    double largest_learning_rate; /* from here on the iteration diverges */
    double condition_number;      /* kappa = largest / smallest curvature */
    int has_best;                 /* `best` is known */
    struct rate_best best;
};

/*
 * The theory for a minimum with these Hessian eigenvalues, 0 < smallest <= largest, and a constant learning rate. Returns 0
 * where there is none: a rule that is not of the sgd family, or weight decay, which moves the minimum.
 */
int rate_theory(const struct optimizer_spec *optimizer, const double eigenvalues[2], struct rate_theory *theory);

/*
 * What the distance to the critical point that the path belongs to is multiplied by in an update, on average over the last
 * part of the path: the slope of a line through its logarithms, from the middle up to where rounding takes over. More than 1
 * where the path moves away. NaN where no rate can be told: fewer than 8 updates of it, a critical point that is degenerate
 * or not found from the path's end, or a path that is not yet where the function is nearly quadratic. rows [taken + 1].
 * *limit is that critical point, wherever it could be found; its type is nonsmooth where not.
 */
double rate_measured(const struct formula *formula, const struct descent_row *rows, uint64_t taken,
                     struct critical_point *limit);

#endif
