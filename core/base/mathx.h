/*
 * Elementary functions of our own: exp, expm1, log, log1p, tanh, sigmoid, sin, cos.
 *
 * The C library's differ in the last bit from version to version; these are IEEE additions, multiplications, divisions
 * and bit patterns in a written order, so a result's bits depend on its argument alone. Series are Taylor's and atanh's
 * own, long enough for the reduced range: no fitted constants. Inline and without branches, so that loops over arrays
 * become vector code of any width with the same bits.
 *
 * Errors stay below 1 unit in the last place for exp and log, 2.5 for the others (tests/core/base/test_mathx.c).
 * Infinities, NaN, subnormals and overflow behave as in C's Annex F, without floating-point exceptions' promises.
 */
#ifndef DESCENT_CORE_BASE_MATHX_H
#define DESCENT_CORE_BASE_MATHX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t mathx_bits_f64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline double mathx_from_bits_f64(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

static inline uint32_t mathx_bits_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline float mathx_from_bits_f32(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* ln 2 in two parts: the first one short enough for its product with an exponent to be exact. */
#define MATHX_LN2_HI     0x1.62e42feep-1
#define MATHX_LN2_LO     0x1.a39ef35793c76p-33
#define MATHX_LN2_HI_F32 0x1.62e4p-1f
#define MATHX_LN2_LO_F32 0x1.7f7d1cp-20f

/*
 * Adding 1.5 * 2^52 (2^23 in float32) rounds to an integer, nearest even, which then stands in the sum's low bits.
 */
#define MATHX_ROUND     0x1.8p52
#define MATHX_ROUND_F32 0x1.8p23f

/* 2^n for the integer n in the low bits of shifted = n + MATHX_ROUND; -1022 <= n <= 1023. */
static inline double mathx_power_of_two_f64(double shifted)
{
    return mathx_from_bits_f64((mathx_bits_f64(shifted) + 1023) << 52);
}

static inline float mathx_power_of_two_f32(float shifted)
{
    return mathx_from_bits_f32((mathx_bits_f32(shifted) + 127) << 23);
}

/*
 * x = n ln 2 + r, |r| <= ln 2 / 2: returns n (as shifted = n + MATHX_ROUND) and exp(r) - 1 - r and r, the former with
 * the reduction's rounding error added.
 */
static inline double mathx_exp_reduce_f64(double x, double *r, double *rest)
{
    double shifted = x * 0x1.71547652b82fep+0 + MATHX_ROUND;
    double n = shifted - MATHX_ROUND;
    double hi = x - n * MATHX_LN2_HI, lo = n * MATHX_LN2_LO;
    double t = hi - lo;
    double error = (hi - t) - lo;
    double p = 1.0 / 6227020800;

    p = p * t + 1.0 / 479001600;
    p = p * t + 1.0 / 39916800;
    p = p * t + 1.0 / 3628800;
    p = p * t + 1.0 / 362880;
    p = p * t + 1.0 / 40320;
    p = p * t + 1.0 / 5040;
    p = p * t + 1.0 / 720;
    p = p * t + 1.0 / 120;
    p = p * t + 1.0 / 24;
    p = p * t + 1.0 / 6;
    p = p * t + 0.5;
    *r = t;
    *rest = t * t * p + error;
    return shifted;
}

static inline float mathx_exp_reduce_f32(float x, float *r, float *rest)
{
    float shifted = x * 0x1.715476p+0f + MATHX_ROUND_F32;
    float n = shifted - MATHX_ROUND_F32;
    float hi = x - n * MATHX_LN2_HI_F32, lo = n * MATHX_LN2_LO_F32;
    float t = hi - lo;
    float error = (hi - t) - lo;
    float p = 1.0f / 5040;

    p = p * t + 1.0f / 720;
    p = p * t + 1.0f / 120;
    p = p * t + 1.0f / 24;
    p = p * t + 1.0f / 6;
    p = p * t + 0.5f;
    *r = t;
    *rest = t * t * p + error;
    return shifted;
}

/* e^x. The exponent is applied in two halves: it may be subnormal, and is rounded once. */
static inline double mathx_exp_f64(double x)
{
    double r, rest, n, half;

    x = x > 710 ? 710 : x; /* infinity; the comparisons let NaN through */
    x = x < -746 ? -746 : x;
    n = mathx_exp_reduce_f64(x, &r, &rest) - MATHX_ROUND;
    half = n * 0.5 + MATHX_ROUND;
    return (1 + (r + rest)) * mathx_power_of_two_f64(half) * mathx_power_of_two_f64(n - (half - MATHX_ROUND) + MATHX_ROUND);
}

static inline float mathx_exp_f32(float x)
{
    float r, rest, n, half;

    x = x > 89 ? 89 : x;
    x = x < -104 ? -104 : x;
    n = mathx_exp_reduce_f32(x, &r, &rest) - MATHX_ROUND_F32;
    half = n * 0.5f + MATHX_ROUND_F32;
    return (1 + (r + rest)) * mathx_power_of_two_f32(half) *
           mathx_power_of_two_f32(n - (half - MATHX_ROUND_F32) + MATHX_ROUND_F32);
}

/* e^x - 1, all digits for small x. Half of 2^n is applied first: 2^n itself may overflow where the result does not. */
static inline double mathx_expm1_f64(double x)
{
    double r, rest, half;

    x = x > 710 ? 710 : x;
    x = x < -40 ? -40 : x; /* -1 */
    half = mathx_power_of_two_f64(mathx_exp_reduce_f64(x, &r, &rest) - 1);
    return 2 * (half * (r + rest) + (half - 0.5));
}

/* tanh |x| = q / (q + 2) with q = e^(2|x|) - 1, which keeps small arguments' digits; beyond 20 (10) it is 1. */
static inline double mathx_tanh_f64(double x)
{
    double a = x < 0 ? -x : x, q;

    a = a > 20 ? 20 : a;
    q = mathx_expm1_f64(2 * a);
    q = q / (q + 2);
    return x < 0 ? -q : (x == 0 ? x : q);
}

static inline float mathx_tanh_f32(float x)
{
    float a = x < 0 ? -x : x;
    float r, rest, scale, q;

    a = a > 10 ? 10 : a;
    scale = mathx_power_of_two_f32(mathx_exp_reduce_f32(2 * a, &r, &rest));
    q = scale * (r + rest) + (scale - 1);
    q = q / (q + 2);
    return x < 0 ? -q : (x == 0 ? x : q);
}

/* 1 / (1 + e^-x), from e^-|x|, which does not overflow. */
static inline double mathx_sigmoid_f64(double x)
{
    double e = mathx_exp_f64(x < 0 ? x : -x);

    return (x < 0 ? e : 1.0) / (1 + e);
}

static inline float mathx_sigmoid_f32(float x)
{
    float e = mathx_exp_f32(x < 0 ? x : -x);

    return (x < 0 ? e : 1.0f) / (1 + e);
}

/* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt 2, for positive normal x; k as a double. */
static inline double mathx_log_reduce_f64(double x, double *f)
{
    const uint64_t sqrt_half = UINT64_C(0x3fe6a09e667f3bcd);
    uint64_t bits = mathx_bits_f64(x) - sqrt_half + UINT64_C(0x3ff0000000000000);

    *f = mathx_from_bits_f64((bits & UINT64_C(0x000fffffffffffff)) + sqrt_half) - 1;
    return mathx_from_bits_f64(bits >> 52 | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023);
}

/*
 * k ln 2 + ln(1 + f) + correction, from ln(1 + f) = 2 atanh s, s = f / (2 + f): 2 s + s R(s^2), where
 * 2 s = f - f^2/2 + s f^2/2 leaves f to be added last, exactly known.
 */
static inline double mathx_log_sum_f64(double k, double f, double correction)
{
    double s = f / (2 + f), z = s * s, half_square = 0.5 * f * f;
    double p = 2.0 / 21;

    p = p * z + 2.0 / 19;
    p = p * z + 2.0 / 17;
    p = p * z + 2.0 / 15;
    p = p * z + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
    p = p * z + 2.0 / 7;
    p = p * z + 2.0 / 5;
    p = p * z + 2.0 / 3;
    return k * MATHX_LN2_HI - ((half_square - (s * (half_square + z * p) + (k * MATHX_LN2_LO + correction))) - f);
}

/* What ln has at 0, below, at infinity and for NaN (x: its argument), and y elsewhere. */
static inline double mathx_log_special_f64(double x, double y)
{
    const double infinity = mathx_from_bits_f64(UINT64_C(0x7ff0000000000000));
    const double nan = mathx_from_bits_f64(UINT64_C(0x7ff8000000000000));

    y = x == infinity ? infinity : y;
    y = x == 0 ? -infinity : y;
    return x >= 0 ? y : nan;
}

/* ln x */
static inline double mathx_log_f64(double x)
{
    double scaled = x < 0x1p-1022 ? x * 0x1p54 : x;
    double f, k = mathx_log_reduce_f64(scaled, &f);

    k = x < 0x1p-1022 ? k - 54 : k;
    return mathx_log_special_f64(x, mathx_log_sum_f64(k, f, 0));
}

/* ln(1 + x), all digits for small x: what rounding u = 1 + x lost comes back as a correction. */
static inline double mathx_log1p_f64(double x)
{
    double u = 1 + x;
    double f, k = mathx_log_reduce_f64(u, &f);
    double lost = (x >= 1 ? 1 - (u - x) : x - (u - 1)) / u;
    double y;

    lost = k == 0 ? 0 : lost;
    f = k == 0 ? x : f;
    y = mathx_log_special_f64(u, mathx_log_sum_f64(k, f, lost));
    return x == 0 ? x : y;
}

/* sin and cos of r + error, |r| <= pi / 4. */
static inline void mathx_sincos_reduced_f64(double r, double error, double *sine, double *cosine)
{
    double z = r * r, half = 0.5 * z, w = 1 - half;
    double s = 1.0 / 355687428096000, c = 1.0 / 20922789888000;

    s = s * z - 1.0 / 1307674368000;
    s = s * z + 1.0 / 6227020800;
    s = s * z - 1.0 / 39916800;
    s = s * z + 1.0 / 362880;
    s = s * z - 1.0 / 5040;
    s = s * z + 1.0 / 120;
    s = s * z - 1.0 / 6;
    c = c * z - 1.0 / 87178291200;
    c = c * z + 1.0 / 479001600;
    c = c * z - 1.0 / 3628800;
    c = c * z + 1.0 / 40320;
    c = c * z - 1.0 / 720;
    c = c * z + 1.0 / 24;
    *sine = r + (z * r * s + (error - half * error));
    *cosine = w + (((1 - w) - half) + (z * z * c - r * error));
}

/* The quarter turn `quadrant` (its last two bits) put onto the sine and cosine of the rest. */
static inline void mathx_sincos_rotate_f64(uint64_t quadrant, double *sine, double *cosine)
{
    double s = (quadrant & 1) != 0 ? *cosine : *sine, c = (quadrant & 1) != 0 ? *sine : *cosine;

    *sine = (quadrant & 2) != 0 ? -s : s;
    *cosine = ((quadrant + 1) & 2) != 0 ? -c : c;
}

/* sin and cos of `turns` full turns (2 pi each), |turns| <= 2^40: exact multiples of a quarter give exact values. */
static inline void mathx_sincos_turns_f64(double turns, double *sine, double *cosine)
{
    double shifted = turns * 4 + MATHX_ROUND;
    double rest = turns - (shifted - MATHX_ROUND) * 0.25;

    mathx_sincos_reduced_f64(rest * 0x1.921fb54442d18p+2, rest * 0x1.1a62633145c07p-52, sine, cosine);
    mathx_sincos_rotate_f64(mathx_bits_f64(shifted), sine, cosine);
}

/* sin and cos of any double, in radians. NaN for infinities. */
double mathx_sin_f64(double x);
double mathx_cos_f64(double x);

/* Over arrays; out may be x. */
void mathx_exp_array_f64(size_t n, const double *x, double *out);
void mathx_log1p_array_f64(size_t n, const double *x, double *out);

#endif
