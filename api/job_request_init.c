/* How a job's weights start: by an initialiser, or as those of a model. */
#include <stdio.h>
#include <string.h>

#include "api/job_request_decoder.h"

/* ---- decoding ---- */

/* The activation that decides how weights start; LAYER_DENSE where there is none. */
static enum layer_type first_activation(const struct job_request *request)
{
    const struct model_spec *model = &request->train.model;

    if (model->type == MODEL_MLP || model->type == MODEL_CNN) {
        return (enum layer_type)(LAYER_RELU + (int)request->activation);
    }
    for (uint32_t i = 0; model->type == MODEL_LAYERS && i < model->layer_count; i++) {
        enum layer_type type = model->layers[i].type;

        if (type == LAYER_RELU || type == LAYER_LEAKY_RELU || type == LAYER_TANH || type == LAYER_SIGMOID) {
            return type;
        }
    }
    return LAYER_DENSE;
}

/* Layers with weights: with one of them alone, zeros are as good a start as any. */
static uint32_t weighted_count(const struct job_request *request)
{
    const struct model_spec *model = &request->train.model;
    uint32_t count = 0;

    if (model->type != MODEL_LAYERS) {
        return request->filter_count + request->hidden_count + 1;
    }
    for (uint32_t i = 0; i < model->layer_count; i++) {
        count += model->layers[i].type == LAYER_DENSE || model->layers[i].type == LAYER_CONV2D;
    }
    return count;
}

static enum initializer default_initializer(const struct job_request *request)
{
    enum layer_type activation = first_activation(request);

    if (weighted_count(request) == 1) {
        return INIT_ZEROS;
    }
    return activation == LAYER_RELU || activation == LAYER_LEAKY_RELU ? INIT_HE_NORMAL : INIT_GLOROT_UNIFORM;
}

static void decode_initial_model(struct decoder *d, const struct json_value *value)
{
    struct initial_model *init = &d->request->init;
    struct field_table table;

    job_table(JOB_TABLE_INITIAL_MODEL, 0, &table);
    fields_decode(table.fields, table.count, value, init, "/init", d->problem);
    (void)job_decode_text(d, value, "sha256", "/init", init->sha256, sizeof init->sha256); /* may be left out */
    if (job_decode_text(d, value, "model", "/init", init->id, sizeof init->id) && init->id[0] == '\0') {
        problem_add_field(d->problem, STATUS_UNKNOWN_VALUE, "/init/model", NULL, "a model's id is wanted, this is empty");
    }
}

void job_decode_init(struct decoder *d, const struct json_value *value)
{
    struct field_table table;

    d->request->train.initializer = default_initializer(d->request);
    if (value == NULL) {
        return;
    }
    if (json_type(value) == JSON_OBJECT) {
        decode_initial_model(d, value);
        return;
    }
    if (json_type(value) != JSON_STRING) {
        field_wrong_type(value, "a string or an object", "/init", d->problem);
        return;
    }
    job_table(JOB_TABLE_JOB, 0, &table);
    struct field field = *job_decode_find(&table, "init");
    field.kind = FIELD_CHOICE;
    (void)field_decode(&field, value, d->request, "/init", d->problem); /* the problem has it */
}

/* ---- meeting the model ---- */

static int find_class(const char *name, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The first of `names` that `others` lack; `count`: there is none. */
static uint32_t missing_class(const char *const *names, uint32_t count, const char *const *others, uint32_t other_count)
{
    uint32_t i = 0;

    while (i < count && find_class(names[i], others, other_count)) {
        i++;
    }
    return i;
}

/* The names one after the other, as many as there is room for. */
static void list_names(char *text, size_t room, const char *const *names, uint32_t count)
{
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < count && used < room; i++) {
        used += (size_t)snprintf(text + used, room - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
}

/*
 * A class is what it is called. Labels are numbered in the natural order of their names, so that equal names are in equal
 * order; but columns of soft labels stand as they came, and the last layer's units with them.
 */
static int check_classes(const struct model *model, const struct dataset *dataset, struct problem *problem)
{
    const char *const *theirs = (const char *const *)model->class_names, *const *ours = dataset->class_names;
    uint32_t their_count = model->spec.classes, our_count = dataset->classes, same = 0;
    uint32_t unknown = missing_class(ours, our_count, theirs, their_count);
    uint32_t missing = missing_class(theirs, their_count, ours, our_count);
    char model_list[96], data_list[96];

    if (unknown < our_count) {
        problem_add_field(problem, STATUS_CLASS_COUNT_MISMATCH, "/init/model", NULL,
                          "the data set's class \"%.64s\" is not one of the model's", ours[unknown]);
        return 0;
    }
    if (missing < their_count) {
        problem_add_field(problem, STATUS_CLASS_COUNT_MISMATCH, "/init/model", NULL,
                          "the model's class \"%.64s\" is not one of the data set's", theirs[missing]);
        return 0;
    }
    while (same < our_count && strcmp(ours[same], theirs[same]) == 0) {
        same++;
    }
    if (same < our_count) {
        list_names(model_list, sizeof model_list, theirs, their_count);
        list_names(data_list, sizeof data_list, ours, our_count);
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/init/model", NULL,
                          "the classes come in another order: in the model %s; in the data set %s", model_list, data_list);
    }
    return same == our_count;
}

static void check_layers(const struct model *model, const struct model_spec *spec, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};

    if (model_fits(model, spec, &error) != STATUS_OK) {
        problem_add_field(problem, error.status, "/model", NULL, "%s", error.message);
    }
}

/* The model was trained with its own constants, so its weights mean something with these alone. */
static void take_preprocessing(struct job_request *request, struct problem *problem)
{
    enum preprocessing type = request->init.model->scaler.type;

    if (request->preprocessing_auto) {
        request->train.preprocessing = type;
        request->preprocessing_auto = 0;
    } else if (request->train.preprocessing != type) {
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/preprocessing", NULL,
                          "the model to start from has its own, %s; leave this out", preprocessing_name(type));
    }
}

void job_resolve_initial_model(struct job_request *request, const struct dataset *dataset, struct problem *problem)
{
    const struct model *model = request->init.model;

    take_preprocessing(request, problem);
    if (model->spec.inputs != dataset->features) {
        problem_add_field(problem, STATUS_FEATURE_COUNT_MISMATCH, "/init/model", NULL,
                          "the model has %u features, the data set %u", model->spec.inputs, dataset->features);
    } else if (check_classes(model, dataset, problem)) {
        check_layers(model, &request->train.model, problem);
    }
    snprintf(request->init.sha256, sizeof request->init.sha256, "%s", model->digest);
}
