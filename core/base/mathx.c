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

static unsigned leading_zeros(uint128 x)
{
    uint64_t high = (uint64_t)(x >> 64), low = (uint64_t)x;

    return high != 0 ? (unsigned)__builtin_clzll(high) : low != 0 ? 64 + (unsigned)__builtin_clzll(low) : 127;
}

/*
 * x = m 2^e is q quarter turns and a rest of -1/2 ... 1/2 of one; finite x > 1/2. The product of m with the 192 bits of
 * 2 / pi that begin where multiples of a full turn end is exact integer arithmetic: its top two bits are q, the others
 * the rest. Returns q, and the rest in radians as *angle + *error.
 */
static uint64_t reduce_angle(double x, double *angle, double *error)
{
    const uint64_t half_pi = UINT64_C(0xc90fdaa22168c235); /* pi / 2 * 2^63 */
    uint64_t bits = mathx_bits_f64(x);
    uint64_t m = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x0010000000000000);
    unsigned at = (unsigned)(bits >> 52) - 1075 + 62; /* e - 1 bits in, behind the 64 zeros, counted from 0 */
    uint128 low = (uint128)m * two_over_pi_bits(at + 128);
    uint128 middle = (uint128)m * two_over_pi_bits(at + 64) + (uint64_t)(low >> 64);
    uint64_t high = m * two_over_pi_bits(at) + (uint64_t)(middle >> 64);
    uint64_t quadrant = (high + UINT64_C(0x2000000000000000)) >> 62, last = (uint64_t)low;
    uint128 rest = (uint128)(high - (quadrant << 62)) << 64 | (uint64_t)middle;
    double sign = 1, scale;

    if (rest >> 127 != 0) { /* below the nearest quarter */
        rest = ~rest + (last == 0);
        last = -last;
        sign = -1;
    }
    unsigned shift = leading_zeros(rest);
    uint128 top = rest << shift | (shift < 64 ? 0 : (uint128)last << (shift - 64));
    uint128 product = (uint128)(uint64_t)(top >> 64) * half_pi;

    scale = sign * mathx_from_bits_f64((uint64_t)(1023 - 125 - shift) << 52);
    *angle = scale * (double)(uint64_t)(product >> 75) * 0x1p75;
    *error = scale * (double)(product & (((uint128)1 << 75) - 1));
    return quadrant;
}

static void sincos_f64(double x, double *sine, double *cosine)
{
    double a = x < 0 ? -x : x, angle, error;
    uint64_t quadrant;

    if (!(a > 0x1.921fb54442d18p-1)) { /* pi / 4; NaN too */
        mathx_sincos_reduced_f64(x, 0, sine, cosine);
        return;
    }
    if (a > 0x1.fffffffffffffp1023) {
        *sine = *cosine = x - x;
        return;
    }
    quadrant = reduce_angle(a, &angle, &error);
    mathx_sincos_reduced_f64(angle, error, sine, cosine);
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

/* ivdep: out is x or apart from it. Asked at run time whether they overlap, the loop would choose its scalar half. */
VECTOR_CLONES void mathx_exp_array_f64(size_t n, const double *x, double *out)
{
#pragma GCC ivdep
    for (size_t i = 0; i < n; i++) {
        out[i] = mathx_exp_f64(x[i]);
    }
}

VECTOR_CLONES void mathx_log1p_array_f64(size_t n, const double *x, double *out)
{
#pragma GCC ivdep
    for (size_t i = 0; i < n; i++) {
        out[i] = mathx_log1p_f64(x[i]);
    }
}
