/* Objects whose "type" says which fields they have, and the largest of them: the model. */
#include "job_request_decoder.h"

#include <assert.h>
#include <string.h>

/* ---- objects with a "type" ---- */

static int is_in(const char *const *words, const char *word)
{
    for (; words != NULL && *words != NULL; words++) {
        if (strcmp(*words, word) == 0) {
            return 1;
        }
    }
    return 0;
}

const struct field *job_decode_find(const struct field_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->fields[i].name, name) == 0) {
            return &table->fields[i];
        }
    }
    return NULL;
}

/* An error of a "type" that is none: not supported yet, or unknown. */
static void wrong_type_word(enum job_table id, const char *word, const char *pointer, struct problem *problem)
{
    const char *names[32];
    struct field_table table;
    struct field field = {.choices = names, .choice_count = job_table_variants(id)};

    if (is_in(job_table_later(id), word)) {
        problem_add_field(problem, STATUS_NOT_SUPPORTED, pointer, NULL, "%s is not supported yet", word);
        return;
    }
    assert(field.choice_count <= sizeof names / sizeof *names);
    for (size_t i = 0; i < field.choice_count; i++) {
        job_table(id, i, &table);
        names[i] = table.variant;
    }
    field_unknown_value(&field, word, pointer, problem);
}

size_t job_decode_type(const struct json_value *object, enum job_table id, size_t otherwise, const char *pointer,
                       struct field_table *table, struct problem *problem)
{
    size_t variants = job_table_variants(id), variant = otherwise;
    char place[FIELD_POINTER_TEXT];

    table->count = 0;
    if (json_type(object) != JSON_OBJECT) {
        field_wrong_type(object, "an object", pointer, problem);
        return variants;
    }
    const struct json_value *type = json_get(object, "type");
    field_pointer(place, pointer, "type");
    if (type != NULL && json_type(type) != JSON_STRING) {
        field_wrong_type(type, "a string", place, problem);
        return variants;
    }
    if (type == NULL && otherwise == variants) {
        problem_add_field(problem, STATUS_MISSING_FIELD, place, NULL, "type is required");
        return variants;
    }
    for (size_t i = 0; type != NULL && i <= variants; i++) {
        variant = i;
        if (i == variants) {
            wrong_type_word(id, json_to_string(type), place, problem);
            return variants;
        }
        job_table(id, i, table);
        if (strcmp(table->variant, json_to_string(type)) == 0) {
            break;
        }
    }
    job_table(id, variant, table);
    return variant;
}

/* ---- the model ---- */

/* A list of at most `limit` elements, not empty; NULL after an error, or when it is missing. */
static const struct json_value *get_list(const struct json_value *object, const char *key, size_t limit, const char *pointer,
                                         struct problem *problem)
{
    const struct json_value *list = json_get(object, key);
    size_t count = list != NULL ? json_count(list) : 0;

    if (list == NULL) {
        return NULL; /* its table says that it is required */
    }
    if (json_type(list) != JSON_ARRAY) {
        field_wrong_type(list, "a list", pointer, problem);
        return NULL;
    }
    if (count < 1 || count > limit) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, pointer, NULL, "%zu elements, 1 to %zu are allowed", count, limit);
        return NULL;
    }
    return list;
}

/* A list of numbers, each within the field's limits, at "/model/<key>"; returns how many there are. */
static uint32_t decode_numbers(struct decoder *d, const struct json_value *model, const char *key, size_t limit,
                               const struct field *field, uint32_t *numbers)
{
    char place[FIELD_POINTER_TEXT], pointer[FIELD_POINTER_TEXT];
    const struct json_value *list;
    uint32_t count = 0;

    field_pointer(place, "/model", key);
    list = get_list(model, key, limit, place, d->problem);
    if (list == NULL) {
        return 0;
    }
    for (const struct json_value *number = json_first(list); number != NULL; number = json_next(number)) {
        field_pointer_index(pointer, place, count);
        (void)field_decode(field, number, &numbers[count++], pointer, d->problem); /* the problem has it */
    }
    return count;
}

static const struct field UNITS = {.name = "units", .kind = FIELD_COUNT32, .minimum = 1, .maximum = MODEL_MAX_UNITS};

static void decode_hidden(struct decoder *d, const struct json_value *model)
{
    size_t per_hidden = d->request->dropout > 0 ? 3 : 2;

    d->request->hidden_count =
        decode_numbers(d, model, "hidden", (MODEL_MAX_LAYERS - 1) / per_hidden, &UNITS, d->request->hidden);
}

/* Convolutions [32, 64] and hidden units [128], unless they are given; "hidden": [] is none. */
static void decode_cnn(struct decoder *d, const struct json_value *model)
{
    static const uint32_t FILTERS[] = {32, 64}, HIDDEN[] = {128};
    const struct json_value *hidden = json_get(model, "hidden");
    struct job_request *request = d->request;
    int has_none = hidden != NULL && json_type(hidden) == JSON_ARRAY && json_count(hidden) == 0;

    request->filter_count = decode_numbers(d, model, "filters", MODEL_MAX_LAYERS / 3, &UNITS, request->filters);
    if (json_get(model, "filters") == NULL) {
        memcpy(request->filters, FILTERS, sizeof FILTERS);
        request->filter_count = sizeof FILTERS / sizeof *FILTERS;
    }
    if (hidden == NULL) {
        memcpy(request->hidden, HIDDEN, sizeof HIDDEN);
        request->hidden_count = sizeof HIDDEN / sizeof *HIDDEN;
    } else if (!has_none) {
        decode_hidden(d, model);
    }
}

