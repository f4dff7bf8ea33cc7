/*
 * Vectors of 16 floats on any x86-64, lane by lane, with the names of core/base/simd_avx512.h: so that what is written for
 * them can be compared where no processor has them.
 */
#ifndef DESCENT_TESTS_CORE_SIMD_EMULATED_H
#define DESCENT_TESTS_CORE_SIMD_EMULATED_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 16

typedef float vector __attribute__((vector_size(64)));
typedef int32_t integers __attribute__((vector_size(64)));

static inline vector load(const float *from)
{
    vector x;

    memcpy(&x, from, sizeof x);
    return x;
}

static inline void store(float *to, vector x)
{
    memcpy(to, &x, sizeof x);
}

static inline vector fill(float x)
{
    return (vector){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

static inline vector hold(vector x)
{
    return x;
}

static inline vector widen(const uint8_t *from)
{
    vector x;

    for (int i = 0; i < LANES; i++) {
        x[i] = from[i];
    }
    return x;
}

static inline integers widen_integers(const uint8_t *from)
{
    integers x;

    for (int i = 0; i < LANES; i++) {
        x[i] = from[i];
    }
    return x;
}

static inline void store_bytes(uint8_t *to, integers x)
{
    for (int i = 0; i < LANES; i++) {
        to[i] = (uint8_t)x[i];
    }
}

static inline vector pick(const float *four, integers index)
{
    vector x;

    for (int i = 0; i < LANES; i++) {
        x[i] = four[index[i] % 4];
    }
    return x;
}

/* No copy at every place of call: there are hundreds. */
static __attribute__((noinline, unused)) vector multiply_add(vector a, vector b, vector c)
{
    for (int i = 0; i < LANES; i++) {
        c[i] = fmaf(a[i], b[i], c[i]);
    }
    return c;
}

#endif
