/*
 * The trainer: one update after the other over epochs of minibatches.
 *
 * What it computes never depends on the pool: minibatches come from the sampler, the work of a step is cut by the
 * network's plan, and every sum made here runs in row order on the caller's thread.
 */
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/kernel_tier.h"
#include "core/base/sha256.h"
#include "core/nn/init.h"
#include "core/train/evaluator.h"
#include "core/train/minibatches.h"
#include "core/train/train_plan.h"

#define NORMS_KEPT ((uint32_t)(sizeof((struct train_divergence *)0)->gradient_norms / sizeof(double)))

struct trainer {
    struct train_spec spec;
    struct train_data data;
    struct train_plan plan;
    enum gradient_check gradient_check;
    enum network_use use;

    uint32_t max_threads;
    struct pool *pool;
    struct network_f32 *network;
    struct network_f32 *probe; /* of the full gradient; NULL unless GRADIENT_CHECK_PROBE */
    struct evaluator *evaluator;
    struct minibatches minibatches;
    struct scaler scaler;
    int32_t *soft_winners;  /* [rows] most probable classes, where labels are soft; else NULL */
    const int32_t *labels;  /* by row of the data set: its labels, or soft_winners */
    float *parameters;      /* canonical: the initial ones, then those of the model */
    float *best_parameters; /* canonical, at best_step */
    uint64_t parameters_step;
    double weight_square; /* of the model */

    struct network_batch batches[2]; /* what is in the network's two buffers */
    int buffer;                      /* the one of the chunk that comes next */
    int prepared;                    /* that chunk is gathered */

    struct train_progress progress;
    int validated;                   /* at the last step */
    uint64_t logged_step;            /* of the last point; 0: none */
    enum stop_reason end_reason;     /* why plan.total_steps was cut; STOP_NONE: it was not */
    double epoch_loss, epoch_weight; /* sums over the epoch so far */
    uint64_t epoch_correct, epoch_samples;
    double batch_loss, gradient_norm, step_size, learning_rate;
    double train_loss, train_accuracy, validation_loss, validation_accuracy; /* of the last evaluation; NaN: none */
    uint32_t worse;                                                          /* evaluations since the best */
    struct train_divergence divergence;
};

/* ---- setting up ---- */

static enum status find_soft_winners(struct trainer *trainer, struct error *error)
{
    const struct dataset *dataset = trainer->data.dataset;

    trainer->soft_winners = calloc(dataset->rows, sizeof *trainer->soft_winners);
    if (trainer->soft_winners == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %llu labels", (unsigned long long)dataset->rows);
    }
    for (uint64_t i = 0; i < dataset->rows; i++) {
        const float *soft = dataset->soft_labels + i * dataset->classes;

        for (uint32_t c = 1; c < dataset->classes; c++) {
            if (soft[c] > soft[trainer->soft_winners[i]]) {
                trainer->soft_winners[i] = (int32_t)c;
            }
        }
    }
    return STATUS_OK;
}

static enum status make_networks(struct trainer *trainer, uint32_t threads, struct error *error)
{
    const struct train_spec *spec = &trainer->spec;
    uint64_t train_rows = trainer->data.split->train_count;
    struct network_plan plan;
    enum status status =
        network_plan_make(&plan, &spec->model, spec->batch_size < train_rows ? spec->batch_size : train_rows, error);

