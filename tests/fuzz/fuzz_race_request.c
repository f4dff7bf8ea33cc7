/*
 * POST /v1/races: any body is refused with a problem document that is JSON, or accepted. What is accepted is a text for each
 * entry that is JSON, is decoded as any job's, and whose errors have places in the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_request.h"
#include "api/race_request.h"
#include "tests/fuzz/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names are names, and no two are equal. */
static void check_name(const struct race_request *request, size_t i)
{
    const char *name = request->entries[i].name;

    if (name[0] == '\0' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-") != strlen(name)) {
        abort();
    }
    for (size_t j = 0; j < i; j++) {
        if (strcmp(request->entries[j].name, name) == 0) {
            abort();
        }
    }
}

/* A text may be beyond what a job's request may have (its depth, its keys); it is JSON in any case. */
static void check_entry(const struct race_request *request, size_t i, struct problem *problem)
{
    struct job_request job;
    struct problem own;
    struct error error = {.status = STATUS_OK};
    char *text;
    size_t size;

    problem_init(&own);
    if (race_request_text(request, i, &text, &size, &error) != STATUS_OK) {
        abort();
    }
    if (job_request_decode(&job, text, size, &own) != own.status) {
        abort();
    }
    if (own.status != STATUS_OK) {
        if (own.status == STATUS_JSON_INVALID || own.status == STATUS_JSON_DUPLICATE_KEY) {
            abort();
        }
        race_request_add_problem(request, i, &own, problem);
    }
    job_request_release(&job);
    problem_release(&own);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct race_ids ids = {
        .race = "race_00000000000000000000", .dataset = "ds_00000000000000000000", .test = "ds_11111111111111111111"};
    struct race_request request;
    struct problem problem;

    problem_init(&problem);
    if (race_request_decode(&request, (const char *)data, size, &ids, &problem) != problem.status) {
        abort();
    }
    if (problem.status == STATUS_OK) {
        for (size_t i = 0; i < request.count; i++) {
            check_name(&request, i);
            check_entry(&request, i, &problem);
        }
    }
    if (problem.status != STATUS_OK) {
        check_problem(&problem);
    }
    race_request_release(&request);
    problem_release(&problem);
    return 0;
}
