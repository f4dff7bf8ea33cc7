/*
 * Schemas from three sources: literal ones (schemas.def, schemas_landscapes.def), enumerations out of the code's own name
 * functions, and the objects of POST /v1/jobs out of the tables that decode them (JobRequest, JobTraining, JobOptimizer,
 * JobOptimizerSgd ...).
 */
#include "openapi_schemas.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/dataset_path.h"
#include "api/descent_request.h"
#include "api/evaluate_request.h"
#include "api/field_description.h"
#include "api/gradient_check_request.h"
#include "api/job_patch.h"
#include "api/job_request_tables.h"
#include "api/json_writer.h"
#include "api/predict_request.h"
#include "api/views.h"
#include "core/train/diagnostics.h"
#include "core/train/train_spec.h"

#define NAME_MAX_TEXT 64

/* Bodies beside the job's that have a table of fields. */
static const struct {
    const char *name;
    const struct field *fields;
    const size_t *count;
} bodies[] = {
    {"DatasetPath", dataset_path_fields, &dataset_path_field_count},
    {"PredictRequest", predict_request_fields, &predict_request_field_count},
    {"JobPatch", job_patch_fields, &job_patch_field_count},
    {"EvaluateRequest", evaluate_request_fields, &evaluate_request_field_count},
    {"DescentRequest", descent_request_fields + 1, &descent_request_named_field_count},
    {"FormulaDescentRequest", descent_request_fields, &descent_request_field_count},
    {"GradientCheckRequest", gradient_check_request_fields, &gradient_check_request_field_count},
};

/* Fields that are decoded by hand, and the schema that says what a table cannot. */
static const struct {
    const char *object, *field, *schema;
} by_hand[] = {
    {"dataset", "x", "Rows"},
    {"dataset", "y", "Labels"},
    {"model", "hidden", "HiddenUnits"},
    {"model", "filters", "Filters"},
    {"model", "input_shape", "InputShape"},
    {"loss", "class_weights", "ClassWeights"},
    {"job", "init", "JobInit"},
    {"job", "metadata", "Metadata"},
    {"job", "diagnostics", "Diagnostics"},
    {"initial_model", "model", "ModelId"},
    {"initial_model", "sha256", "Sha256"},
    {"expect", "dataset_sha256", "Sha256"},
    {"PredictRequest", "instances", "Rows"},
    {"PredictRequest", "return", "PredictReturn"},
    {"EvaluateRequest", "dataset", "DatasetId"},
    {"DescentRequest", "box", "Box"},
    {"DescentRequest", "start", "Point"},
    {"DescentRequest", "starts", "DescentStarts"},
    {"DescentRequest", "noise", "DescentNoise"},
    {"DescentRequest", "optimizers", "DescentOptimizers"},
    {"FormulaDescentRequest", "f", "Formula"},
    {"FormulaDescentRequest", "box", "Box"},
    {"FormulaDescentRequest", "start", "Point"},
    {"FormulaDescentRequest", "starts", "DescentStarts"},
    {"FormulaDescentRequest", "noise", "DescentNoise"},
    {"FormulaDescentRequest", "optimizers", "DescentOptimizers"},
    {"GradientCheckRequest", "dataset", "JobDataset"},
};

static const struct {
    const char *name, *json;
} literal_schemas[] = {
#define SCHEMA(name, ...) {#name, #__VA_ARGS__},
#include "api/schemas.def"
#include "api/schemas_landscapes.def"
#undef SCHEMA
};

#define NAMES(function, type)                                                                                               \
    static const char *function##_of(unsigned index)                                                                        \
    {                                                                                                                       \
        return function((enum type)index);                                                                                  \
    }
NAMES(status_code, status)
NAMES(job_status_name, job_status)
NAMES(event_type_name, event_type)
NAMES(stop_reason_name, stop_reason)
NAMES(metric_name, metric)
NAMES(initializer_name, initializer)
NAMES(diagnostic_name, diagnostic)

