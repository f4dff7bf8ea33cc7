/*
 * The file, numbers little-endian, a text being its length (u32) and its bytes:
 *
 *     magic [8], version u32
 *     model type text, inputs u32, classes u32, layer count u32, shape of the inputs u32 x 3 (0: none)
 *     per layer: type text, units u32, slope f64, rate f64, kernel, stride, padding u32 x 2 each, momentum f64, epsilon f64
 *     channels, height, width, is_image u32; kernel tier text; class names, texts
 *     preprocessing text, uniform u32; if not uniform: shift, factor f32 [inputs]
 *     since version 2: temperature f64, 0: none
 *     parameters' SHA-256 [32], zeros to a multiple of 64
 *     parameters f32, canonical
 *     SHA-256 [32] of all before
 *
 * Version 1, which is still read, has neither that shape nor what stands behind a layer's rate.
 *
 * Types stand as names, so that the tables may change their order. The last hash notices any change of any byte; the
 * checks behind it are for files that never were right.
 */
#include "core/nn/model_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/byte_reader.h"
#include "core/base/sha256.h"
#include "core/base/utf8.h"
#include "core/eval/temperature.h"
#include "core/nn/layer_shape.h"

#define VERSION   2
#define ALIGNMENT 64

static const char magic[8] = "DESCENTM";

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(float) == 4, "float arrays are written as they stand");

/* ---- writing ---- */

static enum status put_u32(struct sink sink, uint32_t value, struct error *error)
{
    const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 24)};

    return sink.write(sink.context, bytes, sizeof(bytes), error);
}

static enum status put_f64(struct sink sink, double value, struct error *error)
{
    uint64_t bits;
    enum status status;

    memcpy(&bits, &value, sizeof(bits));
    status = put_u32(sink, (uint32_t)bits, error);
    return status != STATUS_OK ? status : put_u32(sink, (uint32_t)(bits >> 32), error);
}

static enum status put_text(struct sink sink, const char *text, struct error *error)
{
    enum status status = put_u32(sink, (uint32_t)strlen(text), error);

    return status != STATUS_OK ? status : sink.write(sink.context, text, strlen(text), error);
}

#define PUT(call)                                                                                                           \
    do {                                                                                                                    \
        enum status put_status = (call);                                                                                    \
        if (put_status != STATUS_OK) {                                                                                      \
            return put_status;                                                                                              \
        }                                                                                                                   \
    } while (0)

static enum status put_pair(struct sink sink, const uint32_t pair[2], struct error *error)
{
    PUT(put_u32(sink, pair[0], error));
    return put_u32(sink, pair[1], error);
}

static enum status put_spec(struct sink sink, const struct model_spec *spec, struct error *error)
{
    PUT(put_text(sink, model_type_name(spec->type), error));
    PUT(put_u32(sink, spec->inputs, error));
    PUT(put_u32(sink, spec->classes, error));
    PUT(put_u32(sink, spec->layer_count, error));
    PUT(put_u32(sink, spec->channels, error));
    PUT(put_u32(sink, spec->height, error));
    PUT(put_u32(sink, spec->width, error));
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        const struct layer_spec *layer = &spec->layers[i];

        PUT(put_text(sink, layer_type_name(layer->type), error));
        PUT(put_u32(sink, layer->units, error));
        PUT(put_f64(sink, layer->slope, error));
        PUT(put_f64(sink, layer->rate, error));
        PUT(put_pair(sink, layer->kernel, error));
        PUT(put_pair(sink, layer->stride, error));
        PUT(put_pair(sink, layer->padding, error));
        PUT(put_f64(sink, layer->momentum, error));
        PUT(put_f64(sink, layer->epsilon, error));
    }
    return STATUS_OK;
}

static enum status put_scaler(struct sink sink, const struct scaler *scaler, struct error *error)
{
    PUT(put_text(sink, preprocessing_name(scaler->type), error));
    PUT(put_u32(sink, scaler->uniform ? 1 : 0, error));
    if (!scaler->uniform) {
        PUT(sink.write(sink.context, scaler->shift, scaler->features * sizeof(float), error));
        PUT(sink.write(sink.context, scaler->factor, scaler->features * sizeof(float), error));
    }
    return STATUS_OK;
}

