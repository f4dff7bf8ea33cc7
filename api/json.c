/*
 * The one place that knows cJSON. It parses a copy, as it wants a NUL behind the text; in that copy bulk arrays are empty,
 * so a body of 8 MiB of numbers costs a few nodes.
 */
#include "json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct json_document {
    cJSON *root;
    struct json_span bulk[JSON_MAX_BULK];
};

const char *json_type_name(enum json_type type)
{
    static const char *const NAMES[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a string", [JSON_ARRAY] = "a list",   [JSON_OBJECT] = "an object",
    };

    return NAMES[type];
}

/* The first bulk array that begins at or behind `from`; NULL: none. */
static const struct json_span *next_bulk(const struct json_document *document, const char *from)
{
    const struct json_span *next = NULL;

    for (size_t i = 0; i < JSON_MAX_BULK; i++) {
        const struct json_span *span = &document->bulk[i];

        if (span->text != NULL && span->text >= from && (next == NULL || span->text < next->text)) {
            next = span;
        }
    }
    return next;
}

/* The text with every bulk array replaced by [], NUL-terminated; NULL without memory. *size excludes the NUL. */
static char *copy_without_bulk(const struct json_document *document, const char *text, size_t size, size_t *copied)
{
    const char *at = text, *end = text + size;
    const struct json_span *span;
    char *copy = malloc(size + 1);

    *copied = 0;
    if (copy == NULL) {
        return NULL;
    }
    while ((span = next_bulk(document, at)) != NULL) {
        size_t before = (size_t)(span->text - at);

        memcpy(copy + *copied, at, before);
        memcpy(copy + *copied + before, "[]", 2);
        *copied += before + 2;
        at = span->text + span->size;
    }
    memcpy(copy + *copied, at, (size_t)(end - at));
    *copied += (size_t)(end - at);
    copy[*copied] = '\0';
    return copy;
}

enum status json_parse(struct json_document **document, const char *text, size_t size, const char *const *bulk,
                       size_t bulk_count, struct error *error)
{
    struct json_document *parsed = calloc(1, sizeof *parsed);
    size_t copied = 0;
    char *copy = NULL;
    enum status status;

    if (parsed == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to read JSON");
    }
    status = json_validate(text, size, bulk, bulk_count, parsed->bulk, error);
    if (status == STATUS_OK && (copy = copy_without_bulk(parsed, text, size, &copied)) != NULL) {
        parsed->root = cJSON_ParseWithLengthOpts(copy, copied + 1, NULL, 1);
    }
    free(copy);
    if (status == STATUS_OK && parsed->root == NULL) { /* what was checked parses, if there is memory */
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a JSON text of %zu bytes", size);
    }
    if (status != STATUS_OK) {
        json_free(parsed);
        return status;
    }
    *document = parsed;
    return STATUS_OK;
}

void json_free(struct json_document *document)
{
    if (document != NULL) {
        cJSON_Delete(document->root);
        free(document);
    }
}

static const cJSON *node(const struct json_value *value)
{
    return (const cJSON *)(const void *)value;
}

static const struct json_value *value_of(const cJSON *item)
{
    return (const struct json_value *)(const void *)item;
}

const struct json_value *json_root(const struct json_document *document)
{
    return value_of(document->root);
}

const struct json_span *json_bulk(const struct json_document *document, size_t index)
{
    return document->bulk[index].text != NULL ? &document->bulk[index] : NULL;
}

enum json_type json_type(const struct json_value *value)
{
    const cJSON *item = node(value);

    return cJSON_IsObject(item)   ? JSON_OBJECT
           : cJSON_IsArray(item)  ? JSON_ARRAY
           : cJSON_IsString(item) ? JSON_STRING
           : cJSON_IsNumber(item) ? JSON_NUMBER
           : cJSON_IsBool(item)   ? JSON_BOOL
                                  : JSON_NULL;
}

int json_is_true(const struct json_value *value)
{
    return cJSON_IsTrue(node(value)) != 0;
}

double json_to_number(const struct json_value *value)
{
    assert(json_type(value) == JSON_NUMBER);
    return node(value)->valuedouble;
}

const char *json_to_string(const struct json_value *value)
{
    assert(json_type(value) == JSON_STRING);
    return node(value)->valuestring;
}

const struct json_value *json_get(const struct json_value *object, const char *key)
{
    return value_of(cJSON_GetObjectItemCaseSensitive(node(object), key));
}

const struct json_value *json_first(const struct json_value *container)
{
    return value_of(node(container)->child);
}

const struct json_value *json_next(const struct json_value *value)
{
    return value_of(node(value)->next);
}

const char *json_name(const struct json_value *member)
{
    return node(member)->string;
}

size_t json_count(const struct json_value *container)
{
    size_t count = 0;

    for (const struct json_value *value = json_first(container); value != NULL; value = json_next(value)) {
        count++;
    }
    return count;
}
