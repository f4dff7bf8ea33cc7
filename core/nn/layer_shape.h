/* What goes from layer to layer: a sample's values as an image, or in a row. */
#ifndef DESCENT_CORE_NN_LAYER_SHAPE_H
#define DESCENT_CORE_NN_LAYER_SHAPE_H

#include "core/nn/model_spec.h"

struct layer_shape {
    uint32_t channels, height, width; /* units x 1 x 1 behind a dense layer */
    int is_image;                     /* convolutions and pools may follow */
    int is_flat;                      /* dense layers may follow; features that nothing has touched yet may be both */
};

uint64_t layer_shape_values(const struct layer_shape *shape);

/* Of the features. */
struct layer_shape layer_shape_of_inputs(const struct model_spec *spec);
/* Behind layer `index`, whose input is *shape. STATUS_CONFLICTING_FIELDS, STATUS_OUT_OF_RANGE with "/layers/3/type" and the
 * like: it does not fit. */
MUST_CHECK enum status layer_shape_step(const struct layer_spec *layer, uint32_t index, struct layer_shape *shape,
                                        struct error *error);
/* Values that a layer with that input has in a model's file; and of them those of one unit or filter, its bias left out. */
uint64_t layer_parameters(const struct layer_spec *layer, const struct layer_shape *input);
uint64_t layer_fan_in(const struct layer_spec *layer, const struct layer_shape *input);
/* Behind each layer of a spec that was checked, [layer_count]. */
void layer_shapes(const struct model_spec *spec, struct layer_shape *shapes);

#endif
