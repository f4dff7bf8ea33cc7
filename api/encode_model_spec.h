/* What a model is made of: its layers and preprocessing, as it stands in model objects. */
#ifndef DESCENT_API_ENCODE_MODEL_SPEC_H
#define DESCENT_API_ENCODE_MODEL_SPEC_H

#include "core/nn/model.h"

struct json_writer;

/*
 * {"type","inputs","shape":[c,h,w] of images,"layers":[{"type",...,"output":[c,h,w] where that is an image}],
 * "preprocessing"}
 */
void encode_model_spec(const struct model *model, struct json_writer *writer);

/* A layer's members, type first, without the braces. */
void encode_layer_spec(const struct layer_spec *layer, struct json_writer *writer);

#endif
