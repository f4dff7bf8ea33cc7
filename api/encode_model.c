/* Models, predictions, evaluations and parameters as JSON and CSV; see encode_model.h. */
#include "encode_model.h"

#include <math.h>
#include <string.h>

#include "api/encode_common.h"
#include "api/encode_model_spec.h"
#include "api/encode_results.h"
#include "api/json_writer.h"
#include "core/nn/layer_shape.h"

void encode_model(const struct model_view *model, struct json_writer *writer)
{
    static const char models[] = "/v1/models";

    json_begin_object(writer);
    json_member_string(writer, "object", "model");
    json_member_string(writer, "id", model->id);
    encode_optional(writer, "name", model->name);
    encode_optional(writer, "job", model->job);
    encode_time(writer, "created_at", model->created_at);
    json_member_uint(writer, "bytes", model->bytes);
    json_member_uint(writer, "parameters", model->parameters);
    encode_digest(writer, "digest", model->digest, model->step);
    json_member_string(writer, "kernel_tier", model->kernel_tier);
    json_member_raw(writer, "spec", model->spec);
    json_member_raw(writer, "classes", model->classes);
    json_member_raw(writer, "scores", model->scores);
    json_member_raw(writer, "calibration", model->calibration);
    json_key(writer, "links");
    json_begin_object(writer);
    encode_link(writer, "self", models, model->id, "");
    encode_link(writer, "predict", models, model->id, "/predict");
    encode_link(writer, "evaluate", models, model->id, "/evaluate");
    encode_link(writer, "gradient_check", models, model->id, "/gradient_check");
    encode_link(writer, "export", models, model->id, "/export");
    if (model->job[0] != '\0') {
        encode_link(writer, "job", "/v1/jobs", model->job, "");
    }
    json_end_object(writer);
    json_end_object(writer);
}

void encode_model_list(const struct model_view *models, size_t count, int has_more, struct json_writer *writer)
{
    encode_list_begin(writer);
    for (size_t i = 0; i < count; i++) {
        encode_model(&models[i], writer);
    }
    encode_list_end(writer, count == 0 ? NULL : models[0].id, count == 0 ? NULL : models[count - 1].id, has_more);
}

/*
 * The class that comes after `before` in the order of falling probability, equals in their own order; the label comes first,
 * also where rounding makes another one as probable. before == classes: the label.
 */
static uint32_t next_likely(const float *probabilities, uint32_t classes, uint32_t label, uint32_t before)
{
    uint32_t best = classes;

    if (before == classes) {
        return label;
    }
    for (uint32_t k = 0; k < classes; k++) {
        int after = before == label || probabilities[k] < probabilities[before] ||
                    (k > before && probabilities[k] == probabilities[before]);

        if (after && k != label && (best == classes || probabilities[k] > probabilities[best])) {
            best = k;
        }
    }
    return best;
}

void encode_top(const char *const *class_names, uint32_t classes, const float *probabilities, uint32_t label, uint32_t count,
                struct json_writer *writer)
{
    uint32_t k = classes;

