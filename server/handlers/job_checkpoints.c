/* A job's checkpoints: their list, and predictions from the newest one while the job trains. */
#include <stdio.h>
#include <stdlib.h>

#include "api/encode_checkpoint.h"
#include "api/json_writer.h"
#include "server/handlers/handlers.h"
#include "server/handlers/predicting.h"
#include "server/handlers/reply.h"
#include "server/jobs/scheduler.h"
#include "server/jobs/stored_spec.h"
#include "server/models/model_cache.h"
#include "server/models/model_load.h"
#include "server/store/checkpoints.h"
#include "server/store/jobs.h"

#define WAIT_MS 10000 /* for the first checkpoint of a running job */
#define LOOKS   3

static enum status encode(const struct checkpoint_list *list, struct json_writer *writer, struct error *error)
{
    const char **data = calloc(list->count + 1, sizeof *data);
    int64_t *created_at = calloc(list->count + 1, sizeof *created_at);
    enum status status = STATUS_OK;

    if (data == NULL || created_at == NULL) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory to list %zu checkpoints", list->count);
    } else {
        for (size_t i = 0; i < list->count; i++) {
            data[i] = list->items[i].data;
            created_at[i] = list->items[i].created_at;
        }
        encode_checkpoint_list(data, created_at, list->count, writer);
    }
    free(data);
    free(created_at);
    return status;
}

void list_checkpoints(struct app *app, struct request *request)
{
    struct json_writer writer = {0};
    struct checkpoint_list list;
    struct error error = {0};
    enum status status = checkpoints_list(app->store, request_parameter(request, 0), &list, &error);

    if (status == STATUS_OK) {
        status = encode(&list, &writer, &error);
        checkpoint_list_release(&list);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    reply_json(request, 200, &writer);
}

/* What predictions come from: the job's model, or the one in its newest checkpoint. "": there is neither yet. */
struct source {
    char name[MODEL_CACHE_NAME];
    enum job_status status;
};

/* What a range test's checkpoints hold is a network on its way to explode. */
static enum status refuse_range_test(const struct job_view *job, struct error *error)
{
    struct job_request spec;
    enum status status = stored_spec_decode(job, &spec, error);

    if (status == STATUS_OK && spec.train.kind == TRAIN_LR_RANGE_TEST) {
        status =
            error_set(error, STATUS_MODEL_NOT_READY, "a range test has no model, only the learning rates in its results");
    }
    job_request_release(&spec);
    return status;
}

static enum status find_source(struct app *app, const char *id, struct source *source, struct error *error)
{
    struct checkpoint_list list;
    struct job_view job;
    enum status status = jobs_get(app->store, id, JOB_SPEC, &job, error);

    *source = (struct source){.status = JOB_QUEUED};
    if (status != STATUS_OK) {
        return status;
    }
    source->status = job.status;
    snprintf(source->name, sizeof source->name, "%s", job.model);
    status = job.model[0] == '\0' ? refuse_range_test(&job, error) : STATUS_OK;
    job_view_release(&job);
    if (status != STATUS_OK || source->name[0] != '\0') {
        return status;
    }
    status = checkpoints_list(app->store, id, &list, error);
    if (status == STATUS_OK) {
        if (list.count > 0) {
            snprintf(source->name, sizeof source->name, MODEL_IN_CHECKPOINT "%s", list.items[0].object);
        }
        checkpoint_list_release(&list);
    }
    return status;
}

/* None yet: waits for the first one where the job can make one. */
static void answer_without(struct app *app, struct request *request, const char *id, uint64_t ticket, enum job_status status)
{
    if (status == JOB_RUNNING && !request_wait_is_over(request)) {
        scheduler_want_checkpoint(app->scheduler, id);
        request_wait(request, id, ticket, WAIT_MS);
    } else {
        reply_error(request, STATUS_MODEL_NOT_READY, "the job is %s and has no checkpoint yet", job_status_name(status));
    }
}

void predict_job(struct app *app, struct request *request)
{
    const char *id = request_parameter(request, 0);
    uint64_t ticket = request_ticket(request, id);
    struct source source;
    struct error error = {0};
    enum status status = STATUS_NOT_FOUND;

    for (int i = 0; i < LOOKS && status == STATUS_NOT_FOUND; i++) { /* newer ones drop the one that was found */
        error = (struct error){0};
        status = find_source(app, id, &source, &error);
        if (status != STATUS_OK) {
            break;
        }
        if (source.name[0] == '\0') {
            answer_without(app, request, id, ticket, source.status);
            return;
        }
        status = predict_from(app, request, source.name, &error);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
    }
}
