/* See the header. */
#include "encode_model_spec.h"

#include "api/job_request_tables.h"
#include "api/json_writer.h"
#include "core/nn/layer_shape.h"

void encode_layer_spec(const struct layer_spec *layer, struct json_writer *writer)
{
    struct field_table table;

    job_table(JOB_TABLE_LAYER, layer->type, &table);
    json_member_string(writer, "type", table.variant);
    fields_encode(table.fields, table.count, layer, writer);
}

static void encode_shape(const char *key, uint32_t channels, uint32_t height, uint32_t width, struct json_writer *writer)
{
    json_key(writer, key);
    json_begin_array(writer);
    json_uint(writer, channels);
    json_uint(writer, height);
    json_uint(writer, width);
    json_end_array(writer);
}

/* Each with the shape of what leaves it, where that is an image. */
static void encode_layers(const struct model_spec *spec, struct json_writer *writer)
{
    struct layer_shape shapes[MODEL_MAX_LAYERS];

    layer_shapes(spec, shapes);
    json_key(writer, "layers");
    json_begin_array(writer);
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        json_begin_object(writer);
        encode_layer_spec(&spec->layers[i], writer);
        if (spec->channels > 0 && shapes[i].is_image) {
            encode_shape("output", shapes[i].channels, shapes[i].height, shapes[i].width, writer);
        }
        json_end_object(writer);
    }
    json_end_array(writer);
}

void encode_model_spec(const struct model *model, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "type", model_type_name(model->spec.type));
    json_member_uint(writer, "inputs", model->spec.inputs);
    if (model->is_image) {
        encode_shape("shape", model->channels, model->height, model->width, writer);
    } else if (model->spec.channels > 0) {
        encode_shape("shape", model->spec.channels, model->spec.height, model->spec.width, writer);
    }
    encode_layers(&model->spec, writer);
    json_member_string(writer, "preprocessing", preprocessing_name(model->scaler.type));
    json_end_object(writer);
}
