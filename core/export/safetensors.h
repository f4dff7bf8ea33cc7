/*
 * A model as a safetensors file, and back. Little-endian float32; tensors "layers.<i>.weight" [units][inputs] and
 * "layers.<i>.bias" [units], in order, gapless; everything else a prediction needs (layers, preprocessing, class names,
 * kernel tier) stands in __metadata__ as strings. Format: github.com/huggingface/safetensors.
 */
#ifndef DESCENT_CORE_EXPORT_SAFETENSORS_H
#define DESCENT_CORE_EXPORT_SAFETENSORS_H

#include "core/data/sink.h"
#include "core/nn/model.h"

/* Writes the file. `metadata_json`: extra "key":"value" members (already escaped JSON text, comma-separated) or NULL. */
MUST_CHECK enum status safetensors_write(const struct model *model, const char *metadata_json, struct sink sink,
                                         struct error *error);

#endif
