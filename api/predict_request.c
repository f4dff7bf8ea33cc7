/* The instances never become a tree: they are read from the body's text, row by row. */
#include "predict_request.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_rows.h"
#include "api/problem.h"
#include "core/data/decimal.h"
#include "core/data/excerpt.h"

#define NUMBER_TEXT 64 /* longest number of a CSV cell */

const struct field predict_request_fields[] = {
    {.name = "instances",
     .kind = FIELD_OTHER,
     .required = 1,
     .default_value = NAN,
     .json_type = "array",
     .help = "Rows of raw features, [[1, 2], [3, 4]]; preprocessing travels with the model. At most 4,096."},
    {.name = "return",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "array",
     .help = "What to tell of each row: \"label\", \"probabilities\" or both; both by default."},
    {.name = "top_k",
     .kind = FIELD_COUNT32,
     .offset = offsetof(struct predict_request, top_k),
     .default_value = 0,
     .minimum = 0,
     .maximum = 100,
     .help = "Also the k most probable classes, in order."},
    {.name = "calibrated",
     .kind = FIELD_FLAG,
     .offset = offsetof(struct predict_request, calibrated),
     .default_value = 1,
     .minimum = 0,
     .maximum = 1,
     .help = "Whether a temperature that was fitted for the model is applied; it changes no label."},
};
const size_t predict_request_field_count = sizeof predict_request_fields / sizeof predict_request_fields[0];

static void too_many_rows(uint64_t rows, struct problem *problem)
{
    struct error error = {0};

    error_set(&error, STATUS_BATCH_TOO_LARGE, "%llu rows at once, %d are allowed", (unsigned long long)rows,
              PREDICT_MAX_ROWS);
    problem_add(problem, &error);
}

static void no_memory(uint64_t rows, struct problem *problem)
{
    struct error error = {0};

    error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %llu rows", (unsigned long long)rows);
    problem_add(problem, &error);
}

/* ---- JSON ---- */

static void decode_return(struct predict_request *request, const struct json_value *value, struct problem *problem)
{
    char pointer[FIELD_POINTER_TEXT];
    size_t index = 0;

    if (json_type(value) != JSON_ARRAY) {
        field_wrong_type(value, "a list", "/return", problem);
        return;
    }
    request->with_label = request->with_probabilities = 0;
    for (const struct json_value *item = json_first(value); item != NULL; item = json_next(item), index++) {
        const char *word = json_type(item) == JSON_STRING ? json_to_string(item) : NULL;

        field_pointer_index(pointer, "/return", index);
        if (word == NULL) {
            field_wrong_type(item, "a string", pointer, problem);
        } else if (strcmp(word, "label") == 0) {
            request->with_label = 1;
        } else if (strcmp(word, "probabilities") == 0) {
            request->with_probabilities = 1;
        } else {
            problem_add_field(problem, STATUS_UNKNOWN_VALUE, pointer, "\"allowed\":[\"label\",\"probabilities\"]",
                              "\"%.40s\" is neither label nor probabilities", word);
        }
    }
}

static void decode_instances(struct predict_request *request, const struct json_span *span, uint32_t features,
                             struct problem *problem)
{
    struct json_rows rows = {.pointer = "/instances",
                             .span = *span,
                             .width = features,
                             .max_width = UINT32_MAX,
                             .width_error = STATUS_FEATURE_COUNT_MISMATCH};
    struct error error = {0};
    const float *x = NULL;

    if (span->count > PREDICT_MAX_ROWS) {
        too_many_rows(span->count, problem);
        return;
    }
    if (span->count == 0) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, "/instances", NULL, "at least one row is needed");
        return;
    }
    request->x = calloc(span->count, features * sizeof *request->x);
    if (request->x == NULL) {
        no_memory(span->count, problem);
        return;
    }
    while (json_rows_next(&rows, &x, &error) == STATUS_OK && x != NULL) {
        memcpy(request->x + request->rows++ * features, x, features * sizeof *x);
    }
    problem_add(problem, &error);
    json_rows_release(&rows);
}

enum status predict_request_decode(struct predict_request *request, const char *body, size_t size, uint32_t features,
                                   struct problem *problem)
{
    static const char *const BULK[] = {"/instances"};
    struct json_document *document;
    struct error error = {0};

