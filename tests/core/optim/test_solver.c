#include "core/optim/solver.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/core/optim/functions.h"

static const struct optimizer_spec SPECS[] = {{.type = OPTIMIZER_LBFGS, .history = 4, .tolerance = 1e-9},
                                              {.type = OPTIMIZER_NEWTON_CG, .tolerance = 1e-9}};
#define SPEC_COUNT (sizeof SPECS / sizeof *SPECS)

static struct solver *solver_of(const struct optimizer_spec *spec, size_t n, const double *theta)
{
    struct solver *solver;

    assert_int_equal(solver_new(&solver, spec, n, theta, NULL), STATUS_OK);
    return solver;
}

static void a_move_tells_what_it_did(void **state)
{
    (void)state;
    for (size_t k = 0; k < SPEC_COUNT; k++) {
        struct function f;
        double theta[FUNCTION_MOST] = {1, 2, 3}, gradient[FUNCTION_MOST];
        struct objective_value value;
        struct solver_move move;

        make_quadratic(&f, 5, 50);
        struct objective objective = quadratic(&f);
        struct solver *solver = solver_of(&SPECS[k], f.n, theta);

        objective.evaluate(&f, theta, &value, gradient);
        assert_int_equal(solver_step(solver, &objective, &move), SOLVER_MOVED);
        assert_close(move.from.value, value.value, 0, 0);
        assert_close(move.from.notes[0], 1, 0, 0); /* the note of the point that it left */
        assert_close(move.gradient_norm, objective_norm(f.n, gradient), 0, 0);
        assert_close(move.distance, objective_distance(f.n, theta, solver->theta), 0, 0);
        assert_true(move.step > 0);
        objective.evaluate(&f, solver->theta, &value, gradient);
        assert_close(solver->scalars->here.value, value.value, 0, 0);
        assert_close(solver->scalars->here.notes[0], solver->theta[0], 0, 0);
        assert_memory_equal(solver->gradient, gradient, f.n * sizeof *gradient);
        solver_free(solver);
    }
}

static void at_the_tolerance_nothing_moves(void **state)
{
    (void)state;
    for (size_t k = 0; k < SPEC_COUNT; k++) {
        struct function f;
        double theta[FUNCTION_MOST] = {0};
        struct solver_move move;

        make_quadratic(&f, 3, 1);
        memcpy(theta, f.b, sizeof theta); /* A = I */
        theta[0] += 0.9e-9;
        struct objective objective = quadratic(&f);
        struct solver *solver = solver_of(&SPECS[k], f.n, theta);

        for (int i = 0; i < 3; i++) {
            assert_int_equal(solver_step(solver, &objective, &move), SOLVER_AT_TOLERANCE);
            assert_close(move.gradient_norm, 0.9e-9, 1e-5, 0);
        }
        assert_memory_equal(solver->theta, theta, f.n * sizeof *theta);
        solver_free(solver);
    }
}

/* A tolerance that float64 does not reach ends where no progress is seen any more, and soon. */
static void without_progress_it_is_over(void **state)
{
    (void)state;
    for (size_t k = 0; k < SPEC_COUNT; k++) {
        struct function f;
        double theta[FUNCTION_MOST] = {1, 2, 3};
        struct optimizer_spec spec = SPECS[k];
        struct solver_move move;
        enum solver_outcome outcome = SOLVER_MOVED;
        int count = 0;

        spec.tolerance = 0;
        make_quadratic(&f, 7, 1e3);
        struct objective objective = quadratic(&f);
        struct solver *solver = solver_of(&spec, f.n, theta);

        while (count < 500 && (outcome = solver_step(solver, &objective, &move)) == SOLVER_MOVED) {
            count++;
        }
        assert_true(outcome == SOLVER_EXHAUSTED || (outcome == SOLVER_AT_TOLERANCE && move.gradient_norm == 0));
        assert_true(objective_norm(f.n, solver->gradient) < 1e-7);
        assert_int_equal(solver_step(solver, &objective, &move), outcome); /* and stays over */
        solver_free(solver);
    }
}

