/* The end of a run: what becomes of the job, its state, its model. */
#include <string.h>

#include "server/clock.h"
#include "server/jobs/outcome.h"
#include "server/jobs/run.h"
#include "server/log.h"
#include "server/store/checkpoints.h"

#define ROOM_MS 1000 /* between two tries of anything that needs room or memory */

/* The last change; others may train while it becomes durable. */
static enum status store_end(struct run *run, const struct recorder_end *end, struct error *error)
{
    enum status status;

    scheduler_let_go(run->runner->scheduler, run->runner);
    status = recorder_end(run->recorder, end, error);
    run->left_in = status == STATUS_OK ? job_trigger_target(end->trigger) : JOB_STATUS_KEEP;
    return status;
}

static enum status end_with(struct run *run, enum job_trigger trigger, const char *reason, struct error *error)
{
    struct recorder_end end = {.trigger = trigger, .reason = reason};

    return store_end(run, &end, error);
}

/* ---- the state ---- */

/* Has the run made a step? Else the state is the one that it went on from, and `progress` may be that of a later step. */
static int has_moved(const struct run *run)
{
    struct train_progress progress;

    trainer_progress(run->trainer, &progress);
    return progress.step > run->first_step;
}

/* The last checkpoint of this run. Without it the job goes on from the one before: nothing is lost but time. */
static void keep_state(struct run *run)
{
    struct error error = {.status = STATUS_OK};

    if (run->trainer == NULL || run->keeps_last || run->lost_row || !has_moved(run)) {
        return;
    }
    run->keeps_last = 1;
    job_checkpoints_begin_last(run->checkpoints, run->seconds);
    if (job_checkpoints_end_last(run->checkpoints, &error) != STATUS_OK) {
        log_warning(run->job.id, "its last checkpoint could not be written: %s", error.message);
    }
}

/* from: JOB_SET(...), 0: all in which a job can be paused. */
static enum status pause(struct run *run, const char *pause_reason, unsigned from, struct error *error)
{
    struct recorder_end end = {
        .trigger = TRIGGER_PAUSED, .from = from, .reason = pause_reason, .pause_reason = pause_reason};

    return store_end(run, &end, error);
}

/* Back into the queue. A job that has no trainer yet is as it was. */
static enum status requeue(struct run *run, const char *reason, struct error *error)
{
    if (run->trainer == NULL) {
        return STATUS_OK;
    }
    keep_state(run);
    return end_with(run, TRIGGER_REQUEUE, reason, error);
}

/* ---- success and failure ---- */

/* A job that went through all its epochs may be extended: its state stays. It is written while the model is evaluated. */
static enum status succeed(struct run *run, enum stop_reason stop_reason, struct error *error)
{
    struct outcome_facts facts = {.job = run->job.id,
                                  .name = run->job.name,
                                  .train_seconds = run->seconds,
                                  .threads = run->threads,
                                  .l2 = run->request.train.loss.l2,
                                  .profile = run_profile(run),
                                  .kind = run->request.train.kind,
                                  .diagnostics = run->request.train.diagnostics,
                                  .calibrates = run->request.calibration == CALIBRATION_TEMPERATURE};
    struct outcome outcome;
    struct error ignored = {.status = STATUS_OK};
    int keeps = stop_reason == STOP_EPOCHS && !run->keeps_last && has_moved(run);
    enum status status;

    if (keeps) {
        run->keeps_last = 1;
        job_checkpoints_begin_last(run->checkpoints, run->seconds);
    }
    status = outcome_of_success(&outcome, run->runner->store, run->trainer, &facts, error);
    if (keeps && job_checkpoints_end_last(run->checkpoints, &ignored) != STATUS_OK) {
        log_warning(run->job.id, "its last checkpoint could not be written: %s", ignored.message);
    }
    if (status == STATUS_OK) {
        struct recorder_end end = {.trigger = TRIGGER_SUCCEED, .outcome = &outcome.outcome};

        status = store_end(run, &end, error);
    }
    outcome_release(&outcome);
    return status;
}

/* The newest checkpoint, for the error of a job that diverged: one of this run, which is stored with that error at the
 * latest, or of an earlier one. step 0: there is none. */
static void find_last_good(struct run *run, struct outcome_checkpoint *last)
{
    struct checkpoint_list list;
    struct error error = {.status = STATUS_OK};

    *last = (struct outcome_checkpoint){.step = 0};
    if (run->checkpoints != NULL) {
        last->step = job_checkpoints_finish(run->checkpoints, last->sha256);
    }
    if (last->step > 0) {
        return;
    }
    if (checkpoints_list(run->runner->store, run->job.id, &list, &error) != STATUS_OK) {
        log_warning(run->job.id, "its checkpoints could not be read: %s", error.message);
        return;
    }
    if (list.count > 0) {
        last->step = list.items[0].step;
        memcpy(last->sha256, list.items[0].object, sizeof last->sha256);
    }
    checkpoint_list_release(&list);
}

