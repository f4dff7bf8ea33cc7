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

static int pairs_equal(const uint32_t a[2], const uint32_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

/* All but rates of dropout, and how fast batch_norm forgets. */
static int layers_equal(const struct layer_spec *a, const struct layer_spec *b)
{
    if (a->type != b->type) {
        return 0;
    }
    switch (a->type) {
    case LAYER_DENSE:
        return a->units == b->units;
    case LAYER_LEAKY_RELU:
        return a->slope == b->slope;
    case LAYER_BATCH_NORM:
        return a->epsilon == b->epsilon;
    case LAYER_CONV2D:
    case LAYER_MAX_POOL2D:
    case LAYER_AVG_POOL2D:
        return a->units == b->units && pairs_equal(a->kernel, b->kernel) && pairs_equal(a->stride, b->stride) &&
               pairs_equal(a->padding, b->padding);
    default:
        return 1;
    }
}

/* Without convolutions and the like a shape means nothing to the parameters. */
static int shapes_equal(const struct model_spec *a, const struct model_spec *b)
{
    for (uint32_t i = 0; i < a->layer_count; i++) {
        enum layer_type type = a->layers[i].type;

        if (type == LAYER_CONV2D || type == LAYER_MAX_POOL2D || type == LAYER_AVG_POOL2D || type == LAYER_BATCH_NORM) {
            return a->channels == b->channels && a->height == b->height && a->width == b->width;
        }
    }
    return 1;
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
    if (!shapes_equal(own, spec)) {
        return error_set(error, STATUS_CONFLICTING_FIELDS, "the model's images are %u x %u x %u, not %u x %u x %u",
                         own->channels, own->height, own->width, spec->channels, spec->height, spec->width);
    }
    return STATUS_OK;
}
