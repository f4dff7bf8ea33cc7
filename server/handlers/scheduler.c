/* GET /v1/scheduler: what the scheduler shows, with the running jobs' own estimates of their ends from the store. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_scheduler.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "server/clock.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/jobs/scheduler.h"
#include "server/store/jobs.h"

/* Seconds until a job ends, as its own progress says; NaN: not known, or it is gone meanwhile. */
static double eta_of(struct app *app, const char *id)
{
    struct error unknown = {0};
    struct job_view job;
    double eta = (double)NAN;

    if (jobs_get(app->store, id, 0, &job, &unknown) == STATUS_OK) {
        eta = job.progress.eta_seconds;
        job_view_release(&job);
    }
    return eta;
}

static void fill_running(struct app *app, const struct scheduler_running *job, struct running_view *shown)
{
    *shown = (struct running_view){.priority = job->priority,
                                   .state = job->threads > 0 ? "training" : "waiting",
                                   .threads = job->threads,
                                   .bytes = job->bytes,
                                   .eta_seconds = eta_of(app, job->id)};
    memcpy(shown->id, job->id, sizeof shown->id);
}

static void fill_queued(const struct job_ticket *job, double start, int64_t now, struct queued_view *shown)
{
    *shown =
        (struct queued_view){.priority = job->priority, .estimated_start = isnan(start) ? 0 : now + (int64_t)(start * 1e3)};
    memcpy(shown->id, job->id, sizeof shown->id);
}

static enum status encode(struct app *app, const struct scheduler_view *view, struct json_writer *writer,
                          struct error *error)
{
    size_t running = view->running_count, queued = view->queue_count;
    struct running_view *running_shown = calloc(running + 1, sizeof *running_shown);
    struct queued_view *queue_shown = calloc(queued + 1, sizeof *queue_shown);
    double *remaining = calloc(running + 1, sizeof *remaining), *starts = calloc(queued + 1, sizeof *starts);
    enum status status = running_shown == NULL || queue_shown == NULL || remaining == NULL || starts == NULL
                             ? error_set(error, STATUS_OUT_OF_MEMORY, "no memory to show the queue")
                             : STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < running; i++) {
        fill_running(app, &view->running[i], &running_shown[i]);
        remaining[i] = running_shown[i].eta_seconds;
    }
    if (status == STATUS_OK) {
        status = scheduler_estimate(view, remaining, starts, error);
    }
    if (status == STATUS_OK) {
        int64_t now = clock_realtime_ms();

        for (size_t i = 0; i < queued; i++) {
            fill_queued(&view->queue[i], starts[i], now, &queue_shown[i]);
        }
        encode_scheduler(&(struct scheduler_state){.threads = view->figures.threads,
                                                   .busy_threads = view->figures.busy_threads,
                                                   .queued = view->figures.queued,
                                                   .memory_bytes = view->figures.memory_bytes,
                                                   .used_bytes = view->figures.used_bytes,
                                                   .running = running_shown,
                                                   .running_count = running,
                                                   .queue = queue_shown,
                                                   .queue_count = queued},
                         writer);
    }
    free(running_shown);
    free(queue_shown);
    free(remaining);
    free(starts);
    return status;
}

void get_scheduler(struct app *app, struct request *request)
{
    size_t limit = (size_t)query_integer(request_query(request), PARAMETER_LIMIT);
    struct json_writer writer = {0};
    struct scheduler_view view;
    struct error error = {0};
    enum status status = scheduler_look(app->scheduler, limit, &view, &error);

    if (status == STATUS_OK) {
        status = encode(app, &view, &writer, &error);
        scheduler_view_release(&view);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    reply_json(request, 200, &writer);
}
