/*
 * Initial parameters: weights by an initialiser, biases 0, batch_norm the identity. A function of model, initialiser and
 * seed. A convolution's fan-in is channels * kernel height * kernel width, its fan-out filters * height * width.
 */
#ifndef DESCENT_CORE_NN_INIT_H
#define DESCENT_CORE_NN_INIT_H

#include "core/nn/model_spec.h"

/*
 * Fills parameters [model_spec_parameter_count] in canonical order (core/nn/model.h).
 * He et al. 2015 (variance 2 / fan_in), Glorot and Bengio 2010 (2 / (fan_in + fan_out)).
 */
void init_parameters(const struct model_spec *model, enum initializer initializer, uint64_t seed, float *parameters);

#endif
