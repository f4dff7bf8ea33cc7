/*
 * Reading JSON. Every body is checked strictly first (json_validator.h); only then cJSON, behind this header alone, makes
 * a tree of it. Large arrays of numbers never become a tree: they are named beforehand and left as text (json_rows.h).
 */
#ifndef DESCENT_API_JSON_H
#define DESCENT_API_JSON_H

#include "api/json_validator.h"

struct json_document;
struct json_value; /* borrowed from its document */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
/* "null", "a boolean", "a number", "a string", "a list", "an object" */
const char *json_type_name(enum json_type type);

/*
 * Checks text [size] and gives its document, to be freed with json_free. `text` must outlive the document if bulk arrays
 * are read from it. bulk [bulk_count]: pointers of arrays that stay text ("/dataset/x"); in the tree they are empty.
 * Errors: json_validate's, and STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status json_parse(struct json_document **document, const char *text, size_t size, const char *const *bulk,
                                  size_t bulk_count, struct error *error);
void json_free(struct json_document *document);

const struct json_value *json_root(const struct json_document *document);
/* The array that stands at bulk pointer `index`; NULL when there is none (nothing, or no array). */
const struct json_span *json_bulk(const struct json_document *document, size_t index);

enum json_type json_type(const struct json_value *value);
int json_is_true(const struct json_value *value);           /* JSON_BOOL */
double json_to_number(const struct json_value *value);      /* JSON_NUMBER; infinite when too large for a double */
const char *json_to_string(const struct json_value *value); /* JSON_STRING: UTF-8 without NUL */

/* Members and elements. json_first is NULL for what is neither object nor array, json_name is a member's key. */
const struct json_value *json_get(const struct json_value *object, const char *key);
const struct json_value *json_first(const struct json_value *container);
const struct json_value *json_next(const struct json_value *value);
const char *json_name(const struct json_value *member);
size_t json_count(const struct json_value *container);

#endif
