/*
 * Truncated Newton: the Newton equation H d = -g solved by conjugate gradients, only as well as it pays.
 *
 *     preconditioner   the Hessian's diagonal
 *     ends at          |H d + g| <= min(0.1, sqrt |g|) |g|, a direction without curvature, or NEWTON_CG_PRODUCTS products
 *     theta <- theta + t d, t the first of 1, 1/2, 1/4 ... of sufficient decrease
 *
 * A singular Hessian does no harm: g has no part in its null space, and conjugate gradients stay where g is.
 * Source: Nocedal, Wright 2006, algorithm 7.1; Dembo, Steihaug 1983.
 */
#ifndef DESCENT_CORE_OPTIM_NEWTON_CG_H
#define DESCENT_CORE_OPTIM_NEWTON_CG_H

#include "core/optim/solver.h"

#define NEWTON_CG_VECTORS  5   /* of solver->work */
#define NEWTON_CG_PRODUCTS 150 /* with the Hessian, an iteration: so that it ends in a time that can be waited for */

/* Puts the next point into solver->next...; 0: there is none. *step: t. */
int newton_cg_advance(struct solver *solver, const struct objective *objective, double *step);

#endif