    trainer->minibatches = (struct minibatches){.rows = trainer->data.split->train,
                                                .count = train_rows,
                                                .batch_size = spec->batch_size,
                                                .chunk_rows = plan.rows,
                                                .steps_per_epoch = trainer->plan.steps_per_epoch,
                                                .total_steps = trainer->plan.total_steps,
                                                .shuffle = spec->shuffle,
                                                .seed = spec->seed};
    if (status == STATUS_OK) {
        status = minibatches_init(&trainer->minibatches, error);
    }
    if (status == STATUS_OK) {
        status = pool_new(&trainer->pool, threads, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct network_setup setup = {.plan = &plan,
                                  .use = trainer->use,
                                  .optimizer = &trainer->spec.optimizer,
                                  .seed = spec->seed,
                                  .has_soft_labels = trainer->soft_winners != NULL,
                                  .pool = trainer->pool};

    status = network_new_f32(&trainer->network, &setup, error);
    if (status == STATUS_OK && trainer->gradient_check == GRADIENT_CHECK_PROBE) {
        for (uint32_t k = 0; k < plan.op_count; k++) {
            plan.ops[k].rate = 0; /* the full gradient is taken without dropout */
        }
        setup.use = NETWORK_ACCUMULATE;
        status = network_new_f32(&trainer->probe, &setup, error);
    }
    return status == STATUS_OK ? evaluator_new(&trainer->evaluator, &spec->model, trainer->pool, error) : status;
}

static enum status allocate(struct trainer *trainer, struct error *error)
{
    trainer->parameters = calloc(trainer->plan.parameters, sizeof *trainer->parameters);
    trainer->best_parameters = calloc(trainer->plan.parameters, sizeof *trainer->best_parameters);
    if (trainer->parameters == NULL || trainer->best_parameters == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %llu parameters",
                         (unsigned long long)trainer->plan.parameters);
    }
    return STATUS_OK;
}

/* The model's, or fitted to the training rows. */
static enum status make_scaler(struct trainer *trainer, struct error *error)
{
    const struct model *initial = trainer->data.initial_model;
    const struct split *split = trainer->data.split;
    enum status status;

    if (initial == NULL) {
        return scaler_fit(&trainer->scaler, trainer->spec.preprocessing, trainer->data.dataset, split->train,
                          split->train_count, error);
    }
    status = model_fits(initial, &trainer->spec.model, error);
    return status == STATUS_OK ? scaler_copy(&trainer->scaler, &initial->scaler, error) : status;
}

static void set_initial_parameters(struct trainer *trainer)
{
    const struct train_spec *spec = &trainer->spec;
    const struct model *initial = trainer->data.initial_model;

    if (initial != NULL) {
        memcpy(trainer->parameters, initial->parameters, trainer->plan.parameters * sizeof *trainer->parameters);
    } else {
        init_parameters(&spec->model, spec->initializer, spec->seed, trainer->parameters);
    }
    network_load_f32(trainer->network, trainer->parameters);
}

static enum status set_up(struct trainer *trainer, uint32_t threads, struct error *error)
{
    const struct split *split = trainer->data.split;
    const struct dataset *dataset = trainer->data.dataset;
    enum status status = trainer_plan(&trainer->plan, &trainer->spec, split->train_count, threads, error);

    if (status == STATUS_OK && dataset->label_type == LABEL_SOFT) {
        status = find_soft_winners(trainer, error);
    }
    if (status == STATUS_OK) {
        status = make_scaler(trainer, error);
    }
    if (status == STATUS_OK) {
        status = make_networks(trainer, threads, error);
    }
    if (status == STATUS_OK) {
        status = allocate(trainer, error);
    }
    return status;
}

enum status trainer_new(struct trainer **out, const struct train_spec *spec, const struct train_data *data, uint32_t threads,
                        struct error *error)
{
    struct trainer *trainer = calloc(1, sizeof *trainer);
    enum status status;

