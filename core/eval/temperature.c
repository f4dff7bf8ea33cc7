#include "core/eval/temperature.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "core/base/mathx.h"
#include "core/nn/loss.h"

static double largest(const double *values, uint32_t n)
{
    double most = values[0];

    for (uint32_t c = 1; c < n; c++) {
        most = values[c] > most ? values[c] : most;
    }
    return most;
}

/* In logits less the largest one: neither slope nor variance depends on what is added to all of them. */
void temperature_add(struct temperature_sums *sums, double inverse, uint32_t classes, const double *logits, int32_t label,
                     const float *soft)
{
    const double most = largest(logits, classes);
    double q[LOSS_MAX_CLASSES], total = 0, mean = 0, variance = 0, target = 0, mass = 0;

    assert(classes >= 1 && classes <= LOSS_MAX_CLASSES);
    for (uint32_t c = 0; c < classes; c++) {
        q[c] = inverse * (logits[c] - most);
    }
    mathx_exp_array_f64(classes, q, q);
    for (uint32_t c = 0; c < classes; c++) {
        total += q[c];
        mean += q[c] * (logits[c] - most);
    }
    mean /= total;
    for (uint32_t c = 0; c < classes; c++) {
        double difference = logits[c] - most - mean;

        variance += q[c] * difference * difference;
    }
    for (uint32_t c = 0; soft != NULL && c < classes; c++) {
        mass += (double)soft[c];
        target += (double)soft[c] * (logits[c] - most);
    }
    if (soft == NULL) {
        mass = 1;
        target = logits[label] - most;
    }
    sums->rows++;
    exact_sum_add(&sums->slope, mass * mean - target);
    exact_sum_add(&sums->curvature, mass * variance / total);
}

/* The mean NLL's derivatives at one b. */
struct point {
    double inverse, slope, curvature;
};

static struct point look(struct temperature_fit *fit, temperature_pass *pass, void *context, double inverse)
{
    struct temperature_sums sums = {.rows = 0};
    double rows;

    pass(context, inverse, &sums);
    rows = sums.rows > 0 ? (double)sums.rows : (double)NAN;
    fit->passes++;
    fit->rows = sums.rows;
    return (struct point){.inverse = inverse,
                          .slope = exact_sum_value(&sums.slope) / rows,
                          .curvature = exact_sum_value(&sums.curvature) / rows};
}

/* Where Newton's step leads, if that is between the bounds and steps have helped; else the bounds' geometric mean. */
static double next_inverse(const struct point *at, double low, double high, int helps)
{
    double next = at->inverse - at->slope / at->curvature;

    return helps && next > low && next < high ? next : sqrt(low) * sqrt(high);
}

/* From `at`, whose slope is not 0, with the root between the bounds. */
static struct point close_in(struct temperature_fit *fit, temperature_pass *pass, void *context, struct point at, double low,
                             double high)
{
    int helps = 1;

    while (fit->passes < TEMPERATURE_PASS_MAX && fabs(at.slope) > DBL_EPSILON * at.inverse * at.curvature) {
        double next = next_inverse(&at, low, high, helps);
        struct point there = look(fit, pass, context, next);

        if (fabs(there.slope) >= fabs(at.slope) && fabs(next - at.inverse) <= 1e-9 * next) {
            break; /* only rounding is left */
        }
        helps = fabs(there.slope) <= fabs(at.slope) / 2;
        low = there.slope < 0 ? there.inverse : low;
        high = there.slope > 0 ? there.inverse : high;
        at = there;
    }
    return at;
}

static void settle(struct temperature_fit *fit, enum temperature_outcome outcome, double temperature, double slope)
{
    fit->outcome = outcome;
    fit->temperature = temperature;
    fit->slope = slope;
}

void temperature_fit(struct temperature_fit *fit, temperature_pass *pass, void *context)
{
    *fit = (struct temperature_fit){.temperature = 1};
    struct point at = look(fit, pass, context, 1);

    if (!isfinite(at.slope) || !isfinite(at.curvature)) {
        settle(fit, TEMPERATURE_UNDEFINED, 1, at.slope);
        return;
    }
    if (at.slope == 0) {
        settle(fit, TEMPERATURE_FITTED, 1, 0);
        return;
    }
    double limit = at.slope < 0 ? TEMPERATURE_LEAST : TEMPERATURE_MOST;
    struct point end = look(fit, pass, context, 1 / limit);
    if (!isfinite(end.slope)) {
        settle(fit, TEMPERATURE_UNDEFINED, 1, at.slope);
    } else if (at.slope < 0 ? end.slope <= 0 : end.slope >= 0) {
        settle(fit, TEMPERATURE_AT_LIMIT, limit, end.slope);
    } else {
        double low = at.slope < 0 ? at.inverse : end.inverse, high = at.slope < 0 ? end.inverse : at.inverse;

        at = close_in(fit, pass, context, at, low, high);
        settle(fit, TEMPERATURE_FITTED, 1 / at.inverse, at.slope);
    }
}
