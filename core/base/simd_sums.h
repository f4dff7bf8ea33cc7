/* A sum over 16 lanes in one order, for vectors of any width. */
#ifndef DESCENT_CORE_BASE_SIMD_SUMS_H
#define DESCENT_CORE_BASE_SIMD_SUMS_H

/* With t_l = x[l] + x[l + 8]: ((t0 + t1) + (t2 + t3)) + ((t4 + t5) + (t6 + t7)). */
static inline float sum_lanes(const float x[16])
{
    float t[8];

    for (int l = 0; l < 8; l++) {
        t[l] = x[l] + x[l + 8];
    }
    return ((t[0] + t[1]) + (t[2] + t[3])) + ((t[4] + t[5]) + (t[6] + t[7]));
}

#endif
