#include "dataset_path.h"

#include <math.h>
#include <string.h>

#include "api/json.h"
#include "api/problem.h"

static const char *format_name(unsigned index)
{
    return data_format_name((enum data_format)index);
}

const struct field dataset_path_fields[] = {
    {.name = "path",
     .kind = FIELD_OTHER,
     .required = 1,
     .default_value = NAN,
     .json_type = "string",
     .help = "The file, relative to the data root; no \"..\", no symbolic links."},
    {.name = "labels",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "string",
     .help = "IDX: the file of the images' labels; without it the data set awaits them."},
    {.name = "format",
     .kind = FIELD_CHOICE,
     .required = 1,
     .offset = offsetof(struct dataset_path, format),
     .default_value = NAN,
     .choice = format_name,
     .choice_count = DATA_FORMAT_COUNT,
     .help = "What the file is."},
};
const size_t dataset_path_field_count = sizeof(dataset_path_fields) / sizeof(dataset_path_fields[0]);

static void decode_text(const struct json_value *object, const char *key, const char *pointer, char text[DATASET_PATH_TEXT],
                        struct problem *problem)
{
    const struct json_value *value = json_type(object) == JSON_OBJECT ? json_get(object, key) : NULL;

    if (value == NULL) {
        return;
    }
    if (json_type(value) != JSON_STRING) {
        problem_add_field(problem, STATUS_TYPE_MISMATCH, pointer, NULL, "a string is wanted, this is %s",
                          json_type_name(json_type(value)));
        return;
    }
    size_t size = strlen(json_to_string(value));
    if (size == 0) {
        problem_add_field(problem, STATUS_PATH_INVALID, pointer, NULL, "a path is not empty");
    } else if (size >= DATASET_PATH_TEXT) {
        problem_add_field(problem, STATUS_STRING_TOO_LONG, pointer, NULL, "a path has at most %d bytes",
                          DATASET_PATH_TEXT - 1);
    } else {
        memcpy(text, json_to_string(value), size + 1);
    }
}

enum status dataset_path_decode(struct dataset_path *request, const char *body, size_t size, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct json_document *document;

    *request = (struct dataset_path){.format = DATA_CSV};
    if (json_parse(&document, body, size, NULL, 0, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    const struct json_value *root = json_root(document);
    fields_decode(dataset_path_fields, dataset_path_field_count, root, request, "", problem);
    decode_text(root, "path", "/path", request->path, problem);
    decode_text(root, "labels", "/labels", request->labels, problem);
    json_free(document);
    if (problem->status == STATUS_OK && request->labels[0] != '\0' && request->format != DATA_IDX) {
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/labels", NULL,
                          "only IDX images have their labels in a file "
                          "of their own");
    }
    return problem->status;
}