static enum status fail(struct run *run, const struct error *reason, struct error *error)
{
    struct outcome_checkpoint last;
    struct outcome outcome;
    enum status status;

    find_last_good(run, &last);
    outcome_of_failure(&outcome, reason, run->trainer, &last);
    struct recorder_end end = {.trigger = TRIGGER_FAIL, .outcome = &outcome.outcome};
    status = store_end(run, &end, error);
    outcome_release(&outcome);
    if (status == STATUS_OK) {
        log_warning(run->job.id, "failed: %s", reason->message);
    }
    return status;
}

/* ---- which of them ---- */

/* Somebody else has changed the job: it is not this run's to end. */
static int is_not_ours(enum status status)
{
    return status == STATUS_STATE_CONFLICT || status == STATUS_DELETED;
}

/* By an order, with the state as it is. */
static enum status end_by_order(struct run *run, struct error *error)
{
    struct error resumed = {0};
    enum status status;

    if (run_order(run) == RUNNER_DRAIN) {
        return requeue(run, "drain", error);
    }
    if (run->trainer == NULL && run_order(run) != RUNNER_PAUSE) {
        return STATUS_OK; /* resumed before it had begun: it is as it was */
    }
    keep_state(run);
    status = pause(run, "user", JOB_SET(JOB_PAUSING), &resumed);
    if (status == STATUS_STATE_CONFLICT) { /* the client has thought better of it: another runner goes on from here */
        return requeue(run, "resume", error);
    }
    *error = resumed;
    return status;
}

static enum status end(struct run *run, enum status status, const struct error *reason, struct error *error)
{
    struct train_progress progress = {0};
    struct error refusal = {0};

    if (run->trainer != NULL) {
        trainer_progress(run->trainer, &progress);
    }
    if (run_order(run) == RUNNER_CANCEL) {
        return end_with(run, TRIGGER_CANCELLED, NULL, error);
    }
    if (run_is_of_storage(status) && run_order(run) != RUNNER_STOP) { /* one that is being stopped cannot be paused */
        return pause(run, "storage_full", 0, error);
    }
    if (status == STATUS_OK && progress.finished && !run->lost_row) {
        status = succeed(run, progress.reason, &refusal);
        reason = &refusal;
    } else if (status == STATUS_OK) {
        return end_by_order(run, error);
    }
    if (status == STATUS_OK || is_not_ours(status)) {
        return status;
    }
    if (status == STATUS_INSUFFICIENT_STORAGE) {
        *error = *reason; /* what did not fit is made anew when there is room */
        return status;
    }
    return fail(run, reason, error);
}

/* The job is another runner's to end: what this run has reached, its last checkpoint above all, is there for that one. */
static void leave_state(struct run *run)
{
    struct error refusal = {.status = STATUS_OK};

    if (recorder_poll(run->recorder, clock_monotonic_seconds(), 1, &refusal) != STATUS_OK) {
        return; /* nor is it this run's to change */
    }
}

/* Whoever changed the job while this run ended may have left it to a runner: then it needs another one. */
static void look_back(struct run *run)
{
    struct runner *runner = run->runner;
    struct job_view job;
    struct error error = {0};
    enum status status;

    scheduler_leave(runner->scheduler, runner, 0);
    do {
        error = (struct error){.status = STATUS_OK};
        status = jobs_get(runner->store, runner->job.id, 0, &job, &error);
    } while (status != STATUS_OK && status != STATUS_DELETED && status != STATUS_NOT_FOUND &&
             scheduler_pause(runner->scheduler, runner, ROOM_MS));
    if (status == STATUS_OK) {
        scheduler_tell(runner->scheduler, &job);
        job_view_release(&job);
    } else if (status != STATUS_DELETED) {
        log_error(runner->job.id, "it could not be read: %s", error.message);
    }
}

/* A job must not stay behind in a state that nobody works on, but where nothing can be stored until a restart. */
static int may_be_tried_again(enum status ended)
{
    return ended != STATUS_OK && !is_not_ours(ended) && ended != STATUS_READ_ONLY;
}

void run_end(struct run *run, enum status status, const struct error *reason)
{
    const char *id = run->runner->job.id;
    enum status ended;
    int told = 0;

    do {
        struct error error = {0};

        ended = end(run, status, reason, &error);
        if (ended == STATUS_INSUFFICIENT_STORAGE && !told++) {
            log_warning(id, "its end waits for room on the disk: %s", error.message);
        } else if (ended != STATUS_OK && !is_not_ours(ended) && !told++) {
            log_error(id, "its end could not be stored: %s", error.message);
        }
    } while (may_be_tried_again(ended) && scheduler_pause(run->runner->scheduler, run->runner, ROOM_MS));
    if (is_not_ours(ended)) {
        leave_state(run);
    }
    if (ended == STATUS_OK && run->left_in != JOB_STATUS_KEEP && job_status_is_terminal(run->left_in)) {
        scheduler_leave(run->runner->scheduler, run->runner, recorder_version(run->recorder));
    } else if (ended == STATUS_OK || is_not_ours(ended)) {
        look_back(run);
    }
}