/* Values first ... count - 1 of an enum. */
static const struct {
    const char *name;
    const char *(*value)(unsigned index);
    unsigned first, count;
} enumerations[] = {
    {"ProblemCode", status_code_of, STATUS_OK + 1, STATUS_COUNT},
    {"JobStatus", job_status_name_of, 0, JOB_STATUS_COUNT},
    {"EventType", event_type_name_of, 0, EVENT_TYPE_COUNT},
    {"StopReason", stop_reason_name_of, STOP_NONE + 1, STOP_REASON_COUNT},
    {"Metric", metric_name_of, 0, METRIC_COUNT},
    {"Initializer", initializer_name_of, 0, INITIALIZER_COUNT},
    {"Diagnostic", diagnostic_name_of, 0, DIAGNOSTIC_COUNT},
};

void openapi_write_reference(const char *schema, struct json_writer *writer)
{
    char reference[sizeof SCHEMA_REFERENCE + NAME_MAX_TEXT];

    (void)snprintf(reference, sizeof reference, SCHEMA_REFERENCE "%s", schema);
    json_begin_object(writer);
    json_member_string(writer, "$ref", reference);
    json_end_object(writer);
}

/* "stop.early" and "sgd" appended to a name as "StopEarly" and "Sgd". */
static void append_words(char name[NAME_MAX_TEXT], const char *words)
{
    size_t used = strlen(name);
    int begins = 1;

    for (; *words != '\0' && used + 1 < NAME_MAX_TEXT; words++) {
        if (*words == '_' || *words == '.') {
            begins = 1;
        } else {
            name[used++] = begins && *words >= 'a' && *words <= 'z' ? (char)(*words - 'a' + 'A') : *words;
            begins = 0;
        }
    }
    name[used] = '\0';
}

/* variant NULL: of the object as a whole. */
static void schema_name(char name[NAME_MAX_TEXT], enum job_table id, const char *table, const char *variant)
{
    (void)snprintf(name, NAME_MAX_TEXT, "Job");
    append_words(name, id == JOB_TABLE_JOB ? "request" : table);
    append_words(name, variant == NULL ? "" : variant);
}

/* A list whose items have a table, {"type":"array","items":{…}}. */
static void write_list(const struct field *field, const char *item, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "type", "array");
    json_member_int(writer, "minItems", 1);
    json_key(writer, "items");
    openapi_write_reference(item, writer);
    json_member_string(writer, "description", field->help);
    json_end_object(writer);
}

/* The schema that a field refers to, "" for none. */
static void property_schema(char name[NAME_MAX_TEXT], const struct field_table *object, const struct field *field)
{
    enum job_table id = job_table_of(object, field);
    struct field_table table;

    name[0] = '\0';
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        if (strcmp(by_hand[i].object, object->name) == 0 && strcmp(by_hand[i].field, field->name) == 0) {
            (void)snprintf(name, NAME_MAX_TEXT, "%s", by_hand[i].schema);
            return;
        }
    }
    if (field->kind == FIELD_SEED) {
        (void)snprintf(name, NAME_MAX_TEXT, "Seed");
    } else if (id != JOB_TABLE_COUNT) {
        job_table(id, 0, &table);
        schema_name(name, id, table.name, NULL);
    }
}

static void write_property(const struct field_table *object, const struct field *field, struct json_writer *writer)
{
    char name[NAME_MAX_TEXT], reference[sizeof SCHEMA_REFERENCE + NAME_MAX_TEXT];

    json_key(writer, field->name);
    if (strcmp(field->name, "type") == 0 && object->variant != NULL) {
        json_begin_object(writer);
        json_member_string(writer, "const", object->variant);
        json_end_object(writer);
        return;
    }
    property_schema(name, object, field);
    (void)snprintf(reference, sizeof reference, SCHEMA_REFERENCE "%s", name);
    if (strcmp(field->name, "layers") == 0) {
        write_list(field, name, writer);
    } else {
        field_write_schema(field, name[0] == '\0' ? NULL : reference, writer);
    }
}

/* An object, or one variant of it; type_is_optional: the variant that an object without "type" is. */
static void write_object(const struct field_table *table, int type_is_optional, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "type", "object");
    if (table->help[0] != '\0') {
        json_member_string(writer, "description", table->help);
    }
    json_key(writer, "required");
    json_begin_array(writer);
    for (size_t f = 0; f < table->count; f++) {
        int is_type = table->variant != NULL && strcmp(table->fields[f].name, "type") == 0;

        if (table->fields[f].required || (is_type && !type_is_optional)) {
            json_string(writer, table->fields[f].name);
        }
    }
    json_end_array(writer);
    json_key(writer, "properties");
    json_begin_object(writer);
    for (size_t f = 0; f < table->count; f++) {
        write_property(table, &table->fields[f], writer);
    }
    json_end_object(writer);
    json_member_bool(writer, "additionalProperties", 0);
    json_end_object(writer);
}

