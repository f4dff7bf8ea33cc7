#include "core/data/shuffle.h"

#include "core/base/rng.h"

uint32_t shuffle_draw(uint64_t seed, uint32_t stream, uint32_t epoch, uint32_t index, uint32_t bound)
{
    uint32_t rejected = (0U - bound) % bound; /* 2^32 mod bound: so many words are too many for an even share */

    for (uint64_t attempt = 0;; attempt++) {
        uint32_t words[4];

        rng_block(seed, stream, epoch, attempt << 32 | index, words);
        for (int lane = 0; lane < 4; lane++) {
            uint64_t product = (uint64_t)words[lane] * bound;

            if ((uint32_t)product >= rejected)
                return (uint32_t)(product >> 32);
        }
    }
}

void shuffle_items(uint64_t seed, uint32_t stream, uint32_t epoch, uint32_t count, uint32_t *items)
{
    for (uint32_t i = count; i-- > 1;) {
        uint32_t j = shuffle_draw(seed, stream, epoch, i, i + 1);
        uint32_t item = items[i];

        items[i] = items[j];
        items[j] = item;
    }
}
