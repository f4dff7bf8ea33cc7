/*
 * What clients ask of a job: pause, resume, stop, cancel. The store decides by the table api/job_states.def, in one
 * transaction; the scheduler is told afterwards. Asking again for what has happened already changes nothing.
 */
#include "api/encode_job.h"
#include "api/job_states.h"
#include "api/json_writer.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/jobs/scheduler.h"
#include "server/store/jobs.h"

/* 202: it is done, or will be within a step; 200: it had been done before. */
static void answer(struct request *request, const struct job_view *job, int done_before)
{
    struct json_writer writer = {0};

    encode_job(job, &writer);
    reply_json(request, done_before ? 200 : 202, &writer);
}

static void ask(struct app *app, struct request *request, enum job_trigger trigger)
{
    struct jobs_act act = {.id = request_parameter(request, 0), .trigger = trigger};
    struct job_view job;
    struct error error = {0};
    enum status status = store_wait(app->store, jobs_act(&act), &error);
    int done_before = status == STATUS_STATE_CONFLICT && job_trigger_is_done(trigger, act.current);

    if (status == STATUS_STATE_CONFLICT && !done_before) {
        reply_state_conflict(request, act.current);
        return;
    }
    if (status == STATUS_OK || done_before) {
        error = (struct error){0};
        status = jobs_get(app->store, act.id, 0, &job, &error);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    if (!done_before) {
        scheduler_tell(app->scheduler, &job);
    }
    answer(request, &job, done_before);
    job_view_release(&job);
}

void pause_job(struct app *app, struct request *request)
{
    ask(app, request, TRIGGER_PAUSE);
}

void resume_job(struct app *app, struct request *request)
{
    ask(app, request, TRIGGER_RESUME);
}

void stop_job(struct app *app, struct request *request)
{
    ask(app, request, TRIGGER_STOP);
}

void cancel_job(struct app *app, struct request *request)
{
    ask(app, request, TRIGGER_CANCEL);
}
