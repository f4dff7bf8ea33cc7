/* A small model with every field in use, for the tests of its files. */
#ifndef DESCENT_TESTS_CORE_NN_SAMPLE_MODEL_H
#define DESCENT_TESTS_CORE_NN_SAMPLE_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/nn/model.h"

/* 6 features (for scale_255 an image of 2 x 3), 5 hidden units, 3 classes with awkward names. The caller releases it. */
static inline void sample_model(struct model *model, enum preprocessing preprocessing)
{
    static const char *const names[3] = {"a \"quoted\" \\ name", "\xc3\xa9t\xc3\xa9", "tab\there"};
    const uint32_t hidden = 5;
    enum status status;

    *model = (struct model){.is_image = preprocessing == PREPROCESS_SCALE_255, .channels = 1, .height = 2, .width = 3};
    status = model_spec_perceptron(&model->spec, MODEL_MLP, 6, 3, &hidden, 1, LAYER_LEAKY_RELU, 0.25, NULL);
    model->scaler = (struct scaler){
        .type = preprocessing,
        .features = 6,
        .uniform = preprocessing == PREPROCESS_NONE || preprocessing == PREPROCESS_SCALE_255,
    };
    model->class_names = calloc(3, sizeof(*model->class_names));
    model->parameter_count = model_spec_parameter_count(&model->spec);
    model->parameters = aligned_alloc(64, (model->parameter_count * sizeof(float) + 63) / 64 * 64);
    if (!model->scaler.uniform) {
        model->scaler.shift = calloc(6, sizeof(float));
        model->scaler.factor = calloc(6, sizeof(float));
        for (int i = 0; i < 6; i++) {
            model->scaler.shift[i] = 0.1f * (float)i;
            model->scaler.factor[i] = 1 / (float)(i + 3);
        }
    }
    for (int c = 0; c < 3 && status == STATUS_OK; c++) {
        model->class_names[c] = strdup(names[c]);
    }
    for (uint64_t i = 0; i < model->parameter_count; i++) {
        model->parameters[i] = 1 / (float)(i + 1) - 0.3f;
    }
    model->temperature = model->scaler.uniform ? 0 : 2.209582776976263;
    snprintf(model->kernel_tier, sizeof(model->kernel_tier), "avx2/n1/onednn-2.6.3/l1-32k-l2-1m-l3-32m");
    sha256_text(model->parameters, model->parameter_count * sizeof(float), model->digest);
}

#endif
