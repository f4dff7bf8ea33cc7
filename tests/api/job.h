/* A job's request on its whole way: decoded, its data made, resolved, and written again. */
#ifndef DESCENT_TESTS_API_JOB_H
#define DESCENT_TESTS_API_JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/job_request.h"
#include "api/json_writer.h"
#include "tests/api/refusal.h"

#define BLOBS   "\"dataset\":{\"generator\":\"blobs\",\"n\":300,\"classes\":3}"
#define MOONS   "\"dataset\":{\"generator\":\"moons\",\"n\":50}"
#define SOFTMAX "\"model\":{\"type\":\"softmax_regression\"}"

/* One test's request with the data that it asks for. */
struct job {
    struct job_request request;
    struct problem problem;
    struct buffer_sink block;
    struct dataset dataset;
    struct split split;
};

static inline void job_release(struct job *job)
{
    job_request_release(&job->request);
    problem_release(&job->problem);
    split_release(&job->split);
    dataset_release(&job->dataset);
    buffer_sink_release(&job->block);
}

static inline enum status job_decode(struct job *job, const char *body)
{
    *job = (struct job){.split = {.train_count = 0}};
    problem_init(&job->problem);
    return job_request_decode(&job->request, body, strlen(body), &job->problem);
}

/* Decodes, makes the data and resolves. */
static inline enum status job_resolve(struct job *job, const char *body)
{
    struct error error = {.status = STATUS_OK};
    const struct buffer_sink *block = &job->request.dataset.block;

    if (job_decode(job, body) != STATUS_OK) {
        (void)refusal_is_only(&job->problem, STATUS_OK, "(nothing)");
        return job->problem.status;
    }
    if (job->request.dataset.type == DATASET_REF_GENERATOR) {
        assert_int_equal(generator_write(&job->request.dataset.generator, buffer_sink(&job->block), &error), STATUS_OK);
        block = &job->block;
    }
    assert_int_equal(dataset_open(&job->dataset, block->data, block->size, &error), STATUS_OK);
    assert_int_equal(split_make(&job->split, &job->dataset, &job->request.split, job->request.train.seed, &error),
                     STATUS_OK);
    return job_request_resolve(&job->request, &job->dataset, &job->split, NULL, &job->problem);
}

static inline char *job_encode(const struct job *job)
{
    struct json_writer writer = {0};
    struct error error = {.status = STATUS_OK};
    char *text = NULL;
    size_t size;

    job_request_encode(&job->request, "abc", "tier", &writer);
    assert_int_equal(json_writer_take(&writer, &text, &size, &error), STATUS_OK);
    return text;
}

#endif