    *out = NULL;
    if (trainer == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a trainer");
    }
    trainer->spec = *spec;
    trainer->data = *data;
    trainer->max_threads = threads;
    trainer->gradient_check = train_spec_gradient_check(spec, data->split->train_count);
    trainer->use = train_spec_network_use(spec, data->split->train_count);
    status = set_up(trainer, threads, error);
    if (status != STATUS_OK) {
        trainer_free(trainer);
        return status;
    }
    trainer->labels = trainer->soft_winners != NULL ? trainer->soft_winners : data->dataset->labels;
    set_initial_parameters(trainer);
    trainer->progress.total_steps = trainer->plan.total_steps;
    trainer->progress.best_metric = spec->stop.early_metric;
    trainer->progress.best_value = trainer->progress.gradient_norm = (double)NAN;
    trainer->train_loss = trainer->train_accuracy = trainer->validation_loss = trainer->validation_accuracy = (double)NAN;
    trainer->divergence.layer = -1;
    for (uint32_t i = 0; i < NORMS_KEPT; i++) {
        trainer->divergence.gradient_norms[i] = (double)NAN;
    }
    *out = trainer;
    return STATUS_OK;
}

void trainer_free(struct trainer *trainer)
{
    if (trainer == NULL) {
        return;
    }
    evaluator_free(trainer->evaluator);
    network_free_f32(trainer->probe);
    network_free_f32(trainer->network);
    pool_free(trainer->pool);
    scaler_release(&trainer->scaler);
    free(trainer->soft_winners);
    free(trainer->parameters);
    free(trainer->best_parameters);
    minibatches_release(&trainer->minibatches);
    free(trainer);
}

/* ---- minibatches ---- */

/* The chunk at `cursor` as what is to be in `buffer`. */
static const struct network_batch *describe_chunk(struct trainer *trainer, const struct cursor *cursor, int buffer)
{
    struct network_batch *batch = &trainer->batches[buffer];

    *batch = (struct network_batch){.dataset = trainer->data.dataset,
                                    .scaler = &trainer->scaler,
                                    .labels = trainer->soft_winners != NULL ? NULL : trainer->labels,
                                    .step = cursor->step,
                                    .position = cursor->position};
    batch->rows = minibatches_chunk(&trainer->minibatches, cursor, &batch->count);
    return batch;
}

/* What the minibatch's sum of losses is divided by. */
static double normaliser(const struct trainer *trainer, const uint32_t *rows, uint64_t count)
{
    const struct loss_spec *loss = &trainer->spec.loss;
    double sum = 0;

    if (loss->weighting == CLASS_WEIGHTS_NONE || loss->reduction == REDUCTION_MEAN || trainer->soft_winners != NULL) {
        return (double)count;
    }
    for (uint64_t i = 0; i < count; i++) {
        sum += loss->class_weights[trainer->labels[rows[i]]];
    }
    return sum;
}

static struct network_loss loss_of_batch(const struct trainer *trainer, double weight)
{
    const struct loss_spec *loss = &trainer->spec.loss;

    return (struct network_loss){.label_smoothing = loss->label_smoothing,
                                 .class_weights = loss->weighting == CLASS_WEIGHTS_NONE ? NULL : loss->class_weights,
                                 .scale = weight > 0 ? 1 / weight : 0};
}

/* ---- divergence ---- */

static enum status diverged(struct trainer *trainer, int32_t layer, const struct cursor *batch, struct error *error)
{
    struct train_divergence *divergence = &trainer->divergence;
    uint32_t count, most = sizeof divergence->rows / sizeof divergence->rows[0];
    const uint32_t *rows = minibatches_batch(&trainer->minibatches, batch, &count);

    divergence->step = batch->step;
    divergence->layer = layer;
    divergence->learning_rate = trainer->learning_rate;
    divergence->row_count = count < most ? count : most;
    memcpy(divergence->rows, rows, divergence->row_count * sizeof *rows);
    trainer->progress.finished = 1;
    if (layer < 0) {
        return error_set(error, STATUS_DIVERGED, "the loss of update %llu is not finite (learning rate %g)",
                         (unsigned long long)batch->step + 1, trainer->learning_rate);
    }
    return error_set(error, STATUS_DIVERGED, "update %llu made a weight of layer %d that is not finite (learning rate %g)",
                     (unsigned long long)batch->step + 1, (int)layer, trainer->learning_rate);
}

const struct train_divergence *trainer_divergence(const struct trainer *trainer)
{
    return &trainer->divergence;
}

/* ---- one update ---- */

/* Forward and loss of the chunk at `cursor`, which moves on; what comes next is gathered meanwhile. */
static double forward_chunk(struct trainer *trainer, struct cursor *cursor, const struct network_loss *loss)
{
    const struct network_batch *next = NULL;
    int buffer = trainer->buffer;
    double sum = 0;

    if (!trainer->prepared) {
        network_gather_f32(trainer->network, buffer, describe_chunk(trainer, cursor, buffer));
    }
    trainer->prepared = minibatches_advance(&trainer->minibatches, cursor);
    if (trainer->prepared) {
        next = describe_chunk(trainer, cursor, !buffer);
    }
    const struct network_batch *batch = &trainer->batches[buffer];

    network_forward_loss_f32(trainer->network, buffer, batch, loss, next);
    const double *losses = network_row_losses_f32(trainer->network);
    const int32_t *predicted = network_predicted_f32(trainer->network);

    for (uint32_t r = 0; r < batch->count; r++) {
        sum += losses[r];
        trainer->epoch_correct += predicted[r] == trainer->labels[batch->rows[r]];
    }
    trainer->buffer = !buffer;
    return sum;
}

/* The schedule's length is that of all epochs, so that a run cut by max_steps has the steps of the longer one. */
static double scheduled_rate(const struct trainer *trainer)
{
    return schedule_learning_rate(&trainer->spec.schedule, trainer->spec.optimizer.learning_rate, trainer->progress.step,
                                  trainer->spec.epochs * trainer->plan.steps_per_epoch, trainer->plan.steps_per_epoch);
}

static struct network_update update_of_step(const struct trainer *trainer, double gradient_scale, int measure)
{
    struct network_update update = {.optimizer = &trainer->spec.optimizer, .l2 = trainer->spec.loss.l2, .measure = measure};