static void decode_input_shape(struct decoder *d, const struct json_value *model)
{
    static const struct field SIZE = {.name = "size", .kind = FIELD_COUNT32, .minimum = 1, .maximum = DATASET_MAX_FEATURES};
    struct model_spec *spec = &d->request->train.model;
    uint32_t shape[3] = {0}, count = decode_numbers(d, model, "input_shape", 3, &SIZE, shape);

    if (count > 0 && count < 3) {
        problem_add_field(d->problem, STATUS_OUT_OF_RANGE, "/model/input_shape", NULL,
                          "%u elements, [channels, height, width] is wanted", count);
    }
    spec->channels = shape[0];
    spec->height = shape[1];
    spec->width = shape[2];
}

/* What a table cannot say: "same" needs the kernel, a pool's stride is its size. */
static void settle_window(struct decoder *d, struct layer_spec *layer, const char *pointer)
{
    char place[FIELD_POINTER_TEXT];

    for (int i = 0; i < 2; i++) {
        uint32_t choice = layer->padding[i];

        if (choice == FIELD_PAIR_CHOICE(PADDING_VALID)) {
            layer->padding[i] = 0;
        } else if (choice == FIELD_PAIR_CHOICE(PADDING_SAME)) {
            layer->padding[i] = (layer->kernel[i] - 1) / 2;
            if (layer->kernel[i] % 2 == 0) {
                field_pointer(place, pointer, "padding");
                problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, place, NULL,
                                  "same needs an odd kernel, not %u x %u; give a number", layer->kernel[0],
                                  layer->kernel[1]);
                return;
            }
        }
        layer->stride[i] = layer->stride[i] == 0 ? layer->kernel[i] : layer->stride[i];
    }
}

static void decode_layer(struct decoder *d, const struct json_value *value, int is_last, const char *pointer)
{
    struct model_spec *model = &d->request->train.model;
    struct layer_spec *layer = &model->layers[model->layer_count++];
    struct field_table table;
    size_t variant = job_decode_type(value, JOB_TABLE_LAYER, LAYER_TYPE_COUNT, pointer, &table, d->problem);
    char place[FIELD_POINTER_TEXT];

    if (variant == LAYER_TYPE_COUNT) {
        return;
    }
    layer->type = (enum layer_type)variant;
    fields_set_defaults(table.fields, table.count, layer);
    fields_decode(table.fields, table.count, value, layer, pointer, d->problem);
    settle_window(d, layer, pointer);
    if (is_last && layer->type != LAYER_DENSE) {
        field_pointer(place, pointer, "type");
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, place, NULL,
                          "the last layer is %s; it must be dense, the softmax after it belongs to the loss",
                          layer_type_name(layer->type));
    }
    if (!is_last && layer->type == LAYER_DENSE && json_get(value, "units") == NULL) {
        field_pointer(place, pointer, "units");
        problem_add_field(d->problem, STATUS_MISSING_FIELD, place, NULL, "only the last dense layer may leave units out");
    }
}

static void decode_layers(struct decoder *d, const struct json_value *model)
{
    const struct json_value *list = get_list(model, "layers", MODEL_MAX_LAYERS, "/model/layers", d->problem);
    char pointer[FIELD_POINTER_TEXT];
    size_t index = 0;

    if (list == NULL) {
        return;
    }
    for (const struct json_value *layer = json_first(list); layer != NULL; layer = json_next(layer)) {
        field_pointer_index(pointer, "/model/layers", index++);
        decode_layer(d, layer, json_next(layer) == NULL, pointer);
    }
}

void job_decode_model(struct decoder *d, const struct json_value *value)
{
    static const enum model_type TYPES[MODEL_FORM_COUNT] = {
        [MODEL_FORM_SOFTMAX] = MODEL_SOFTMAX_REGRESSION,
        [MODEL_FORM_LOGISTIC] = MODEL_SOFTMAX_REGRESSION,
        [MODEL_FORM_MLP] = MODEL_MLP,
        [MODEL_FORM_LAYERS] = MODEL_LAYERS,
        [MODEL_FORM_CNN] = MODEL_CNN,
    };
    struct field_table table;
    size_t form = job_decode_type(value, JOB_TABLE_MODEL, MODEL_FORM_COUNT, "/model", &table, d->problem);

    if (form == MODEL_FORM_COUNT) {
        return;
    }
    d->request->train.model.type = TYPES[form];
    d->request->logistic = form == MODEL_FORM_LOGISTIC;
    fields_set_defaults(table.fields, table.count, d->request);
    fields_decode(table.fields, table.count, value, d->request, "/model", d->problem);
    if (form == MODEL_FORM_MLP) {
        decode_hidden(d, value);
    } else if (form == MODEL_FORM_LAYERS) {
        decode_layers(d, value);
        decode_input_shape(d, value);
    } else if (form == MODEL_FORM_CNN) {
        decode_cnn(d, value);
        decode_input_shape(d, value);
    }
}
