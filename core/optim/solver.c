#include "core/optim/solver.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/optim/lbfgs.h"
#include "core/optim/line_search.h"
#include "core/optim/newton_cg.h"

#define SCALARS  (sizeof(struct solver_scalars) / sizeof(double))
#define PATIENCE 20                 /* iterations without visible progress until there is none */
#define SHORTER  0.9                /* what a gradient's norm shrinks to, at least, to count as progress */
#define LOWER    (16 * DBL_EPSILON) /* what a value falls by, at least, of its size */

static_assert(sizeof(struct solver_scalars) == (7 + OBJECTIVE_NOTES) * sizeof(double), "float64 alone");

/* Vectors [n] that an iteration needs besides its point and direction. */
static uint64_t work_vectors(const struct optimizer_spec *spec)
{
    return spec->type == OPTIMIZER_LBFGS ? LBFGS_VECTORS : NEWTON_CG_VECTORS;
}

static uint64_t state_vectors(const struct optimizer_spec *spec)
{
    return 2 + (spec->type == OPTIMIZER_LBFGS ? 2 * (uint64_t)spec->history : 0);
}

uint64_t solver_state_count(const struct optimizer_spec *spec, uint64_t n)
{
    uint64_t count;

    return __builtin_mul_overflow(state_vectors(spec), n, &count) || __builtin_add_overflow(count, SCALARS, &count) ? 0
                                                                                                                    : count;
}

uint64_t solver_bytes(const struct optimizer_spec *spec, uint64_t n)
{
    uint64_t state = solver_state_count(spec, n), bytes;

    return state == 0 || __builtin_mul_overflow(3 + work_vectors(spec), n, &bytes) ||
                   __builtin_add_overflow(bytes, state, &bytes) || __builtin_mul_overflow(bytes, sizeof(double), &bytes) ||
                   __builtin_add_overflow(bytes, sizeof(struct solver), &bytes)
               ? 0
               : bytes;
}

uint64_t solver_passes(const struct optimizer_spec *spec)
{
    return spec->type == OPTIMIZER_LBFGS ? 2 * LINE_SEARCH_EVALUATIONS /* without its pairs once more, at worst */
                                         : NEWTON_CG_PRODUCTS + LINE_SEARCH_EVALUATIONS;
}

enum status solver_new(struct solver **out, const struct optimizer_spec *spec, size_t n, const double *theta,
                       struct error *error)
{
    struct solver *solver = calloc(1, sizeof *solver);
    uint64_t count = solver_state_count(spec, n), bytes = solver_bytes(spec, n);

    assert(optimizer_has(spec->type, OPTIMIZER_CONVEX_SOLVER));
    assert(spec->type != OPTIMIZER_LBFGS || (spec->history >= 1 && spec->history <= OPTIMIZER_MAX_HISTORY));
    *out = NULL;
    if (solver == NULL || count == 0 || bytes == 0) {
        free(solver);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to solve for %zu parameters", n);
    }
    *solver =
        (struct solver){.type = spec->type, .n = n, .history = spec->history, .tolerance = spec->tolerance, .next = {0}};
    solver->state_count = count;
    solver->state = calloc(count, sizeof *solver->state);
    solver->next_theta = calloc((3 + work_vectors(spec)) * n, sizeof *solver->next_theta);
    if (solver->state == NULL || solver->next_theta == NULL) {
        solver_free(solver);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to solve for %zu parameters", n);
    }
    solver->scalars = (struct solver_scalars *)(void *)solver->state;
    solver->theta = solver->state + SCALARS;
    solver->gradient = solver->theta + n;
    solver->s = solver->gradient + n;
    solver->y = solver->s + (spec->type == OPTIMIZER_LBFGS ? spec->history * n : 0);
    solver->next_gradient = solver->next_theta + n;
    solver->direction = solver->next_gradient + n;
    solver->work = solver->direction + n;
    memcpy(solver->theta, theta, n * sizeof *theta);
    *out = solver;
    return STATUS_OK;
}

void solver_free(struct solver *solver)
{
    if (solver != NULL) {
        free(solver->state);
        free(solver->next_theta);
        free(solver);
    }
}

/* ---- an iteration ---- */

static int start(struct solver *solver, const struct objective *objective)
{
    struct solver_scalars *scalars = solver->scalars;

    if (scalars->started == 0) {
        objective->evaluate(objective->context, solver->theta, &scalars->here, solver->gradient);
        scalars->lowest = scalars->here.value;
        scalars->smallest_norm = objective_norm(solver->n, solver->gradient);
        scalars->started = 1;
    }
    return objective_is_finite(solver->n, &scalars->here, solver->gradient);
}

/*
 * Whether the new point is progress that rounding does not hide: a value lower than ever, or a gradient shorter than ever.
 * Without this rule a tolerance below what float64 can reach would go on to the last planned iteration.
 */
static void judge(struct solver *solver)
{
    struct solver_scalars *scalars = solver->scalars;
    double norm = objective_norm(solver->n, solver->next_gradient);
    int lower = solver->next.value < scalars->lowest - LOWER * fabs(scalars->lowest);
    int shorter = norm <= SHORTER * scalars->smallest_norm;

    scalars->stalled = lower || shorter ? 0 : scalars->stalled + 1;
    scalars->lowest = lower ? solver->next.value : scalars->lowest;
    scalars->smallest_norm = shorter ? norm : scalars->smallest_norm;
}

enum solver_outcome solver_step(struct solver *solver, const struct objective *objective, struct solver_move *move)
{
    int moved;

    assert(objective->n == solver->n);
    *move = (struct solver_move){.step = 0};
    if (!start(solver, objective)) {
        return SOLVER_NOT_FINITE;
    }
    move->from = solver->scalars->here;
    move->gradient_norm = objective_norm(solver->n, solver->gradient);
    if (move->gradient_norm <= solver->tolerance) {
        return SOLVER_AT_TOLERANCE;
    }
    if (solver->scalars->stalled >= PATIENCE) {
        return SOLVER_EXHAUSTED;
    }
    moved = solver->type == OPTIMIZER_LBFGS ? lbfgs_advance(solver, objective, &move->step)
                                            : newton_cg_advance(solver, objective, &move->step);
    move->distance = moved ? objective_distance(solver->n, solver->next_theta, solver->theta) : 0;
    if (move->distance == 0) {
        return SOLVER_EXHAUSTED;
    }
    judge(solver);
    memcpy(solver->theta, solver->next_theta, solver->n * sizeof *solver->theta);
    memcpy(solver->gradient, solver->next_gradient, solver->n * sizeof *solver->gradient);
    solver->scalars->here = solver->next;
    return SOLVER_MOVED;
}

/* ---- going on ---- */

/* A whole number from 0 to most. */
static int counts(double value, double most)
{
    return value >= 0 && value <= most && value == floor(value);
}

int solver_restore(struct solver *solver, const void *state)
{
    struct solver_scalars scalars;
    double pairs = solver->type == OPTIMIZER_LBFGS ? solver->history : 0;

    memcpy(&scalars, state, sizeof scalars);
    if (!counts(scalars.started, 1) || !counts(scalars.stalled, PATIENCE) || !counts(scalars.pairs, pairs) ||
        !counts(scalars.newest, pairs > 0 ? pairs - 1 : 0) || !(scalars.smallest_norm >= 0)) {
        return 0;
    }
    memcpy(solver->state, state, solver->state_count * sizeof *solver->state);
    return 1;
}
