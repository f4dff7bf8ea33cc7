#include "core/export/safetensors.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/nn/layer_shape.h"

#define ALIGNMENT 8

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(float) == 4, "parameters are written as they stand");

/* A growing text that remembers its first failure, so that a header reads as what it prints. */
struct text {
    struct buffer_sink bytes;
    enum status status;
    struct error *error;
};

static void add_bytes(struct text *text, const char *bytes, size_t size)
{
    if (text->status == STATUS_OK) {
        struct sink sink = buffer_sink(&text->bytes);
        text->status = sink.write(sink.context, bytes, size, text->error);
    }
}

/* Short pieces only: at most 255 bytes. */
static void add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct text *text, const char *format, ...)
{
    char piece[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    assert(length >= 0 && (size_t)length < sizeof(piece));
    add_bytes(text, piece, (size_t)length);
}

/* A JSON string: quotes, backslashes and control characters escaped, other UTF-8 as it stands. */
static void add_string(struct text *text, const char *bytes, size_t size)
{
    size_t plain = 0; /* where the part begins that needs no escape */

    add(text, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte == '"' || byte == '\\' || byte < 0x20) {
            add_bytes(text, bytes + plain, i - plain);
            plain = i + 1;
            if (byte < 0x20) {
                add(text, "\\u%04x", byte);
            } else {
                add(text, "\\%c", byte);
            }
        }
    }
    add_bytes(text, bytes + plain, size - plain);
    add(text, "\"");
}

static void add_pair(struct text *text, const char *name, const uint32_t pair[2])
{
    add(text, ",\"%s\":[%u,%u]", name, pair[0], pair[1]);
}

static void write_layer(const struct layer_spec *layer, struct text *text)
{
    add(text, "{\"type\":\"%s\"", layer_type_name(layer->type));
    switch (layer->type) {
    case LAYER_DENSE:
        add(text, ",\"units\":%u", layer->units);
        break;
    case LAYER_LEAKY_RELU:
        add(text, ",\"slope\":%.17g", layer->slope);
        break;
    case LAYER_DROPOUT:
        add(text, ",\"rate\":%.17g", layer->rate);
        break;
    case LAYER_CONV2D:
        add(text, ",\"filters\":%u", layer->units);
        add_pair(text, "kernel", layer->kernel);
        add_pair(text, "stride", layer->stride);
        add_pair(text, "padding", layer->padding);
        break;
    case LAYER_MAX_POOL2D:
    case LAYER_AVG_POOL2D:
        add_pair(text, "size", layer->kernel);
        add_pair(text, "stride", layer->stride);
        break;
    case LAYER_BATCH_NORM:
        add(text, ",\"momentum\":%.17g,\"epsilon\":%.17g", layer->momentum, layer->epsilon);
        break;
    default:
        break;
    }
    add(text, "}");
}

static void write_layers(const struct model *model, struct text *text)
{
    add(text, "[");
    for (uint32_t i = 0; i < model->spec.layer_count; i++) {
        add(text, "%s", i > 0 ? "," : "");
        write_layer(&model->spec.layers[i], text);
    }
    add(text, "]");
}

/* Of the features, where they are images. */
static void write_input_shape(const struct model *model, struct text *text)
{
    add(text, "[%u,%u,%u]", model->spec.channels, model->spec.height, model->spec.width);
}

static void write_classes(const struct model *model, struct text *text)
{
    add(text, "[");
    for (uint32_t c = 0; c < model->spec.classes; c++) {
        add(text, "%s", c > 0 ? "," : "");
        add_string(text, model->class_names[c], strlen(model->class_names[c]));
    }
    add(text, "]");
}

/* Nine digits bring every float32 back. */
static void write_floats(const char *name, const float *values, uint32_t n, struct text *text)
{
    add(text, ",\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++) {
        add(text, "%s%.9g", i > 0 ? "," : "", (double)values[i]);
    }
    add(text, "]");
}

static void write_preprocessing(const struct model *model, struct text *text)
{
    const struct scaler *scaler = &model->scaler;

    add(text, "{\"type\":\"%s\"", preprocessing_name(scaler->type));
    if (!scaler->uniform) {
        write_floats("shift", scaler->shift, scaler->features, text);
        write_floats("factor", scaler->factor, scaler->features, text);
    }
    add(text, "}");
}

