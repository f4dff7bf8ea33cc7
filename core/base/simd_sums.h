/* What vectors of 8 and of 16 floats share: sums over 16 lanes in one order. */
#ifndef DESCENT_CORE_BASE_SIMD_SUMS_H
#define DESCENT_CORE_BASE_SIMD_SUMS_H

#include <immintrin.h>
#include <stdint.h>

/* x[lane] + x[lane + 8] */
static inline __m256 sum_halves(const float x[16])
{
    return _mm256_add_ps(_mm256_load_ps(x), _mm256_load_ps(x + 8));
}

/*
 * sums[i], i < count: with t_l = lanes[i][l] + lanes[i][l + 8], ((t0 + t1) + (t2 + t3)) + ((t4 + t5) + (t6 + t7)),
 * times factor.
 */
static inline void sum_lanes(uint32_t count, float lanes[][16], float factor, float *sums)
{
    for (uint32_t i = 0; i < count; i++) {
        __m256 halves = sum_halves(lanes[i]);
        __m256 pairs = _mm256_hadd_ps(halves, halves), fours = _mm256_hadd_ps(pairs, pairs);

        sums[i] = factor * _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
    }
}

#endif
