/* How the layers before the first dense one, and batch_norm wherever it stands, are planned. For network_plan.c alone. */
#ifndef DESCENT_CORE_NN_NETWORK_FRONT_PLAN_H
#define DESCENT_CORE_NN_NETWORK_FRONT_PLAN_H

#include "core/nn/network_plan.h"

#define NETWORK_VECTOR_WIDTH 16u

/* n rounded up to whole vectors. */
uint32_t network_plan_padded(uint32_t n);
/*
 * Floats from one row of n values to the next: a whole number of vectors, but no multiple of 1 KiB, since columns of such
 * rows meet in few sets of the caches (a product of transposed rows of 1,024 values then runs at half its speed).
 */
uint32_t network_plan_stride(uint32_t n);

/*
 * Layers of the model that are the front: all before the first dense one, or 0 where those are element-wise only, which the
 * gathering of the rows does.
 */
uint32_t network_plan_front_layers(const struct model_spec *model);
/* Plans layers [0, count) as the front; *width becomes the number of its outputs. Returns the first layer behind it. */
uint32_t network_plan_add_front(struct network_plan *plan, const struct model_spec *model, uint32_t count, uint32_t *width);
void network_plan_add_norm(struct network_plan *plan, const struct layer_spec *layer, uint32_t index, uint32_t channels,
                           size_t positions, int is_front);

/* Cuts the front into pieces; `planes`: of one layer each. Working copies and gradients get their places. */
void network_plan_cut_front(struct network_plan *plan, int planes);

/* Gives flat parameters their place, which is before all others; running statistics, behind all others. */
void network_plan_place_flat(struct network_plan *plan);
void network_plan_place_statistics(struct network_plan *plan);

struct network_segment network_plan_flat_segment(const struct network_plan *plan, uint32_t index);
/* The values of a flat tensor, or of statistics, from its value `index` on. */
struct network_run network_plan_flat_run(const struct network_tensor *tensor, uint64_t index);

#endif
