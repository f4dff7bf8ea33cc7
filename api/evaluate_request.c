#include "evaluate_request.h"

#include <math.h>
#include <string.h>

#include "api/json.h"
#include "api/problem.h"

const struct field evaluate_request_fields[] = {
    {.name = "dataset",
     .kind = FIELD_OTHER,
     .required = 1,
     .default_value = NAN,
     .json_type = "string",
     .help = "The data set's id. It must have the model's features; its classes are matched by name."},
};
const size_t evaluate_request_field_count = sizeof(evaluate_request_fields) / sizeof(evaluate_request_fields[0]);

static void decode_id(const struct json_value *value, char id[ID_TEXT], struct problem *problem)
{
    if (json_type(value) != JSON_STRING) {
        problem_add_field(problem, STATUS_TYPE_MISMATCH, "/dataset", NULL, "a data set's id is wanted, this is %s",
                          json_type_name(json_type(value)));
    } else if (strlen(json_to_string(value)) >= ID_TEXT) {
        problem_add_field(problem, STATUS_STRING_TOO_LONG, "/dataset", NULL, "an id has at most %d characters", ID_TEXT - 1);
    } else {
        memcpy(id, json_to_string(value), strlen(json_to_string(value)) + 1);
    }
}

enum status evaluate_request_decode(struct evaluate_request *request, const char *body, size_t size, struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct json_document *document;

    *request = (struct evaluate_request){.dataset = ""};
    if (json_parse(&document, body, size, NULL, 0, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    const struct json_value *root = json_root(document);
    fields_decode(evaluate_request_fields, evaluate_request_field_count, root, request, "", problem);
    const struct json_value *dataset = json_type(root) == JSON_OBJECT ? json_get(root, "dataset") : NULL;
    if (dataset != NULL) {
        decode_id(dataset, request->dataset, problem);
    }
    json_free(document);
    return problem->status;
}
