/*
 * Closed intervals of real numbers, and functions of them that contain every value that the function takes there.
 *
 * Each result is rounded outward: by 2 units in the last place where IEEE rounds once, by more where a function of mathx
 * is less exact. Bounds may be infinite. What is not known at all (0 divided by 0, infinity minus infinity) is the whole
 * line. Functions that are defined on a part of the line take the part of the interval that lies there.
 */
#ifndef DESCENT_CORE_LANDSCAPE_INTERVAL_H
#define DESCENT_CORE_LANDSCAPE_INTERVAL_H

#include <stdint.h>

struct interval {
    double lo, hi;
};

/* A rectangle: x in side[0], y in side[1]. */
struct box {
    struct interval side[2];
};

struct interval interval_of(double lo, double hi); /* exactly */
struct interval interval_whole(void);

static inline int interval_contains(struct interval a, double x)
{
    return a.lo <= x && x <= a.hi;
}

int interval_is_bounded(struct interval a);
/* Whether a lies in the interior of b. */
static inline int interval_within(struct interval a, struct interval b)
{
    return b.lo < a.lo && a.hi < b.hi;
}

double interval_middle(struct interval a);
double interval_width(struct interval a);
/* The common part through *common; 0: there is none. */
int interval_intersect(struct interval a, struct interval b, struct interval *common);

struct interval interval_negate(struct interval a);
struct interval interval_add(struct interval a, struct interval b);
struct interval interval_subtract(struct interval a, struct interval b);
struct interval interval_multiply(struct interval a, struct interval b);
struct interval interval_square(struct interval a);
/* a^n; of a negative n the whole line, or its positive half, where a contains 0. */
struct interval interval_power_whole(struct interval a, int32_t n);
/* a^c for the part of a that is not negative. */
struct interval interval_power_real(struct interval a, double c);

struct interval interval_exp(struct interval a);
struct interval interval_log(struct interval a);
struct interval interval_sqrt(struct interval a);
struct interval interval_sin(struct interval a);
struct interval interval_cos(struct interval a);
struct interval interval_tanh(struct interval a);
/* The derivative of tanh. */
struct interval interval_tanh_slope(struct interval a);
struct interval interval_abs(struct interval a);

#endif
