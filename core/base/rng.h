/*
 * Random numbers without state: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 * A number is a pure function of (seed, stream, epoch, index), so that results depend neither on the number of threads
 * nor on where a run was interrupted. A block of four 32-bit words has the
 *
 *     counter = (index low, epoch, stream, index high)        key = (seed low, seed high)
 *
 * The sampler uses the index's high half for the attempts of its rejection; dropout makes streams of its own by layer
 * (rng_substream). Value i of a stream stands in block i / (values per block), in order.
 */
#ifndef DESCENT_CORE_BASE_RNG_H
#define DESCENT_CORE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a number is for: two purposes never share one. Part of every result's bits: never renumber. */
enum rng_stream {
    RNG_SHUFFLE = 1,
    RNG_INIT = 2,
    RNG_DROPOUT = 3,
    RNG_SPLIT = 4,
    RNG_GENERATOR = 5,
    RNG_LANDSCAPE = 6,
    RNG_DIAGNOSTICS = 7,
};

/* The sub-th stream of a purpose, e.g. layer `sub`'s dropout; sub < 2^24, and 0 is the stream itself. */
static inline uint32_t rng_substream(enum rng_stream stream, uint32_t sub)
{
    return (uint32_t)stream | sub << 8;
}

/* Ten rounds; out may be counter itself. Inline, so that loops over blocks become vector code. */
static inline void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0;
        uint64_t p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Block `index` of a stream (enum rng_stream or rng_substream): four independent 32-bit words. */
static inline void rng_block(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index, uint32_t out[4])
{
    const uint32_t counter[4] = {(uint32_t)index, epoch, stream, (uint32_t)(index >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    philox4x32(counter, key, out);
}

/* A word to [0, 1): 24 bits. */
static inline float rng_to_f32(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* Two words to [0, 1): 53 bits. */
static inline double rng_to_f64(uint32_t a, uint32_t b)
{
    return ((double)(a >> 5) * 0x1p26 + (double)(b >> 6)) * 0x1p-53;
}

/* Value `index` of a stream, uniform in [0, 1): two to a block (float64), four to a block (float32). */
double rng_uniform_f64(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index);
float rng_uniform_f32(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index);

/*
 * Four standard normal values of a block, by Box and Muller: each pair of words (a, b) gives
 *     sqrt(-2 ln u1) * (cos 2 pi u2, sin 2 pi u2),     u1 = ((a >> 8) + 1) / 2^24 in (0, 1],     u2 = (b >> 8) / 2^24
 * At most 5.77 away from 0.
 */
void rng_to_normal(const uint32_t block[4], double out[4]);
/* Value `index` of a stream, N(0, 1), four to a block. */
double rng_normal_f64(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t index);

/* out[i] = value first + i of a stream: uniform from low to high, or N(0, deviation^2); rounded to float32 once. */
void rng_fill_uniform(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, double low, double high, size_t n,
                      float *out);
void rng_fill_normal(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, double deviation, size_t n, float *out);

#endif
