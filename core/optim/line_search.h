/*
 * Searches along a direction for a point that is enough of an improvement.
 *
 *     phi(t) = F(theta + t d)         phi'(t) = gradient(theta + t d) . d
 *     sufficient decrease (Armijo)    phi(t) <= phi(0) + c1 t phi'(0)           c1 = 1e-4
 *     curvature (strong Wolfe)        |phi'(t)| <= c2 |phi'(0)|                 c2 = 0.9
 *
 * Near the optimum phi changes by less than the rounding errors of its sums. So values are compared with a slack of 1e-12
 * |phi(0)|: there, slopes alone decide, which keep their digits (Hager, Zhang 2005, have the same idea).
 * docs/mathematics.md, "Solvers of convex problems".
 */
#ifndef DESCENT_CORE_OPTIM_LINE_SEARCH_H
#define DESCENT_CORE_OPTIM_LINE_SEARCH_H

#include "core/optim/objective.h"

#define LINE_SEARCH_EVALUATIONS 50

struct line_search {
    const struct objective *objective;
    const double *theta, *direction; /* [n] each: from where, where to */
    double value, slope;             /* phi(0), phi'(0) < 0 */

    /* what was found: phi, phi' and the point at `step`; theta and gradient [n] are the caller's memory */
    double step;
    struct objective_value found;
    double found_slope;
    double *found_theta, *found_gradient;
};

/*
 * A step that meets both conditions, tried from `first` on. 1: found; else the lowest point of sufficient decrease that was
 * seen, if there was one (1 too); 0: there is none, no step forward can be made out.
 * Source: Nocedal, Wright 2006, algorithms 3.5 and 3.6, interpolation (3.59).
 */
int line_search_wolfe(struct line_search *search, double first);
/* The first of 1, 1/2, 1/4 ... of sufficient decrease; 0: none. Source: Nocedal, Wright 2006, algorithm 3.1. */
int line_search_backtrack(struct line_search *search);

#endif
