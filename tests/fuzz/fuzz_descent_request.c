/*
 * POST /v1/landscapes/descents, and after a first byte 'n' POST /v1/landscapes/rosenbrock/descents: any body is refused with
 * a problem document that is JSON, or accepted; then it is worked on (if it is little work), and the answer is JSON without
 * anything that is not finite, and a picture.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_descent.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/landscape_svg.h"
#include "api/problem.h"
#include "core/landscape/landscape_facts.h"
#include "tests/fuzz/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_OPERATIONS 200000 /* so that a run stays fast */

static void must(enum status status)
{
    if (status != STATUS_OK) {
        abort();
    }
}

static void check_json(const char *text, size_t size)
{
    static const char *const bulk[] = {"/descents"}; /* not a tree: there may be more values than in a request */
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    must(json_parse(&document, text, size, bulk, 1, &error));
    json_free(document);
}

static void answer(const struct descent_request *request, const struct descent_result *results)
{
    struct json_writer writer = {.depth = 0};
    struct text picture = {.size = 0};
    struct error error = {.status = STATUS_OK};
    char *text;
    size_t size;

    encode_descents(request, results, NULL, &writer);
    must(json_writer_take(&writer, &text, &size, &error));
    if (strstr(text, "nan") != NULL || strstr(text, "inf,") != NULL) {
        abort();
    }
    free(text);
    must(descents_svg(request, results, NULL, &picture, &error));
    must(text_take(&picture, &text, &size, &error));
    free(text);
}

static void work(const struct descent_request *request)
{
    size_t count = request->start_count * request->optimizer_count;
    struct descent_row *rows = malloc(((size_t)request->steps + 1) * sizeof *rows);
    struct descent_result *results = calloc(count, sizeof *results);
    struct error error = {.status = STATUS_OK};

    if (rows == NULL || results == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        struct descent_task task;

        descent_request_task(request, i, &task);
        must(descent_result_make(&results[i], &task, NULL, descent_request_every(request), rows, &error));
    }
    answer(request, results);
    for (size_t i = 0; i < count; i++) {
        descent_result_release(&results[i]);
    }
    free(results);
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct landscape *landscape = size > 0 && data[0] == 'n' ? landscape_find("rosenbrock", 10) : NULL;
    const struct formula *formula = NULL;
    struct descent_request request;
    struct problem problem;
    struct error error = {.status = STATUS_OK};
    size_t skip = landscape != NULL;

    if (landscape != NULL) {
        must(landscape_formula(landscape, &formula, &error));
    }
    problem_init(&problem);
    if (descent_request_decode(&request, landscape, formula, (const char *)data + skip, size - skip, &problem) ==
        STATUS_OK) {
        size_t count = request.start_count * request.optimizer_count;

        if (count * ((uint64_t)request.steps + 1) * descent_cost(request.formula) <= MOST_OPERATIONS) {
            work(&request);
        }
    } else {
        check_problem(&problem);
    }
    descent_request_release(&request);
    problem_release(&problem);
    return 0;
}
