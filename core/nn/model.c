#include "core/nn/model.h"

#include <stdlib.h>

void model_release(struct model *model)
{
    if (model == NULL) {
        return;
    }
    if (model->class_names != NULL) {
        for (uint32_t c = 0; c < model->spec.classes; c++) {
            free(model->class_names[c]);
        }
    }
    free(model->class_names);
    free(model->parameters);
    scaler_release(&model->scaler);
    *model = (struct model){0};
}

static int layers_equal(const struct layer_spec *a, const struct layer_spec *b)
{
    return a->type == b->type && (a->type != LAYER_DENSE || a->units == b->units) &&
           (a->type != LAYER_LEAKY_RELU || a->slope == b->slope);
}

enum status model_fits(const struct model *model, const struct model_spec *spec, struct error *error)
{
    const struct model_spec *own = &model->spec;

    if (own->inputs != spec->inputs) {
        return error_set(error, STATUS_FEATURE_COUNT_MISMATCH, "the model has %u features, %u are needed", own->inputs,
                         spec->inputs);
    }
    if (own->classes != spec->classes) {
        return error_set(error, STATUS_CLASS_COUNT_MISMATCH, "the model has %u classes, %u are needed", own->classes,
                         spec->classes);
    }
    if (own->layer_count != spec->layer_count) {
        return error_set(error, STATUS_CONFLICTING_FIELDS, "the model has %u layers, not %u", own->layer_count,
                         spec->layer_count);
    }
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        if (!layers_equal(&own->layers[i], &spec->layers[i])) {
            return error_set(error, STATUS_CONFLICTING_FIELDS, "layer %u of the model is another one (%s, not %s)", i,
                             layer_type_name(own->layers[i].type), layer_type_name(spec->layers[i].type));
        }
    }
    return STATUS_OK;
}
