/*
 * Sums run in eight lanes, added up at the end: as fast as vectors are, and of the same bits for any width of them. The
 * lanes also keep rounding errors of long sums down.
 */
#include "core/optim/objective.h"

#include <math.h>

#include "core/base/vector_clones.h"

#define LANES 8

static double sum_of_lanes(const double *lanes)
{
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

VECTOR_CLONES double objective_dot(size_t n, const double *a, const double *b)
{
    double lanes[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lanes[l] += a[i + l] * b[i + l];
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lanes[l] += a[i + l] * b[i + l];
    }
    return sum_of_lanes(lanes);
}

double objective_norm(size_t n, const double *a)
{
    return sqrt(objective_dot(n, a, a));
}

VECTOR_CLONES double objective_distance(size_t n, const double *a, const double *b)
{
    double lanes[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lanes[l] += (a[i + l] - b[i + l]) * (a[i + l] - b[i + l]);
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lanes[l] += (a[i + l] - b[i + l]) * (a[i + l] - b[i + l]);
    }
    return sqrt(sum_of_lanes(lanes));
}

VECTOR_CLONES void objective_add(size_t n, double factor, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += factor * x[i];
    }
}

VECTOR_CLONES void objective_along(size_t n, const double *x, double factor, const double *d, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = x[i] + factor * d[i];
    }
}

int objective_is_finite(size_t n, const struct objective_value *value, const double *gradient)
{
    int finite = isfinite(value->value) != 0;

    for (size_t i = 0; i < n; i++) {
        finite &= isfinite(gradient[i]) != 0;
    }
    return finite;
}
