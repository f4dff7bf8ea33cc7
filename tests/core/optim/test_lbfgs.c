#include "core/optim/lbfgs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/core/optim/functions.h"

/* -H g with H by the BFGS formula itself, from gamma I through all kept pairs, oldest first. */
static void explicit_direction(const struct solver *solver, double *direction)
{
    const size_t n = solver->n, pairs = (size_t)solver->scalars->pairs, newest = (size_t)solver->scalars->newest;
    double h[FUNCTION_MOST][FUNCTION_MOST] = {{0}}, next[FUNCTION_MOST][FUNCTION_MOST];
    const double *s = solver->s + newest * n, *y = solver->y + newest * n;
    double gamma = pairs > 0 ? objective_dot(n, s, y) / objective_dot(n, y, y) : 1;

    for (size_t i = 0; i < n; i++) {
        h[i][i] = gamma;
    }
    for (size_t k = pairs; k-- > 0;) {
        size_t at = (newest + solver->history - k) % solver->history * n;

        s = solver->s + at;
        y = solver->y + at;
        double rho = 1 / objective_dot(n, s, y);

        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) { /* (I - rho s y') H (I - rho y s') + rho s s' */
                double sum = 0;

                for (size_t a = 0; a < n; a++) {
                    for (size_t b = 0; b < n; b++) {
                        sum += ((i == a) - rho * s[i] * y[a]) * h[a][b] * ((b == j) - rho * y[b] * s[j]);
                    }
                }
                next[i][j] = sum + rho * s[i] * s[j];
            }
        }
        memcpy(h, next, sizeof h);
    }
    for (size_t i = 0; i < n; i++) {
        direction[i] = -objective_dot(n, h[i], solver->gradient);
    }
}

/* Also when old pairs were dropped. */
static void the_direction_is_that_of_the_bfgs_matrix(void **state)
{
    static const uint32_t HISTORY[] = {1, 2, 5, 20};

    (void)state;
    for (size_t k = 0; k < sizeof HISTORY / sizeof *HISTORY; k++) {
        struct function f;
        double theta[FUNCTION_MOST] = {0}, direction[FUNCTION_MOST], before[FUNCTION_MOST];
        struct solver_move move;

        make_quadratic(&f, 6, 300);
        struct objective objective = quadratic(&f);
        struct solver *solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, HISTORY[k], 1e-7);

        for (int i = 0; i < 9; i++) {
            if (i > 0) {
                explicit_direction(solver, direction);
                memcpy(before, solver->theta, sizeof *before * f.n);
            }
            if (solver_step(solver, &objective, &move) != SOLVER_MOVED) {
                break;
            }
            for (size_t j = 0; i > 0 && j < f.n; j++) {
                assert_close((solver->theta[j] - before[j]) / move.step, direction[j], 1e-6,
                             1e-7 * objective_norm(f.n, direction));
            }
        }
        assert_in_range((int)solver->scalars->pairs, HISTORY[k] < 5 ? HISTORY[k] : 5, HISTORY[k]);
        solver_free(solver);
    }
}

static void the_first_step_is_along_the_gradient_at_most_of_length_one(void **state)
{
    struct function f;
    double theta[FUNCTION_MOST] = {-40};
    struct solver_move move;
    struct objective objective = exponential(&f, 1);

    (void)state;
    struct solver *solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, 10, 1e-9);

    assert_int_equal(solver_step(solver, &objective, &move), SOLVER_MOVED);
    assert_close(move.gradient_norm, 1, 1e-12, 0);
    assert_true(move.step >= 1); /* from 1 on, four times as long each time */
    assert_close(solver->theta[0], -40 + move.step, 1e-12, 0);
    solver_free(solver);

    make_quadratic(&f, 4, 1e6);
    objective = quadratic(&f);
    theta[0] = 50;
    solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, 10, 1e-9);
    double gradient[FUNCTION_MOST], sum = 0;
    struct objective_value value;

    objective.evaluate(&f, theta, &value, gradient);
    for (size_t i = 0; i < f.n; i++) {
        sum += fabs(gradient[i]);
    }
    f.evaluations = 0;
    assert_int_equal(solver_step(solver, &objective, &move), SOLVER_MOVED);
    for (size_t i = 0; i < f.n; i++) {
        assert_close(f.second[i], theta[i] - gradient[i] / sum, 1e-12, 1e-12);
    }
    solver_free(solver);
}

static void minima_are_found(void **state)
{
    struct function f;
    double theta[FUNCTION_MOST] = {-1.2, 1};
    struct objective objective = rosenbrock(&f);

    (void)state;
    struct solver *solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, 10, 1e-10);

    assert_in_range(solver_run(solver, &objective, 500), 5, 45);
    assert_close(solver->theta[0], 1, 1e-9, 0);
    assert_close(solver->theta[1], 1, 1e-9, 0);
    solver_free(solver);

    for (double condition = 1; condition < 1e5; condition *= 10) {
        memset(theta, 0, sizeof theta);
        make_quadratic(&f, 10, condition);
        objective = quadratic(&f);
        solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, 10, 1e-9);
        assert_in_range(solver_run(solver, &objective, 500), 1, 250);
        for (size_t i = 0; i < f.n; i++) {
            assert_close(objective_dot(f.n, f.a[i], solver->theta), f.b[i], 0, 1e-8);
        }
        solver_free(solver);
    }
}

/* The scale of the problem is learnt from the last pair: few evaluations besides one an iteration. */
static void steps_have_the_right_length_at_once(void **state)
{
    struct function f;
    double theta[FUNCTION_MOST] = {0};

    (void)state;
    make_quadratic(&f, 10, 100);
    for (size_t i = 0; i < f.n; i++) { /* a thousand times as steep as long */
        for (size_t j = 0; j < f.n; j++) {
            f.a[i][j] *= 1e3;
        }
    }
    struct objective objective = quadratic(&f);
    struct solver *solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, 5, 1e-9);
    int iterations = solver_run(solver, &objective, 500);

    assert_true(f.evaluations <= iterations + iterations / 4 + 4);
    solver_free(solver);
}

/* A function that is flat along the step's direction has nothing to tell: a pair of it is not kept. */
static void plane_evaluate(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    (void)context;
    *value = (struct objective_value){.value = theta[0] > -100 ? theta[0] : -100};
    gradient[0] = theta[0] > -100 ? 1 : 0;
}

static void a_pair_without_curvature_is_not_kept(void **state)
{
    struct objective objective = {.n = 1, .evaluate = plane_evaluate};
    double theta[1] = {0};
    struct solver_move move;
    struct solver *solver = solver_at(OPTIMIZER_LBFGS, &objective, theta, 3, 1e-9);

    (void)state;
    solver->tolerance = 0;
    memcpy(solver->next_theta, theta, sizeof theta);
    objective.evaluate = plane_evaluate;
    assert_int_equal(solver_step(solver, &objective, &move), SOLVER_MOVED); /* over the edge: there is curvature */
    assert_int_equal((int)solver->scalars->pairs, 1);
    assert_true(solver->s[0] * solver->y[0] > 0);
    solver_free(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_direction_is_that_of_the_bfgs_matrix),
        cmocka_unit_test(the_first_step_is_along_the_gradient_at_most_of_length_one),
        cmocka_unit_test(minima_are_found),
        cmocka_unit_test(steps_have_the_right_length_at_once),
        cmocka_unit_test(a_pair_without_curvature_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
