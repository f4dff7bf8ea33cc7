/* The parts of mathx.h that are not worth inlining: sin and cos of any angle, and loops over arrays. */
#include "core/base/mathx.h"

#include "core/base/vector_clones.h"

/*
 * 2 / pi after its binary point, with 64 zero bits in front: 1216 bits, enough for the largest double's angle
 * (Payne, Hanek 1983).
 */
static const uint64_t two_over_pi[20] = {
    UINT64_C(0x0000000000000000), UINT64_C(0xa2f9836e4e441529), UINT64_C(0xfc2757d1f534ddc0), UINT64_C(0xdb6295993c439041),
    UINT64_C(0xfe5163abdebbc561), UINT64_C(0xb7246e3a424dd2e0), UINT64_C(0x06492eea09d1921c), UINT64_C(0xfe1deb1cb129a73e),
    UINT64_C(0xe88235f52ebb4484), UINT64_C(0xe99c7026b45f7e41), UINT64_C(0x3991d639835339f4), UINT64_C(0x9c845f8bbdf9283b),
    UINT64_C(0x1ff897ffde05980f), UINT64_C(0xef2f118b5a0a6d1f), UINT64_C(0x6d367ecf27cb09b7), UINT64_C(0x4f463f669e5fea2d),
    UINT64_C(0x7527bac7ebe5f17b), UINT64_C(0x3d0739f78a5292ea), UINT64_C(0x6bfb5fb11f8d5d08), UINT64_C(0x56033046fc7b6bab),
};

__extension__ typedef unsigned __int128 uint128;

/* 64 bits of two_over_pi from bit `at`. */
static uint64_t two_over_pi_bits(unsigned at)
{
    uint64_t word = two_over_pi[at / 64] << at % 64;

    return at % 64 == 0 ? word : word | two_over_pi[at / 64 + 1] >> (64 - at % 64);
}

/*
 * |x| = m 2^e is q quarter turns and a rest of -1/2 ... 1/2 of one; finite |x| > 1/2. The product of m with 192 bits of
 * 2 / pi, from the one that still counts modulo 4 turns' quarters, is exact integer arithmetic: its top two bits are q,
 * the others the rest's 190 bits. Returns q, and the rest as an angle in radians.
 */
static uint64_t reduce_angle(double x, double *angle)
{
    uint64_t bits = mathx_bits_f64(x);
    uint64_t m = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x0010000000000000);
    unsigned exponent = (unsigned)(bits >> 52 & 0x7ff); /* e + 1075 */
    unsigned at = exponent - 1075 + 62;
    uint128 low = (uint128)m * two_over_pi_bits(at + 128);
    uint128 middle = (uint128)m * two_over_pi_bits(at + 64) + (uint64_t)(low >> 64);
    uint64_t high = m * two_over_pi_bits(at) + (uint64_t)(middle >> 64);
    uint64_t quadrant = (high + UINT64_C(0x2000000000000000)) >> 62;
    uint128 rest = (uint128)(high - (quadrant << 62)) << 64 | (uint64_t)middle;
    double sign = 1, scale = 0x1p-126;

    if (high >> 61 & 1) { /* above one half: the distance to the next quarter, downwards */
        rest = -rest - ((uint64_t)low != 0);
        sign = -1;
    }
    if (rest >> 64 == 0) { /* close to a quarter: the lowest word brings the digits */
        rest = rest << 64 | (sign < 0 ? -(uint64_t)low : (uint64_t)low);
        scale = 0x1p-190;
    }
    *angle = sign * ((double)rest * scale) * 0x1.921fb54442d18p+0;
    return quadrant;
}

static void sincos_f64(double x, double *sine, double *cosine)
{
    double a = x < 0 ? -x : x, angle;
    uint64_t quadrant;

    if (!(a > 0x1.921fb54442d18p-1)) { /* pi / 4; NaN too */
        mathx_sincos_reduced_f64(x, 0, sine, cosine);
        return;
    }
    if (a > 0x1.fffffffffffffp1023) {
        *sine = *cosine = x - x;
        return;
    }
    quadrant = reduce_angle(a, &angle);
    mathx_sincos_reduced_f64(angle, 0, sine, cosine);
    mathx_sincos_rotate_f64(quadrant, sine, cosine);
    *sine = x < 0 ? -*sine : *sine;
}

double mathx_sin_f64(double x)
{
    double sine, cosine;

    sincos_f64(x, &sine, &cosine);
    return x == 0 ? x : sine;
}

double mathx_cos_f64(double x)
{
    double sine, cosine;

    sincos_f64(x, &sine, &cosine);
    return cosine;
}

VECTOR_CLONES void mathx_exp_array_f64(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = mathx_exp_f64(x[i]);
    }
}

VECTOR_CLONES void mathx_log1p_array_f64(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = mathx_log1p_f64(x[i]);
    }
}
