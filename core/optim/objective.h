/*
 * A smooth function of n variables in float64, as the solvers see it (solver.h): value and gradient, and for Newton's method
 * products with the Hessian. The sums that solvers make of such vectors stand here, too, each in one fixed order.
 */
#ifndef DESCENT_CORE_OPTIM_OBJECTIVE_H
#define DESCENT_CORE_OPTIM_OBJECTIVE_H

#include <stddef.h>

#define OBJECTIVE_NOTES 2

/* A value; notes are the objective's own, of no meaning to a solver, which keeps them with the point. All may be NaN. */
struct objective_value {
    double value;
    double notes[OBJECTIVE_NOTES];
};

struct objective {
    size_t n;
    void *context;
    /* Value at theta [n], and the gradient [n]: a pure function of theta, bits and all. */
    void (*evaluate)(void *context, const double *theta, struct objective_value *value, double *gradient);
    /* Moves to theta for the products that follow; diagonal [n] receives the Hessian's. NULL: no second derivatives. */
    void (*hessian_at)(void *context, const double *theta, double *diagonal);
    /* product [n] = Hessian * direction [n] */
    void (*hessian_product)(void *context, const double *direction, double *product);
};

/* Sum of a_i b_i. */
double objective_dot(size_t n, const double *a, const double *b);
/* Euclidean norm. */
double objective_norm(size_t n, const double *a);
/* Norm of a - b. */
double objective_distance(size_t n, const double *a, const double *b);
/* y += factor * x */
void objective_add(size_t n, double factor, const double *x, double *y);
/* out = x + factor * d */
void objective_along(size_t n, const double *x, double factor, const double *d, double *out);
/* Whether the value and all of the gradient are finite. */
int objective_is_finite(size_t n, const struct objective_value *value, const double *gradient);

#endif