/* Everything before the digest of the parameters. */
static enum status put_description(const struct model *model, struct sink sink, struct error *error)
{
    PUT(sink.write(sink.context, magic, sizeof(magic), error));
    PUT(put_u32(sink, VERSION, error));
    PUT(put_spec(sink, &model->spec, error));
    PUT(put_u32(sink, model->channels, error));
    PUT(put_u32(sink, model->height, error));
    PUT(put_u32(sink, model->width, error));
    PUT(put_u32(sink, model->is_image ? 1 : 0, error));
    PUT(put_text(sink, model->kernel_tier, error));
    for (uint32_t c = 0; c < model->spec.classes; c++) {
        PUT(put_text(sink, model->class_names[c], error));
    }
    PUT(put_scaler(sink, &model->scaler, error));
    return put_f64(sink, model->temperature, error);
}

static size_t padding(size_t size)
{
    return (ALIGNMENT - size % ALIGNMENT) % ALIGNMENT;
}

static enum status put_head(const struct model *model, struct buffer_sink *head, struct error *error)
{
    static const unsigned char zeros[ALIGNMENT] = {0};
    const struct sink sink = buffer_sink(head);
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];

    PUT(put_description(model, sink, error));
    sha256_init(&hash);
    sha256_update(&hash, model->parameters, model->parameter_count * sizeof(float));
    sha256_final(&hash, digest);
    PUT(sink.write(sink.context, digest, sizeof(digest), error));
    return sink.write(sink.context, zeros, padding(head->size), error);
}

/* A sink that only counts. */
static enum status count_bytes(void *context, const void *bytes, size_t size, struct error *error)
{
    size_t *count = context;

    (void)bytes;
    (void)error;
    *count += size;
    return STATUS_OK;
}

uint64_t model_file_size(const struct model *model)
{
    size_t head = 0;
    enum status status = put_description(model, (struct sink){.write = count_bytes, .context = &head}, NULL);

    assert(status == STATUS_OK); /* counting cannot fail */
    (void)status;
    head += SHA256_BYTES;
    return head + padding(head) + model->parameter_count * sizeof(float) + SHA256_BYTES;
}

enum status model_file_write(const struct model *model, struct sink sink, struct error *error)
{
    const size_t size = model->parameter_count * sizeof(float);
    struct buffer_sink head = {0};
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];
    enum status status = put_head(model, &head, error);

    if (status == STATUS_OK) {
        status = sink.write(sink.context, head.data, head.size, error);
    }
    if (status == STATUS_OK) {
        status = sink.write(sink.context, model->parameters, size, error);
    }
    if (status == STATUS_OK) {
        sha256_init(&hash);
        sha256_update(&hash, head.data, head.size);
        sha256_update(&hash, model->parameters, size);
        sha256_final(&hash, digest);
        status = sink.write(sink.context, digest, sizeof(digest), error);
    }
    buffer_sink_release(&head);
    return status;
}

/* ---- reading ---- */

#define CORRUPT(...) error_set(error, STATUS_OBJECT_CORRUPT, "model file: " __VA_ARGS__)

/* A text of at most `limit` bytes, borrowed from the file, not NUL-terminated; NULL: none there, too long or not UTF-8. */
static const char *take_text(struct byte_reader *reader, size_t limit, size_t *length)
{
    const char *bytes;

    *length = byte_reader_u32(reader);
    bytes = *length > limit ? NULL : (const char *)byte_reader_take(reader, *length);
    return bytes != NULL && memchr(bytes, '\0', *length) == NULL && utf8_valid(bytes, *length) ? bytes : NULL;
}

/* The index of a text in a table of names; `count` if it is none of them. */
static unsigned take_name(struct byte_reader *reader, unsigned count, const char *(*name)(unsigned))
{
    uint32_t length = byte_reader_u32(reader);
    const unsigned char *bytes = byte_reader_take(reader, length);
    unsigned index = 0;

    if (bytes == NULL) {
        return count;
    }
    while (index < count && (strlen(name(index)) != length || memcmp(name(index), bytes, length) != 0)) {
        index++;
    }
    return index;
}

static const char *name_of_layer(unsigned index)
{
    return layer_type_name((enum layer_type)index);
}

static const char *name_of_model(unsigned index)
{
    return model_type_name((enum model_type)index);
}

static const char *name_of_preprocessing(unsigned index)
{
    return preprocessing_name((enum preprocessing)index);
}

static void take_pair(struct byte_reader *reader, uint32_t pair[2])
{
    pair[0] = byte_reader_u32(reader);
    pair[1] = byte_reader_u32(reader);
}

/* What version 1 does not have. */
static void take_more_of_layer(struct byte_reader *reader, struct layer_spec *layer)
{
    take_pair(reader, layer->kernel);
    take_pair(reader, layer->stride);
    take_pair(reader, layer->padding);
    layer->momentum = byte_reader_f64(reader);
    layer->epsilon = byte_reader_f64(reader);
}

