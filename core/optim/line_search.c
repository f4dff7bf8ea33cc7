#include "core/optim/line_search.h"

#include <float.h>
#include <math.h>

#define SUFFICIENT_DECREASE 1e-4
#define CURVATURE           0.9
#define GROWTH              4.0 /* of the step while phi still falls steeply */
#define MARGIN              0.1 /* of an interval: no trial is nearer to its ends */
#define SLACK               1e-12

/* A step that was tried. */
struct trial {
    double step, value, slope; /* value not finite: too far */
};

/* phi at `step`; what the search has found so far is overwritten. */
static struct trial try_step(struct line_search *search, double step)
{
    const struct objective *objective = search->objective;

    search->step = step;
    objective_along(objective->n, search->theta, step, search->direction, search->found_theta);
    objective->evaluate(objective->context, search->found_theta, &search->found, search->found_gradient);
    search->found_slope = objective_dot(objective->n, search->found_gradient, search->direction);
    if (!objective_is_finite(objective->n, &search->found, search->found_gradient)) {
        search->found.value = (double)INFINITY;
    }
    return (struct trial){.step = step, .value = search->found.value, .slope = search->found_slope};
}

/* What two values of phi may differ by and still count as equal. */
static double slack(const struct line_search *search)
{
    return SLACK * fabs(search->value);
}

static int decreases(const struct line_search *search, const struct trial *trial)
{
    return trial->value <= search->value + SUFFICIENT_DECREASE * trial->step * search->slope + slack(search);
}

static int is_flat(const struct line_search *search, const struct trial *trial)
{
    return fabs(trial->slope) <= CURVATURE * -search->slope;
}

/* ---- strong Wolfe ---- */

/*
 * The minimum of the cubic with the values and slopes of both ends; where the values differ by no more than rounding, the
 * zero of the slope's secant; half way where `b` is too far to say anything. Never too near to an end.
 */
static double interpolate(const struct line_search *search, const struct trial *a, const struct trial *b)
{
    double low = fmin(a->step, b->step), width = fabs(b->step - a->step), step = (double)NAN;

    if (!isfinite(b->value)) {
        return low + width / 2;
    }
    if (fabs(a->value - b->value) <= slack(search)) {
        step = a->step - a->slope * (b->step - a->step) / (b->slope - a->slope);
    } else {
        double d1 = a->slope + b->slope - 3 * (a->value - b->value) / (a->step - b->step);
        double root = sqrt(d1 * d1 - a->slope * b->slope), d2 = b->step > a->step ? root : -root;

        step = b->step - (b->step - a->step) * (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
    }
    if (!isfinite(step)) {
        return low + width / 2;
    }
    return fmax(low + MARGIN * width, fmin(step, low + (1 - MARGIN) * width));
}

/* Algorithm 3.6: `low` is the lowest point of sufficient decrease so far, and phi falls from there towards `high`. */
static int zoom(struct line_search *search, struct trial low, struct trial high, int evaluations)
{
    while (evaluations-- > 0 && fabs(high.step - low.step) > DBL_EPSILON * fmax(high.step, low.step)) {
        struct trial trial = try_step(search, interpolate(search, &low, &high));

        if (!decreases(search, &trial) || trial.value > low.value + slack(search)) {
            high = trial;
            continue;
        }
        if (is_flat(search, &trial)) {
            return 1;
        }
        if (trial.slope * (high.step - low.step) >= 0) {
            high = low;
        }
        low = trial;
    }
    if (low.step > 0) {
        (void)try_step(search, low.step);
    }
    return low.step > 0;
}

/* Algorithm 3.5, without a largest step: objectives are bounded from below. */
int line_search_wolfe(struct line_search *search, double first)
{
    struct trial before = {.step = 0, .value = search->value, .slope = search->slope};
    double step = first;

    for (int i = 0; i < LINE_SEARCH_EVALUATIONS; i++) {
        struct trial trial = try_step(search, step);

        if (!decreases(search, &trial) || (i > 0 && trial.value > before.value + slack(search))) {
            return zoom(search, before, trial, LINE_SEARCH_EVALUATIONS - i);
        }
        if (is_flat(search, &trial)) {
            return 1;
        }
        if (trial.slope >= 0) {
            return zoom(search, trial, before, LINE_SEARCH_EVALUATIONS - i);
        }
        before = trial;
        step *= GROWTH;
    }
    return 1; /* it still falls: the last one is the lowest */
}

/* ---- Armijo ---- */

int line_search_backtrack(struct line_search *search)
{
    double step = 1;

    for (int i = 0; i < LINE_SEARCH_EVALUATIONS; i++, step /= 2) {
        struct trial trial = try_step(search, step);

        if (decreases(search, &trial)) {
            return 1;
        }
    }
    return 0;
}
