/*
 * The life of a running job on its thread: load, be admitted, train step by step, leave an outcome. What it shows on the
 * way goes through the recorder; orders from the scheduler are looked at between steps.
 */
#include "runner.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "api/job_request.h"
#include "api/problem.h"
#include "server/failpoint.h"
#include "server/jobs/job_data.h"
#include "server/jobs/outcome.h"
#include "server/jobs/recorder.h"
#include "server/jobs/stored_spec.h"
#include "server/log.h"

#define ROOM_MS         1000       /* between two tries while the disk is full */
#define SLOW_STEP_FLOPS 1000000000 /* some 10 ms: such a job is shown as running before its first step */

/* Everything of one run. */
struct run {
    struct runner *runner;
    struct job_view job;
    struct job_request request;
    struct job_data data;
    struct train_plan plan;
    struct trainer *trainer;
    struct recorder *recorder;
    uint32_t threads;
    double seconds; /* of training so far (recorder_clock) */
    struct train_point latest;
    double train_loss, train_accuracy, validation_loss, validation_accuracy; /* latest that were measured */
};

static double monotonic_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- loading ---- */

/* The first thing that is wrong, as one error: a stored spec was checked when it was submitted. */
static enum status first_error(const struct problem *problem, struct error *error)
{
    if (problem->whole.status != STATUS_OK) {
        *error = problem->whole;
        return error->status;
    }
    if (problem->field_count > 0) {
        const struct problem_field *field = &problem->fields[0];

        return error_set_pointer(error, field->status, field->pointer, "%s", field->detail);
    }
    return error_set(error, STATUS_INTERNAL, "the job's spec could not be read");
}

static enum status load(struct run *run, struct error *error)
{
    struct store *store = run->runner->store;
    struct problem problem;
    enum status status = jobs_get(store, run->runner->id, JOB_SPEC, &run->job, error);

