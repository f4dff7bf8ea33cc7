#include "server/jobs/job_checkpoints.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_checkpoint.h"
#include "server/failpoint.h"

#define FAILURES_MAX 3   /* in a row */
#define RETRY_FIRST  1.0 /* seconds; doubles */

struct job_checkpoints {
    struct job_checkpoints_setup setup;
    struct checkpoint_copy *copy;
    struct checkpoint_task task;
    struct job_progress taken; /* of what stands in the copy */
    int under_way;
    int wanted;         /* on demand, since the last one was taken */
    uint64_t last_step; /* of the last one that was taken */
    double last_seconds;
    uint64_t made_step; /* of the newest one that was made; 0: none */
    char made_sha256[SHA256_TEXT];
    unsigned failures; /* in a row */
    double retry_at;   /* monotonic seconds */
};

enum status job_checkpoints_new(struct job_checkpoints **out, const struct job_checkpoints_setup *setup, struct error *error)
{
    struct job_checkpoints *checkpoints = calloc(1, sizeof *checkpoints);
    enum status status;

    *out = NULL;
    if (checkpoints == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the job's checkpoints");
    }
    checkpoints->setup = *setup;
    status = checkpoint_copy_new(&checkpoints->copy, setup->trainer, error);
    if (status != STATUS_OK) {
        free(checkpoints);
        return status;
    }
    *out = checkpoints;
    return STATUS_OK;
}

void job_checkpoints_free(struct job_checkpoints *checkpoints)
{
    if (checkpoints == NULL) {
        return;
    }
    if (checkpoints->under_way) {
        checkpoint_writer_wait(checkpoints->setup.writer, &checkpoints->task);
        object_release(&checkpoints->task.object);
    }
    checkpoint_copy_free(checkpoints->copy);
    free(checkpoints);
}

void job_checkpoints_resume(struct job_checkpoints *checkpoints, uint64_t step, double seconds)
{
    checkpoints->last_step = step;
    checkpoints->last_seconds = seconds;
}

/* ---- one checkpoint ---- */

static void take(struct job_checkpoints *checkpoints, double seconds)
{
    checkpoint_take(checkpoints->copy, checkpoints->setup.trainer, seconds);
    checkpoints->taken = *checkpoints->setup.progress;
    checkpoints->last_step = checkpoints->taken.step;
    checkpoints->last_seconds = seconds;
    checkpoints->task.copy = checkpoints->copy;
    checkpoints->task.owner = &checkpoints->setup.owner;
    checkpoints->under_way = 1;
    checkpoints->wanted = 0;
    FAILPOINT(CHECKPOINT_TAKEN);
    checkpoint_writer_submit(checkpoints->setup.writer, &checkpoints->task);
}

static void remark_failure(struct job_checkpoints *checkpoints, const struct error *error)
{
    struct remark remark = {.code = "checkpoint_failed", .message = error->message, .step = checkpoints->taken.step};

    recorder_add_remark(checkpoints->setup.recorder, encode_remark(&remark));
}

static char *describe(const struct job_checkpoints *checkpoints)
{
    const struct job_progress *taken = &checkpoints->taken;
    const struct object *object = &checkpoints->task.object;
    struct checkpoint_description description = {.step = taken->step,
                                                 .bytes = object->size,
                                                 .sha256 = object->sha256,
                                                 .epoch = taken->epoch,
                                                 .train_loss = taken->train_loss,
                                                 .train_accuracy = taken->train_accuracy,
                                                 .validation_loss = taken->validation_loss,
                                                 .validation_accuracy = taken->validation_accuracy,
                                                 .best_value = taken->best_value,
                                                 .best_step = taken->best_step,
                                                 .best_metric = taken->best_metric};

    return encode_checkpoint_data(&description);
}

/* The writer is done with the task: its object goes to the recorder. */
static enum status collect(struct job_checkpoints *checkpoints, struct error *error)
{
    struct checkpoint_task *task = &checkpoints->task;
    char *data;

    checkpoints->under_way = 0;
    if (task->status != STATUS_OK) {
        object_release(&task->object);
        *error = task->error;
        return task->status;
    }
    data = describe(checkpoints);
    if (data == NULL) {
        object_release(&task->object);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to describe a checkpoint");
    }
    checkpoints->made_step = checkpoints->taken.step;
    memcpy(checkpoints->made_sha256, task->object.sha256, sizeof checkpoints->made_sha256);
    FAILPOINT(CHECKPOINT_BEFORE_DB);
    recorder_add_checkpoint(checkpoints->setup.recorder, &task->object, checkpoints->taken.step,
                            checkpoints->setup.policy.keep, data);
    checkpoints->failures = 0;
    return STATUS_OK;
}

/* ---- while training ---- */

static int is_due(const struct job_checkpoints *checkpoints, double seconds, double now)
{
    const struct checkpoint_policy *policy = &checkpoints->setup.policy;
    uint64_t steps = checkpoints->setup.progress->step - checkpoints->last_step;

    if (checkpoints->under_way || now < checkpoints->retry_at) {
        return 0;
    }
    return checkpoints->wanted || checkpoints->failures > 0 ||
           seconds - checkpoints->last_seconds >= policy->every_seconds ||
           (policy->every_steps > 0 && steps >= policy->every_steps);
}

enum status job_checkpoints_step(struct job_checkpoints *checkpoints, double seconds, double now, int wanted,
                                 struct error *error)
{
    if (checkpoints->under_way && checkpoint_writer_is_done(checkpoints->setup.writer, &checkpoints->task)) {
        enum status status = collect(checkpoints, error);

        if (status != STATUS_OK) {
            checkpoints->retry_at = now + ldexp(RETRY_FIRST, (int)checkpoints->failures++);
            remark_failure(checkpoints, error);
            if (checkpoints->failures >= FAILURES_MAX || status == STATUS_DIVERGED) {
                return status;
            }
            *error = (struct error){.status = STATUS_OK};
        }
    }
    checkpoints->wanted |= wanted; /* it may have to wait for the one under way, which is of an earlier step */
    if (is_due(checkpoints, seconds, now)) {
        take(checkpoints, seconds);
    }
    return STATUS_OK;
}

/* ---- at the end of a run ---- */

/* What was under way goes to the recorder if it became something; the last one comes right after it. */
static void finish_task(struct job_checkpoints *checkpoints)
{
    struct error reason = {.status = STATUS_OK};

    if (checkpoints->under_way) {
        checkpoint_writer_wait(checkpoints->setup.writer, &checkpoints->task);
        if (collect(checkpoints, &reason) != STATUS_OK) {
            remark_failure(checkpoints, &reason);
        }
    }
}

uint64_t job_checkpoints_finish(struct job_checkpoints *checkpoints, char sha256[SHA256_TEXT])
{
    finish_task(checkpoints);
    memcpy(sha256, checkpoints->made_sha256, sizeof checkpoints->made_sha256);
    return checkpoints->made_step;
}

void job_checkpoints_begin_last(struct job_checkpoints *checkpoints, double seconds)
{
    finish_task(checkpoints);
    take(checkpoints, seconds);
}

enum status job_checkpoints_end_last(struct job_checkpoints *checkpoints, struct error *error)
{
    checkpoint_writer_wait(checkpoints->setup.writer, &checkpoints->task);
    return collect(checkpoints, error);
}
