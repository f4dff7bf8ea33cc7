/* The resolved spec, in the order of the contract. What tables cover they write; the rest mirrors job_request_decode.c. */
#include "job_request.h"

#include "api/job_request_tables.h"
#include "api/json_writer.h"
#include "core/train/diagnostics.h"

/* Opens the member `key` with the fields of a table. */
static void begin_object(enum job_table id, size_t variant, const char *key, const void *from, struct json_writer *writer)
{
    struct field_table table;

    job_table(id, variant, &table);
    json_key(writer, key);
    json_begin_object(writer);
    if (table.variant != NULL) {
        json_member_string(writer, "type", table.variant);
    }
    fields_encode(table.fields, table.count, from, writer);
}

static void write_object(enum job_table id, size_t variant, const char *key, const void *from, struct json_writer *writer)
{
    begin_object(id, variant, key, from, writer);
    json_end_object(writer);
}

/* dense layers have units only once they are known. */
static void write_layer(const struct layer_spec *layer, struct json_writer *writer)
{
    struct field_table table;

    job_table(JOB_TABLE_LAYER, layer->type, &table);
    json_begin_object(writer);
    json_member_string(writer, "type", table.variant);
    if (layer->type != LAYER_DENSE || layer->units > 0) {
        fields_encode(table.fields, table.count, layer, writer);
    }
    json_end_object(writer);
}

static void write_numbers(const char *key, const uint32_t *numbers, uint32_t count, struct json_writer *writer)
{
    json_key(writer, key);
    json_begin_array(writer);
    for (uint32_t i = 0; i < count; i++) {
        json_uint(writer, numbers[i]);
    }
    json_end_array(writer);
}

static void write_model(const struct job_request *request, struct json_writer *writer)
{
    const struct model_spec *model = &request->train.model;
    enum model_form form = model->type == MODEL_MLP      ? MODEL_FORM_MLP
                           : model->type == MODEL_CNN    ? MODEL_FORM_CNN
                           : model->type == MODEL_LAYERS ? MODEL_FORM_LAYERS
                           : request->logistic           ? MODEL_FORM_LOGISTIC
                                                         : MODEL_FORM_SOFTMAX;

    begin_object(JOB_TABLE_MODEL, form, "model", request, writer);
    if (form == MODEL_FORM_CNN) {
        write_numbers("filters", request->filters, request->filter_count, writer);
    }
    if (form == MODEL_FORM_CNN || form == MODEL_FORM_MLP) {
        write_numbers("hidden", request->hidden, request->hidden_count, writer);
    } else if (form == MODEL_FORM_LAYERS) {
        json_key(writer, "layers");
        json_begin_array(writer);
        for (uint32_t i = 0; i < model->layer_count; i++) {
            write_layer(&model->layers[i], writer);
        }
        json_end_array(writer);
    }
    if (model->channels > 0) {
        write_numbers("input_shape", (const uint32_t[]){model->channels, model->height, model->width}, 3, writer);
    }
    json_end_object(writer);
}

static void write_init(const struct job_request *request, struct json_writer *writer)
{
    if (request->init.id[0] == '\0') {
        json_member_string(writer, "init", initializer_name(request->train.initializer));
        return;
    }
    json_key(writer, "init");
    json_begin_object(writer);
    json_member_string(writer, "model", request->init.id);
    if (request->init.sha256[0] != '\0') {
        json_member_string(writer, "sha256", request->init.sha256);
    }
    json_end_object(writer);
}

static void write_class_weights(const struct job_request *request, struct json_writer *writer)
{
    json_key(writer, "class_weights");
    switch (request->train.loss.weighting) {
    case CLASS_WEIGHTS_NONE:
        json_null(writer);
        break;
    case CLASS_WEIGHTS_BALANCED:
        json_string(writer, "balanced");
        break;
    case CLASS_WEIGHTS_LIST:
        json_begin_array(writer);
        for (uint32_t i = 0; i < request->class_weight_count; i++) {
            json_number(writer, request->class_weights[i]);
        }
        json_end_array(writer);
        break;
    }
}

