/* What tests of networks share: layers in a line, and the same network in float32 and in float64. */
#ifndef DESCENT_TESTS_CORE_NN_NETWORKS_H
#define DESCENT_TESTS_CORE_NN_NETWORKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/nn/network.h"
#include "tests/assert_close.h"

#define DENSE(n)                                                                                                            \
    {                                                                                                                       \
        .type = LAYER_DENSE, .units = (n)                                                                                   \
    }
#define ACT(name)                                                                                                           \
    {                                                                                                                       \
        .type = LAYER_##name                                                                                                \
    }
#define LEAKY                                                                                                               \
    {                                                                                                                       \
        .type = LAYER_LEAKY_RELU, .slope = 0.1                                                                              \
    }
#define DROP(r)                                                                                                             \
    {                                                                                                                       \
        .type = LAYER_DROPOUT, .rate = (r)                                                                                  \
    }

/*
 * A batch through both, whose parameters [count] are the same ones: losses, norm of the gradient and gradients agree, these
 * within ten times the others' tolerance. narrow, wide [count] are room for the gradients.
 */
static inline void assert_precisions_agree(struct network_f32 *network, struct network_f64 *exact,
                                           const struct network_batch *batch, const struct network_loss *loss,
                                           uint64_t count, float *narrow, double *wide, double tolerance)
{
    network_gather_f32(network, 1, batch);
    network_gather_f64(exact, 1, batch);
    network_forward_loss_f32(network, 1, batch, loss, NULL);
    network_forward_loss_f64(exact, 1, batch, loss, NULL);
    assert_all_close(network_row_losses_f32(network), network_row_losses_f64(exact), batch->count, tolerance,
                     tolerance / 10);
    network_backward_f32(network, 1, batch->count, 1);
    network_backward_f64(exact, 1, batch->count, 1);
    assert_close(network_gradient_norm_f32(network, 0.1), network_gradient_norm_f64(exact, 0.1), tolerance, 0);
    network_store_gradients_f32(network, narrow);
    network_store_gradients_f64(exact, wide);
    for (uint64_t i = 0; i < count; i++) {
        assert_close((double)narrow[i], wide[i], 10 * tolerance, tolerance / 10);
    }
}

#endif
