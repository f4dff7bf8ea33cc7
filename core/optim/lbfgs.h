/*
 * Limited-memory BFGS: a quasi-Newton step from the last few changes of theta and of the gradient.
 *
 *     s = theta' - theta, y = g' - g        kept if s.y > 1e-10 |s| |y|, `history` pairs at most
 *     d = -H g by the two-loop recursion, H0 = gamma I, gamma = s.y / y.y of the newest pair
 *     theta <- theta + t d, t by the strong Wolfe conditions from 1 on; without pairs d = -g, from min(1, 1 / |g|_1) on
 *
 * Source: Nocedal, Wright 2006, algorithms 7.4 and 7.5; Liu, Nocedal 1989.
 */
#ifndef DESCENT_CORE_OPTIM_LBFGS_H
#define DESCENT_CORE_OPTIM_LBFGS_H

#include "core/optim/solver.h"

#define LBFGS_VECTORS 1 /* of solver->work */

/* Puts the next point into solver->next... and keeps its pair; 0: there is none. *step: t. */
int lbfgs_advance(struct solver *solver, const struct objective *objective, double *step);

#endif
