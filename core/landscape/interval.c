#include "core/landscape/interval.h"

#include <float.h>
#include <math.h>

#include "core/base/mathx.h"
#include "core/landscape/formula_program.h"

#define EXACT_TO    0x1p-52 /* of one IEEE operation, doubled: what a bound is moved by, relative to itself */
#define MATHX_TO    0x1p-50 /* of mathx's functions, likewise */
#define SMALLEST    0x1p-1022
#define TWO_PI      0x1.921fb54442d18p+2
#define TURN_MARGIN 1e-12 /* full turns; far more than their rounding errors below MANY_TURNS */
#define MANY_TURNS  1e3

struct interval interval_of(double lo, double hi)
{
    return (struct interval){.lo = lo, .hi = hi};
}

struct interval interval_whole(void)
{
    return interval_of(-HUGE_VAL, HUGE_VAL);
}

int interval_is_bounded(struct interval a)
{
    return isfinite(a.lo) && isfinite(a.hi);
}

double interval_middle(struct interval a)
{
    return a.lo + 0.5 * (a.hi - a.lo);
}

double interval_width(struct interval a)
{
    return a.hi - a.lo;
}

int interval_intersect(struct interval a, struct interval b, struct interval *common)
{
    common->lo = a.lo > b.lo ? a.lo : b.lo;
    common->hi = a.hi < b.hi ? a.hi : b.hi;
    return common->lo <= common->hi;
}

/* Moves both bounds outward. A bound of 0 stays: sums are exact there, and the callers whose results are not see to it. */
static struct interval outward(double lo, double hi, double relative)
{
    if (!(lo <= hi)) {
        return interval_whole();
    }
    lo = lo == HUGE_VAL ? DBL_MAX : lo; /* finite, but too large to be represented */
    hi = hi == -HUGE_VAL ? -DBL_MAX : hi;
    lo = lo != 0 ? lo - (fabs(lo) * relative + SMALLEST) : 0;
    hi = hi != 0 ? hi + (fabs(hi) * relative + SMALLEST) : 0;
    return interval_of(lo, hi);
}

static struct interval clamp(struct interval a, double lo, double hi)
{
    return interval_of(a.lo < lo ? lo : a.lo, a.hi > hi ? hi : a.hi);
}

static int is_zero(struct interval a)
{
    return a.lo == 0 && a.hi == 0;
}

struct interval interval_negate(struct interval a)
{
    return interval_of(-a.hi, -a.lo);
}

struct interval interval_add(struct interval a, struct interval b)
{
    if (is_zero(a) || is_zero(b)) {
        return is_zero(a) ? b : a;
    }
    return outward(a.lo + b.lo, a.hi + b.hi, EXACT_TO);
}

struct interval interval_subtract(struct interval a, struct interval b)
{
    return interval_add(a, interval_negate(b));
}

/* A product of bounds, where 0 times infinity is 0: the infinity stands for numbers of any size. */
static double bound_product(double a, double b)
{
    return a == 0 || b == 0 ? 0 : a * b;
}

struct interval interval_multiply(struct interval a, struct interval b)
{
    double p, q, r, s;
    struct interval product;

    if (is_zero(a) || is_zero(b)) {
        return interval_of(0, 0);
    }
    p = bound_product(a.lo, b.lo);
    q = bound_product(a.lo, b.hi);
    r = bound_product(a.hi, b.lo);
    s = bound_product(a.hi, b.hi);
    product = outward(fmin(fmin(p, q), fmin(r, s)), fmax(fmax(p, q), fmax(r, s)), EXACT_TO);
    /* a product that has a sign keeps it; one that underflowed to 0 may have either */
    if ((a.lo >= 0 && b.lo >= 0) || (a.hi <= 0 && b.hi <= 0)) {
        product.lo = product.lo < 0 ? 0 : product.lo;
        product.hi = product.hi < SMALLEST ? SMALLEST : product.hi;
    } else if ((a.lo >= 0 && b.hi <= 0) || (a.hi <= 0 && b.lo >= 0)) {
        product.hi = product.hi > 0 ? 0 : product.hi;
        product.lo = product.lo > -SMALLEST ? -SMALLEST : product.lo;
    } else {
        product.lo = product.lo > -SMALLEST ? -SMALLEST : product.lo;
        product.hi = product.hi < SMALLEST ? SMALLEST : product.hi;
    }
    return product;
}

struct interval interval_abs(struct interval a)
{
    if (a.lo >= 0) {
        return a;
    }
    return a.hi <= 0 ? interval_negate(a) : interval_of(0, fmax(-a.lo, a.hi));
}

struct interval interval_square(struct interval a)
{
    return interval_power_whole(a, 2);
}

