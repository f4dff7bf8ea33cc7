/* Descriptions of fields; see field_description.h. Both forms say the same from the same rows. */
#include "field_description.h"

#include <math.h>
#include <string.h>

#include "api/fields.h"
#include "api/json_writer.h"

static const struct {
    const char *type;   /* of JSON Schema; NULL: not one type */
    const char *called; /* in words */
} kinds[] = {
    [FIELD_NUMBER] = {"number", "number"},
    [FIELD_COUNT32] = {"integer", "integer"},
    [FIELD_COUNT64] = {"integer", "integer"},
    [FIELD_INT32] = {"integer", "integer"},
    [FIELD_FLAG] = {"boolean", "boolean"},
    [FIELD_CHOICE] = {"string", "choice"},
    [FIELD_FLAG_OR_CHOICE] = {NULL, "choice"},
    [FIELD_NAME] = {"string", "string"},
    [FIELD_SEED] = {NULL, "seed"},
    [FIELD_PAIR] = {NULL, "integer or pair"},
    [FIELD_OTHER] = {NULL, NULL},
};

static int is_numeric(const struct field *field)
{
    return field->kind <= FIELD_INT32;
}

static int takes_null(const struct field *field)
{
    return (field->word != NULL && strcmp(field->word, "null") == 0) ||
           (field->kind == FIELD_OTHER && strstr(field->json_type, "null") != NULL);
}

int field_has_default(const struct field *field)
{
    return field->word_is_default ||
           (!isnan(field->default_value) && field->kind < FIELD_OTHER && field->kind != FIELD_NAME && !field->required);
}

/* ---- JSON Schema ---- */

/* "string or object", "null, string or array": the types named, as a list. */
static void write_types(const char *types, struct json_writer *writer)
{
    static const char *const known[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

    json_key(writer, "type");
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strstr(types, known[i]) != NULL) {
            json_string(writer, known[i]);
        }
    }
    json_end_array(writer);
}

/* What may stand there, one by one: the choices (false and true for the first and last of FLAG_OR_CHOICE), the word. */
static void write_choices(const struct field *field, struct json_writer *writer)
{
    json_begin_array(writer);
    for (size_t c = 0; c < field->choice_count; c++) {
        if (field->kind == FIELD_FLAG_OR_CHOICE && c == 0) {
            json_bool(writer, 0);
        } else {
            json_string(writer, field_choice(field, c));
        }
    }
    if (field->kind == FIELD_FLAG_OR_CHOICE) {
        json_bool(writer, 1);
    }
    if (takes_null(field)) {
        json_null(writer);
    } else if (field->word != NULL) {
        json_string(writer, field->word);
    }
    json_end_array(writer);
}

static void write_limits(const struct field *field, const char *exclusive_minimum, const char *exclusive_maximum,
                         struct json_writer *writer)
{
    if (isfinite(field->minimum)) {
        json_member_number(writer, field->minimum_excluded ? exclusive_minimum : "minimum", field->minimum);
    }
    if (isfinite(field->maximum)) {
        json_member_number(writer, field->maximum_excluded ? exclusive_maximum : "maximum", field->maximum);
    }
}

/* A number within limits, or the word: "null" is a type of its own, any other word an alternative. */
static void write_number_schema(const struct field *field, struct json_writer *writer)
{
    int alternative = field->word != NULL && !takes_null(field);

    if (alternative) {
        json_key(writer, "anyOf");
        json_begin_array(writer);
        json_begin_object(writer);
        json_member_string(writer, "const", field->word);
        json_end_object(writer);
        json_begin_object(writer);
    }
    json_key(writer, "type");
    if (takes_null(field)) {
        json_begin_array(writer);
        json_string(writer, kinds[field->kind].type);
        json_string(writer, "null");
        json_end_array(writer);
    } else {
        json_string(writer, kinds[field->kind].type);
    }
    write_limits(field, "exclusiveMinimum", "exclusiveMaximum", writer);
    if (alternative) {
        json_end_object(writer);
        json_end_array(writer);
    }
}

/* One number, a list of two, or a choice. */
static void write_pair_schema(const struct field *field, struct json_writer *writer)
{
    json_key(writer, "anyOf");
    json_begin_array(writer);
    for (int list = 0; list < 2; list++) {
        json_begin_object(writer);
        if (list) {
            json_member_string(writer, "type", "array");
            json_member_uint(writer, "minItems", 2);
            json_member_uint(writer, "maxItems", 2);
            json_key(writer, "items");
            json_begin_object(writer);
        }
        json_member_string(writer, "type", "integer");
        write_limits(field, "exclusiveMinimum", "exclusiveMaximum", writer);
        json_end_object(writer);
        if (list) {
            json_end_object(writer);
        }
    }
    if (field->choice_count > 0) {
        json_begin_object(writer);
        json_key(writer, "enum");
        write_choices(field, writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_reference(const struct field *field, const char *reference, struct json_writer *writer)
{
    if (!takes_null(field)) {
        json_member_string(writer, "$ref", reference);
        return;
    }
    json_key(writer, "oneOf");
    json_begin_array(writer);
    json_begin_object(writer);
    json_member_string(writer, "type", "null");
    json_end_object(writer);
    json_begin_object(writer);
    json_member_string(writer, "$ref", reference);
    json_end_object(writer);
    json_end_array(writer);
}

void field_write_schema(const struct field *field, const char *reference, struct json_writer *writer)
{
    json_begin_object(writer);
    if (reference != NULL) {
        write_reference(field, reference, writer);
    } else if (is_numeric(field)) {
        write_number_schema(field, writer);
    } else if (field->kind == FIELD_PAIR) {
        write_pair_schema(field, writer);
    } else if (field->choice_count > 0) {
        json_key(writer, "enum");
        write_choices(field, writer);
    } else if (field->kind == FIELD_OTHER) {
        write_types(field->json_type, writer);
    } else {
        json_member_string(writer, "type", kinds[field->kind].type);
    }
    if (field->kind == FIELD_NAME) {
        json_member_string(writer, "pattern", "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$");
    }
    if (field_has_default(field)) {
        json_key(writer, "default");
        field_write_default(field, writer);
    }
    json_member_string(writer, "description", field->help);
    json_end_object(writer);
}

/* ---- words ---- */

void field_write_parameter(const struct field *field, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "name", field->name);
    json_member_string(writer, "type", field->kind == FIELD_OTHER ? field->json_type : kinds[field->kind].called);
    json_member_bool(writer, "required", field->required);
    json_key(writer, "default");
    field_write_default(field, writer);
    if (is_numeric(field) || field->kind == FIELD_PAIR) {
        write_limits(field, "exclusive_minimum", "exclusive_maximum", writer);
    }
    if (field->choice_count > 0 || field->word != NULL) {
        json_key(writer, "choices");
        write_choices(field, writer);
    }
    json_member_string(writer, "help", field->help);
    json_end_object(writer);
}
