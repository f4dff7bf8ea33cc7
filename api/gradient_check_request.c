#include "gradient_check_request.h"

#include "api/json.h"
#include "api/problem.h"
#include "core/nn/gradient_check.h"

#define AT(member) .offset = offsetof(struct gradient_check_request, member)

const struct field gradient_check_request_fields[] = {
    {.name = "dataset",
     .kind = FIELD_OTHER,
     .json_type = "string or object",
     .help = "A data set's id, rows sent along {\"x\", \"y\"}, or a generator; without it that of the job which made the "
             "model."},
    {.name = "rows",
     .kind = FIELD_COUNT32,
     AT(rows),
     .default_value = 32,
     .minimum = 1,
     .maximum = GRADIENT_CHECK_MAX_ROWS,
     .help = "Rows of the batch, spread evenly over the data set."},
    {.name = "parameters",
     .kind = FIELD_COUNT32,
     AT(parameters),
     .minimum = 1,
     .maximum = 2147483647,
     .word = "auto",
     .help =
         "Parameters of each layer that are checked, spread evenly over it; auto: all, or as many as take about a second."},
    {.name = "h",
     .kind = FIELD_NUMBER,
     AT(h),
     .default_value = GRADIENT_CHECK_STEP,
     .minimum = 1e-9,
     .maximum = 0.1,
     .help = "The step of a parameter x is h * max(1, |x|)."},
};
const size_t gradient_check_request_field_count =
    sizeof(gradient_check_request_fields) / sizeof(gradient_check_request_fields[0]);

enum bulk { BULK_X, BULK_Y, BULK_COUNT };
static const char *const BULK[BULK_COUNT] = {[BULK_X] = "/dataset/x", [BULK_Y] = "/dataset/y"};

enum status gradient_check_request_decode(struct gradient_check_request *request, const char *body, size_t size,
                                          struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    const struct json_value *dataset;
    struct json_document *document;

    *request = (struct gradient_check_request){.dataset.type = DATASET_REF_NONE};
    fields_set_defaults(gradient_check_request_fields, gradient_check_request_field_count, request);
    if (size == 0) {
        return STATUS_OK;
    }
    if (json_parse(&document, body, size, BULK, BULK_COUNT, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    fields_decode(gradient_check_request_fields, gradient_check_request_field_count, json_root(document), request, "",
                  problem);
    dataset = json_type(json_root(document)) == JSON_OBJECT ? json_get(json_root(document), "dataset") : NULL;
    if (dataset != NULL) {
        dataset_ref_decode(&request->dataset, dataset, json_bulk(document, BULK_X), json_bulk(document, BULK_Y), "/dataset",
                           problem);
    }
    json_free(document);
    return problem->status;
}

void gradient_check_request_release(struct gradient_check_request *request)
{
    dataset_ref_release(&request->dataset);
}
