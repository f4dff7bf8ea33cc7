/* The end of a job, made once: evaluated, written, and described for whoever asks later. */
#include "outcome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_calibration.h"
#include "api/encode_model_spec.h"
#include "api/encode_results.h"
#include "api/json_writer.h"
#include "core/nn/model_file.h"
#include "core/train/diagnostics.h"
#include "core/train/trainer.h"
#include "server/clock.h"
#include "server/failpoint.h"
#include "server/ids.h"
#include "server/jobs/machine_peak.h"

static enum status write_file(struct object *object, struct store *store, const struct model *model, struct error *error)
{
    struct object_writer *writer = NULL;
    FAILPOINT_OBJECTS_ARE(MODEL);
    enum status status = object_writer_new(&writer, store, 0, error);

    if (status == STATUS_OK) {
        status = model_file_write(model, object_writer_sink(writer), error);
    }
    if (status == STATUS_OK) {
        status = object_writer_finish(writer, object, error);
    }
    object_writer_free(writer);
    return status;
}

/* {"validation":{"loss","accuracy"},...}: what a list of models shows. */
static char *short_scores(const struct scores *const scores[PART_COUNT])
{
    struct json_writer writer = {0};

    json_begin_object(&writer);
    for (int part = 0; part < PART_COUNT; part++) {
        if (scores[part] != NULL) {
            json_key(&writer, split_part_name((enum split_part)part));
            json_begin_object(&writer);
            json_member_number(&writer, "loss", scores[part]->loss);
            json_member_number(&writer, "accuracy", scores[part]->accuracy);
            json_end_object(&writer);
        }
    }
    json_end_object(&writer);
    return json_writer_text(&writer);
}

static char *spec_text(const struct model *model)
{
    struct json_writer writer = {0};

    encode_model_spec(model, &writer);
    return json_writer_text(&writer);
}

static char *class_list(const struct model *model)
{
    struct json_writer writer = {0};

    json_begin_array(&writer);
    for (uint32_t c = 0; c < model->spec.classes; c++) {
        json_string(&writer, model->class_names[c]);
    }
    json_end_array(&writer);
    return json_writer_text(&writer);
}

/* *text NULL: there is nothing to tell. */
static enum status calibration_text(const struct results_view *results, char **text, struct error *error)
{
    struct json_writer writer = {0};
    size_t size;

    *text = NULL;
    if (results->fit == NULL || results->fit->outcome == TEMPERATURE_UNDEFINED) {
        return STATUS_OK;
    }
    encode_temperature(results->fit, results->scores[PART_VALIDATION], &writer);
    return json_writer_take(&writer, text, &size, error);
}

static enum status describe_model(struct outcome *outcome, const struct model *model, const struct outcome_facts *facts,
                                  const struct results_view *results, struct error *error)
{
    struct model_view *view = &outcome->model;

    id_new(view->id, "mdl_");
    snprintf(view->name, sizeof view->name, "%s", facts->name);
    snprintf(view->job, sizeof view->job, "%s", facts->job);
    snprintf(view->digest, sizeof view->digest, "%s", model->digest);
    snprintf(view->object, sizeof view->object, "%s", outcome->object.sha256);
    snprintf(view->kernel_tier, sizeof view->kernel_tier, "%s", model->kernel_tier);
    view->bytes = outcome->object.size;
    view->parameters = model->parameter_count;
    view->step = results->digest_step;
    view->spec = spec_text(model);
    view->classes = class_list(model);
    view->scores = short_scores(results->scores);
    if (view->spec == NULL || view->classes == NULL || view->scores == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to describe the model");
    }
    return calibration_text(results, &view->calibration, error);
}

/* model NULL: there is none. */
static enum status describe_results(struct outcome *outcome, const struct model *model, const struct trainer *trainer,
                                    struct results_view *view, struct error *error)
{
    struct json_writer writer = {0};
    struct train_progress progress;

    trainer_progress(trainer, &progress);
    view->model = model != NULL ? outcome->model.id : NULL;
    view->stop_reason = progress.reason;
    view->class_names = model != NULL ? (const char *const *)model->class_names : NULL;
    view->noise_scale = progress.noise_scale;
    view->best_metric = progress.best_metric;
    view->best_value = progress.best_value;
    view->best_step = progress.best_step;
    view->digest = model != NULL ? model->digest : "";
    view->samples_seen = progress.samples_seen;
    encode_results(view, &writer);
    outcome->results = json_writer_text(&writer);
    if (outcome->results == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the results");
    }
    outcome->outcome = (struct job_outcome){.stop_reason = progress.reason,
                                            .results = outcome->results,
                                            .model = model != NULL ? &outcome->model : NULL,
                                            .object = model != NULL ? &outcome->object : NULL};
    return STATUS_OK;
}

