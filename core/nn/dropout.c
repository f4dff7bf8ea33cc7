/* One Philox block gives the bits of four neighbouring units. */
#include "dropout.h"

#include "core/base/rng.h"
#include "core/base/vector_clones.h"

#define UNITS_PER_BLOCK 4u
#define UNIT_BLOCK_BITS 24 /* of the block's index; the sample's position stands above */

/* The masks of `blocks` whole blocks. */
VECTOR_CLONES
static void mask_blocks(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, uint32_t blocks, uint32_t threshold,
                        unsigned char *kept)
{
    for (uint32_t b = 0; b < blocks; b++) {
        uint32_t words[UNITS_PER_BLOCK];

        rng_block(seed, stream, epoch, first + b, words);
        for (uint32_t i = 0; i < UNITS_PER_BLOCK; i++) {
            kept[b * UNITS_PER_BLOCK + i] = words[i] >= threshold;
        }
    }
}

void dropout_mask(uint64_t seed, uint64_t step, uint32_t layer, uint32_t position, uint32_t first_unit, uint32_t count,
                  double rate, unsigned char *kept)
{
    /* Steps beyond 2^32 fold into the seed, so that no mask ever repeats. */
    uint64_t key = seed + (step >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t stream = rng_substream(RNG_DROPOUT, layer), whole = count / UNITS_PER_BLOCK;
    uint32_t threshold = (uint32_t)(rate * 0x1p32); /* rate < 1 */
    uint64_t first = (uint64_t)position << UNIT_BLOCK_BITS | first_unit / UNITS_PER_BLOCK;
    unsigned char rest[UNITS_PER_BLOCK];

    mask_blocks(key, stream, (uint32_t)step, first, whole, threshold, kept);
    if (whole * UNITS_PER_BLOCK < count) {
        mask_blocks(key, stream, (uint32_t)step, first + whole, 1, threshold, rest);
        for (uint32_t i = whole * UNITS_PER_BLOCK; i < count; i++) {
            kept[i] = rest[i % UNITS_PER_BLOCK];
        }
    }
}