    optimizer_step(&trainer->spec.optimizer, trainer->learning_rate, trainer->progress.step + 1, gradient_scale,
                   &update.step);
    return update;
}

/* Gradient into the update at once: one chunk, nothing to know beforehand. */
static enum status update_fused(struct trainer *trainer, struct cursor *cursor, double weight, int measure)
{
    struct network_loss loss = loss_of_batch(trainer, weight);
    struct network_update update = update_of_step(trainer, 1, measure);
    int buffer = trainer->buffer;
    double sum = forward_chunk(trainer, cursor, &loss);

    trainer->batch_loss = sum / weight;
    trainer->epoch_loss += sum;
    if (!isfinite(sum)) {
        return STATUS_DIVERGED;
    }
    network_backward_update_f32(trainer->network, buffer, trainer->batches[buffer].count, &update);
    return STATUS_OK;
}

/* Gradient first, then what depends on its norm, then the update. *stop: the norm has fallen to its target. */
static enum status update_accumulated(struct trainer *trainer, struct cursor *cursor, double weight, int measure, int *stop)
{
    struct network_loss loss = loss_of_batch(trainer, weight);
    uint64_t step = cursor->step;
    double sum = 0, norm, scale = 1;

    do {
        int first = cursor->position == 0, buffer = trainer->buffer;

        sum += forward_chunk(trainer, cursor, &loss);
        if (!isfinite(sum)) {
            return STATUS_DIVERGED;
        }
        network_backward_f32(trainer->network, buffer, trainer->batches[buffer].count, first);
    } while (cursor->step == step);
    norm = network_gradient_norm_f32(trainer->network, trainer->spec.loss.l2);
    if (!isfinite(norm)) {
        return STATUS_DIVERGED;
    }
    *stop = trainer->gradient_check == GRADIENT_CHECK_STEP && norm <= trainer->spec.stop.gradient_norm;
    if (*stop) {
        trainer->progress.gradient_norm = norm;
        return STATUS_OK;
    }
    trainer->batch_loss = sum / weight;
    trainer->epoch_loss += sum;
    if (trainer->spec.clip_norm > 0 && norm > trainer->spec.clip_norm) {
        scale = trainer->spec.clip_norm / (norm + 1e-6); /* PyTorch's clip_grad_norm_ */
    }
    struct network_update update = update_of_step(trainer, scale, measure);

    network_update_f32(trainer->network, &update);
    return STATUS_OK;
}

static void remember_norm(struct trainer *trainer)
{
    double *norms = trainer->divergence.gradient_norms;

    memmove(norms, norms + 1, (NORMS_KEPT - 1) * sizeof *norms);
    norms[NORMS_KEPT - 1] = trainer->gradient_norm;
}

/* One minibatch. Counts it as a step unless *stop. */
static enum status update(struct trainer *trainer, int measure, int *stop, struct error *error)
{
    struct cursor begin = minibatches_at(&trainer->minibatches, trainer->progress.step), cursor = begin;
    uint32_t count;
    const uint32_t *rows = minibatches_batch(&trainer->minibatches, &begin, &count);
    double weight = normaliser(trainer, rows, count);
    enum status status;

    trainer->learning_rate = scheduled_rate(trainer);
    status = trainer->use == NETWORK_TRAIN ? update_fused(trainer, &cursor, weight, measure)
                                           : update_accumulated(trainer, &cursor, weight, measure, stop);
    if (status != STATUS_OK) {
        return diverged(trainer, -1, &begin, error);
    }
    if (*stop) {
        return STATUS_OK;
    }
    struct update_sums sums = network_sums_f32(trainer->network);