    json_key(writer, "top");
    json_begin_array(writer);
    for (uint32_t i = 0; i < count && i < classes; i++) {
        k = next_likely(probabilities, classes, label, k);
        json_begin_object(writer);
        json_member_string(writer, "label", class_names[k]);
        json_member_float(writer, "probability", probabilities[k]);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void encode_prediction(const struct predictions *predictions, uint64_t row, struct json_writer *writer)
{
    json_begin_object(writer);
    if (predictions->with_label) {
        json_member_string(writer, "label", predictions->class_names[predictions->labels[row]]);
    }
    if (predictions->with_probabilities) {
        json_key(writer, "probabilities");
        json_begin_array(writer);
        for (uint32_t k = 0; k < predictions->classes; k++) {
            json_float(writer, predictions->probabilities[row * predictions->classes + k]);
        }
        json_end_array(writer);
    }
    if (predictions->top_k > 0) {
        encode_top(predictions->class_names, predictions->classes, predictions->probabilities + row * predictions->classes,
                   predictions->labels[row],
                   predictions->top_k < PREDICTIONS_TOP_MAX ? predictions->top_k : PREDICTIONS_TOP_MAX, writer);
    }
    json_end_object(writer);
}

static void encode_class_names(const char *const *names, uint32_t classes, struct json_writer *writer)
{
    json_key(writer, "classes");
    json_begin_array(writer);
    for (uint32_t k = 0; k < classes; k++) {
        json_string(writer, names[k]);
    }
    json_end_array(writer);
}

void encode_predictions(const struct predictions *predictions, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "predictions");
    json_member_string(writer, "model", predictions->model);
    json_key(writer, "temperature");
    json_number(writer, predictions->temperature > 0 ? predictions->temperature : (double)NAN);
    encode_class_names(predictions->class_names, predictions->classes, writer);
    json_key(writer, "predictions");
    json_begin_array(writer);
    for (uint64_t row = 0; row < predictions->rows; row++) {
        encode_prediction(predictions, row, writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void encode_predictions_csv(const struct predictions *predictions, struct text *out)
{
    uint32_t classes = predictions->classes;

    text_string(out, predictions->with_label ? "label" : "");
    for (uint32_t k = 0; predictions->with_probabilities && k < classes; k++) {
        text_string(out, k > 0 || predictions->with_label ? "," : "");
        text_csv_field(out, predictions->class_names[k]);
    }
    text_put(out, "\n", 1);
    for (uint64_t row = 0; row < predictions->rows; row++) {
        const float *probabilities = predictions->probabilities + row * classes;

        if (predictions->with_label) {
            text_csv_field(out, predictions->class_names[predictions->labels[row]]);
        }
        for (uint32_t k = 0; predictions->with_probabilities && k < classes; k++) {
            text_printf(out, "%s%.9g", k > 0 || predictions->with_label ? "," : "", (double)probabilities[k]);
        }
        text_put(out, "\n", 1);
    }
}

void encode_evaluation(const char *model, const char *dataset, const struct scores *scores, const char *const *class_names,
                       double seconds, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "evaluation");
    json_member_string(writer, "model", model);
    json_member_string(writer, "dataset", dataset);
    encode_scores(scores, (double)NAN, class_names, writer);
    json_member_number(writer, "seconds", seconds);
    json_end_object(writer);
}

static void encode_floats(const float *values, size_t count, struct json_writer *writer)
{
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_float(writer, values[i]);
    }
    json_end_array(writer);
}

/* Values of `shape` [depth], nested lists of them; *values moves past what it took. */
static void encode_tensor(const char *key, const uint64_t *shape, size_t depth, const float **values,
                          struct json_writer *writer)
{
    if (key != NULL) {
        json_key(writer, key);
    }
    if (depth == 1) {
        encode_floats(*values, shape[0], writer);
        *values += shape[0];
        return;
    }
    json_begin_array(writer);
    for (uint64_t i = 0; i < shape[0]; i++) {
        encode_tensor(NULL, shape + 1, depth - 1, values, writer);
    }
    json_end_array(writer);
}

/* One layer and its parameters, which *parameters moves past. */
static void encode_layer(const struct layer_spec *layer, const struct layer_shape *input, const float **parameters,
                         struct json_writer *writer)
{
    const uint64_t dense[] = {layer->units, layer_shape_values(input)}, channels[] = {input->channels};
    const uint64_t conv[] = {layer->units, input->channels, layer->kernel[0], layer->kernel[1]};
    static const char *const batch_norm[] = {"weight", "bias", "running_mean", "running_var"};

    json_begin_object(writer);
    encode_layer_spec(layer, writer);
    if (layer->type == LAYER_DENSE) {
        encode_tensor("weight", dense, 2, parameters, writer);
        encode_tensor("bias", dense, 1, parameters, writer);
    } else if (layer->type == LAYER_CONV2D) {
        encode_tensor("weight", conv, 4, parameters, writer);
        encode_tensor("bias", conv, 1, parameters, writer);
    }
    for (int k = 0; k < 4 && layer->type == LAYER_BATCH_NORM; k++) {
        encode_tensor(batch_norm[k], channels, 1, parameters, writer);
    }
    json_end_object(writer);
}

static void encode_scaler(const struct scaler *scaler, struct json_writer *writer)
{
    json_key(writer, "preprocessing");
    json_begin_object(writer);
    json_member_string(writer, "type", preprocessing_name(scaler->type));
    if (!scaler->uniform) {
        json_key(writer, "shift");
        encode_floats(scaler->shift, scaler->features, writer);
        json_key(writer, "factor");
        encode_floats(scaler->factor, scaler->features, writer);
    }
    json_end_object(writer);
}

void encode_model_parameters(const struct model *model, const char *id, struct json_writer *writer)
{
    const float *parameters = model->parameters;
    struct layer_shape shape = layer_shape_of_inputs(&model->spec), shapes[MODEL_MAX_LAYERS];

    layer_shapes(&model->spec, shapes);
    json_begin_object(writer);
    json_member_string(writer, "object", "model_parameters");
    json_member_string(writer, "model", id);
    json_member_string(writer, "kernel_tier", model->kernel_tier);
    json_member_string(writer, "parameters_sha256", model->digest);
    json_key(writer, "temperature");
    json_number(writer, model->temperature > 0 ? model->temperature : (double)NAN);
    encode_class_names((const char *const *)model->class_names, model->spec.classes, writer);
    encode_scaler(&model->scaler, writer);
    json_key(writer, "layers");
    json_begin_array(writer);
    for (uint32_t l = 0; l < model->spec.layer_count; shape = shapes[l++]) {
        encode_layer(&model->spec.layers[l], &shape, &parameters, writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}