/* A member whose value is a string that holds a JSON text. */
static void add_json_member(struct text *text, const char *name, void (*write)(const struct model *, struct text *),
                            const struct model *model)
{
    struct text inner = {.error = text->error, .status = text->status};

    write(model, &inner);
    text->status = inner.status;
    add(text, ",\"%s\":", name);
    add_string(text, (const char *)inner.bytes.data, inner.bytes.size);
    buffer_sink_release(&inner.bytes);
}

/* A tensor at byte *at, which moves past it. `shape`: numbers with commas. */
static void add_tensor(struct text *text, uint32_t layer, const char *name, const char *shape, uint64_t values, uint64_t *at)
{
    uint64_t end = *at + sizeof(float) * values;

    add(text, ",\"layers.%u.%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}", layer, name, shape,
        (unsigned long long)*at, (unsigned long long)end);
    *at = end;
}

/* weight and bias of `units` units or filters. */
static void add_weights(struct text *text, uint32_t index, const struct layer_spec *layer, const struct layer_shape *input,
                        uint64_t *at)
{
    uint64_t inputs = layer_fan_in(layer, input);
    char shape[64];

    if (layer->type == LAYER_DENSE) {
        (void)snprintf(shape, sizeof(shape), "%u,%llu", layer->units, (unsigned long long)inputs);
    } else {
        (void)snprintf(shape, sizeof(shape), "%u,%u,%u,%u", layer->units, input->channels, layer->kernel[0],
                       layer->kernel[1]);
    }
    add_tensor(text, index, "weight", shape, layer->units * inputs, at);
    (void)snprintf(shape, sizeof(shape), "%u", layer->units);
    add_tensor(text, index, "bias", shape, layer->units, at);
}

static void add_tensors(struct text *text, const struct model_spec *spec)
{
    static const char *const batch_norm[] = {"weight", "bias", "running_mean", "running_var"};
    struct layer_shape shape = layer_shape_of_inputs(spec), shapes[MODEL_MAX_LAYERS];
    uint64_t at = 0;
    char channels[16];

    layer_shapes(spec, shapes);
    for (uint32_t i = 0; i < spec->layer_count; shape = shapes[i++]) {
        const struct layer_spec *layer = &spec->layers[i];

        (void)snprintf(channels, sizeof(channels), "%u", shape.channels);
        if (layer->type == LAYER_DENSE || layer->type == LAYER_CONV2D) {
            add_weights(text, i, layer, &shape, &at);
        }
        for (int k = 0; k < 4 && layer->type == LAYER_BATCH_NORM; k++) {
            add_tensor(text, i, batch_norm[k], channels, shape.channels, &at);
        }
    }
}

static void add_header(struct text *text, const struct model *model, const char *metadata_json)
{
    add(text, "{\"__metadata__\":{\"format\":\"descentd/1\",\"digest\":\"%s\",\"kernel_tier\":", model->digest);
    add_string(text, model->kernel_tier, strlen(model->kernel_tier));
    add_json_member(text, "layers", write_layers, model);
    if (model->spec.channels > 0) {
        add_json_member(text, "input_shape", write_input_shape, model);
    }
    add_json_member(text, "classes", write_classes, model);
    add_json_member(text, "preprocessing", write_preprocessing, model);
    if (model->temperature > 0) {
        add(text, ",\"temperature\":\"%.17g\"", model->temperature);
    }
    if (metadata_json != NULL && metadata_json[0] != '\0') {
        add(text, ",");
        add_bytes(text, metadata_json, strlen(metadata_json));
    }
    add(text, "}");
    add_tensors(text, &model->spec);
    add(text, "}");
    while (text->bytes.size % ALIGNMENT != 0 && text->status == STATUS_OK) {
        add(text, " ");
    }
}

enum status safetensors_write(const struct model *model, const char *metadata_json, struct sink sink, struct error *error)
{
    struct text header = {.error = error};
    unsigned char length[8];
    enum status status;

    add_header(&header, model, metadata_json);
    for (size_t i = 0; i < sizeof(length); i++) {
        length[i] = (unsigned char)((uint64_t)header.bytes.size >> 8 * i);
    }
    status = header.status;
    if (status == STATUS_OK) {
        status = sink.write(sink.context, length, sizeof(length), error);
    }
    if (status == STATUS_OK) {
        status = sink.write(sink.context, header.bytes.data, header.bytes.size, error);
    }
    if (status == STATUS_OK) {
        status = sink.write(sink.context, model->parameters, model->parameter_count * sizeof(float), error);
    }
    buffer_sink_release(&header.bytes);
    return status;
}
