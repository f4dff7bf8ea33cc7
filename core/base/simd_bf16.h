/*
 * Vectors of 32 bfloat16, that is 16 pairs of them, and their products. Included by *_avx512bf16.c and *_amx.c alone, which
 * the Makefile compiles for those instructions.
 */
#ifndef DESCENT_CORE_BASE_SIMD_BF16_H
#define DESCENT_CORE_BASE_SIMD_BF16_H

#include <immintrin.h>
#include <stdint.h>

#include "core/base/simd_avx512.h"

typedef uint16_t words __attribute__((vector_size(64)));
typedef uint32_t pairs __attribute__((vector_size(64)));

/* The first `count` of LANES floats, the others 0. */
static inline vector load_some(const float *from, int64_t count)
{
    return _mm512_maskz_loadu_ps((__mmask16)(count >= LANES ? 0xffff : count <= 0 ? 0 : (1u << count) - 1), from);
}

/* Both rounded to bfloat16, low before high; subnormal numbers become 0. */
static inline words round_both(vector low, vector high)
{
    return (words)_mm512_cvtne2ps_pbh(high, low);
}

/* sum + a b, pair by pair: the second ones of each first, then the first ones, each rounded once. */
static inline vector multiply_pairs(vector sum, pairs a, pairs b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

#endif
