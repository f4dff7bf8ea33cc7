/*
 * A trained model: what a prediction needs and nothing else. Immutable once made; safe to share between threads.
 *
 * Parameters are one float32 array in canonical order: for each dense layer the weight [units][inputs] row-major, then
 * the bias [units]; for each conv2d the weight [filters][channels][kernel height][kernel width], then the bias [filters];
 * for each batch_norm scale, shift, running mean, running variance [channels]. It is the data section of the model's
 * safetensors file, whose SHA-256 is the model's digest.
 */
#ifndef DESCENT_CORE_NN_MODEL_H
#define DESCENT_CORE_NN_MODEL_H

#include "core/base/status.h"
#include "core/data/scale.h"
#include "core/nn/model_spec.h"

#define MODEL_DIGEST_TEXT 65 /* 64 hexadecimal digits and a NUL */

struct model {
    struct model_spec spec;
    struct scaler scaler; /* owned */
    char **class_names;   /* [classes], owned */
    uint32_t channels, height, width;
    int is_image;
    float *parameters; /* canonical, owned, 64-byte aligned */
    uint64_t parameter_count;
    double temperature; /* that probabilities are best at, as core/eval/temperature.h fits it; 0: none */
    char kernel_tier[128];
    char digest[MODEL_DIGEST_TEXT]; /* SHA-256 of the parameters' little-endian bytes */
};

void model_release(struct model *model);

/*
 * Whether the model's parameters mean the same in a network of `spec`: features, classes and layers are equal; only rates
 * of dropout, which has no parameters, and batch_norm's momentum may differ. STATUS_FEATURE_COUNT_MISMATCH,
 * STATUS_CLASS_COUNT_MISMATCH, else STATUS_CONFLICTING_FIELDS with the first layer that differs.
 */
MUST_CHECK enum status model_fits(const struct model *model, const struct model_spec *spec, struct error *error);

#endif
