/* What remains of a training that has ended: its model, and how good it is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/kernel_tier.h"
#include "core/base/sha256.h"
#include "core/train/trainer_internal.h"

/* The last update may have made weights that are finite and a loss that is not: no update came that would have found out. */
static enum status check_final_loss(struct trainer *trainer, double loss, struct error *error)
{
    if (isfinite(loss)) {
        return STATUS_OK;
    }
    trainer->divergence.step = trainer->state.step > 0 ? trainer->state.step - 1 : 0;
    trainer->divergence.learning_rate = trainer->state.learning_rate;
    memcpy(trainer->divergence.gradient_norms, trainer->state.recent_norms, sizeof trainer->divergence.gradient_norms);
    return error_set(error, STATUS_DIVERGED, "the loss after update %llu is not finite (learning rate %g)",
                     (unsigned long long)trainer->state.step, trainer->state.learning_rate);
}

/* The best model where early stopping or the user asks for it (and there is one), else the last. */
static int wants_best(const struct trainer *trainer)
{
    return (trainer->spec.stop.early || trainer->reason == STOP_USER) && trainer->state.best_step > 0;
}

static enum status copy_class_names(struct model *model, const struct dataset *dataset, struct error *error)
{
    model->class_names = calloc(dataset->classes, sizeof *model->class_names);
    for (uint32_t c = 0; model->class_names != NULL && c < dataset->classes; c++) {
        model->class_names[c] = strdup(dataset->class_names[c]);
        if (model->class_names[c] == NULL) {
            break;
        }
    }
    if (model->class_names == NULL || model->class_names[dataset->classes - 1] == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u class names", dataset->classes);
    }
    return STATUS_OK;
}

enum status trainer_blank_model(const struct trainer *trainer, struct model *model, struct error *error)
{
    const struct dataset *dataset = trainer->data.dataset;
    size_t bytes = trainer->plan.parameters * sizeof(float);
    enum status status;

    *model = (struct model){.spec = trainer->spec.model,
                            .channels = dataset->channels,
                            .height = dataset->height,
                            .width = dataset->width,
                            .is_image = dataset->is_image,
                            .parameter_count = trainer->plan.parameters};
    snprintf(model->kernel_tier, sizeof model->kernel_tier, "%s", kernel_tier_of(trainer->spec.precision));
    model->parameters = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (model->parameters == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a model of %zu bytes", bytes);
    }
    status = scaler_copy(&model->scaler, &trainer->scaler, error);
    if (status == STATUS_OK) {
        status = copy_class_names(model, dataset, error);
    }
    if (status != STATUS_OK) {
        model_release(model);
    }
    return status;
}

enum status trainer_model(struct trainer *trainer, struct model *model, uint64_t *step, struct error *error)
{
    struct network_f32 *served = evaluator_network(trainer->evaluator);
    size_t bytes = trainer->plan.parameters * sizeof(float);
    enum status status = trainer_blank_model(trainer, model, error);

    if (status != STATUS_OK) {
        return status;
    }
    *step = wants_best(trainer) ? trainer->state.best_step : trainer->state.step;
    if (*step < trainer->state.step) {
        memcpy(trainer->parameters, trainer->best_parameters, bytes);
        network_load_f32(served, trainer->parameters);
    } else {
        network_serve_f32(served, trainer->network);
        network_store_f32(served, trainer->parameters);
    }
    trainer->weight_square = network_weight_square_f32(served);
    if (trainer->convex != NULL) {
        trainer_convex_model(trainer->convex, *step < trainer->state.step ? trainer->parameters : NULL,
                             trainer->plan.parameters);
        trainer->weight_square = trainer_convex_weight_square(trainer->convex);
    }
    memcpy(model->parameters, trainer->parameters, bytes);
    sha256_text(model->parameters, bytes, model->digest);
    return STATUS_OK;
}

/* The rows of a part; none: count 0. */
static struct evaluation part_of(const struct trainer *trainer, enum split_part part)
{
    const struct split_rows rows = split_rows_of(trainer->data.split, part);
    struct evaluation job = {
        .dataset = trainer->data.dataset, .scaler = &trainer->scaler, .rows = rows.rows, .count = rows.count};

    if (part == PART_TEST && trainer->data.test != NULL) {
        job.dataset = trainer->data.test;
        job.labels = trainer->data.test_labels;
        job.rows = NULL;
        job.count = job.dataset->rows;
    }
    return job;
}

void trainer_calibrate(struct trainer *trainer, struct model *model, struct temperature_fit *fit)
{
    const struct evaluation job = part_of(trainer, PART_VALIDATION);

    evaluator_fit_temperature(trainer->evaluator, &job, EVALUATOR_KEPT_LOGITS, fit);
    trainer->temperature = fit->outcome != TEMPERATURE_UNDEFINED ? fit->temperature : 0;
    model->temperature = trainer->temperature;
}

enum status trainer_evaluate(struct trainer *trainer, enum split_part part, struct scores *scores, double *objective,
                             int *present, struct error *error)
{
    const struct evaluation job = part_of(trainer, part);
    enum status status;

    *present = job.count > 0;
    if (!*present) {
        return STATUS_OK;
    }
    status = scores_init(scores, trainer->spec.model.classes, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = scores_reserve(scores, job.count, trainer->temperature, error);
    if (status == STATUS_OK) {
        evaluator_run(trainer->evaluator, &job, scores);
        if (trainer->convex != NULL) { /* float32 logits would hide how near the optimum is */
            scores->loss = trainer_convex_loss(trainer->convex, &job);
        }
        *objective = scores->loss + trainer->spec.loss.l2 / 2 * trainer->weight_square;
        status = part == PART_TRAIN ? check_final_loss(trainer, scores->loss, error) : STATUS_OK;
    }
    if (status != STATUS_OK) {
        scores_release(scores);
    }
    return status;
}
