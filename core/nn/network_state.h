/*
 * What a training network goes on from: the weights at the gradient's point and the optimizer's slots. In memory as the
 * network stores them (network_plan.h), for copying; in canonical order (model.h), value by value, for files, so that a
 * file depends neither on tiles nor on padding.
 */
#ifndef DESCENT_CORE_NN_NETWORK_STATE_H
#define DESCENT_CORE_NN_NETWORK_STATE_H

#include "core/nn/network.h"

struct network_state {
    const struct network_plan *plan;
    uint32_t slot_count;
    float *weights; /* [plan->stored] */
    float *slots;   /* [slot_count * plan->stored], a segment's slots together */
};

/* The network's own, borrowed: what is written there is what the next step works on. */
struct network_state network_state_f32(struct network_f32 *network);

/*
 * `count` values from canonical index `first` on, out of an array of the state (0: the weights, k: the k-th slot) or into
 * it. first + count is at most the number of parameters. Padding is left alone.
 */
void network_state_get(const struct network_state *state, uint32_t array, uint64_t first, size_t count, float *values);
void network_state_put(const struct network_state *state, uint32_t array, uint64_t first, size_t count, const float *values);

#endif
