/*
 * A model as a safetensors file (github.com/huggingface/safetensors): u64 length of the header, the header (JSON, padded
 * with spaces to a multiple of 8), the data: little-endian float32, gapless, the model's parameters as they stand. Hence
 * the SHA-256 of the data is the model's digest.
 *
 * Tensors: "layers.<i>.weight" [units][inputs] and "layers.<i>.bias" [units], i counting all layers from 0, as in PyTorch's
 * Sequential; of conv2d weight [filters][channels][kernel height][kernel width] and bias; of batch_norm weight, bias,
 * running_mean and running_var [channels]. Everything else that a prediction needs stands in __metadata__, whose values are
 * strings; the second column's are JSON texts themselves:
 *
 *     format          descentd/1                  layers         [{"type":"dense","units":512},{"type":"relu"}, ...]
 *     digest          SHA-256 of the data         classes        ["cat","dog"]
 *     kernel_tier     where it was trained        preprocessing  {"type":"standardize","shift":[...],"factor":[...]}
 *
 *     temperature     "2.2095827769762632"        only where one was fitted: probabilities are softmax(logits / temperature)
 * A model of convolutions has input_shape, "[channels,height,width]", too.
 *
 * preprocessing means x -> (x - shift) * factor; without arrays it is none, or scale_255: x / 255.
 */
#ifndef DESCENT_CORE_EXPORT_SAFETENSORS_H
#define DESCENT_CORE_EXPORT_SAFETENSORS_H

#include "core/data/sink.h"
#include "core/nn/model.h"

/* Writes the file. `metadata_json`: extra "key":"value" members (already escaped JSON text, comma-separated) or NULL. */
MUST_CHECK enum status safetensors_write(const struct model *model, const char *metadata_json, struct sink sink,
                                         struct error *error);

#endif
