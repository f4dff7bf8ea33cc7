#include "dataset_ref.h"

#include <string.h>

#include "api/inline_data.h"
#include "api/job_request_tables.h"
#include "api/json.h"
#include "api/json_writer.h"

#define ID_PREFIX  "ds_"
#define ID_LETTERS 20

static int is_id(const char *text)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t prefix = strlen(ID_PREFIX);

    return strncmp(text, ID_PREFIX, prefix) == 0 && strlen(text) == prefix + ID_LETTERS &&
           strspn(text + prefix, LETTERS) == ID_LETTERS;
}

static void decode_id(struct dataset_ref *ref, const char *id, const char *pointer, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};

    if (is_id(id)) {
        ref->type = DATASET_REF_ID;
        memcpy(ref->id, id, strlen(id) + 1);
    } else if (problem->status == STATUS_OK) {
        (void)error_set_pointer(&error, STATUS_DATASET_NOT_FOUND, pointer, "there is no data set %.64s", id);
        problem_add(problem, &error);
    }
}

static void decode_generator(struct dataset_ref *ref, const struct json_value *value, const char *pointer,
                             struct problem *problem)
{
    struct field_table table;
    char place[FIELD_POINTER_TEXT];

    job_table(JOB_TABLE_DATASET, DATASET_FORM_GENERATOR, &table);
    fields_set_defaults(table.fields, table.count, &ref->generator);
    fields_decode(table.fields, table.count, value, &ref->generator, pointer, problem);
    if (problem->status != STATUS_OK) {
        return;
    }
    const struct generator_spec *spec = &ref->generator;
    uint32_t most = generator_max_classes(spec->type);
    if (spec->classes > most) {
        field_pointer(place, pointer, "classes");
        problem_add_field(problem, STATUS_OUT_OF_RANGE, place, NULL, "%u classes, %s have at most %u", spec->classes,
                          generator_name(spec->type), most);
    } else if (spec->n < spec->classes) {
        field_pointer(place, pointer, "n");
        problem_add_field(problem, STATUS_OUT_OF_RANGE, place, NULL, "%u rows for %u classes", spec->n, spec->classes);
    } else {
        ref->type = DATASET_REF_GENERATOR;
    }
}

/* x or y must be a list: one that is not stands in the tree. */
static int is_list(const struct json_value *object, const char *key, const char *pointer, struct problem *problem)
{
    const struct json_value *value = json_get(object, key);
    char place[FIELD_POINTER_TEXT];

    if (value != NULL && json_type(value) != JSON_ARRAY) {
        field_pointer(place, pointer, key);
        field_wrong_type(value, "a list", place, problem);
    }
    return value != NULL && json_type(value) == JSON_ARRAY;
}

static void decode_inline(struct dataset_ref *ref, const struct json_value *value, const struct json_span *x,
                          const struct json_span *y, const char *pointer, struct problem *problem)
{
    struct field_table table;
    int lists;

    job_table(JOB_TABLE_DATASET, DATASET_FORM_INLINE, &table);
    fields_decode(table.fields, table.count, value, NULL, pointer, problem);
    lists = is_list(value, "x", pointer, problem);
    lists = is_list(value, "y", pointer, problem) && lists;
    if (lists && x != NULL && y != NULL) {
        ref->type = DATASET_REF_INLINE;
        inline_data_decode(&ref->block, x, y, pointer, problem);
    }
}

void dataset_ref_decode(struct dataset_ref *ref, const struct json_value *value, const struct json_span *x,
                        const struct json_span *y, const char *pointer, struct problem *problem)
{
    if (json_type(value) == JSON_STRING) {
        decode_id(ref, json_to_string(value), pointer, problem);
    } else if (json_type(value) != JSON_OBJECT) {
        field_wrong_type(value, "a string or an object", pointer, problem);
    } else if (json_get(value, "x") != NULL || json_get(value, "y") != NULL) {
        decode_inline(ref, value, x, y, pointer, problem);
    } else {
        decode_generator(ref, value, pointer, problem);
    }
}

void dataset_ref_release(struct dataset_ref *ref)
{
    buffer_sink_release(&ref->block);
    ref->type = DATASET_REF_NONE;
}

void dataset_ref_encode(const struct dataset_ref *ref, const char *key, struct json_writer *writer)
{
    struct field_table table;

    if (ref->type == DATASET_REF_NONE) {
        return;
    }
    json_key(writer, key);
    if (ref->type == DATASET_REF_ID) {
        json_string(writer, ref->id);
        return;
    }
    json_begin_object(writer);
    if (ref->type == DATASET_REF_INLINE) {
        inline_data_encode(&ref->block, writer);
    } else {
        job_table(JOB_TABLE_DATASET, DATASET_FORM_GENERATOR, &table);
        fields_encode(table.fields, table.count, &ref->generator, writer);
    }
    json_end_object(writer);
}
