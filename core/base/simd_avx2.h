/*
 * Vectors of 8 floats, for sources that are written once for all widths (*.inc). Included by *_avx2.c alone, which the
 * Makefile compiles for that instruction set. A multiply-add rounds once, here and in simd_avx512.h: so results do not
 * depend on the width, as long as each number is summed in one order.
 */
#ifndef DESCENT_CORE_BASE_SIMD_AVX2_H
#define DESCENT_CORE_BASE_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 8

typedef __m256 vector;
typedef int32_t integers __attribute__((vector_size(4 * LANES)));

static inline vector load(const float *from)
{
    return _mm256_loadu_ps(from);
}

static inline void store(float *to, vector x)
{
    _mm256_storeu_ps(to, x);
}

static inline vector fill(float x)
{
    return _mm256_set1_ps(x);
}

/* x, which stays in a register: as an operand in memory it would be loaded anew for each use. */
static inline vector hold(vector x)
{
    __asm__("" : "+x"(x));
    return x;
}

/* LANES bytes */
static inline vector widen(const uint8_t *from)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)from)));
}

static inline integers widen_integers(const uint8_t *from)
{
    return (integers)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)from));
}

/* LANES numbers of 0 to 255, as bytes */
static inline void store_bytes(uint8_t *to, integers x)
{
    const __m128i pairs = _mm_packus_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));

    _mm_storel_epi64((void *)to, _mm_packus_epi16(pairs, pairs));
}

/* In each lane one of the four floats: that of the index, 0 to 3; of other indices any. */
static inline vector pick(const float *four, integers index)
{
    return _mm256_permutevar_ps(_mm256_broadcast_ps((const void *)four), (__m256i)index);
}

/* a b + c */
static inline vector multiply_add(vector a, vector b, vector c)
{
    return _mm256_fmadd_ps(a, b, c);
}

#endif