static enum status take_spec(struct byte_reader *reader, uint32_t version, struct model_spec *spec, struct error *error)
{
    struct error inner = {0};
    unsigned type = take_name(reader, MODEL_TYPE_COUNT, name_of_model);

    spec->inputs = byte_reader_u32(reader);
    spec->classes = byte_reader_u32(reader);
    spec->layer_count = byte_reader_u32(reader);
    if (type == MODEL_TYPE_COUNT || spec->layer_count > MODEL_MAX_LAYERS) {
        return CORRUPT("its type or its number of layers is not known");
    }
    spec->type = (enum model_type)type;
    if (version > 1) {
        spec->channels = byte_reader_u32(reader);
        spec->height = byte_reader_u32(reader);
        spec->width = byte_reader_u32(reader);
    }
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        struct layer_spec *layer = &spec->layers[i];

        layer->type = (enum layer_type)take_name(reader, LAYER_TYPE_COUNT, name_of_layer);
        layer->units = byte_reader_u32(reader);
        layer->slope = byte_reader_f64(reader);
        layer->rate = byte_reader_f64(reader);
        if (version > 1) {
            take_more_of_layer(reader, layer);
        }
    }
    if (reader->failed) {
        return CORRUPT("it ends within the layers");
    }
    if (model_spec_check(spec, &inner) != STATUS_OK) {
        return CORRUPT("%.200s", inner.message);
    }
    return STATUS_OK;
}

static enum status take_shape(struct byte_reader *reader, struct model *model, struct error *error)
{
    const char *tier;
    size_t length;

    model->channels = byte_reader_u32(reader);
    model->height = byte_reader_u32(reader);
    model->width = byte_reader_u32(reader);
    model->is_image = byte_reader_u32(reader) != 0;
    /* two steps: the product of two is at most inputs, which is below 2^21, before the third comes in */
    if ((uint64_t)model->channels * model->height > model->spec.inputs ||
        (uint64_t)model->channels * model->height * model->width != model->spec.inputs) {
        return CORRUPT("its shape is not that of %u features", model->spec.inputs);
    }
    tier = take_text(reader, sizeof(model->kernel_tier) - 1, &length);
    if (tier == NULL) {
        return CORRUPT("its kernel tier is not a text of at most %zu bytes", sizeof(model->kernel_tier) - 1);
    }
    memcpy(model->kernel_tier, tier, length);
    return STATUS_OK;
}

static enum status take_class_names(struct byte_reader *reader, struct model *model, struct error *error)
{
    model->class_names = calloc(model->spec.classes, sizeof(*model->class_names));
    for (uint32_t c = 0; model->class_names != NULL && c < model->spec.classes; c++) {
        size_t length;
        const char *name = take_text(reader, DATASET_CLASS_NAME_MAX, &length);

        if (name == NULL) {
            return CORRUPT("the name of class %u is not a text of at most %d bytes", c, DATASET_CLASS_NAME_MAX);
        }
        model->class_names[c] = malloc(length + 1);
        if (model->class_names[c] == NULL) {
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a class name of %zu bytes", length);
        }
        memcpy(model->class_names[c], name, length);
        model->class_names[c][length] = '\0';
    }
    return model->class_names != NULL
               ? STATUS_OK
               : error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u class names", model->spec.classes);
}

/* `count` float32 values, all finite, in memory of their own. */
static enum status take_floats(struct byte_reader *reader, const char *what, uint64_t count, float **values,
                               struct error *error)
{
    size_t size = count > reader->size / sizeof(float) ? SIZE_MAX : count * sizeof(float);
    const unsigned char *bytes = byte_reader_take(reader, size);

    if (bytes == NULL) {
        return CORRUPT("it ends within its %s", what);
    }
    *values = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (*values == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu bytes of a model", size);
    }
    memcpy(*values, bytes, size);
    for (uint64_t i = 0; i < count; i++) {
        if (!isfinite((*values)[i])) {
            return CORRUPT("value %llu of its %s is not finite", (unsigned long long)i, what);
        }
    }
    return STATUS_OK;
}

static enum status take_scaler(struct byte_reader *reader, struct scaler *scaler, uint32_t features, struct error *error)
{
    unsigned type = take_name(reader, PREPROCESS_COUNT, name_of_preprocessing);
    enum status status;

