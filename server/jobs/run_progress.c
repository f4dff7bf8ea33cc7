#include <math.h>

#include "core/optim/optimizer.h"
#include "server/jobs/run.h"

#define PROFILE_INTERVAL 0.1 /* seconds between two that are shown */

static void keep(double *latest, double value)
{
    if (!isnan(value)) {
        *latest = value;
    }
}

void run_note_point(struct run *run, const struct train_point *point)
{
    struct job_progress *progress = &run->progress;

    progress->learning_rate = point->learning_rate;
    keep(&progress->train_loss, point->train_loss);
    keep(&progress->train_accuracy, point->train_accuracy);
    keep(&progress->validation_loss, point->validation_loss);
    keep(&progress->validation_accuracy, point->validation_accuracy);
}

static double fraction_of(const struct train_progress *now, int done)
{
    if (done) {
        return 1;
    }
    return now->total_steps > 0 ? (double)now->step / (double)now->total_steps : 0;
}

void run_show_progress(struct run *run)
{
    struct job_progress *progress = &run->progress;
    struct train_progress now;
    int done;

    trainer_progress(run->trainer, &now);
    done = now.finished && now.reason != STOP_NONE; /* not: diverged */
    progress->fraction = fraction_of(&now, done);
    progress->epoch = now.epoch;
    progress->step = now.step;
    progress->total_steps = now.total_steps;
    progress->samples_seen = now.samples_seen;
    progress->samples_per_second = run->seconds > 0 ? (double)now.samples_seen / run->seconds : (double)NAN;
    progress->eta_seconds = done            ? 0
                            : now.step == 0 ? (double)NAN
                                            : run->seconds * (double)(now.total_steps - now.step) / (double)now.step;
    progress->gradient_norm = now.gradient_norm;
    progress->best_value = now.best_value;
    progress->best_step = now.best_step;
    progress->best_metric = now.best_metric;
    recorder_set_progress(run->recorder, progress);
}

/* A solver's passes over the rows are as many as it needs: how many operations they were is not known. */
static uint64_t step_flops(const struct run *run)
{
    return optimizer_has(run->request.train.optimizer.type, OPTIMIZER_CONVEX_SOLVER) ? 0 : run->plan.step_flops;
}

const struct profile_counts *run_profile(struct run *run)
{
    trainer_ticks(run->trainer, run->profile.ticks);
    run->profile.step_flops = step_flops(run);
    run->profile.precision = run->request.train.precision;
    return &run->profile;
}

void run_count_step(struct run *run, double begin, double now, uint64_t samples)
{
    uint64_t nanoseconds = (uint64_t)((now - begin) * 1e9);

    run->profile.steps++;
    run->profile.samples += samples;
    run->profile.nanoseconds += nanoseconds;
    run->profile.thread_nanoseconds += nanoseconds * run->threads;
    if (now >= run->profile_due) {
        run->profile_due = now + PROFILE_INTERVAL;
        scheduler_show_profile(run->runner->scheduler, run->runner, run_profile(run));
    }
}
