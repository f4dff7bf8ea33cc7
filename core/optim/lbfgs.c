#include "core/optim/lbfgs.h"

#include <math.h>
#include <string.h>

#include "core/optim/line_search.h"

#define LEAST_CURVATURE 1e-10

/* Place of the pair that is `age` older than the newest. */
static size_t place(const struct solver *solver, uint32_t age)
{
    return ((size_t)solver->scalars->newest + solver->history - age) % solver->history * solver->n;
}

/* direction = -H gradient (algorithm 7.4). */
static void two_loops(struct solver *solver)
{
    const size_t n = solver->n;
    const uint32_t pairs = (uint32_t)solver->scalars->pairs;
    double *d = solver->direction, alpha[OPTIMIZER_MAX_HISTORY] = {0}, rho[OPTIMIZER_MAX_HISTORY] = {0};

    for (size_t i = 0; i < n; i++) {
        d[i] = -solver->gradient[i];
    }
    for (uint32_t age = 0; age < pairs; age++) {
        const double *s = solver->s + place(solver, age), *y = solver->y + place(solver, age);

        rho[age] = 1 / objective_dot(n, s, y);
        alpha[age] = rho[age] * objective_dot(n, s, d);
        objective_add(n, -alpha[age], y, d);
    }
    if (pairs > 0) {
        const double *y = solver->y + place(solver, 0);
        double gamma = 1 / (rho[0] * objective_dot(n, y, y));

        for (size_t i = 0; i < n; i++) {
            d[i] *= gamma;
        }
    }
    for (uint32_t age = pairs; age-- > 0;) {
        const double *s = solver->s + place(solver, age), *y = solver->y + place(solver, age);

        objective_add(n, alpha[age] - rho[age] * objective_dot(n, y, d), s, d);
    }
}

static double first_step(const struct solver *solver)
{
    double sum = 0;

    if (solver->scalars->pairs > 0) {
        return 1;
    }
    for (size_t i = 0; i < solver->n; i++) {
        sum += fabs(solver->gradient[i]);
    }
    return sum > 1 ? 1 / sum : 1;
}

/* The newest pair takes the place of the oldest, unless the function has no curvature to tell of along it. */
static void remember(struct solver *solver)
{
    struct solver_scalars *scalars = solver->scalars;
    const size_t n = solver->n, next = scalars->pairs > 0 ? ((size_t)scalars->newest + 1) % solver->history : 0;
    double *s = solver->work, *y = solver->direction; /* which is not needed any more */

    objective_along(n, solver->next_theta, -1, solver->theta, s);
    objective_along(n, solver->next_gradient, -1, solver->gradient, y);
    if (!(objective_dot(n, s, y) > LEAST_CURVATURE * objective_norm(n, s) * objective_norm(n, y))) {
        return;
    }
    memcpy(solver->s + next * n, s, n * sizeof *s);
    memcpy(solver->y + next * n, y, n * sizeof *y);
    scalars->newest = (double)next;
    scalars->pairs = scalars->pairs < solver->history ? scalars->pairs + 1 : solver->history;
}

static int search(struct solver *solver, const struct objective *objective, double *step)
{
    struct line_search line = {.objective = objective,
                               .theta = solver->theta,
                               .direction = solver->direction,
                               .value = solver->scalars->here.value,
                               .found_theta = solver->next_theta,
                               .found_gradient = solver->next_gradient};

    two_loops(solver);
    line.slope = objective_dot(solver->n, solver->gradient, solver->direction);
    if (!(line.slope < 0) || !line_search_wolfe(&line, first_step(solver)) ||
        objective_distance(solver->n, solver->next_theta, solver->theta) == 0) {
        return 0;
    }
    solver->next = line.found;
    *step = line.step;
    return 1;
}

/* Pairs of a function's flat end can be so bad that there is no way forward along their direction: then without them. */
int lbfgs_advance(struct solver *solver, const struct objective *objective, double *step)
{
    int found = search(solver, objective, step);

    if (!found && solver->scalars->pairs > 0) {
        double pairs = solver->scalars->pairs;

        solver->scalars->pairs = 0;
        found = search(solver, objective, step);
        solver->scalars->pairs = found ? 0 : pairs; /* no move changes nothing */
    }
    if (found) {
        remember(solver);
    }
    return found;
}