static void what_is_not_finite_from_the_start_is_said(void **state)
{
    (void)state;
    for (size_t k = 0; k < SPEC_COUNT; k++) {
        struct function f;
        double theta[FUNCTION_MOST] = {0, 400};
        struct solver_move move;
        struct objective objective = exponential(&f, 2);
        struct solver *solver = solver_of(&SPECS[k], f.n, theta);

        assert_int_equal(solver_step(solver, &objective, &move), SOLVER_NOT_FINITE);
        solver_free(solver);
    }
}

/* From any iteration on, in a new solver, to the same bits. */
static void a_restored_state_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    for (size_t k = 0; k < SPEC_COUNT; k++) {
        for (int at = 0; at < 12; at++) {
            struct function f, g;
            double theta[FUNCTION_MOST] = {-1.2, 1};
            struct objective whole = rosenbrock(&f), parts = rosenbrock(&g);
            struct solver *a = solver_of(&SPECS[k], 2, theta), *b = solver_of(&SPECS[k], 2, theta);
            struct solver_move ma, mb;
            enum solver_outcome oa, ob;

            for (int i = 0; i < 100; i++) {
                if (i == at) {
                    struct solver *c = solver_of(&SPECS[k], 2, (double[]){5, 5});

                    assert_true(solver_restore(c, b->state));
                    solver_free(b);
                    b = c;
                }
                oa = solver_step(a, &whole, &ma);
                ob = solver_step(b, &parts, &mb);
                assert_int_equal(oa, ob);
                assert_memory_equal(&ma, &mb, sizeof ma);
                assert_memory_equal(a->state, b->state, a->state_count * sizeof *a->state);
            }
            solver_free(a);
            solver_free(b);
        }
    }
}

/* State that no iteration leaves. */
static void a_state_that_is_none_is_refused(void **state)
{
    static const struct {
        size_t at;
        double value;
    } WRONG[] = {{offsetof(struct solver_scalars, started), 2},       {offsetof(struct solver_scalars, started), 0.5},
                 {offsetof(struct solver_scalars, stalled), -1},      {offsetof(struct solver_scalars, stalled), 1e9},
                 {offsetof(struct solver_scalars, pairs), 5},         {offsetof(struct solver_scalars, pairs), 1.5},
                 {offsetof(struct solver_scalars, newest), 4},        {offsetof(struct solver_scalars, newest), -1},
                 {offsetof(struct solver_scalars, smallest_norm), -1}};

    (void)state;
    for (size_t k = 0; k < SPEC_COUNT; k++) {
        double theta[2] = {1, 2}, saved[100];
        struct solver *solver = solver_of(&SPECS[k], 2, theta);

        assert_true(solver->state_count <= 100);
        for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
            memcpy(saved, solver->state, solver->state_count * sizeof *saved);
            assert_true(solver_restore(solver, saved));
            memcpy((char *)saved + WRONG[i].at, &WRONG[i].value, sizeof(double));
            assert_false(solver_restore(solver, saved));
        }
        assert_memory_equal(solver->theta, theta, sizeof theta);
        solver_free(solver);
    }
}

static void sizes_that_overflow_are_none(void **state)
{
    (void)state;
    assert_int_equal(solver_state_count(&SPECS[0], UINT64_MAX / 4), 0);
    assert_int_equal(solver_bytes(&SPECS[0], UINT64_MAX / 64), 0);
    assert_int_equal(solver_state_count(&SPECS[0], 7), sizeof(struct solver_scalars) / 8 + (2 + 2 * 4) * 7);
    assert_int_equal(solver_state_count(&SPECS[1], 7), sizeof(struct solver_scalars) / 8 + 2 * 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_tells_what_it_did),
        cmocka_unit_test(at_the_tolerance_nothing_moves),
        cmocka_unit_test(without_progress_it_is_over),
        cmocka_unit_test(what_is_not_finite_from_the_start_is_said),
        cmocka_unit_test(a_restored_state_goes_on_to_the_same_bits),
        cmocka_unit_test(a_state_that_is_none_is_refused),
        cmocka_unit_test(sizes_that_overflow_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
