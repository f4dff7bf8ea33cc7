/* See the header. */
#include "encode_model_spec.h"

#include "api/json_writer.h"

static void encode_layer(const struct layer_spec *layer, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "type", layer_type_name(layer->type));
    if (layer->type == LAYER_DENSE) {
        json_member_uint(writer, "units", layer->units);
    } else if (layer->type == LAYER_LEAKY_RELU) {
        json_member_number(writer, "slope", layer->slope);
    } else if (layer->type == LAYER_DROPOUT) {
        json_member_number(writer, "rate", layer->rate);
    }
    json_end_object(writer);
}

void encode_model_spec(const struct model *model, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "type", model_type_name(model->spec.type));
    json_member_uint(writer, "inputs", model->spec.inputs);
    if (model->is_image) {
        json_key(writer, "shape");
        json_begin_array(writer);
        json_uint(writer, model->channels);
        json_uint(writer, model->height);
        json_uint(writer, model->width);
        json_end_array(writer);
    }
    json_key(writer, "layers");
    json_begin_array(writer);
    for (uint32_t i = 0; i < model->spec.layer_count; i++) {
        encode_layer(&model->spec.layers[i], writer);
    }
    json_end_array(writer);
    json_member_string(writer, "preprocessing", preprocessing_name(model->scaler.type));
    json_end_object(writer);
}
