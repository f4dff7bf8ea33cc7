/* Jobs as a client would submit them, into a temporary store. */
#ifndef DESCENT_TESTS_SERVER_JOBS_SUBMITTED_H
#define DESCENT_TESTS_SERVER_JOBS_SUBMITTED_H

#include "api/job_request.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "core/base/kernel_tier.h"
#include "server/dataset_import.h"
#include "server/jobs/job_data.h"
#include "server/jobs/scheduler.h"
#include "tests/server/store/temporary_store.h"

static inline int open_with_tier(void **state)
{
    struct error error;
    assert_ok(kernel_tier_set(kernel_tier_detect(), &error));
    return open_fixture(state);
}

/* Decodes `body` and opens its data; both are to be released. Fails the test if that fails. */
static inline void open_request(struct store *store, const char *body, struct job_request *request, struct job_data *data)
{
    struct problem problem;
    problem_init(&problem);
    enum status status = job_request_decode(request, body, strlen(body), &problem);
    if (status == STATUS_OK) {
        status = job_data_open(data, store, request, &problem);
    }
    if (status == STATUS_OK) {
        status = job_request_resolve(request, &data->train.dataset, &data->split,
                                     data->has_test ? &data->test.dataset : NULL, &problem);
    }
    if (status != STATUS_OK) {
        fail_msg("%s: %s%s", status_code(status), problem.whole.message,
                 problem.field_count > 0 ? problem.fields[0].detail : "");
    }
    problem_release(&problem);
}

/* Stores a data set of generated content, `spec` as a job's "dataset" has it. Its id goes to id. */
static inline void store_generated(struct store *store, const char *spec, char id[ID_TEXT])
{
    struct error error;
    char body[512];
    struct job_request request = {0};
    struct job_data data = {0};
    struct dataset_view view = {.status = DATASET_READY};
    struct object object;
    struct object_writer *writer;
    snprintf(body, sizeof(body), "{\"dataset\":%s,\"model\":{\"type\":\"softmax_regression\"}}", spec);
    open_request(store, body, &request, &data);
    assert_ok(dataset_describe(&data.train.dataset, "generator", &view, &error));
    assert_ok(object_writer_new(&writer, store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    assert_ok(sink.write(sink.context, data.train.memory.data, data.train.memory.size, &error));
    assert_ok(object_writer_finish(writer, &object, &error));
    object_writer_free(writer);
    struct datasets_insert insert = {.dataset = &view, .object = &object};
    assert_ok(store_wait(store, datasets_insert(&insert), &error));
    memcpy(id, view.id, ID_TEXT);
    object_release(&object);
    dataset_view_release(&view);
    job_data_release(&data);
    job_request_release(&request);
}

/* Stores a job with its resolved spec; its data set is a generator or one that is stored. */
static inline void submit_job(struct store *store, const char *body, char id[ID_TEXT])
{
    struct error error;
    struct job_request request;
    struct job_data data;
    struct json_writer writer = {0};
    struct job_view job = {.progress = no_progress(), .metadata = copy_text("{}")};
    struct jobs_insert insert = {.job = &job};
    size_t size;
    open_request(store, body, &request, &data);
    snprintf(job.name, sizeof(job.name), "a job");
    if (request.dataset.type == DATASET_REF_ID) {
        memcpy(job.dataset, request.dataset.id, ID_TEXT);
    }
    job_request_encode(&request, data.train.sha256, kernel_tier(), &writer);
    assert_ok(json_writer_take(&writer, &job.spec, &size, &error));
    assert_ok(store_wait(store, jobs_insert(&insert), &error));
    memcpy(id, job.id, ID_TEXT);
    job_view_release(&job);
    job_data_release(&data);
    job_request_release(&request);
}

#endif
