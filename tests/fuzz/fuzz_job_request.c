/*
 * POST /v1/jobs: any body is refused with a problem document that is JSON, or accepted. What is accepted meets a small data
 * set; what is resolved then is written, and read and written again alike.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_request.h"
#include "api/json_writer.h"
#include "tests/fuzz/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ROWS 2000 /* generated ones, so that a run stays fast */

static char *spec_of(const struct job_request *request, size_t *size)
{
    struct json_writer writer = {0};
    struct error error = {.status = STATUS_OK};
    char *text = NULL;

    job_request_encode(request, "abc", "tier", &writer);
    if (json_writer_take(&writer, &text, size, &error) != STATUS_OK) {
        abort();
    }
    return text;
}

static void check_round_trip(const struct job_request *request)
{
    struct job_request again;
    struct problem problem;
    size_t size, second_size;
    char *text = spec_of(request, &size), *second;

    problem_init(&problem);
    if (job_request_decode(&again, text, size, &problem) != STATUS_OK) {
        abort();
    }
    second = spec_of(&again, &second_size);
    if (size != second_size || memcmp(text, second, size) != 0) {
        abort();
    }
    free(text);
    free(second);
    job_request_release(&again);
    problem_release(&problem);
}

static void resolve(struct job_request *request, const void *block, size_t size, struct problem *problem)
{
    struct dataset dataset;
    struct split split;
    struct error error = {.status = STATUS_OK};

    if (dataset_open(&dataset, block, size, &error) != STATUS_OK) {
        abort();
    }
    if (split_make(&split, &dataset, &request->split, request->train.seed, &error) == STATUS_OK) {
        if (job_request_resolve(request, &dataset, &split, NULL, problem) == STATUS_OK) {
            check_round_trip(request);
        }
        split_release(&split);
    }
    dataset_release(&dataset);
}

static void meet_data(struct job_request *request, struct problem *problem)
{
    struct buffer_sink generated = {.data = NULL};
    struct generator_spec spec = {.type = GENERATOR_BLOBS, .n = 300, .classes = 3, .noise = 0.5};
    struct error error = {.status = STATUS_OK};

    if (request->dataset.type == DATASET_REF_INLINE) {
        resolve(request, request->dataset.block.data, request->dataset.block.size, problem);
        return;
    }
    if (request->dataset.type == DATASET_REF_GENERATOR && request->dataset.generator.n <= MAX_ROWS) {
        spec = request->dataset.generator;
    }
    if (generator_write(&spec, buffer_sink(&generated), &error) != STATUS_OK) {
        abort();
    }
    resolve(request, generated.data, generated.size, problem);
    buffer_sink_release(&generated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job_request request;
    struct problem problem;

    problem_init(&problem);
    if (job_request_decode(&request, (const char *)data, size, &problem) == STATUS_OK) {
        meet_data(&request, &problem);
    }
    if (problem.status != STATUS_OK) {
        check_problem(&problem);
    }
    job_request_release(&request);
    problem_release(&problem);
    return 0;
}
