/* Each layer draws from a stream of its own, so that a layer's weights do not depend on the sizes of others. */
#include "init.h"

#include <math.h>
#include <string.h>

#include "core/base/rng.h"

static void init_weights(enum initializer initializer, uint64_t seed, uint32_t layer, uint32_t fan_in, uint32_t fan_out,
                         float *weights)
{
    uint32_t stream = rng_substream(RNG_INIT, layer);
    size_t n = (size_t)fan_in * fan_out;
    double he = 2.0 / fan_in, glorot = 2.0 / ((double)fan_in + fan_out); /* variances */
    double bound;

    switch (initializer) {
    case INIT_HE_NORMAL:
        rng_fill_normal(seed, stream, 0, 0, sqrt(he), n, weights);
        return;
    case INIT_GLOROT_NORMAL:
        rng_fill_normal(seed, stream, 0, 0, sqrt(glorot), n, weights);
        return;
    case INIT_HE_UNIFORM:
    case INIT_GLOROT_UNIFORM:
        bound = sqrt(3 * (initializer == INIT_HE_UNIFORM ? he : glorot)); /* variance of U(-b, b): b^2 / 3 */
        rng_fill_uniform(seed, stream, 0, 0, -bound, bound, n, weights);
        return;
    case INIT_ZEROS:
    case INITIALIZER_COUNT:
        break;
    }
    memset(weights, 0, n * sizeof *weights);
}

void init_parameters(const struct model_spec *model, enum initializer initializer, uint64_t seed, float *parameters)
{
    uint32_t inputs = model->inputs;

    for (uint32_t i = 0; i < model->layer_count; i++) {
        if (model->layers[i].type != LAYER_DENSE) {
            continue;
        }
        uint32_t units = model->layers[i].units;

        init_weights(initializer, seed, i, inputs, units, parameters);
        parameters += (size_t)inputs * units;
        memset(parameters, 0, units * sizeof *parameters);
        parameters += units;
        inputs = units;
    }
}
