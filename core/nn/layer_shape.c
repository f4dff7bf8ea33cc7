/* Sizes are floor((in + 2 padding - kernel) / stride) + 1, in 64 bits: no input can overflow them. */
#include "core/nn/layer_shape.h"

#include <assert.h>
#include <stdio.h>

uint64_t layer_shape_values(const struct layer_shape *shape)
{
    return (uint64_t)shape->channels * shape->height * shape->width;
}

struct layer_shape layer_shape_of_inputs(const struct model_spec *spec)
{
    if (spec->channels == 0) {
        return (struct layer_shape){spec->inputs, 1, 1, .is_flat = 1};
    }
    return (struct layer_shape){spec->channels, spec->height, spec->width, .is_image = 1, .is_flat = 1};
}

static const char *place(char pointer[48], uint32_t index, const char *member)
{
    snprintf(pointer, 48, "/layers/%u/%s", index, member);
    return pointer;
}

static enum status check_values(uint64_t values, uint32_t index, const char *member, struct error *error)
{
    char pointer[48];

    return values <= MODEL_MAX_VALUES ? STATUS_OK
                                      : error_set_pointer(error, STATUS_OUT_OF_RANGE, place(pointer, index, member),
                                                          "%llu values of a sample leave the layer, at most %d are allowed",
                                                          (unsigned long long)values, MODEL_MAX_VALUES);
}

/* A window (kernel) that moves over the image. */
static enum status slide(const struct layer_spec *layer, uint32_t index, struct layer_shape *shape, struct error *error)
{
    const int is_conv = layer->type == LAYER_CONV2D;
    const uint64_t size[2] = {(uint64_t)shape->height + 2 * (uint64_t)layer->padding[0],
                              (uint64_t)shape->width + 2 * (uint64_t)layer->padding[1]};
    char pointer[48];

    if (!shape->is_image) {
        return error_set_pointer(
            error, STATUS_CONFLICTING_FIELDS, place(pointer, index, "type"),
            "%s needs an image, but here are %u values in a row; give model.input_shape where a table's "
            "rows are images",
            layer_type_name(layer->type), shape->channels);
    }
    for (int i = 0; i < 2; i++) {
        if (layer->kernel[i] > size[i]) {
            return error_set_pointer(error, STATUS_OUT_OF_RANGE, place(pointer, index, is_conv ? "kernel" : "size"),
                                     "%u x %u does not fit into %llu x %llu (height x width%s)", layer->kernel[0],
                                     layer->kernel[1], (unsigned long long)size[0], (unsigned long long)size[1],
                                     is_conv ? ", with padding" : "");
        }
    }
    shape->channels = is_conv ? layer->units : shape->channels;
    shape->height = (uint32_t)((size[0] - layer->kernel[0]) / layer->stride[0] + 1);
    shape->width = (uint32_t)((size[1] - layer->kernel[1]) / layer->stride[1] + 1);
    shape->is_flat = 0;
    return check_values(layer_shape_values(shape), index, is_conv ? "filters" : "size", error);
}

enum status layer_shape_step(const struct layer_spec *layer, uint32_t index, struct layer_shape *shape, struct error *error)
{
    char pointer[48];

    switch (layer->type) {
    case LAYER_CONV2D:
    case LAYER_MAX_POOL2D:
    case LAYER_AVG_POOL2D:
        return slide(layer, index, shape, error);
    case LAYER_BATCH_NORM:
        shape->is_flat &= shape->height == 1 && shape->width == 1;
        return STATUS_OK;
    case LAYER_FLATTEN:
        *shape = (struct layer_shape){(uint32_t)layer_shape_values(shape), 1, 1, .is_flat = 1};
        return STATUS_OK;
    case LAYER_DENSE:
        if (!shape->is_flat) {
            return error_set_pointer(error, STATUS_CONFLICTING_FIELDS, place(pointer, index, "type"),
                                     "dense needs its values in a row, here are %u x %u x %u; put a flatten before it",
                                     shape->channels, shape->height, shape->width);
        }
        *shape = (struct layer_shape){layer->units, 1, 1, .is_flat = 1};
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}

void layer_shapes(const struct model_spec *spec, struct layer_shape *shapes)
{
    struct layer_shape shape = layer_shape_of_inputs(spec);

    for (uint32_t i = 0; i < spec->layer_count; i++) {
        enum status status = layer_shape_step(&spec->layers[i], i, &shape, NULL);

        assert(status == STATUS_OK);
        (void)status;
        shapes[i] = shape;
    }
}

uint64_t layer_fan_in(const struct layer_spec *layer, const struct layer_shape *input)
{
    return layer->type == LAYER_DENSE    ? layer_shape_values(input)
           : layer->type == LAYER_CONV2D ? (uint64_t)input->channels * layer->kernel[0] * layer->kernel[1]
                                         : 0;
}

uint64_t layer_parameters(const struct layer_spec *layer, const struct layer_shape *input)
{
    switch (layer->type) {
    case LAYER_DENSE:
    case LAYER_CONV2D:
        return (layer_fan_in(layer, input) + 1) * layer->units;
    case LAYER_BATCH_NORM:
        return 4 * (uint64_t)input->channels;
    default:
        return 0;
    }
}
