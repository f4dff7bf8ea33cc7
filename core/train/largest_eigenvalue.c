/* Three vectors, a tridiagonal matrix, bisection. */
#include "largest_eigenvalue.h"

#include <math.h>
#include <string.h>

#include "core/optim/objective.h"

/* No bound is believed before so many products: what the first vectors do not tell apart yet, a bound knows nothing of. */
#define LEAST_PRODUCTS 8

/* The tridiagonal matrix: diagonal a [size], beside it b [size - 1]; b[size - 1] leads to the next vector. */
struct tridiagonal {
    double a[LARGEST_EIGENVALUE_PRODUCTS], b[LARGEST_EIGENVALUE_PRODUCTS];
    unsigned size;
};

static void scale(size_t n, double factor, double *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

/* How many eigenvalues are above x: as many as pivots of T - x I are not negative (Sylvester's law of inertia). */
static unsigned count_above(const struct tridiagonal *t, double x)
{
    double pivot = t->a[0] - x;
    unsigned count = 0;

    if (!(pivot < 0)) {
        count++;
    }

    for (unsigned i = 1; i < t->size; i++) {
        pivot = t->a[i] - x - (pivot != 0 ? t->b[i - 1] * t->b[i - 1] / pivot : (double)INFINITY);
        if (!(pivot < 0)) {
            count++;
        }
    }
    return count;
}

/* The rank-th largest eigenvalue (1: the largest), by bisection between Gershgorin's bounds. */
static double eigenvalue(const struct tridiagonal *t, unsigned rank)
{
    double low = t->a[0], high = t->a[0];

    for (unsigned i = 0; i < t->size; i++) {
        double reach = (i > 0 ? t->b[i - 1] : 0) + (i + 1 < t->size ? t->b[i] : 0);

        low = fmin(low, t->a[i] - reach);
        high = fmax(high, t->a[i] + reach);
    }
    for (int i = 0; i < 80; i++) {
        double middle = low + (high - low) / 2;

        *(count_above(t, middle) >= rank ? &low : &high) = middle;
    }
    return high;
}

/* |last component| of the unit eigenvector of theta: times b[size - 1] it is the residual. */
static double last_component(const struct tridiagonal *t, double theta)
{
    double sum = 1, ratio = 0; /* squares of all components so far over the last one's; the last over the one before */

    for (unsigned i = 0; i + 1 < t->size; i++) {
        ratio = (theta - t->a[i] - (i > 0 ? t->b[i - 1] / ratio : 0)) / t->b[i];
        sum = 1 + sum / (ratio * ratio);
    }
    return 1 / sqrt(sum);
}

/* A bound of the estimate's error: the residual, or where the next one is far away its square by that distance. */
static double error_bound(const struct tridiagonal *t, double theta)
{
    double residual = t->b[t->size - 1] * last_component(t, theta), gap;

    if (t->size == 1) {
        return residual;
    }
    gap = theta - eigenvalue(t, 2);
    return gap > residual ? residual * residual / gap : residual;
}

double largest_eigenvalue(size_t n, matrix_product *multiply, void *context, double tolerance, double *start, double *work,
                          unsigned *products)
{
    double *v = start, *before = work, *next = work + n, theta = 0;
    struct tridiagonal t = {.size = 0};

    scale(n, 1 / objective_norm(n, v), v);
    memset(before, 0, n * sizeof *before);
    while (t.size < LARGEST_EIGENVALUE_PRODUCTS) {
        unsigned i = t.size++;
        double *spare = before, past = i > 0 ? t.b[i - 1] : 0;

        multiply(context, v, next);
        t.a[i] = objective_dot(n, next, v);
        for (size_t j = 0; j < n; j++) {
            next[j] -= t.a[i] * v[j] + past * before[j];
        }
        t.b[i] = objective_norm(n, next);
        if (!isfinite(t.a[i]) || !isfinite(t.b[i])) {
            theta = (double)NAN;
            break;
        }
        theta = eigenvalue(&t, 1);
        if (t.b[i] == 0 || (t.size >= LEAST_PRODUCTS && error_bound(&t, theta) <= tolerance * fabs(theta))) {
            break;
        }
        before = v;
        v = next;
        next = spare;
        scale(n, 1 / t.b[i], v);
    }
    if (products != NULL) {
        *products = t.size;
    }
    return theta;
}
