/* The float32 network: training and predictions. */
#include "network.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bf16_product.h"
#include "core/base/large_array.h"
#include "core/base/mathx.h"
#include "core/base/matrix_library.h"
#include "core/nn/batch_norm.h"
#include "core/nn/blocked_winograd.h"
#include "core/nn/dropout.h"
#include "core/nn/loss.h"
#include "core/nn/narrow_dense.h"
#include "core/nn/network_state.h"

#define REAL float
#define REAL_IS_FLOAT
#define R(name)            name##_f32
#define GEMM               matrix_library_sgemm
#define PRODUCT(precision) ((precision) == PRECISION_BF16 ? bf16_product : matrix_library_sgemm)
#include "core/nn/activation.inc"
#include "core/nn/network.inc"

uint64_t network_bytes(const struct network_setup *setup, uint32_t threads)
{
    struct network_f32 net = {.plan = *setup->plan,
                              .use = setup->use,
                              .optimizer = setup->optimizer,
                              .slot_count = setup->optimizer != NULL ? optimizer_slots(setup->optimizer) : 0,
                              .has_soft_labels = setup->has_soft_labels};

    return lay_out_f32(&net, NULL, threads);
}

uint64_t network_update_flops(const struct network_setup *setup)
{
    struct network_f32 net = {.plan = *setup->plan, .optimizer = setup->optimizer};
    uint64_t flops = 0;

    for (uint32_t s = 0; s < net.plan.stage_count; s++) {
        const struct network_stage *stage = &net.plan.stages[s];

        if (is_orthogonalized_f32(&net, s)) {
            flops += muon_flops(muon_rows_f32(stage), muon_columns_f32(stage), setup->optimizer->ns_steps);
        }
    }
    return flops;
}

struct network_state network_state_f32(struct network_f32 *network)
{
    return (struct network_state){
        .plan = &network->plan, .slot_count = network->slot_count, .weights = network->weights, .slots = network->slots};
}
