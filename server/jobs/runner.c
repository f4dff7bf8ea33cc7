/*
 * The life of a running job on its thread: load, be admitted, train step by step, leave an outcome. What it shows on the
 * way goes through the recorder; orders from the scheduler are looked at between steps.
 */
#include "runner.h"

#include "core/base/thread_tag.h"
#include "server/clock.h"
#include "server/failpoint.h"
#include "server/jobs/run.h"
#include "server/log.h"
#include "server/monitor.h"

#define ROOM_MS         1000       /* between two tries while the disk is full */
#define SLOW_STEP_FLOPS 1000000000 /* some 10 ms: such a job is shown as running before its first step */

#define SHORT_JOB    0.01 /* seconds */
#define STEP_SECONDS 1e-5 /* of the smallest step, about; more is FLOP_SECONDS for each operation */
#define FLOP_SECONDS 2e-10

/* ---- turns ---- */

/* Uses the threads that the job has now; waits for its turn where it has none. 0: an order came. */
static int take_turn(struct run *run)
{
    uint32_t threads = atomic_load_explicit(&run->runner->control.threads, memory_order_relaxed);

    if (threads != run->threads || threads == 0) {
        double begin = clock_monotonic_seconds();

        threads = scheduler_take_turn(run->runner->scheduler, run->runner);
        run->idle += clock_monotonic_seconds() - begin;
        if (threads > 0) {
            run->threads = threads;
            trainer_set_threads(run->trainer, threads);
            recorder_set_threads(run->recorder, threads);
        }
    }
    return threads > 0;
}

/* Waits a while for room on the disk, without holding threads. 0: an order came, or the server drains. */
static int wait_for_room(struct run *run)
{
    double begin = clock_monotonic_seconds();
    int waited = run_has_work(run) && scheduler_pause(run->runner->scheduler, run->runner, ROOM_MS);

    run->idle += clock_monotonic_seconds() - begin;
    return waited;
}

/* ---- a step ---- */

/* Gives a logged point to the recorder, waiting where the disk is full. One that an order overtakes is made again by the
 * next run: nothing of this one is kept from there on. */
