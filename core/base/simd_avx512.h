/*
 * Vectors of 16 floats, for sources that are written once for all widths (*.inc). Included by *_avx512.c alone, which the
 * Makefile compiles for that instruction set. A multiply-add rounds once, here and in simd_avx2.h: so results do not depend
 * on the width, as long as each number is summed in one order.
 */
#ifndef DESCENT_CORE_BASE_SIMD_AVX512_H
#define DESCENT_CORE_BASE_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 16

typedef __m512 vector;
typedef int32_t integers __attribute__((vector_size(4 * LANES)));

static inline vector load(const float *from)
{
    return _mm512_loadu_ps(from);
}

static inline void store(float *to, vector x)
{
    _mm512_storeu_ps(to, x);
}

static inline vector fill(float x)
{
    return _mm512_set1_ps(x);
}

/* x, which stays in a register: as an operand in memory it would be loaded anew for each use. */
static inline vector hold(vector x)
{
    __asm__("" : "+v"(x));
    return x;
}

/* LANES bytes */
static inline vector widen(const uint8_t *from)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)from)));
}

static inline integers widen_integers(const uint8_t *from)
{
    return (integers)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)from));
}

/* LANES numbers of 0 to 255, as bytes */
static inline void store_bytes(uint8_t *to, integers x)
{
    _mm_storeu_si128((void *)to, _mm512_cvtepi32_epi8((__m512i)x));
}

/* In each lane one of the four floats: that of the index, 0 to 3; of other indices any. */
static inline vector pick(const float *four, integers index)
{
    return _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(four)), (__m512i)index);
}

/* a b + c */
static inline vector multiply_add(vector a, vector b, vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}

#endif
