/* Functions that solvers are tested on, as objectives. */
#ifndef DESCENT_TESTS_CORE_OPTIM_FUNCTIONS_H
#define DESCENT_TESTS_CORE_OPTIM_FUNCTIONS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mathx.h"
#include "core/optim/solver.h"

#define FUNCTION_MOST 12 /* variables */

/* F = 1/2 theta' A theta - b' theta, A symmetric; counts what it is asked for. Of the others only the counts are used. */
struct function {
    size_t n;
    double a[FUNCTION_MOST][FUNCTION_MOST], b[FUNCTION_MOST];
    double at[FUNCTION_MOST];     /* of the Hessian's products */
    double second[FUNCTION_MOST]; /* where it was evaluated the second time */
    int evaluations, products;
};

static inline void quadratic_evaluate(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    struct function *f = context;

    if (++f->evaluations == 2) {
        memcpy(f->second, theta, f->n * sizeof *theta);
    }
    value->value = 0;
    value->notes[0] = theta[0];
    value->notes[1] = f->evaluations;
    for (size_t i = 0; i < f->n; i++) {
        gradient[i] = objective_dot(f->n, f->a[i], theta) - f->b[i];
        value->value += theta[i] * (gradient[i] - f->b[i]) / 2;
    }
}

static inline void quadratic_hessian_at(void *context, const double *theta, double *diagonal)
{
    struct function *f = context;

    memcpy(f->at, theta, f->n * sizeof *theta);
    for (size_t i = 0; i < f->n; i++) {
        diagonal[i] = f->a[i][i];
    }
}

static inline void quadratic_product(void *context, const double *direction, double *product)
{
    struct function *f = context;

    f->products++;
    for (size_t i = 0; i < f->n; i++) {
        product[i] = objective_dot(f->n, f->a[i], direction);
    }
}

static inline struct objective quadratic(struct function *f)
{
    return (struct objective){.n = f->n,
                              .context = f,
                              .evaluate = quadratic_evaluate,
                              .hessian_at = quadratic_hessian_at,
                              .hessian_product = quadratic_product};
}

/* A = Q D Q with the reflection Q = I - 2 u u', eigenvalues from 1 to `condition` in equal ratios; the minimum is at b's
 * solution. */
static inline void make_quadratic(struct function *f, size_t n, double condition)
{
    double u[FUNCTION_MOST], q[FUNCTION_MOST][FUNCTION_MOST], norm = 0;

    *f = (struct function){.n = n};
    for (size_t i = 0; i < n; i++) {
        u[i] = 1 + 0.3 * (double)((i * i) % 7);
        norm += u[i] * u[i];
        f->b[i] = (double)i - 2;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            q[i][j] = (i == j) - 2 * u[i] * u[j] / norm;
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            for (size_t k = 0; k < n; k++) {
                f->a[i][j] += q[i][k] * q[k][j] * (n > 1 ? pow(condition, (double)k / (double)(n - 1)) : 1);
            }
        }
    }
}

/* Rosenbrock's valley, (1 - x)^2 + 100 (y - x^2)^2. */
static inline void rosenbrock_evaluate(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    struct function *f = context;
    double x = theta[0], r = theta[1] - x * x;

    f->evaluations++;
    *value = (struct objective_value){.value = (1 - x) * (1 - x) + 100 * r * r};
    gradient[0] = -2 * (1 - x) - 400 * x * r;
    gradient[1] = 200 * r;
}

static inline void rosenbrock_hessian_at(void *context, const double *theta, double *diagonal)
{
    struct function *f = context;

    f->at[0] = theta[0];
    f->at[1] = theta[1];
    diagonal[0] = 2 - 400 * (theta[1] - 3 * theta[0] * theta[0]);
    diagonal[1] = 200;
}

static inline void rosenbrock_product(void *context, const double *direction, double *product)
{
    struct function *f = context;
    double x = f->at[0], y = f->at[1];

    f->products++;
    product[0] = (2 - 400 * (y - 3 * x * x)) * direction[0] - 400 * x * direction[1];
    product[1] = -400 * x * direction[0] + 200 * direction[1];
}

static inline struct objective rosenbrock(struct function *f)
{
    *f = (struct function){.n = 2};
    return (struct objective){.n = 2,
                              .context = f,
                              .evaluate = rosenbrock_evaluate,
                              .hessian_at = rosenbrock_hessian_at,
                              .hessian_product = rosenbrock_product};
}

/* e^x - x - 1 in each variable, infinite from 300 on: too far is where nothing is known. */
static inline void exponential_evaluate(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    struct function *f = context;

    f->evaluations++;
    *value = (struct objective_value){.value = 0};
    for (size_t i = 0; i < f->n; i++) {
        double e = theta[i] > 300 ? (double)INFINITY : mathx_exp_f64(theta[i]);

        value->value += e - theta[i] - 1;
        gradient[i] = e - 1;
    }
}

static inline struct objective exponential(struct function *f, size_t n)
{
    *f = (struct function){.n = n};
    return (struct objective){.n = n, .context = f, .evaluate = exponential_evaluate};
}

/* A solver of type `type` at theta; history counts for lbfgs. */
static inline struct solver *solver_at(enum optimizer_type type, const struct objective *objective, const double *theta,
                                       uint32_t history, double tolerance)
{
    struct optimizer_spec spec = {.type = type, .history = history, .tolerance = tolerance};
    struct solver *solver;

    assert_int_equal(solver_new(&solver, &spec, objective->n, theta, NULL), STATUS_OK);
    return solver;
}

/* Iterations until the tolerance is met, which must be within `most`. */
static inline int solver_run(struct solver *solver, const struct objective *objective, int most)
{
    struct solver_move move;
    enum solver_outcome outcome = SOLVER_MOVED;
    int count = 0;

    while (count < most && (outcome = solver_step(solver, objective, &move)) == SOLVER_MOVED) {
        count++;
    }
    assert_int_equal(outcome, SOLVER_AT_TOLERANCE);
    assert_true(move.gradient_norm <= solver->tolerance);
    return count;
}

#endif
