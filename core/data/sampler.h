/* Which rows make the minibatches of an epoch: a pure function of seed, epoch and the shuffle's kind. */
#ifndef DESCENT_CORE_DATA_SAMPLER_H
#define DESCENT_CORE_DATA_SAMPLER_H

#include <stdint.h>

enum shuffle { SHUFFLE_EVERY_EPOCH, SHUFFLE_ONCE, SHUFFLE_NONE, SHUFFLE_WITH_REPLACEMENT, SHUFFLE_COUNT };
const char *shuffle_name(enum shuffle shuffle); /* "every_epoch", ... */

/*
 * Fills order [count] with positions 0 ... count - 1 (as 32-bit numbers) in the order in which epoch `epoch` (below 2^32)
 * visits them. every_epoch: shuffle_items of stream RNG_SHUFFLE; once: epoch 0's order always; none: 0, 1, 2 ...;
 * with_replacement: count independent uniform draws, so that positions repeat.
 */
void sampler_order(enum shuffle shuffle, uint64_t seed, uint64_t epoch, uint32_t count, uint32_t *order);

#endif
