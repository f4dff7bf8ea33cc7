/* Dropout's masks (Srivastava et al. 2014): a bit is a function of seed, step, layer, sample's position and unit. */
#ifndef DESCENT_CORE_NN_DROPOUT_H
#define DESCENT_CORE_NN_DROPOUT_H

#include <stdint.h>

/*
 * kept[i] = 1 with probability 1 - rate for units first_unit + i, i < count; first_unit is a multiple of 4.
 * position: the sample's place in the minibatch of update `step`, below 2^24; layer: index in the model's list.
 */
void dropout_mask(uint64_t seed, uint64_t step, uint32_t layer, uint32_t position, uint32_t first_unit, uint32_t count,
                  double rate, unsigned char *kept);

#endif