    if (sums.nonfinite) {
        return diverged(trainer, network_nonfinite_layer_f32(trainer->network), &begin, error);
    }
    if (measure) {
        trainer->gradient_norm = trainer->progress.gradient_norm = sqrt(sums.gradient_square);
        trainer->step_size = sqrt(sums.move_square);
        remember_norm(trainer);
    }
    trainer->epoch_weight += weight;
    trainer->epoch_samples += count;
    trainer->progress.step++;
    trainer->progress.samples_seen += count;
    return STATUS_OK;
}

/* ---- evaluation, best model, stops ---- */

/* Norm of the objective's gradient over the training rows, at the served point, without dropout. */
static double probe_gradient_norm(struct trainer *trainer)
{
    const struct split *split = trainer->data.split;
    struct network_loss loss = loss_of_batch(trainer, normaliser(trainer, split->train, split->train_count));
    struct network_batch batch = trainer->batches[0];

    network_serve_f32(trainer->probe, trainer->network);
    for (uint64_t i = 0; i < split->train_count; i += trainer->minibatches.chunk_rows) {
        uint64_t left = split->train_count - i;

        batch.rows = split->train + i;
        batch.count = left < trainer->minibatches.chunk_rows ? (uint32_t)left : trainer->minibatches.chunk_rows;
        network_gather_f32(trainer->probe, 0, &batch);
        network_forward_loss_f32(trainer->probe, 0, &batch, &loss, NULL);
        network_backward_f32(trainer->probe, 0, batch.count, i == 0);
    }
    return network_gradient_norm_f32(trainer->probe, trainer->spec.loss.l2);
}

static void check_full_gradient(struct trainer *trainer)
{
    double norm = probe_gradient_norm(trainer);

    if (norm <= trainer->spec.stop.gradient_norm && !trainer->progress.finished) {
        trainer->progress.gradient_norm = norm;
        trainer_stop(trainer, STOP_GRADIENT_NORM);
    }
}

static enum status evaluate_validation(struct trainer *trainer, struct error *error)
{
    const struct split *split = trainer->data.split;
    struct evaluation job = {.dataset = trainer->data.dataset,
                             .scaler = &trainer->scaler,
                             .rows = split->validation,
                             .count = split->validation_count};
    struct scores scores;
    enum status status = scores_init(&scores, trainer->spec.model.classes, error);

    if (status != STATUS_OK) {
        return status;
    }
    network_serve_f32(evaluator_network(trainer->evaluator), trainer->network);
    evaluator_run(trainer->evaluator, &job, &scores);
    trainer->validation_loss =
        isnan(scores.loss) ? (double)INFINITY : scores.loss; /* NaN would say that it was not measured */
    trainer->validation_accuracy = scores.accuracy;
    scores_release(&scores);
    return STATUS_OK;
}

static double metric_value(const struct trainer *trainer, enum metric metric)
{
    switch (metric) {
    case METRIC_VALIDATION_LOSS:
        return trainer->validation_loss;
    case METRIC_VALIDATION_ACCURACY:
        return trainer->validation_accuracy;
    case METRIC_TRAIN_LOSS:
        return trainer->train_loss;
    case METRIC_TRAIN_ACCURACY:
    case METRIC_COUNT:
        break;
    }
    return trainer->train_accuracy;
}

/* Takes note of a new value of the metric that decides on the best model. Improvements must pass min_delta. */
static void judge(struct trainer *trainer)
{
    struct train_progress *progress = &trainer->progress;
    enum metric metric = trainer->spec.stop.early_metric;
    double value = metric_value(trainer, metric), gain;

    gain = metric == METRIC_VALIDATION_LOSS || metric == METRIC_TRAIN_LOSS ? progress->best_value - value
                                                                           : value - progress->best_value;
    if (isfinite(value) && (progress->best_step == 0 || gain > trainer->spec.stop.min_delta)) {
        progress->best_value = value;
        progress->best_step = progress->step;
        trainer->worse = 0;
        network_serve_f32(evaluator_network(trainer->evaluator), trainer->network);
        network_store_f32(evaluator_network(trainer->evaluator), trainer->best_parameters);
    } else {
        trainer->worse++;
    }
    if (trainer->spec.stop.early && trainer->worse >= trainer->spec.stop.patience) {
        trainer_stop(trainer, STOP_EARLY);
    }
}

static int metric_is_of_validation(enum metric metric)
{
    return metric == METRIC_VALIDATION_LOSS || metric == METRIC_VALIDATION_ACCURACY;
}

/* The reason to end after the last planned update. */
static enum stop_reason planned_end(const struct trainer *trainer)
{
    if (trainer->end_reason != STOP_NONE) {
        return trainer->end_reason;
    }
    return trainer->plan.total_steps < trainer->spec.epochs * trainer->plan.steps_per_epoch ? STOP_MAX_STEPS : STOP_EPOCHS;
}

static void end_epoch(struct trainer *trainer)
{
    trainer->train_loss = trainer->epoch_loss / trainer->epoch_weight;
    trainer->train_accuracy = (double)trainer->epoch_correct / (double)trainer->epoch_samples;
    trainer->epoch_loss = trainer->epoch_weight = 0;
    trainer->epoch_correct = trainer->epoch_samples = 0;
}

/* After an update: the end of the epoch, evaluations, stops. */
static enum status after_update(struct trainer *trainer, struct error *error)
{
    const struct train_spec *spec = &trainer->spec;
    uint64_t step = trainer->progress.step;
    int epoch_ends = step % trainer->plan.steps_per_epoch == 0;
    int last = step >= trainer->plan.total_steps;
    int due = last || (spec->eval_every_steps > 0 ? step % spec->eval_every_steps == 0 : epoch_ends);
    enum status status = STATUS_OK;