static enum status evaluate_parts(struct trainer *trainer, struct scores scores[PART_COUNT], struct results_view *view,
                                  struct error *error)
{
    enum status status = STATUS_OK;

    for (int part = 0; part < PART_COUNT && status == STATUS_OK; part++) {
        int present = 0;

        status = trainer_evaluate(trainer, (enum split_part)part, &scores[part], &view->objective[part], &present, error);
        view->scores[part] = status == STATUS_OK && present ? &scores[part] : NULL;
    }
    return status;
}

enum status outcome_of_success(struct outcome *outcome, struct store *store, struct trainer *trainer,
                               const struct outcome_facts *facts, struct error *error)
{
    struct scores scores[PART_COUNT] = {{0}};
    struct results_view view = {.job = facts->job,
                                .train_seconds = facts->train_seconds,
                                .threads = facts->threads,
                                .with_objective = facts->l2 > 0,
                                .with_noise_scale = (facts->diagnostics & DIAGNOSTIC_BIT(DIAGNOSTIC_NOISE_SCALE)) != 0};
    struct temperature_fit fit;
    struct profile profile;
    struct model model = {0};
    double begin = clock_monotonic_seconds();
    enum status status;

    *outcome = (struct outcome){0};
    if (facts->profile != NULL && facts->profile->steps > 0) {
        profile_of_counts(&profile, facts->profile, machine_peak(facts->profile->precision));
        view.profile = &profile;
    }
    if (facts->kind == TRAIN_LR_RANGE_TEST) {
        struct range_result range;

        trainer_range_result(trainer, &range);
        view.range = &range;
        return describe_results(outcome, NULL, trainer, &view, error);
    }
    status = trainer_model(trainer, &model, &view.digest_step, error);
    if (status == STATUS_OK && facts->calibrates) {
        trainer_calibrate(trainer, &model, &fit);
        view.fit = &fit;
    }
    if (status == STATUS_OK) {
        status = evaluate_parts(trainer, scores, &view, error);
        view.evaluate_seconds = clock_monotonic_seconds() - begin;
    }
    if (status == STATUS_OK) {
        status = write_file(&outcome->object, store, &model, error);
        FAILPOINT(FINISH_MODEL_WRITTEN);
    }
    if (status == STATUS_OK) {
        status = describe_model(outcome, &model, facts, &view, error);
    }
    if (status == STATUS_OK) {
        status = describe_results(outcome, &model, trainer, &view, error);
    }
    for (int part = 0; part < PART_COUNT; part++) {
        scores_release(&scores[part]);
    }
    model_release(&model);
    return status;
}

static void write_divergence(const struct train_divergence *divergence, struct json_writer *writer)
{
    json_member_uint(writer, "step", divergence->step + 1);
    json_key(writer, "layer");
    if (divergence->layer >= 0) {
        json_int(writer, divergence->layer);
    } else {
        json_null(writer); /* no layer: the loss itself, or the gradient's norm */
    }
    json_member_number(writer, "learning_rate", divergence->learning_rate);
    json_key(writer, "gradient_norms");
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof divergence->gradient_norms / sizeof divergence->gradient_norms[0]; i++) {
        if (!isnan(divergence->gradient_norms[i])) {
            json_number(writer, divergence->gradient_norms[i]);
        }
    }
    json_end_array(writer);
    json_key(writer, "rows");
    json_begin_array(writer);
    for (uint32_t i = 0; i < divergence->row_count; i++) {
        json_uint(writer, divergence->rows[i]);
    }
    json_end_array(writer);
    json_member_string(writer, "suggestion", "try a learning rate ten times smaller, or training.clip_norm");
}

static void write_last(const struct outcome_checkpoint *last, struct json_writer *writer)
{
    json_key(writer, "checkpoint");
    if (last->step == 0) {
        json_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_uint(writer, "step", last->step);
    json_member_string(writer, "sha256", last->sha256);
    json_end_object(writer);
}

void outcome_of_failure(struct outcome *outcome, const struct error *error, const struct trainer *trainer,
                        const struct outcome_checkpoint *last)
{
    struct json_writer writer = {0};

    *outcome = (struct outcome){0};
    json_begin_object(&writer);
    json_member_string(&writer, "code", status_code(error->status));
    json_member_string(&writer, "message", error->message);
    if (error->status == STATUS_DIVERGED && trainer != NULL) {
        write_divergence(trainer_divergence(trainer), &writer);
        write_last(last, &writer);
    }
    json_end_object(&writer);
    outcome->error = json_writer_text(&writer);
    outcome->outcome.error = outcome->error != NULL ? outcome->error : "{\"code\":\"out_of_memory\"}";
}

void outcome_release(struct outcome *outcome)
{
    object_release(&outcome->object);
    model_view_release(&outcome->model);
    free(outcome->results);
    free(outcome->error);
    *outcome = (struct outcome){0};
}
