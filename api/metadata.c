#include "metadata.h"

#include <string.h>

#include "api/fields.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/problem.h"

static void decode_member(const struct json_value *member, struct json_writer *writer, struct problem *problem)
{
    const char *key = json_name(member);
    char pointer[FIELD_POINTER_TEXT];

    field_pointer(pointer, "/metadata", key);
    if (strlen(key) > METADATA_MAX_KEY || key[0] == '\0') {
        problem_add_field(problem, key[0] == '\0' ? STATUS_NAME_INVALID : STATUS_STRING_TOO_LONG, pointer, NULL,
                          "a key has 1 to %d bytes", METADATA_MAX_KEY);
    } else if (json_type(member) != JSON_STRING) {
        field_wrong_type(member, "a string", pointer, problem);
    } else if (strlen(json_to_string(member)) > METADATA_MAX_VALUE) {
        problem_add_field(problem, STATUS_STRING_TOO_LONG, pointer, NULL, "%zu bytes, at most %d are allowed",
                          strlen(json_to_string(member)), METADATA_MAX_VALUE);
    } else {
        json_member_string(writer, key, json_to_string(member));
    }
}

void metadata_decode(const struct json_value *value, char **text, struct problem *problem)
{
    struct json_writer writer = {0};
    struct error error = {.status = STATUS_OK};
    size_t size;

    json_begin_object(&writer);
    if (value != NULL && json_type(value) != JSON_OBJECT) {
        field_wrong_type(value, "an object", "/metadata", problem);
    } else if (value != NULL && json_count(value) > METADATA_MAX_MEMBERS) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/metadata", NULL, "%zu members, at most %d are allowed",
                          json_count(value), METADATA_MAX_MEMBERS);
    } else if (value != NULL) {
        for (const struct json_value *member = json_first(value); member != NULL; member = json_next(member)) {
            decode_member(member, &writer, problem);
        }
    }
    json_end_object(&writer);
    *text = NULL;
    if (json_writer_take(&writer, text, &size, &error) != STATUS_OK) {
        problem_add(problem, &error);
    }
}