    trainer->progress.epoch = (double)step / (double)trainer->plan.steps_per_epoch;
    trainer->validated = due && trainer->data.split->validation_count > 0;
    if (epoch_ends) {
        end_epoch(trainer);
    }
    if (trainer->validated) {
        status = evaluate_validation(trainer, error);
    }
    if (status == STATUS_OK && (metric_is_of_validation(spec->stop.early_metric) ? trainer->validated : epoch_ends)) {
        judge(trainer);
    }
    if (status == STATUS_OK && trainer->gradient_check == GRADIENT_CHECK_PROBE && epoch_ends) {
        check_full_gradient(trainer);
    }
    if (last) {
        trainer_stop(trainer, planned_end(trainer));
    }
    return status;
}

static void log_point(struct trainer *trainer, struct train_point *point, int *logged)
{
    int epoch_ends = trainer->progress.step % trainer->plan.steps_per_epoch == 0, validated = trainer->validated;

    *point = (struct train_point){.step = trainer->progress.step,
                                  .epoch = trainer->progress.epoch,
                                  .batch_loss = trainer->batch_loss,
                                  .train_loss = epoch_ends ? trainer->train_loss : (double)NAN,
                                  .train_accuracy = epoch_ends ? trainer->train_accuracy : (double)NAN,
                                  .validation_loss = validated ? trainer->validation_loss : (double)NAN,
                                  .validation_accuracy = validated ? trainer->validation_accuracy : (double)NAN,
                                  .learning_rate = trainer->learning_rate,
                                  .gradient_norm = trainer->gradient_norm,
                                  .step_size = trainer->step_size};
    trainer->logged_step = trainer->progress.step;
    *logged = 1;
}

enum status trainer_step(struct trainer *trainer, struct train_point *point, int *logged, struct error *error)
{
    uint64_t next = trainer->progress.step + 1, epoch = trainer->plan.steps_per_epoch;
    int due = train_spec_logs(&trainer->spec, epoch, next), stop = 0;
    int measure = due || next % epoch == 0 || next >= trainer->plan.total_steps; /* wherever training may end */
    enum status status;

