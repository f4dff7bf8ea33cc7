/* The largest eigenvalue from products alone: of matrices whose eigenvalues are known. */
#include "core/train/largest_eigenvalue.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define MOST 2000

/* Q D Q with the reflection Q = I - 2 u u^T: eigenvalues are D's. */
struct matrix {
    size_t n;
    double diagonal[MOST], u[MOST];
    unsigned products;
};

static void reflect(const struct matrix *m, const double *x, double *y)
{
    double along = 0;

    for (size_t i = 0; i < m->n; i++) {
        along += m->u[i] * x[i];
    }
    for (size_t i = 0; i < m->n; i++) {
        y[i] = x[i] - 2 * along * m->u[i];
    }
}

static void multiply(void *context, const double *v, double *product)
{
    struct matrix *m = context;
    double inner[MOST];

    m->products++;
    reflect(m, v, inner);
    for (size_t i = 0; i < m->n; i++) {
        inner[i] *= m->diagonal[i];
    }
    reflect(m, inner, product);
}

static struct matrix matrix_of(size_t n, double (*eigenvalue)(size_t i, size_t n))
{
    struct matrix m = {.n = n};
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        m.diagonal[i] = eigenvalue(i, n);
        m.u[i] = rng_normal_f64(3, RNG_DIAGNOSTICS, 0, i);
        sum += m.u[i] * m.u[i];
    }
    for (size_t i = 0; i < n; i++) {
        m.u[i] /= sqrt(sum);
    }
    return m;
}

static double find(struct matrix *m, double tolerance)
{
    double start[MOST], work[2 * MOST], found;
    unsigned products;

    for (size_t i = 0; i < m->n; i++) {
        start[i] = rng_normal_f64(4, RNG_DIAGNOSTICS, 0, i);
    }
    m->products = 0;
    found = largest_eigenvalue(m->n, multiply, m, tolerance, start, work, &products);
    assert_int_equal(products, m->products);
    assert_in_range(products, 1, LARGEST_EIGENVALUE_PRODUCTS);
    return found;
}

static double one_stands_out(size_t i, size_t n)
{
    return i == n / 2 ? 20 : 1.0 / (double)(i + 1);
}
static double close_together(size_t i, size_t n)
{
    return 5 - 4 * (double)i / (double)n;
}
/* As at the start of a network's training: the largest in magnitude is negative. */
static double mostly_negative(size_t i, size_t n)
{
    return i == 0 ? -30 : i == 1 ? 7 : -(double)i / (double)n;
}
static double all_negative(size_t i, size_t n)
{
    return -1 - (double)i / (double)n * 9;
}
static double several_times(size_t i, size_t n)
{
    (void)n;
    return i < 5 ? 3 : 0;
}
static double one_value(size_t i, size_t n)
{
    (void)i;
    (void)n;
    return -2.5;
}
/* One that is slightly larger than a tight group. */
static double above_a_group(size_t i, size_t n)
{
    return i == 0 ? 10.2 : i < 20 ? 10 : 0.001 * (double)i / (double)n;
}
static double nothing(size_t i, size_t n)
{
    (void)i;
    (void)n;
    return 0;
}

static void the_largest_eigenvalue_is_found_not_the_largest_in_magnitude(void **state)
{
    static const struct {
        double (*eigenvalue)(size_t i, size_t n);
        double expected;
    } CASES[] = {{one_stands_out, 20}, {close_together, 5}, {mostly_negative, 7}, {all_negative, -1},
                 {several_times, 3},   {one_value, -2.5},   {nothing, 0},         {above_a_group, 10.2}};
    static const size_t SIZES[] = {11, 60, 200, MOST};

    (void)state;
    for (size_t c = 0; c < sizeof CASES / sizeof CASES[0]; c++) {
        for (size_t s = 0; s < sizeof SIZES / sizeof SIZES[0]; s++) {
            struct matrix m = matrix_of(SIZES[s], CASES[c].eigenvalue);

            assert_close(find(&m, 1e-3), CASES[c].expected, 2e-3, 1e-9);
        }
    }
}

static void a_smaller_tolerance_makes_more_products_and_a_better_value(void **state)
{
    struct matrix m = matrix_of(MOST, close_together);
    double rough = find(&m, 1e-1), better;
    unsigned products = m.products;

    (void)state;
    better = find(&m, 1e-6);
    assert_true(m.products > products);
    assert_true(fabs(better - 5) < fabs(rough - 5));
}

static void a_matrix_of_one_number_is_that_number(void **state)
{
    struct matrix m = {.n = 1, .diagonal = {-4}, .u = {1}};

    (void)state;
    assert_close(find(&m, 1e-3), -4, 1e-12, 0);
}

static void what_is_not_finite_gives_nan(void **state)
{
    struct matrix m = matrix_of(20, one_stands_out);

    (void)state;
    m.diagonal[3] = (double)INFINITY;
    assert_true(isnan(find(&m, 1e-3)));
    m.diagonal[3] = (double)NAN;
    assert_true(isnan(find(&m, 1e-3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_eigenvalue_is_found_not_the_largest_in_magnitude),
        cmocka_unit_test(a_smaller_tolerance_makes_more_products_and_a_better_value),
        cmocka_unit_test(a_matrix_of_one_number_is_that_number),
        cmocka_unit_test(what_is_not_finite_gives_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