    scaler->uniform = byte_reader_u32(reader) != 0;
    scaler->features = features;
    if (type == PREPROCESS_COUNT || reader->failed) {
        return CORRUPT("its preprocessing is not known");
    }
    scaler->type = (enum preprocessing)type;
    if (scaler->uniform != (type == PREPROCESS_NONE || type == PREPROCESS_SCALE_255)) {
        return CORRUPT("its preprocessing is %s with the other's constants", preprocessing_name(scaler->type));
    }
    if (scaler->uniform) {
        return STATUS_OK;
    }
    status = take_floats(reader, "preprocessing", features, &scaler->shift, error);
    return status != STATUS_OK ? status : take_floats(reader, "preprocessing", features, &scaler->factor, error);
}

static enum status take_temperature(struct byte_reader *reader, double *temperature, struct error *error)
{
    *temperature = byte_reader_f64(reader);
    if (reader->failed || !(*temperature == 0 || (*temperature >= TEMPERATURE_LEAST && *temperature <= TEMPERATURE_MOST))) {
        return CORRUPT("its temperature is none");
    }
    return STATUS_OK;
}

/* Nothing else can be said of a parameter's value but that no variance is below 0. */
static enum status check_variances(const struct model *model, struct error *error)
{
    struct layer_shape shape = layer_shape_of_inputs(&model->spec), shapes[MODEL_MAX_LAYERS];
    const float *parameters = model->parameters;

    layer_shapes(&model->spec, shapes);
    for (uint32_t i = 0; i < model->spec.layer_count; shape = shapes[i++]) {
        const size_t channels = shape.channels;

        parameters += layer_parameters(&model->spec.layers[i], &shape);
        for (size_t c = 1; model->spec.layers[i].type == LAYER_BATCH_NORM && c <= channels; c++) {
            if (parameters[-(ptrdiff_t)c] < 0) {
                return CORRUPT("a running variance of layer %u is below 0", i);
            }
        }
    }
    return STATUS_OK;
}

static enum status take_parameters(struct byte_reader *reader, struct model *model, struct error *error)
{
    const unsigned char *digest = byte_reader_take(reader, SHA256_BYTES);
    char recorded[SHA256_HEX];
    enum status status;

    byte_reader_align(reader, ALIGNMENT);
    model->parameter_count = model_spec_parameter_count(&model->spec);
    status = take_floats(reader, "parameters", model->parameter_count, &model->parameters, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (reader->position != reader->size) {
        return CORRUPT("%zu bytes are left over", reader->size - reader->position);
    }
    sha256_hex(digest, recorded);
    sha256_text(model->parameters, model->parameter_count * sizeof(float), model->digest);
    if (strcmp(model->digest, recorded) != 0) {
        return CORRUPT("its parameters have digest %s, %s is recorded", model->digest, recorded);
    }
    return check_variances(model, error);
}

static enum status check_hash(const unsigned char *bytes, size_t size, struct error *error)
{
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];

    if (size < sizeof(magic) + 4 + SHA256_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0) {
        return CORRUPT("%zu bytes that are no model", size);
    }
    sha256_init(&hash);
    sha256_update(&hash, bytes, size - SHA256_BYTES);
    sha256_final(&hash, digest);
    if (memcmp(digest, bytes + size - SHA256_BYTES, SHA256_BYTES) != 0) {
        return CORRUPT("its bytes are not those that were written");
    }
    return STATUS_OK;
}

enum status model_file_read(struct model *model, const void *bytes, size_t size, struct error *error)
{
    struct byte_reader reader = {.bytes = bytes, .position = sizeof(magic)};
    enum status status = check_hash(bytes, size, error);
    uint32_t version;

    *model = (struct model){0};
    if (status != STATUS_OK) {
        return status;
    }
    reader.size = size - SHA256_BYTES;
    version = byte_reader_u32(&reader);
    if (version < 1 || version > VERSION) {
        return CORRUPT("version %u, this program reads versions 1 to %d", version, VERSION);
    }
    status = take_spec(&reader, version, &model->spec, error);
    if (status == STATUS_OK) {
        status = take_shape(&reader, model, error);
    }
    if (status == STATUS_OK) {
        status = take_class_names(&reader, model, error);
    }
    if (status == STATUS_OK) {
        status = take_scaler(&reader, &model->scaler, model->spec.inputs, error);
    }
    if (status == STATUS_OK && version >= 2) {
        status = take_temperature(&reader, &model->temperature, error);
    }
    if (status == STATUS_OK) {
        status = take_parameters(&reader, model, error);
    }
    if (status != STATUS_OK) {
        model_release(model);
    }
    return status;
}
