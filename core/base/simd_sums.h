/* Sums over 16 lanes in one order, for vectors of any width. */
#ifndef DESCENT_CORE_BASE_SIMD_SUMS_H
#define DESCENT_CORE_BASE_SIMD_SUMS_H

#include <stdint.h>

#if defined(__AVX__)
#include <immintrin.h>

/* The sums of 8 rows: sideways additions are those of the order below. */
static inline void sum_lanes_of_eight(const float (*x)[16], float *sums)
{
    __m256 t[8];

    for (int r = 0; r < 8; r++) {
        t[r] = _mm256_add_ps(_mm256_loadu_ps(x[r]), _mm256_loadu_ps(x[r] + 8));
    }
    const __m256 low = _mm256_hadd_ps(_mm256_hadd_ps(t[0], t[1]), _mm256_hadd_ps(t[2], t[3]));
    const __m256 high = _mm256_hadd_ps(_mm256_hadd_ps(t[4], t[5]), _mm256_hadd_ps(t[6], t[7]));

    _mm256_storeu_ps(sums, _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31)));
}
#endif

/* sums [count] of rows of 16: with t_l = x[l] + x[l + 8], ((t0 + t1) + (t2 + t3)) + ((t4 + t5) + (t6 + t7)). */
static inline void sum_lanes(const float (*x)[16], uint32_t count, float *sums)
{
    uint32_t r = 0;

#if defined(__AVX__)
    for (; r + 8 <= count; r += 8) {
        sum_lanes_of_eight(x + r, sums + r);
    }
#endif
    for (; r < count; r++) {
        float t[8];

        for (int l = 0; l < 8; l++) {
            t[l] = x[r][l] + x[r][l + 8];
        }
        sums[r] = ((t[0] + t[1]) + (t[2] + t[3])) + ((t[4] + t[5]) + (t[6] + t[7]));
    }
}

#endif