    *request = (struct predict_request){.with_label = 1, .with_probabilities = 1, .calibrated = 1};
    if (json_parse(&document, body, size, BULK, 1, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    const struct json_value *root = json_root(document);
    const struct json_span *instances = json_bulk(document, 0);

    fields_decode(predict_request_fields, predict_request_field_count, root, request, "", problem);
    if (json_type(root) == JSON_OBJECT && json_get(root, "return") != NULL) {
        decode_return(request, json_get(root, "return"), problem);
    }
    if (instances != NULL) {
        decode_instances(request, instances, features, problem);
    } else if (json_type(root) == JSON_OBJECT && json_get(root, "instances") != NULL) {
        field_wrong_type(json_get(root, "instances"), "a list of rows", "/instances", problem);
    }
    json_free(document);
    return problem->status;
}

/* ---- CSV ---- */

/* One cell into *value. */
static enum status decode_cell(const char *cell, size_t size, int64_t line, int64_t column, float *value,
                               struct error *error)
{
    char number[NUMBER_TEXT + 1], excerpt[EXCERPT_SIZE];
    enum decimal_kind kind = DECIMAL_NONE;

    if (memchr(cell, '\0', size) != NULL) {
        return error_set_line(error, STATUS_CSV_NUL_BYTE, line, column, "the text has a NUL byte");
    }
    if (size <= NUMBER_TEXT) {
        memcpy(number, cell, size);
        number[size] = '\0';
        kind = decimal_f32(number, size, value);
    }
    if (kind == DECIMAL_FINITE) {
        return STATUS_OK;
    }
    excerpt_of(excerpt, cell, size);
    return kind == DECIMAL_NONE
               ? error_set_line(error, STATUS_CSV_NOT_NUMBER, line, column, "\"%s\" is not a number (rows have no header)",
                                excerpt)
               : error_set_line(error, STATUS_NON_FINITE_VALUE, line, column, "\"%s\" is not finite in float32", excerpt);
}

static enum status decode_line(const char *text, size_t size, int64_t line, float *x, uint32_t features, struct error *error)
{
    uint32_t column = 0;

    for (size_t begin = 0, end; begin <= size; begin = end + 1, column++) {
        const char *comma = memchr(text + begin, ',', size - begin);
        enum status status;

        end = comma != NULL ? (size_t)(comma - text) : size;
        if (column < features) {
            status = decode_cell(text + begin, end - begin, line, column + 1, &x[column], error);
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    if (column != features) {
        return error_set_line(error, STATUS_FEATURE_COUNT_MISMATCH, line, 0, "the row has %u fields, the model wants %u",
                              column, features);
    }
    return STATUS_OK;
}

static uint64_t count_lines(const char *body, size_t size)
{
    uint64_t lines = size > 0 && body[size - 1] != '\n';

    for (size_t i = 0; i < size; i++) {
        lines += body[i] == '\n';
    }
    return lines;
}

enum status predict_request_decode_csv(struct predict_request *request, const char *body, size_t size, uint32_t features,
                                       struct problem *problem)
{
    uint64_t lines = count_lines(body, size);
    struct error error = {0};
    enum status status = STATUS_OK;

    *request = (struct predict_request){.with_label = 1, .with_probabilities = 1, .calibrated = 1};
    if (lines > PREDICT_MAX_ROWS) {
        too_many_rows(lines, problem);
        return problem->status;
    }
    request->x = calloc(lines > 0 ? lines : 1, features * sizeof *request->x);
    if (request->x == NULL) {
        no_memory(lines, problem);
        return problem->status;
    }
    for (size_t begin = 0; begin < size && status == STATUS_OK;) {
        const char *newline = memchr(body + begin, '\n', size - begin);
        size_t end = newline != NULL ? (size_t)(newline - body) : size, length = end - begin;

        length -= length > 0 && body[begin + length - 1] == '\r';
        status = decode_line(body + begin, length, (int64_t)request->rows + 1, request->x + request->rows * features,
                             features, &error);
        request->rows++;
        begin = end + 1;
    }
    if (status == STATUS_OK && request->rows == 0) {
        error_set(&error, STATUS_DATASET_EMPTY, "at least one row is needed");
    }
    problem_add(problem, &error);
    return problem->status;
}

void predict_request_release(struct predict_request *request)
{
    free(request->x);
    request->x = NULL;
}
