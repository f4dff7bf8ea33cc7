#include "core/optim/newton_cg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/core/optim/functions.h"

/* |H d + g| <= min(0.1, sqrt |g|) |g|, which on a quadratic is the gradient that a whole step leaves; and no better than
 * asked. */
static void the_newton_equation_is_solved_as_well_as_asked(void **state)
{
    struct function f;
    double theta[FUNCTION_MOST] = {3, -1, 2};
    struct solver_move move;

    (void)state;
    make_quadratic(&f, 12, 1000);
    struct objective objective = quadratic(&f);
    struct solver *solver = solver_at(OPTIMIZER_NEWTON_CG, &objective, theta, 0, 1e-11);

    enum solver_outcome outcome = SOLVER_MOVED;

    for (int i = 0; i < 20 && (outcome = solver_step(solver, &objective, &move)) == SOLVER_MOVED; i++) {
        double norm = move.gradient_norm, left = objective_norm(f.n, solver->gradient);

        assert_close(move.step, 1, 0, 0);
        assert_true(left <= fmin(0.1, sqrt(norm)) * norm * 1.0001 + 1e-14);
    }
    assert_int_equal(outcome, SOLVER_AT_TOLERANCE);
    assert_in_range(f.products, 8, 120);
    solver_free(solver);
}

/* A diagonal Hessian of any condition is solved by one product. */
static void the_diagonal_preconditions(void **state)
{
    struct function f = {.n = 10};
    double theta[FUNCTION_MOST] = {0};
    struct solver_move move;

    (void)state;
    for (size_t i = 0; i < f.n; i++) {
        f.a[i][i] = pow(10, (double)i);
        f.b[i] = 1;
    }
    struct objective objective = quadratic(&f);
    struct solver *solver = solver_at(OPTIMIZER_NEWTON_CG, &objective, theta, 0, 1e-9);

    assert_int_equal(solver_step(solver, &objective, &move), SOLVER_MOVED);
    assert_int_equal(f.products, 1);
    assert_true(objective_norm(f.n, solver->gradient) < 1e-9);
    solver_free(solver);
}

static void minima_are_found_in_few_iterations(void **state)
{
    struct function f;
    double theta[FUNCTION_MOST] = {-1.2, 1};
    struct objective objective = rosenbrock(&f);

    (void)state;
    struct solver *solver = solver_at(OPTIMIZER_NEWTON_CG, &objective, theta, 0, 1e-10);

    assert_in_range(solver_run(solver, &objective, 200), 5, 40);
    assert_close(solver->theta[0], 1, 1e-9, 0);
    assert_close(solver->theta[1], 1, 1e-9, 0);
    solver_free(solver);
}

/* Where the function does not change, nothing moves; the rest is solved. */
static void a_null_space_does_no_harm(void **state)
{
    struct function f = {.n = 4, .b = {1, -1, 1, -1}};
    double theta[FUNCTION_MOST] = {7, 7, 2, 1};

    (void)state;
    f.a[0][0] = f.a[1][1] = 1; /* (x - y)^2 / 2 + 500 (z - w)^2 - (x - y) - (z - w) */
    f.a[0][1] = f.a[1][0] = -1;
    f.a[2][2] = f.a[3][3] = 1000;
    f.a[2][3] = f.a[3][2] = -1000;
    struct objective objective = quadratic(&f);
    struct solver *solver = solver_at(OPTIMIZER_NEWTON_CG, &objective, theta, 0, 1e-9);

    assert_in_range(solver_run(solver, &objective, 200), 1, 10);
    assert_close(solver->theta[0] - solver->theta[1], 1, 1e-9, 0);
    assert_close(solver->theta[2] - solver->theta[3], 1e-3, 0, 1e-10);
    assert_close(solver->theta[0] + solver->theta[1], 14, 1e-6, 0);
    solver_free(solver);
}

/* A saddle: conjugate gradients stop at the direction that bends the wrong way, and take what they have. */
static void negative_curvature_ends_the_inner_iteration(void **state)
{
    struct function f = {.n = 2, .a = {{-1, 0}, {0, 1}}, .b = {0, 0}};
    double theta[FUNCTION_MOST] = {1, 1e-3};
    struct solver_move move;
    struct objective objective = quadratic(&f);
    struct solver *solver = solver_at(OPTIMIZER_NEWTON_CG, &objective, theta, 0, 1e-9);

    (void)state;
    assert_int_equal(solver_step(solver, &objective, &move), SOLVER_MOVED);
    assert_true(solver->scalars->here.value < move.from.value);
    assert_int_equal(f.products, 1);
    solver_free(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newton_equation_is_solved_as_well_as_asked),
        cmocka_unit_test(the_diagonal_preconditions),
        cmocka_unit_test(minima_are_found_in_few_iterations),
        cmocka_unit_test(a_null_space_does_no_harm),
        cmocka_unit_test(negative_curvature_ends_the_inner_iteration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
