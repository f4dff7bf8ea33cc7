#include <math.h>

#include "core/landscape/critical_points.h"

#define DEGENERATE 1e-8

const char *critical_type_name(enum critical_type type)
{
    static const char *const names[CRITICAL_TYPE_COUNT] = {
        [CRITICAL_MINIMUM] = "minimum",       [CRITICAL_MAXIMUM] = "maximum",     [CRITICAL_SADDLE] = "saddle",
        [CRITICAL_DEGENERATE] = "degenerate", [CRITICAL_NONSMOOTH] = "nonsmooth",
    };

    return names[type];
}

/*
 * The eigenvalues of [[hxx, hxy], [hxy, hyy]]. The larger one by absolute value is a sum without cancellation; the
 * other one is the determinant divided by it.
 */
static void eigenvalues_of(const struct jet *jet, double eigenvalues[2])
{
    double mean = 0.5 * (jet->hxx + jet->hyy), difference = 0.5 * (jet->hxx - jet->hyy);
    double radius = vector_length(difference, jet->hxy);
    double large = mean >= 0 ? mean + radius : mean - radius;
    double small = large != 0 ? jet->hxx / large * jet->hyy - jet->hxy / large * jet->hxy : 0;

    if (!isfinite(mean) || !isfinite(radius)) {
        large = small = (double)NAN;
    }
    eigenvalues[0] = small < large ? small : large;
    eigenvalues[1] = small < large ? large : small;
}

enum critical_type critical_classify(const struct jet *jet, double eigenvalues[2])
{
    eigenvalues_of(jet, eigenvalues);
    double low = eigenvalues[0], high = eigenvalues[1], largest = fmax(fabs(low), fabs(high));

    if (!isfinite(low) || !isfinite(high)) {
        return CRITICAL_NONSMOOTH;
    }
    if (fmin(fabs(low), fabs(high)) <= DEGENERATE * largest) {
        return CRITICAL_DEGENERATE;
    }
    return low > 0 ? CRITICAL_MINIMUM : high < 0 ? CRITICAL_MAXIMUM : CRITICAL_SADDLE;
}
