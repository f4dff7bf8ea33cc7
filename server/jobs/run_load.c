/* The beginning of a run: the job's spec, its data, its memory, its trainer, and the checkpoint that it goes on from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_checkpoint.h"
#include "api/problem.h"
#include "core/base/kernel_tier.h"
#include "server/jobs/run.h"
#include "server/jobs/stored_spec.h"
#include "server/log.h"
#include "server/store/checkpoints.h"

#define RETRY_MS 1000 /* between two tries to read the job */

/* ---- spec and data ---- */

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

static enum status load_data(struct run *run, struct error *error)
{
    struct problem problem;
    enum status status = stored_spec_decode(&run->job, &run->request, error);

    if (status != STATUS_OK) {
        return status;
    }
    problem_init(&problem);
    status = job_data_open(&run->data, run->runner->store, &run->request, &problem);
    if (status == STATUS_OK) {
        run->request.init.model = run->data.has_initial_model ? &run->data.initial_model : NULL;
        status = job_request_resolve(&run->request, &run->data.train.dataset, &run->data.split,
                                     run->data.has_test ? &run->data.test.dataset : NULL, &problem);
    }
    if (status != STATUS_OK) {
        status = first_error(&problem, error);
    }
    problem_release(&problem);
    return status;
}

/* ---- the checkpoint to go on from ---- */

static void tell_remark(struct run *run, const char *code, const char *reason, uint64_t step, const char *message)
{
    struct remark remark = {.code = code, .reason = reason, .message = message, .step = step};

    log_warning(run->job.id, "%s: %s", code, message);
    recorder_add_remark(run->recorder, encode_remark(&remark));
}

static enum status check_owner(const struct checkpoint *checkpoint, const struct checkpoint_owner *owner,
                               struct error *error)
{
    const char *what = memcmp(checkpoint->owner.spec, owner->spec, sizeof owner->spec) != 0 ? "spec" : NULL;

    if (what == NULL && memcmp(checkpoint->owner.dataset, owner->dataset, sizeof owner->dataset) != 0) {
        what = "data set";
    }
    if (what != NULL) {
        return error_set(error, STATUS_CHECKPOINT_CONFIG_MISMATCH, "the checkpoint of step %llu was made with another %s",
                         (unsigned long long)checkpoint->step, what);
    }
    return STATUS_OK;
}

/* Puts the trainer where one checkpoint stands. */
static enum status restore(struct run *run, const struct checkpoint_view *view, const struct checkpoint_owner *owner,
                           struct error *error)
{
    struct store *store = run->runner->store;
    struct object_map map;
    struct checkpoint checkpoint = {.step = 0};
    enum status status = object_map(&map, store, view->object, error);

    if (status != STATUS_OK) {
        return status;
    }
    status = checkpoint_read(&checkpoint, map.bytes, map.size, error);
    if (status == STATUS_OK) {
        status = check_owner(&checkpoint, owner, error);
    }
    if (status == STATUS_OK) {
        status = trainer_restore(run->trainer, &checkpoint, error);
    }
    if (status == STATUS_OK) {
        run->first_step = checkpoint.step;
        run->before = run->seconds = checkpoint.seconds;
        recorder_resume(run->recorder, checkpoint.step);
        job_checkpoints_resume(run->checkpoints, checkpoint.step, checkpoint.seconds);
    }
    object_unmap(store, &map);
    return status;
}

/* Of the file, the trainer being as it was. */
static int is_damage(enum status status)
{
    return status == STATUS_OBJECT_CORRUPT || status == STATUS_NOT_FOUND || status == STATUS_STORAGE_ERROR;
}

/* Newest first; what is damaged is passed over with a remark. */
static enum status restore_newest(struct run *run, const struct checkpoint_list *list, const struct checkpoint_owner *owner,
                                  struct error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        struct error reason = {.status = STATUS_OK};
        enum status status = restore(run, &list->items[i], owner, &reason);

        if (status == STATUS_OK) {
            return STATUS_OK;
        }
        if (!is_damage(status)) {
            *error = reason;
            return status;
        }
        tell_remark(run, "checkpoint_damaged", NULL, list->items[i].step, reason.message);
    }
    if (list->count > 0) {
        tell_remark(run, "restarted", "no_valid_checkpoint", 0, "no checkpoint can be read: the job begins again");
    }
    return STATUS_OK;
}

/* The kernel tier that the job has run on so far, or is meant for. */
static const char *tier_of(const struct run *run)
{
    return run->job.kernel_tier[0] != '\0' ? run->job.kernel_tier : run->request.expect_kernel_tier;
}