    if (status == STATUS_OK) {
        status = stored_spec_decode(&run->job, &run->request, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    problem_init(&problem);
    status = job_data_open(&run->data, store, &run->request, &problem);
    if (status == STATUS_OK) {
        status = job_request_resolve(&run->request, &run->data.train.dataset, &run->data.split,
                                     run->data.has_test ? &run->data.test.dataset : NULL, &problem);
    }
    if (status != STATUS_OK) {
        status = first_error(&problem, error);
    }
    problem_release(&problem);
    return status;
}

static enum status prepare(struct run *run, struct error *error)
{
    struct runner *runner = run->runner;
    uint32_t wanted = run->request.threads, cores = scheduler_threads(runner->scheduler), most;
    struct train_data data;
    enum status status = load(run, error);

    if (status == STATUS_OK) {
        wanted = run->request.threads;
        most = wanted > 0 ? wanted : cores;
        status = trainer_plan(&run->plan, &run->request.train, run->data.split.train_count, most, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    most = wanted > 0 ? wanted : trainer_useful_threads(&run->plan, cores);
    run->threads = scheduler_admit(runner->scheduler, runner, run->plan.bytes, most, wanted > 0);
    if (run->threads == 0) {
        return STATUS_OK; /* not to run any more: the caller looks at the order */
    }
    data = job_data_for_training(&run->data);
    status = trainer_new(&run->trainer, &run->request.train, &data, most, error);
    if (status == STATUS_OK) {
        trainer_set_threads(run->trainer, run->threads);
        recorder_set_threads(run->recorder, run->threads);
    }
    return status;
}

/* ---- progress ---- */

static void keep(double *latest, double value)
{
    if (!isnan(value)) {
        *latest = value;
    }
}

static void note_point(struct run *run, const struct train_point *point)
{
    run->latest = *point;
    keep(&run->train_loss, point->train_loss);
    keep(&run->train_accuracy, point->train_accuracy);
    keep(&run->validation_loss, point->validation_loss);
    keep(&run->validation_accuracy, point->validation_accuracy);
}

static void show_progress(struct run *run)
{
    struct train_progress progress;
    struct job_progress shown;
    double rate;
    int done;

    trainer_progress(run->trainer, &progress);
    done = progress.finished && progress.reason != STOP_NONE; /* not: diverged */
    if (!done && progress.step < run->job.progress.step) {
        return; /* still behind what was shown before the restart */
    }
    rate = run->seconds > 0 ? (double)progress.samples_seen / run->seconds : (double)NAN;
    shown = (struct job_progress){
        .fraction = done                       ? 1
                    : progress.total_steps > 0 ? (double)progress.step / (double)progress.total_steps
                                               : 0,
        .epoch = progress.epoch,
        .step = progress.step,
        .total_steps = progress.total_steps,
        .samples_seen = progress.samples_seen,
        .samples_per_second = rate,
        .eta_seconds = done ? 0
                       : progress.step == 0
                           ? (double)NAN
                           : run->seconds * (double)(progress.total_steps - progress.step) / (double)progress.step,
        .train_loss = run->train_loss,
        .train_accuracy = run->train_accuracy,
        .validation_loss = run->validation_loss,
        .validation_accuracy = run->validation_accuracy,
        .learning_rate = run->latest.learning_rate,
        .gradient_norm = progress.gradient_norm,
        .best_value = progress.best_value,
        .best_step = progress.best_step,
        .best_metric = progress.best_metric,
    };
    recorder_set_progress(run->recorder, &shown);
}

/* ---- training ---- */

static void follow_threads(struct run *run)
{
    uint32_t threads = atomic_load_explicit(&run->runner->control.threads, memory_order_relaxed);

    if (threads != run->threads && threads > 0) {
        run->threads = threads;
        trainer_set_threads(run->trainer, threads);
        recorder_set_threads(run->recorder, threads);
    }
}

static enum runner_order order_of(const struct run *run)
{
    return (enum runner_order)atomic_load_explicit(&run->runner->control.order, memory_order_relaxed);
}

/* Gives a logged point to the recorder, waiting where the disk is full; one that an order overtakes may be lost. */
static enum status record(struct run *run, const struct train_point *point, double elapsed, struct error *error)
{
    for (;;) {
        struct error full = {0};
        enum status status = recorder_add(run->recorder, point, elapsed, &full);

        if (status != STATUS_INSUFFICIENT_STORAGE) {
            *error = full;
            return status;
        }
        if (order_of(run) != RUNNER_GO_ON || !scheduler_pause(run->runner->scheduler, run->runner, ROOM_MS)) {
            return STATUS_OK;
        }
        status = recorder_poll(run->recorder, monotonic_seconds(), error);
        if (status != STATUS_OK) {
            return status;
        }
    }
}

/* One step and what is shown of it. begin: monotonic seconds at the first one. */
static enum status step(struct run *run, double begin, struct error *error)
{
    double limit = run->request.train.stop.max_seconds, now;
    struct train_progress progress;
    struct train_point point;
    int logged = 0, by_clock; /* a run after a crash may be ended by the clock at another step, ... */
    enum status status = trainer_step(run->trainer, &point, &logged, error);

    now = monotonic_seconds();
    trainer_progress(run->trainer, &progress);
    by_clock = progress.finished && limit > 0;
    if (by_clock) {
        recorder_start(run->recorder); /* ... so the last row must not be stored before the end of the job, with it */
    }
    if (status == STATUS_OK && logged) {
        note_point(run, &point);
        status = record(run, &point, now - begin, error);
    }
    run->seconds = recorder_clock(run->recorder, now - begin);
    if (status == STATUS_OK && limit > 0 && run->seconds >= limit) {
        trainer_stop_after_next(run->trainer, STOP_MAX_SECONDS);
    }
    show_progress(run);
    return status == STATUS_OK && !by_clock ? recorder_poll(run->recorder, now, error) : status;
}

/* Until training has finished, fails, or an order comes. */
static enum status train(struct run *run, struct error *error)
{
    struct train_progress progress = {0};
    double begin = monotonic_seconds();
    enum status status = STATUS_OK;

    if (run->plan.step_flops >= SLOW_STEP_FLOPS) {
        recorder_start(run->recorder);
    }
    while (status == STATUS_OK && !progress.finished && order_of(run) == RUNNER_GO_ON) {
        follow_threads(run);
        FAILPOINT(JOB_STEP);
        status = step(run, begin, error);
        trainer_progress(run->trainer, &progress);
    }
    return status;
}

/* ---- the end ---- */

static enum status succeed(struct run *run, struct error *error)
{
    struct outcome_facts facts = {.job = run->runner->id,
                                  .name = run->job.name,
                                  .train_seconds = run->seconds,
                                  .threads = run->threads,
                                  .l2 = run->request.train.loss.l2};
    struct outcome outcome;
    enum status status = outcome_of_success(&outcome, run->runner->store, run->trainer, &facts, error);

    if (status == STATUS_OK) {
        status = recorder_end(run->recorder, JOB_SET(JOB_RUNNING) | JOB_SET(JOB_CANCELLING), JOB_SUCCEEDED, NULL,
                              &outcome.outcome, error);
    }
    outcome_release(&outcome);
    return status;
}

static enum status fail(struct run *run, const struct error *reason, struct error *error)
{
    struct outcome outcome;
    enum status status;

    outcome_of_failure(&outcome, reason, run->trainer);
    status = recorder_end(run->recorder, JOB_SET(JOB_QUEUED) | JOB_SET(JOB_RUNNING) | JOB_SET(JOB_CANCELLING), JOB_FAILED,
                          NULL, &outcome.outcome, error);
    outcome_release(&outcome);
    if (status == STATUS_OK) {
        log_warning(run->runner->id, "failed: %s", reason->message);
    }
    return status;
}

/* Somebody else has ended the job: it was cancelled before it ran. */
static int is_not_ours(enum status status)
{
    return status == STATUS_STATE_CONFLICT || status == STATUS_DELETED;
}

/* What becomes of the job after its training ended with `status` (and `reason`). */
static enum status end(struct run *run, enum status status, const struct error *reason, struct error *error)
{
    struct train_progress progress = {0};
    struct error refusal = {0};

    if (run->trainer != NULL) {
        trainer_progress(run->trainer, &progress);
    }
    if (order_of(run) == RUNNER_CANCEL) {
        return recorder_end(run->recorder, JOB_SET(JOB_CANCELLING), JOB_CANCELLED, NULL, NULL, error);
    }
    if (status == STATUS_OK && progress.finished) {
        status = succeed(run, &refusal);
        reason = &refusal;
    } else if (status == STATUS_OK) {
        return run->trainer == NULL ? STATUS_OK /* draining: it has never left the queue */
                                    : recorder_end(run->recorder, JOB_SET(JOB_RUNNING), JOB_QUEUED, "drain", NULL, error);
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

/* Ends the job, waiting for room on the disk as long as that takes. */
static void end_for_good(struct run *run, enum status status, const struct error *reason)
{
    const char *id = run->runner->id;
    enum status ended;
    int told = 0;

    do {
        struct error error = {0};

        ended = end(run, status, reason, &error);
        if (ended == STATUS_INSUFFICIENT_STORAGE && !told++) {
            log_warning(id, "its end waits for room on the disk: %s", error.message);
        } else if (ended != STATUS_OK && ended != STATUS_INSUFFICIENT_STORAGE && !is_not_ours(ended)) {
            log_error(id, "its end could not be stored: %s", error.message);
        }
    } while (ended == STATUS_INSUFFICIENT_STORAGE && scheduler_pause(run->runner->scheduler, run->runner, ROOM_MS));
}

static void release(struct run *run)
{
    trainer_free(run->trainer);
    recorder_free(run->recorder);
    job_data_release(&run->data);
    job_request_release(&run->request);
    job_view_release(&run->job);
}

void runner_run(struct runner *runner)
{
    struct run run = {.runner = runner,
                      .train_loss = (double)NAN,
                      .train_accuracy = (double)NAN,
                      .validation_loss = (double)NAN,
                      .validation_accuracy = (double)NAN,
                      .latest = {.learning_rate = (double)NAN}};
    struct error reason = {0};
    enum status status = recorder_new(&run.recorder, runner->store, runner->id, &reason);

    FAILPOINT(JOB_PICKED);
    if (status == STATUS_OK) {
        status = prepare(&run, &reason);
    }
    if (status == STATUS_OK && run.trainer != NULL) {
        status = train(&run, &reason);
    }
    if (run.recorder == NULL) {
        log_error(runner->id, "not started: %s", reason.message);
    } else {
        end_for_good(&run, status, &reason);
    }
    release(&run);
}
