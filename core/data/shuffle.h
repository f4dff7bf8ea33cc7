/* Uniform integers and permutations from counter-based random numbers. */
#ifndef DESCENT_CORE_DATA_SHUFFLE_H
#define DESCENT_CORE_DATA_SHUFFLE_H

#include <stdint.h>

/*
 * Draw `index` of a stream, uniform in [0, bound), bound > 0: the words of the Philox blocks with counter (index, epoch,
 * stream, attempt), in order, until one is accepted by Lemire's rule (2019, "Fast random integer generation in an
 * interval"), which leaves no bias.
 */
uint32_t shuffle_draw(uint64_t seed, uint32_t stream, uint32_t epoch, uint32_t index, uint32_t bound);

/* Permutes items [count] in place (Fisher and Yates, from the last one down: i swaps with draw i of [0, i]). */
void shuffle_items(uint64_t seed, uint32_t stream, uint32_t epoch, uint32_t count, uint32_t *items);

#endif
