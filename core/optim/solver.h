/*
 * Solvers: iterations that find the minimum of a smooth convex function from exact gradients, in float64. Not update rules
 * (optimizer.h): they choose their own step by looking at the function again, and need all of its data each time.
 *
 * A solver's memory between two iterations is one array of float64, its state, so that whoever saves and restores it goes on
 * to the same bits. The rules: lbfgs.h, newton_cg.h.
 */
#ifndef DESCENT_CORE_OPTIM_SOLVER_H
#define DESCENT_CORE_OPTIM_SOLVER_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/optim/objective.h"
#include "core/optim/optimizer.h"

/* The state's begin, all float64 so that the state is one array. Then theta [n], gradient [n]; lbfgs: s, y [history][n]. */
struct solver_scalars {
    double started;              /* 1: what follows was computed */
    struct objective_value here; /* at theta */
    double lowest;               /* value so far */
    double smallest_norm;        /* of the gradient, so far */
    double stalled;              /* iterations since the last that made visible progress */
    double pairs, newest;        /* lbfgs: pairs that are kept, place of the last one */
};

struct solver {
    enum optimizer_type type;
    size_t n;
    uint32_t history;
    double tolerance;

    double *state; /* [state_count], finite */
    size_t state_count;
    struct solver_scalars *scalars; /* inside state, as what follows */
    double *theta, *gradient;
    double *s, *y; /* lbfgs: what theta and the gradient changed by, [history][n] */

    /* an iteration's own: the point that it found, its direction, and what the rule needs (solver_work vectors) */
    double *next_theta, *next_gradient, *direction, *work;
    struct objective_value next;
};

/* Doubles of a solver's state, and of all its memory. 0 where the sizes overflow. */
uint64_t solver_state_count(const struct optimizer_spec *spec, uint64_t n);
uint64_t solver_bytes(const struct optimizer_spec *spec, uint64_t n);

/*
 * About how many passes over the data one iteration makes at worst, each about the work of a gradient: products with the
 * Hessian and looks along the direction. Most iterations make far fewer.
 */
uint64_t solver_passes(const struct optimizer_spec *spec);

/* A solver at theta [n], with the spec's rule (OPTIMIZER_CONVEX_SOLVER), history and tolerance. Free with solver_free. */
MUST_CHECK enum status solver_new(struct solver **solver, const struct optimizer_spec *spec, size_t n, const double *theta,
                                  struct error *error);
void solver_free(struct solver *solver);

enum solver_outcome {
    SOLVER_MOVED,
    SOLVER_AT_TOLERANCE, /* the gradient's norm is at most the tolerance; nothing was changed */
    SOLVER_EXHAUSTED,    /* no step lowers the function, or the gradient, as far as float64 can tell; nothing was changed */
    SOLVER_NOT_FINITE,   /* value or gradient at theta are not finite */
};

/* What an iteration tells of itself. */
struct solver_move {
    struct objective_value from; /* before it */
    double gradient_norm;        /* Euclidean, before it */
    double step;                 /* along the direction */
    double distance;             /* Euclidean, from the old theta to the new one */
};

/* One iteration. */
enum solver_outcome solver_step(struct solver *solver, const struct objective *objective, struct solver_move *move);

/*
 * Takes over the state of another solver of this spec: state_count finite float64, not aligned. 0 where it can be none; the
 * solver is as it was.
 */
MUST_CHECK int solver_restore(struct solver *solver, const void *state);

#endif
