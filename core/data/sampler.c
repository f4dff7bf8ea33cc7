#include "core/data/sampler.h"

#include "core/base/rng.h"
#include "core/data/shuffle.h"

const char *shuffle_name(enum shuffle shuffle)
{
    static const char *const NAMES[SHUFFLE_COUNT] = {
        [SHUFFLE_EVERY_EPOCH] = "every_epoch",
        [SHUFFLE_ONCE] = "once",
        [SHUFFLE_NONE] = "none",
        [SHUFFLE_WITH_REPLACEMENT] = "with_replacement",
    };

    return NAMES[shuffle];
}

void sampler_order(enum shuffle shuffle, uint64_t seed, uint64_t epoch, uint32_t count, uint32_t *order)
{
    uint32_t key_epoch = shuffle == SHUFFLE_ONCE ? 0 : (uint32_t)epoch;

    if (shuffle == SHUFFLE_WITH_REPLACEMENT) {
        for (uint32_t i = 0; i < count; i++)
            order[i] = shuffle_draw(seed, rng_substream(RNG_SHUFFLE, 1), key_epoch, i, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    if (shuffle != SHUFFLE_NONE)
        shuffle_items(seed, RNG_SHUFFLE, key_epoch, count, order);
}