    *logged = 0;
    if (trainer->progress.finished) {
        return STATUS_OK;
    }
    status = update(trainer, measure, &stop, error);
    if (status == STATUS_OK && stop) {
        trainer_stop(trainer, STOP_GRADIENT_NORM);
    } else if (status == STATUS_OK) {
        status = after_update(trainer, error);
    }
    if (status == STATUS_OK && (due || trainer->progress.finished) && trainer->logged_step != trainer->progress.step) {
        log_point(trainer, point, logged);
    }
    return status;
}

void trainer_progress(const struct trainer *trainer, struct train_progress *progress)
{
    *progress = trainer->progress;
}

void trainer_set_threads(struct trainer *trainer, uint32_t threads)
{
    pool_resize(trainer->pool, threads < trainer->max_threads ? threads : trainer->max_threads);
}

void trainer_stop(struct trainer *trainer, enum stop_reason reason)
{
    if (!trainer->progress.finished) {
        trainer->progress.finished = 1;
        trainer->progress.reason = reason;
    }
}

void trainer_stop_after_next(struct trainer *trainer, enum stop_reason reason)
{
    uint64_t next = trainer->progress.step + 1;

    if (next < trainer->plan.total_steps) {
        trainer->plan.total_steps = next;
        trainer->end_reason = reason;
    }
}

/* ---- results ---- */

/* The last update may have made weights that are finite and a loss that is not: no update came that would have found out. */
static enum status check_final_loss(struct trainer *trainer, double loss, struct error *error)
{
    if (isfinite(loss)) {
        return STATUS_OK;
    }
    trainer->divergence.step = trainer->progress.step > 0 ? trainer->progress.step - 1 : 0;
    trainer->divergence.learning_rate = trainer->learning_rate;
    return error_set(error, STATUS_DIVERGED, "the loss after update %llu is not finite (learning rate %g)",
                     (unsigned long long)trainer->progress.step, trainer->learning_rate);
}

/* The best model where early stopping or the user asks for it (and there is one), else the last. */
static int wants_best(const struct trainer *trainer)
{
    return (trainer->spec.stop.early || trainer->progress.reason == STOP_USER) && trainer->progress.best_step > 0;
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

enum status trainer_model(struct trainer *trainer, struct model *model, uint64_t *step, struct error *error)
{
    struct network_f32 *served = evaluator_network(trainer->evaluator);
    const struct dataset *dataset = trainer->data.dataset;
    size_t bytes = trainer->plan.parameters * sizeof(float);
    enum status status;

    if (wants_best(trainer)) {
        memcpy(trainer->parameters, trainer->best_parameters, bytes);
        network_load_f32(served, trainer->parameters);
        *step = trainer->progress.best_step;
    } else {
        network_serve_f32(served, trainer->network);
        network_store_f32(served, trainer->parameters);
        *step = trainer->progress.step;
    }
    trainer->weight_square = network_weight_square_f32(served);
    *model = (struct model){.spec = trainer->spec.model,
                            .channels = dataset->channels,
                            .height = dataset->height,
                            .width = dataset->width,
                            .is_image = dataset->is_image,
                            .parameter_count = trainer->plan.parameters};
    snprintf(model->kernel_tier, sizeof model->kernel_tier, "%s", kernel_tier());
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
        return status;
    }
    memcpy(model->parameters, trainer->parameters, bytes);
    sha256_text(model->parameters, bytes, model->digest);
    return STATUS_OK;
}

enum status trainer_evaluate(struct trainer *trainer, enum split_part part, struct scores *scores, double *objective,
                             int *present, struct error *error)
{
    const struct split *split = trainer->data.split;
    struct evaluation job = {.dataset = trainer->data.dataset, .scaler = &trainer->scaler};
    enum status status;

    if (part == PART_TEST && trainer->data.test != NULL) {
        job.dataset = trainer->data.test;
        job.labels = trainer->data.test_labels;
        job.count = job.dataset->rows;
    } else {
        job.rows = part == PART_TRAIN ? split->train : part == PART_VALIDATION ? split->validation : split->test;
        job.count = part == PART_TRAIN        ? split->train_count
                    : part == PART_VALIDATION ? split->validation_count
                                              : split->test_count;
    }
    *present = job.count > 0;
    if (!*present) {
        return STATUS_OK;
    }
    status = scores_init(scores, trainer->spec.model.classes, error);
    if (status == STATUS_OK) {
        evaluator_run(trainer->evaluator, &job, scores);
        *objective = scores->loss + trainer->spec.loss.l2 / 2 * trainer->weight_square;
        status = part == PART_TRAIN ? check_final_loss(trainer, scores->loss, error) : STATUS_OK;
        if (status != STATUS_OK) {
            scores_release(scores);
        }
    }
    return status;
}