/* Objects that may leave "type" out; they are then their first variant. */
static int has_default_type(enum job_table id)
{
    return id == JOB_TABLE_OPTIMIZER || id == JOB_TABLE_SCHEDULE;
}

/* {"discriminator":…}: which value of "type" is which variant. */
static void write_discriminator(enum job_table id, struct json_writer *writer)
{
    struct field_table table;
    char name[NAME_MAX_TEXT], reference[sizeof SCHEMA_REFERENCE + NAME_MAX_TEXT];

    json_key(writer, "discriminator");
    json_begin_object(writer);
    json_member_string(writer, "propertyName", "type");
    json_key(writer, "mapping");
    json_begin_object(writer);
    for (size_t v = 0; v < job_table_variants(id); v++) {
        job_table(id, v, &table);
        schema_name(name, id, table.name, table.variant);
        (void)snprintf(reference, sizeof reference, SCHEMA_REFERENCE "%s", name);
        json_member_string(writer, table.variant, reference);
    }
    json_end_object(writer);
    json_end_object(writer);
}

/* {"oneOf":[each variant]}; a data set may also be an id, and its variants have no "type" to tell them apart. */
static void write_variants(enum job_table id, struct json_writer *writer)
{
    struct field_table table;
    char name[NAME_MAX_TEXT];

    json_begin_object(writer);
    json_key(writer, "oneOf");
    json_begin_array(writer);
    if (id == JOB_TABLE_DATASET) {
        openapi_write_reference("DatasetId", writer);
    }
    for (size_t v = 0; v < job_table_variants(id); v++) {
        job_table(id, v, &table);
        schema_name(name, id, table.name, table.variant);
        openapi_write_reference(name, writer);
    }
    json_end_array(writer);
    if (id != JOB_TABLE_DATASET && !has_default_type(id)) {
        write_discriminator(id, writer);
    }
    json_end_object(writer);
}

static void write_request_schemas(struct json_writer *writer)
{
    struct field_table table;
    char name[NAME_MAX_TEXT];

    for (int t = 0; t < JOB_TABLE_COUNT; t++) {
        enum job_table id = (enum job_table)t;

        job_table(id, 0, &table);
        schema_name(name, id, table.name, NULL);
        json_key(writer, name);
        if (table.variant == NULL) {
            write_object(&table, 0, writer);
            continue;
        }
        write_variants(id, writer);
        for (size_t v = 0; v < job_table_variants(id); v++) {
            job_table(id, v, &table);
            schema_name(name, id, table.name, table.variant);
            json_key(writer, name);
            write_object(&table, has_default_type(id) && v == 0, writer);
        }
    }
}

static void write_body(size_t body, struct json_writer *writer)
{
    struct field_table table = {.name = bodies[body].name, .help = "", .count = *bodies[body].count};

    assert(table.count <= FIELD_TABLE_MAX);
    memcpy(table.fields, bodies[body].fields, table.count * sizeof *table.fields);
    write_object(&table, 0, writer);
}

void openapi_write_schemas(struct json_writer *writer)
{
    json_begin_object(writer);
    for (size_t i = 0; i < sizeof literal_schemas / sizeof *literal_schemas; i++) {
        json_member_raw(writer, literal_schemas[i].name, literal_schemas[i].json);
    }
    for (size_t i = 0; i < sizeof enumerations / sizeof *enumerations; i++) {
        json_key(writer, enumerations[i].name);
        json_begin_object(writer);
        json_member_string(writer, "type", "string");
        json_key(writer, "enum");
        json_begin_array(writer);
        for (unsigned v = enumerations[i].first; v < enumerations[i].count; v++) {
            json_string(writer, enumerations[i].value(v));
        }
        json_end_array(writer);
        json_end_object(writer);
    }
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        json_key(writer, bodies[i].name);
        write_body(i, writer);
    }
    write_request_schemas(writer);
    json_end_object(writer);
}