static void write_loss(const struct job_request *request, struct json_writer *writer)
{
    begin_object(JOB_TABLE_LOSS, 0, "loss", request, writer);
    json_member_string(writer, "type", "cross_entropy");
    write_class_weights(request, writer);
    json_end_object(writer);
}

static void write_stop(const struct job_request *request, struct json_writer *writer)
{
    begin_object(JOB_TABLE_STOP, 0, "stop", request, writer);
    if (request->train.stop.early) {
        write_object(JOB_TABLE_EARLY, 0, "early", request, writer);
    } else {
        json_member_null(writer, "early");
    }
    json_end_object(writer);
}

/* Each only where it is not as usual: specs from before there was a choice keep their hash. */
static void write_kind(const struct job_request *request, struct json_writer *writer)
{
    const struct train_spec *train = &request->train;

    if (train->kind != TRAIN_ORDINARY) {
        json_member_string(writer, "kind", train_kind_name(train->kind));
        write_object(JOB_TABLE_RANGE, 0, "range", request, writer);
    }
    if (train->precision != PRECISION_F32) {
        json_member_string(writer, "precision", precision_name(train->precision));
    }
    if (train->diagnostics != 0) {
        json_key(writer, "diagnostics");
        json_begin_array(writer);
        for (int i = 0; i < DIAGNOSTIC_COUNT; i++) {
            if ((train->diagnostics & DIAGNOSTIC_BIT(i)) != 0) {
                json_string(writer, diagnostic_name((enum diagnostic)i));
            }
        }
        json_end_array(writer);
    }
}

static void write_expect(const char *dataset_sha256, const char *kernel_tier, struct json_writer *writer)
{
    int has_sha256 = dataset_sha256 != NULL && dataset_sha256[0] != '\0';
    int has_tier = kernel_tier != NULL && kernel_tier[0] != '\0';

    if (!has_sha256 && !has_tier) {
        return;
    }
    json_key(writer, "expect");
    json_begin_object(writer);
    if (has_sha256) {
        json_member_string(writer, "dataset_sha256", dataset_sha256);
    }
    if (has_tier) {
        json_member_string(writer, "kernel_tier", kernel_tier);
    }
    json_end_object(writer);
}

void job_request_encode(const struct job_request *request, const char *dataset_sha256, const char *kernel_tier,
                        struct json_writer *writer)
{
    const struct train_spec *train = &request->train;

    json_begin_object(writer);
    if (request->name[0] != '\0') {
        json_member_string(writer, "name", request->name);
    }
    dataset_ref_encode(&request->dataset, "dataset", writer);
    write_object(JOB_TABLE_SPLIT, 0, "split", request, writer);
    if (request->test.type != DATASET_REF_NONE) {
        json_key(writer, "test");
        json_begin_object(writer);
        dataset_ref_encode(&request->test, "dataset", writer);
        json_end_object(writer);
    }
    write_model(request, writer);
    write_init(request, writer);
    json_member_string(writer, "preprocessing",
                       request->preprocessing_auto ? "auto" : preprocessing_name(train->preprocessing));
    write_loss(request, writer);
    write_object(JOB_TABLE_OPTIMIZER, train->optimizer.type, "optimizer", &train->optimizer, writer);
    write_object(JOB_TABLE_SCHEDULE, train->schedule.type, "schedule", &train->schedule, writer);
    begin_object(JOB_TABLE_TRAINING, 0, "training", request, writer);
    json_member_uint(writer, "shards", 1);
    json_end_object(writer);
    write_stop(request, writer);
    if (!request->calibration_auto) {
        json_member_string(writer, "calibration", calibration_method_name(request->calibration));
    }
    write_kind(request, writer);
    write_object(JOB_TABLE_CHECKPOINT, 0, "checkpoint", request, writer);
    write_object(JOB_TABLE_RESOURCES, 0, "resources", request, writer);
    json_member_raw(writer, "metadata", request->metadata != NULL ? request->metadata : "{}");
    write_expect(dataset_sha256, kernel_tier, writer);
    json_end_object(writer);
}