static enum status record(struct run *run, const struct train_point *point, double elapsed, struct error *error)
{
    for (;;) {
        struct error full = {0};
        enum status status = recorder_add(run->recorder, point, elapsed, &full);

        if (status != STATUS_INSUFFICIENT_STORAGE) {
            *error = full;
            return status;
        }
        if (!wait_for_room(run)) {
            run->lost_row = 1;
            return STATUS_OK;
        }
        status = recorder_poll(run->recorder, clock_monotonic_seconds(), 0, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
}

/*
 * A run that takes the job up again comes by what was shown before. It must not be ended, by the clock or by a client, at an
 * earlier step.
 */
static int may_end_after_next(const struct run *run, uint64_t step)
{
    return !recorder_is_replaying(run->recorder) && step + 1 >= run->job.progress.step;
}

/* Does training end at a step that a run after a crash may not end at? Then its last row is stored with the end of the job.
 */
static int ends_at_any_step(const struct run *run, const struct train_progress *progress)
{
    return progress->finished && (run->request.train.stop.max_seconds > 0 || progress->reason == STOP_USER);
}

static enum status step(struct run *run, uint64_t samples_before, struct error *error)
{
    double limit = run->request.train.stop.max_seconds, begin = clock_monotonic_seconds(), now, elapsed;
    struct train_progress progress;
    struct train_point point;
    int logged = 0;
    enum status status = trainer_step(run->trainer, &point, &logged, error);

    now = clock_monotonic_seconds();
    elapsed = run_elapsed(run, now);
    trainer_progress(run->trainer, &progress);
    run_count_step(run, begin, now, progress.samples_seen - samples_before);
    if (ends_at_any_step(run, &progress)) {
        recorder_start(run->recorder);
    }
    if (status == STATUS_OK && logged) {
        run_note_point(run, &point);
        status = record(run, &point, elapsed, error);
    }
    run->seconds = recorder_clock(run->recorder, elapsed);
    if (status == STATUS_OK && limit > 0 && run->seconds >= limit && may_end_after_next(run, progress.step)) {
        trainer_stop_after_next(run->trainer, STOP_MAX_SECONDS);
    }
    run_show_progress(run);
    return status == STATUS_OK && !progress.finished ? recorder_poll(run->recorder, now, 0, error) : status;
}

/* ---- between steps ---- */

/* A job that has made a checkpoint since the server last died under it is no suspect any more. */
static void note_proof(struct run *run)
{
    unsigned stored = run->runner->job.suspect ? recorder_checkpoints_stored(run->recorder) : 0;

    if (stored > run->proved) {
        run->proved = stored;
        scheduler_clear_suspect(run->runner->scheduler, run->runner);
    }
}

static enum status save(struct run *run, struct error *error)
{
    int wanted = atomic_exchange_explicit(&run->runner->control.checkpoint, 0, memory_order_relaxed);
    enum status status;

    note_proof(run);
    status = job_checkpoints_step(run->checkpoints, run->seconds, clock_monotonic_seconds(), wanted, error);
    if (run_is_of_storage(status) && run_order(run) == RUNNER_STOP) { /* it is to end, and cannot be paused */
        *error = (struct error){.status = STATUS_OK};
        return STATUS_OK;
    }
    return status;
}

/* Is there another step to be made? */
static int goes_on(struct run *run, uint64_t step)
{
    if (run_order(run) == RUNNER_STOP && may_end_after_next(run, step)) {
        trainer_stop_after_next(run->trainer, STOP_USER);
    }
    return run_has_work(run) && !run->lost_row;
}

static void count_step(const struct train_progress *before, const struct train_progress *after)
{
    monitor_add(MONITOR_STEPS, after->step - before->step);
    monitor_add(MONITOR_SAMPLES, after->samples_seen - before->samples_seen);
}

/* Will it have ended before anybody could have seen it run? */
static int is_short(const struct train_plan *plan)
{
    return (double)plan->total_steps * (STEP_SECONDS + FLOP_SECONDS * (double)plan->most_step_flops) < SHORT_JOB;
}

/* Until training has finished, fails, or an order comes. */
static enum status train(struct run *run, struct error *error)
{
    struct train_progress progress, before;
    enum status status = STATUS_OK;

    if (run->plan.most_step_flops >= SLOW_STEP_FLOPS) {
        recorder_start(run->recorder);
    } else if (is_short(&run->plan)) {
        recorder_expect_end(run->recorder);
    }
    trainer_progress(run->trainer, &progress);
    run->begin = clock_monotonic_seconds();
    while (status == STATUS_OK && !progress.finished && goes_on(run, progress.step)) {
        if (!take_turn(run)) {
            continue;
        }
        before = progress;
        FAILPOINT(JOB_STEP);
        status = step(run, before.samples_seen, error);
        trainer_progress(run->trainer, &progress);
        count_step(&before, &progress);
        if (status == STATUS_OK && !progress.finished && !run->lost_row) {
            status = save(run, error);
        }
    }
    return status;
}

void runner_run(struct runner *runner)
{
    struct run run = {.runner = runner, .left_in = JOB_STATUS_KEEP};
    struct error reason = {0};
    enum status status;

    thread_tag = runner->job.id; /* should this thread, or one of its team, bring the process down */
    FAILPOINT(JOB_PICKED);
    status = run_load(&run, &reason);
    if (status == STATUS_OK && run.trainer != NULL) {
        status = train(&run, &reason);
    }
    if (run.recorder == NULL) {
        log_error(runner->job.id, "not started: %s", reason.message);
    } else {
        run_end(&run, status, &reason);
    }
    run_release(&run);
    thread_tag = NULL;
}
