/*
 * Vectors of bfloat16 and AMX's tiles on any x86-64, element by element, with the names of core/base/simd_bf16.h and
 * core/base/simd_amx.h. What the instructions do is from Intel's manual, volume 2: VCVTNE2PS2BF16, VDPBF16PS, TDPBF16PS.
 */
#ifndef DESCENT_TESTS_CORE_BF16_EMULATED_H
#define DESCENT_TESTS_CORE_BF16_EMULATED_H

#include <assert.h>

#include "core/base/bf16.h"
#include "tests/core/simd_emulated.h"

typedef uint16_t words __attribute__((vector_size(64)));
typedef uint32_t pairs __attribute__((vector_size(64)));

static inline float without_subnormals(float x)
{
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

/* sum + x y of bfloat16, rounded once. */
static inline float emulated_term(float sum, uint16_t x, uint16_t y)
{
    uint32_t bits[2] = {(uint32_t)x << 16, (uint32_t)y << 16};
    float factors[2];

    memcpy(factors, bits, sizeof factors);
    return without_subnormals(fmaf(without_subnormals(factors[0]), without_subnormals(factors[1]), without_subnormals(sum)));
}

static inline vector load_some(const float *from, int64_t count)
{
    vector x = fill(0);

    for (int64_t i = 0; i < count && i < LANES; i++) {
        x[i] = from[i];
    }
    return x;
}

static inline words round_both(vector low, vector high)
{
    words x;

    for (int i = 0; i < 2 * LANES; i++) {
        float rounded = bf16_round(without_subnormals(i < LANES ? low[i] : high[i - LANES]));
        uint32_t bits;

        memcpy(&bits, &rounded, sizeof bits);
        x[i] = (uint16_t)(bits >> 16);
    }
    return x;
}

static __attribute__((noinline, unused)) vector multiply_pairs(vector sum, pairs a, pairs b)
{
    const words x = (words)a, y = (words)b;

    for (int i = 0; i < LANES; i++) {
        sum[i] = emulated_term(emulated_term(sum[i], x[2 * i + 1], y[2 * i + 1]), x[2 * i], y[2 * i]);
    }
    return sum;
}

/* ---- tiles ---- */

static struct {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config;
    unsigned char tiles[8][16][64];
} emulated;

static inline void tiles_configure(const void *config)
{
    static_assert(sizeof emulated.config == 64, "as the instruction reads it");
    memcpy(&emulated.config, config, sizeof emulated.config);
    assert(emulated.config.palette == 1 && emulated.config.start_row == 0);
    for (int t = 0; t < 16; t++) {
        assert(emulated.config.rows[t] == (t < 8 ? 16 : 0) && emulated.config.row_bytes[t] == (t < 8 ? 64 : 0));
    }
}

static inline void tile_zero(int tile)
{
    memset(emulated.tiles[tile], 0, sizeof emulated.tiles[tile]);
}

static inline void tile_load(int tile, const void *from, size_t stride)
{
    for (int r = 0; r < emulated.config.rows[tile]; r++) {
        memcpy(emulated.tiles[tile][r], (const char *)from + (size_t)r * stride, emulated.config.row_bytes[tile]);
    }
}

static inline void tile_store(int tile, void *to, size_t stride)
{
    for (int r = 0; r < emulated.config.rows[tile]; r++) {
        memcpy((char *)to + (size_t)r * stride, emulated.tiles[tile][r], emulated.config.row_bytes[tile]);
    }
}

static inline void tile_multiply(int c, int a, int b)
{
    for (int r = 0; r < 16; r++) {
        float sums[2][16] = {{0}}, old[16];
        uint16_t x[2 * LANES], y[2 * LANES];

        memcpy(x, emulated.tiles[a][r], sizeof x);
        memcpy(old, emulated.tiles[c][r], sizeof old);
        for (int p = 0; p < 16; p++) {
            memcpy(y, emulated.tiles[b][p], sizeof y);
            for (int i = 0; i < 16; i++) {
                sums[0][i] = emulated_term(sums[0][i], x[2 * p], y[2 * i]);
                sums[1][i] = emulated_term(sums[1][i], x[2 * p + 1], y[2 * i + 1]);
            }
        }
        for (int i = 0; i < 16; i++) {
            float both = without_subnormals(sums[0][i] + sums[1][i]);

            old[i] = without_subnormals(without_subnormals(old[i]) + both);
        }
        memcpy(emulated.tiles[c][r], old, sizeof old);
    }
}

#endif