/* a^n, n > 0. Squaring repeatedly gathers n rounding errors at most. */
static struct interval positive_power(struct interval a, int32_t n)
{
    double relative = fmin(n * EXACT_TO, 1);

    if (n % 2 == 0) {
        a = interval_abs(a);
    }
    struct interval power = outward(formula_power_whole(a.lo, n), formula_power_whole(a.hi, n), relative);
    if (a.lo >= 0) {
        power.lo = power.lo < 0 ? 0 : power.lo;
    }
    if (a.hi <= 0) {
        power.hi = power.hi > 0 ? 0 : power.hi;
    }
    if (a.lo < 0 && power.lo > -SMALLEST) { /* underflow */
        power.lo = -SMALLEST;
    }
    if (a.hi > 0 && power.hi < SMALLEST) {
        power.hi = SMALLEST;
    }
    return power;
}

/* 1 / a */
static struct interval reciprocal(struct interval a)
{
    if (a.lo > 0 || a.hi < 0) {
        return outward(1 / a.hi, 1 / a.lo, EXACT_TO);
    }
    if (a.lo == 0 && a.hi > 0) {
        return outward(1 / a.hi, HUGE_VAL, EXACT_TO);
    }
    return a.hi == 0 && a.lo < 0 ? outward(-HUGE_VAL, 1 / a.lo, EXACT_TO) : interval_whole();
}

struct interval interval_power_whole(struct interval a, int32_t n)
{
    if (n == 0) {
        return interval_of(1, 1);
    }
    if (n == 1) {
        return a;
    }
    return n > 0 ? positive_power(a, n) : reciprocal(n == -1 ? a : positive_power(a, -n));
}

struct interval interval_power_real(struct interval a, double c)
{
    struct interval log = interval_log(a);

    return interval_exp(interval_multiply(interval_of(c, c), log));
}

struct interval interval_exp(struct interval a)
{
    struct interval exp = outward(mathx_exp_f64(a.lo), mathx_exp_f64(a.hi), MATHX_TO);

    exp.lo = exp.lo < 0 ? 0 : exp.lo;
    exp.hi = exp.hi < SMALLEST ? SMALLEST : exp.hi;
    return exp;
}

struct interval interval_log(struct interval a)
{
    double lo = a.lo <= 0 ? -HUGE_VAL : mathx_log_f64(a.lo);

    return outward(lo, a.hi <= 0 ? -HUGE_VAL : mathx_log_f64(a.hi), MATHX_TO);
}

struct interval interval_sqrt(struct interval a)
{
    struct interval root = outward(a.lo <= 0 ? 0 : sqrt(a.lo), a.hi <= 0 ? 0 : sqrt(a.hi), EXACT_TO);

    root.lo = root.lo < 0 ? 0 : root.lo;
    return root;
}

/* Whether a, in full turns, may contain a whole number after `offset` is taken off. */
static int passes(struct interval a, double offset)
{
    double lo = a.lo / TWO_PI - offset - TURN_MARGIN, hi = a.hi / TWO_PI - offset + TURN_MARGIN;

    return floor(hi) >= lo;
}

/* Sine or cosine from its values at both ends, and whether it goes through its highest and lowest point between them. */
static struct interval wave(struct interval a, double at_lo, double at_hi, double highest, double lowest)
{
    struct interval values;

    if (!(a.lo > -TWO_PI * MANY_TURNS && a.hi < TWO_PI * MANY_TURNS && a.hi - a.lo < TWO_PI)) {
        return interval_of(-1, 1);
    }
    values = outward(fmin(at_lo, at_hi), fmax(at_lo, at_hi), MATHX_TO);
    values.lo = passes(a, lowest) ? -1 : values.lo;
    values.hi = passes(a, highest) ? 1 : values.hi;
    return clamp(values, -1, 1);
}

struct interval interval_sin(struct interval a)
{
    return wave(a, mathx_sin_f64(a.lo), mathx_sin_f64(a.hi), 0.25, 0.75);
}

struct interval interval_cos(struct interval a)
{
    return wave(a, mathx_cos_f64(a.lo), mathx_cos_f64(a.hi), 0, 0.5);
}

struct interval interval_tanh(struct interval a)
{
    return clamp(outward(mathx_tanh_f64(a.lo), mathx_tanh_f64(a.hi), MATHX_TO), -1, 1);
}

/* 4 q / (1 + q)^2 with q = e^(-2 distance from 0) */
static double tanh_slope(double distance)
{
    double q = mathx_exp_f64(-2 * distance);

    return 4 * q / ((1 + q) * (1 + q));
}

struct interval interval_tanh_slope(struct interval a)
{
    struct interval distance = interval_abs(a);
    struct interval slope = outward(tanh_slope(distance.hi), tanh_slope(distance.lo), 0x1p-48);

    return clamp(slope, 0, 1);
}
