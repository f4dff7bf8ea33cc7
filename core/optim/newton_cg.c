#include "core/optim/newton_cg.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/optim/line_search.h"

#define LEAST_DIAGONAL 1e-12 /* of the largest entry: what is smaller is taken for it */
#define FORCING        0.1

/* Conjugate gradients at work, vectors [n] of solver->work. */
struct equation {
    double *diagonal, *residual, *scaled, *search, *product;
};

static struct equation equation_of(const struct solver *solver)
{
    const size_t n = solver->n;
    double *work = solver->work;

    return (struct equation){work, work + n, work + 2 * n, work + 3 * n, work + 4 * n};
}

/* Makes every entry of the diagonal a divisor. */
static void lift(size_t n, double *diagonal)
{
    double largest = 0;

    for (size_t i = 0; i < n; i++) {
        largest = diagonal[i] > largest ? diagonal[i] : largest;
    }
    for (size_t i = 0; i < n; i++) {
        double least = largest > 0 ? LEAST_DIAGONAL * largest : 1;

        diagonal[i] = diagonal[i] > least ? diagonal[i] : least;
    }
}

/* scaled = residual / diagonal; their product. */
static double precondition(size_t n, const struct equation *e)
{
    for (size_t i = 0; i < n; i++) {
        e->scaled[i] = e->residual[i] / e->diagonal[i];
    }
    return objective_dot(n, e->residual, e->scaled);
}

/* Curvature along the search direction: its own, and what the diagonal alone would give, for comparison. */
static double diagonal_curvature(size_t n, const struct equation *e)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += e->search[i] * e->search[i] * e->diagonal[i];
    }
    return sum;
}

/* direction = about -H^-1 gradient. */
static void solve(struct solver *solver, const struct objective *objective)
{
    const size_t n = solver->n;
    const struct equation e = equation_of(solver);
    double norm = objective_norm(n, solver->gradient), enough = fmin(FORCING, sqrt(norm)) * norm, square;
    double *d = solver->direction;

    objective->hessian_at(objective->context, solver->theta, e.diagonal);
    lift(n, e.diagonal);
    memcpy(e.residual, solver->gradient, n * sizeof *d); /* H d + g at d = 0 */
    memset(d, 0, n * sizeof *d);
    square = precondition(n, &e);
    for (size_t i = 0; i < n; i++) {
        e.search[i] = -e.scaled[i];
    }
    for (int k = 0; k < NEWTON_CG_PRODUCTS && objective_norm(n, e.residual) > enough; k++) {
        double curvature, step, before = square;

        objective->hessian_product(objective->context, e.search, e.product);
        curvature = objective_dot(n, e.search, e.product);
        if (!(curvature > DBL_EPSILON * diagonal_curvature(n, &e))) {
            if (k == 0) {
                memcpy(d, e.search, n * sizeof *d);
            }
            return;
        }
        step = square / curvature;
        objective_add(n, step, e.search, d);
        objective_add(n, step, e.product, e.residual);
        square = precondition(n, &e);
        for (size_t i = 0; i < n; i++) {
            e.search[i] = square / before * e.search[i] - e.scaled[i];
        }
    }
}

int newton_cg_advance(struct solver *solver, const struct objective *objective, double *step)
{
    struct line_search line = {.objective = objective,
                               .theta = solver->theta,
                               .direction = solver->direction,
                               .value = solver->scalars->here.value,
                               .found_theta = solver->next_theta,
                               .found_gradient = solver->next_gradient};

    solve(solver, objective);
    line.slope = objective_dot(solver->n, solver->gradient, solver->direction);
    if (!(line.slope < 0) || !line_search_backtrack(&line)) {
        return 0;
    }
    solver->next = line.found;
    *step = line.step;
    return 1;
}