static enum status resume(struct run *run, const struct checkpoint_owner *owner, struct error *error)
{
    const char *tier = kernel_tier_of(run->request.train.precision);
    struct checkpoint_list list;
    enum status status;

    if (tier_of(run)[0] != '\0' && strcmp(tier_of(run), tier) != 0) {
        recorder_change_tier(run->recorder, tier);
        if (run->job.started_at > 0) {
            tell_remark(run, "restarted", "kernel_tier_changed", 0,
                        "the processor computes otherwise than the one before: the job begins again");
        }
        return STATUS_OK;
    }
    if (run->job.started_at == 0 && run->job.extended_from[0] == '\0') {
        return STATUS_OK; /* it never ran, and goes on from no other: there is none */
    }
    status = checkpoints_list(run->runner->store, run->job.id, &list, error);
    if (status == STATUS_OK) {
        status = restore_newest(run, &list, owner, error);
        checkpoint_list_release(&list);
    }
    return status;
}

/* ---- the trainer ---- */

static enum status make_trainer(struct run *run, uint32_t most_threads, struct error *error)
{
    struct train_data data = job_data_for_training(&run->data);
    struct job_checkpoints_setup setup = {.writer = run->runner->checkpoints,
                                          .recorder = run->recorder,
                                          .progress = &run->progress,
                                          .policy = {.every_seconds = run->request.checkpoint_every_seconds,
                                                     .every_steps = run->request.checkpoint_every_steps,
                                                     .keep = run->request.checkpoint_keep}};
    enum status status = stored_spec_hash(&run->request, setup.owner.spec, error);

    if (status == STATUS_OK && !sha256_from_hex(run->data.train.sha256, setup.owner.dataset)) {
        status = error_set(error, STATUS_INTERNAL, "\"%.64s\" is no SHA-256", run->data.train.sha256);
    }
    if (status == STATUS_OK) {
        status = trainer_new(&run->trainer, &run->request.train, &data, most_threads, error);
    }
    if (status == STATUS_OK) {
        setup.trainer = run->trainer;
        status = job_checkpoints_new(&run->checkpoints, &setup, error);
    }
    return status == STATUS_OK ? resume(run, &setup.owner, error) : status;
}

/* The job, and its rows so far; tried again and again, for nobody else will take the job up. */
static enum status read_job(struct run *run, struct error *error)
{
    struct runner *runner = run->runner;
    int told = 0;

    for (;;) {
        enum status status;

        *error = (struct error){.status = STATUS_OK};
        status = jobs_get(runner->store, runner->job.id, JOB_SPEC, &run->job, error);
        if (status != STATUS_OK) {
            run->job = (struct job_view){.spec = NULL};
        } else {
            status = recorder_new(&run->recorder, runner->store, &run->job, error);
        }
        if (status == STATUS_OK || status == STATUS_NOT_FOUND || status == STATUS_DELETED) {
            return status;
        }
        job_view_release(&run->job);
        if (!told++) {
            log_error(runner->job.id, "it cannot be read yet: %s", error->message);
        }
        if (!scheduler_pause(runner->scheduler, runner, RETRY_MS)) {
            return status;
        }
    }
}

enum status run_load(struct run *run, struct error *error)
{
    struct runner *runner = run->runner;
    uint32_t cores = scheduler_threads(runner->scheduler), wanted, most;
    enum status status = read_job(run, error);

    if (status == STATUS_OK) {
        run->progress = run->job.progress;
        scheduler_tell(runner->scheduler, &run->job); /* what a client asked for while nobody ran it */
    }
    if (status != STATUS_OK || !run_has_work(run)) {
        return status;
    }
    status = load_data(run, error);
    if (status != STATUS_OK) {
        return status;
    }
    wanted = run->request.threads;
    most = wanted > 0 ? wanted : cores;
    const struct train_data data = job_data_for_training(&run->data);
    const struct train_sizes rows = train_data_sizes(&data);

    status = trainer_plan(&run->plan, &run->request.train, &rows, most, error);
    if (status != STATUS_OK) {
        return status;
    }
    most = wanted > 0 ? wanted : trainer_useful_threads(&run->plan, cores);
    if (!scheduler_admit(runner->scheduler, runner, run->plan.bytes, most, wanted > 0)) {
        return STATUS_OK; /* not to run any more: the end looks at the order */
    }
    return make_trainer(run, most, error);
}

void run_release(struct run *run)
{
    job_checkpoints_free(run->checkpoints);
    trainer_free(run->trainer);
    recorder_free(run->recorder);
    job_data_release(&run->data);
    job_request_release(&run->request);
    job_view_release(&run->job);
}
