#include "core/base/rng.h"

#include <math.h>

#include "core/base/mathx.h"

double rng_uniform_f64(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index)
{
    uint32_t block[4];

    rng_block(seed, stream, epoch, index / 2, block);
    return rng_to_f64(block[index % 2 * 2], block[index % 2 * 2 + 1]);
}

float rng_uniform_f32(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index)
{
    uint32_t block[4];

    rng_block(seed, stream, epoch, index / 4, block);
    return rng_to_f32(block[index % 4]);
}

void rng_to_normal(const uint32_t block[4], double out[4])
{
    for (size_t i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * mathx_log_f64((double)((block[i] >> 8) + 1) * 0x1p-24));
        double sine, cosine;

        mathx_sincos_turns_f64((double)(block[i + 1] >> 8) * 0x1p-24, &sine, &cosine);
        out[i] = radius * cosine;
        out[i + 1] = radius * sine;
    }
}

double rng_normal_f64(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index)
{
    uint32_t block[4];
    double values[4];

    rng_block(seed, stream, epoch, index / 4, block);
    rng_to_normal(block, values);
    return values[index % 4];
}

void rng_fill_uniform(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, double low, double high, size_t n,
                      float *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(low + (high - low) * rng_uniform_f64(seed, stream, epoch, first + i));
    }
}

void rng_fill_normal(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, double deviation, size_t n, float *out)
{
    uint32_t block[4];
    double values[4] = {0};

    for (size_t i = 0; i < n; i++) {
        uint64_t index = first + i;
        if (i == 0 || index % 4 == 0) {
            rng_block(seed, stream, epoch, index / 4, block);
            rng_to_normal(block, values);
        }
        out[i] = (float)(deviation * values[index % 4]);
    }
}
