/* What a model is made of: its layers and preprocessing, as it stands in model objects. */
#ifndef DESCENT_API_ENCODE_MODEL_SPEC_H
#define DESCENT_API_ENCODE_MODEL_SPEC_H

#include "core/nn/model.h"

struct json_writer;

/* {"type","inputs","shape":[c,h,w] for images,"layers":[{"type",...}],"preprocessing"} */
void encode_model_spec(const struct model *model, struct json_writer *writer);

#endif
