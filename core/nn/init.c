/* Each layer draws from a stream of its own, so that a layer's weights do not depend on the sizes of others. */
#include "init.h"

#include <math.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/nn/layer_shape.h"

static void init_weights(enum initializer initializer, uint64_t seed, uint32_t layer, size_t n, uint32_t fan_in,
                         uint32_t fan_out, float *weights)
{
    uint32_t stream = rng_substream(RNG_INIT, layer);
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

/* Weights, then biases 0. */
static float *init_layer(enum initializer initializer, uint64_t seed, uint32_t layer, uint32_t units, uint32_t fan_in,
                         uint32_t fan_out, float *parameters)
{
    size_t weights = (size_t)units * fan_in;

    init_weights(initializer, seed, layer, weights, fan_in, fan_out, parameters);
    memset(parameters + weights, 0, units * sizeof *parameters);
    return parameters + weights + units;
}

/* The identity, of values whose mean is 0 and variance 1: scale, shift, running mean and variance. */
static float *init_batch_norm(uint32_t channels, float *parameters)
{
    static const float START[4] = {1, 0, 0, 1};

    for (uint32_t i = 0; i < 4 * channels; i++) {
        parameters[i] = START[i / channels];
    }
    return parameters + (size_t)4 * channels;
}

void init_parameters(const struct model_spec *model, enum initializer initializer, uint64_t seed, float *parameters)
{
    struct layer_shape shape = layer_shape_of_inputs(model), shapes[MODEL_MAX_LAYERS];

    layer_shapes(model, shapes);
    for (uint32_t i = 0; i < model->layer_count; shape = shapes[i++]) {
        const struct layer_spec *layer = &model->layers[i];
        uint32_t window = layer->kernel[0] * layer->kernel[1];

        if (layer->type == LAYER_DENSE) {
            parameters = init_layer(initializer, seed, i, layer->units, (uint32_t)layer_shape_values(&shape), layer->units,
                                    parameters);
        } else if (layer->type == LAYER_CONV2D) {
            parameters =
                init_layer(initializer, seed, i, layer->units, shape.channels * window, layer->units * window, parameters);
        } else if (layer->type == LAYER_BATCH_NORM) {
            parameters = init_batch_norm(shape.channels, parameters);
        }
    }
}
