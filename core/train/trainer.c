/*
 * The trainer: one update after the other over epochs of minibatches.
 *
 * What it computes never depends on the pool: minibatches come from the sampler, the work of a step is cut by the
 * network's plan, and every sum made here runs in row order on the caller's thread.
 */
#include "trainer.h"

#include <math.h>
#include <string.h>

#include "core/train/convex_objective.h"
#include "core/train/trainer_internal.h"

#define NORMS_KEPT (sizeof((struct train_state *)0)->recent_norms / sizeof(double))

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
double trainer_normaliser(const struct trainer *trainer, const uint32_t *rows, uint64_t count)
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

struct network_loss trainer_loss(const struct trainer *trainer, double weight)
{
    const struct loss_spec *loss = &trainer->spec.loss;

    return (struct network_loss){.label_smoothing = loss->label_smoothing,
                                 .class_weights = loss->weighting == CLASS_WEIGHTS_NONE ? NULL : loss->class_weights,
                                 .scale = weight > 0 ? 1 / weight : 0};
}

/* ---- divergence ---- */

/* what: "loss", "gradient", or NULL: a weight of `layer`. */
static enum status diverged(struct trainer *trainer, const char *what, int32_t layer, const struct cursor *batch,
                            struct error *error)
{
    struct train_divergence *divergence = &trainer->divergence;
    uint32_t count, most = sizeof divergence->rows / sizeof divergence->rows[0];
    const uint32_t *rows = minibatches_batch(&trainer->minibatches, batch, &count);

    divergence->step = batch->step;
    divergence->layer = layer;
    divergence->learning_rate = trainer->state.learning_rate;
    memcpy(divergence->gradient_norms, trainer->state.recent_norms, sizeof divergence->gradient_norms);
    divergence->row_count = count < most ? count : most;
    memcpy(divergence->rows, rows, divergence->row_count * sizeof *rows);
    trainer->finished = trainer->diverged = 1;
    if (what != NULL) {
        return error_set(error, STATUS_DIVERGED, "the %s of update %llu is not finite (learning rate %g)", what,
                         (unsigned long long)batch->step + 1, trainer->state.learning_rate);
    }
    return error_set(error, STATUS_DIVERGED, "update %llu made a weight of layer %d that is not finite (learning rate %g)",
                     (unsigned long long)batch->step + 1, (int)layer, trainer->state.learning_rate);
}

/* The chunk in `buffer` has a loss that is not finite: the layer is the first whose outputs are not. */
static enum status loss_diverged(struct trainer *trainer, int buffer, const struct cursor *batch, struct error *error)
{
    return diverged(trainer, "loss", network_nonfinite_output_f32(trainer->network, trainer->batches[buffer].count), batch,
                    error);
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
        trainer->state.epoch_correct += predicted[r] == trainer->labels[batch->rows[r]];
    }
    trainer->buffer = !buffer;
    return sum;
}

/* The schedule's length is that of all epochs, so that a run cut by max_steps has the steps of the longer one. */
static double scheduled_rate(const struct trainer *trainer)
{
    if (trainer->spec.kind == TRAIN_LR_RANGE_TEST) {
        return range_test_rate(&trainer->spec.range, trainer->state.step);
    }
    return schedule_learning_rate(&trainer->spec.schedule, trainer->spec.optimizer.learning_rate, trainer->state.step,
                                  trainer->spec.epochs * trainer->plan.steps_per_epoch, trainer->plan.steps_per_epoch);
}

static struct network_update update_of_step(const struct trainer *trainer, double gradient_scale, int measure)
{
    struct network_update update = {.optimizer = &trainer->spec.optimizer, .l2 = trainer->spec.loss.l2, .measure = measure};

    optimizer_step(&trainer->spec.optimizer, trainer->state.learning_rate, trainer->state.step + 1, gradient_scale,
                   &update.step);
    return update;
}

/* Gradient into the update at once: one chunk, nothing to know beforehand. */
static enum status update_fused(struct trainer *trainer, struct cursor *cursor, double weight, int measure,
                                struct error *error)
{
    struct cursor batch = *cursor;
    struct network_loss loss = trainer_loss(trainer, weight);
    struct network_update update = update_of_step(trainer, 1, measure);
    int buffer = trainer->buffer;
    double sum = forward_chunk(trainer, cursor, &loss);

    trainer->state.batch_loss = sum / weight;
    trainer->state.epoch_loss += sum;
    if (!isfinite(sum)) {
        return loss_diverged(trainer, buffer, &batch, error);
    }
    network_backward_update_f32(trainer->network, buffer, trainer->batches[buffer].count, &update);
    return STATUS_OK;
}

/* Gradient first, then what depends on its norm, then the update. *stop: the norm has fallen to its target. */
static enum status update_accumulated(struct trainer *trainer, struct cursor *cursor, double weight, int measure,
                                      enum stop_reason *stop, struct error *error)
{
    struct cursor batch = *cursor;
    struct network_loss loss = trainer_loss(trainer, weight);
    double sum = 0, norm, scale = 1;

    do {
        int first = cursor->position == 0, buffer = trainer->buffer;

        sum += forward_chunk(trainer, cursor, &loss);
        if (!isfinite(sum)) {
            return loss_diverged(trainer, buffer, &batch, error);
        }
        network_backward_f32(trainer->network, buffer, trainer->batches[buffer].count, first);
    } while (cursor->step == batch.step);
    norm = network_gradient_norm_f32(trainer->network, trainer->spec.loss.l2);
    if (!isfinite(norm)) {
        return diverged(trainer, "gradient", -1, &batch, error);
    }
    if (trainer->gradient_check == GRADIENT_CHECK_STEP && norm <= trainer->spec.stop.gradient_norm) {
        *stop = STOP_GRADIENT_NORM;
        trainer->state.reported_norm = norm;
        return STATUS_OK;
    }
    trainer->state.batch_loss = sum / weight;
    trainer->state.epoch_loss += sum;
    if (trainer->spec.clip_norm > 0 && norm > trainer->spec.clip_norm) {
        scale = trainer->spec.clip_norm / (norm + 1e-6); /* PyTorch's clip_grad_norm_ */
    }
    struct network_update update = update_of_step(trainer, scale, measure);

    network_update_f32(trainer->network, &update);
    return STATUS_OK;
}

static void remember_norm(struct trainer *trainer)
{
    double *norms = trainer->state.recent_norms;

    memmove(norms, norms + 1, (NORMS_KEPT - 1) * sizeof *norms);
    norms[NORMS_KEPT - 1] = trainer->state.gradient_norm;
}

static void count_step(struct trainer *trainer, double weight, uint32_t rows)
{
    trainer->state.epoch_weight += weight;
    trainer->state.epoch_samples += rows;
    trainer->state.step++;
    trainer->state.samples_seen += rows;
}

/* One iteration of a solver, on all rows; it measures anyway. Counts it as a step unless *stop. */
static enum status update_convex(struct trainer *trainer, enum stop_reason *stop, struct error *error)
{
    struct cursor begin = minibatches_at(&trainer->minibatches, trainer->state.step);
    struct train_state *state = &trainer->state;
    struct solver_move move;
    double weight = trainer->full_normaliser;

    switch (trainer_convex_step(trainer->convex, trainer, &move)) {
    case SOLVER_NOT_FINITE:
        return diverged(trainer, "loss", 0, &begin, error);
    case SOLVER_AT_TOLERANCE:
        *stop = STOP_GRADIENT_NORM;
        break;
    case SOLVER_EXHAUSTED:
        *stop = STOP_CONVERGED;
        break;
    case SOLVER_MOVED:
        break;
    }
    state->reported_norm = move.gradient_norm;
    if (*stop != STOP_NONE) {
        return STATUS_OK;
    }
    state->learning_rate = move.step;
    state->batch_loss = move.from.notes[CONVEX_LOSS];
    state->epoch_loss += state->batch_loss * weight;
    state->epoch_correct += (uint64_t)move.from.notes[CONVEX_CORRECT];
    state->gradient_norm = move.gradient_norm;
    state->step_size = move.distance;
    remember_norm(trainer);
    count_step(trainer, weight, (uint32_t)trainer->minibatches.count);
    return STATUS_OK;
}

/* One minibatch. Counts it as a step unless *stop. */
static enum status update(struct trainer *trainer, int measure, enum stop_reason *stop, struct error *error)
{
    struct cursor begin = minibatches_at(&trainer->minibatches, trainer->state.step), cursor = begin;
    uint32_t count;
    const uint32_t *rows = minibatches_batch(&trainer->minibatches, &begin, &count);
    double weight = trainer_normaliser(trainer, rows, count);
    enum status status;

    trainer->state.learning_rate = scheduled_rate(trainer);
    if (measure) {
        diagnostics_before_update(trainer, rows, count);
    }
    status = trainer->use == NETWORK_TRAIN ? update_fused(trainer, &cursor, weight, measure, error)
                                           : update_accumulated(trainer, &cursor, weight, measure, stop, error);
    if (status != STATUS_OK || *stop != STOP_NONE) {
        return status;
    }
    struct update_sums sums = network_sums_f32(trainer->network);

    if (sums.nonfinite) {
        return diverged(trainer, NULL, network_nonfinite_layer_f32(trainer->network), &begin, error);
    }
    if (measure) {
        trainer->state.gradient_norm = trainer->state.reported_norm = sqrt(sums.gradient_square);
        trainer->state.step_size = sqrt(sums.move_square);
        remember_norm(trainer);
        diagnostics_after_update(trainer);
    }
    count_step(trainer, weight, count);
    return STATUS_OK;
}

/* ---- evaluation, best model, stops ---- */

void trainer_probe_gradient(struct trainer *trainer, const uint32_t *rows, uint64_t count, const struct network_loss *loss)
{
    struct network_batch batch = {.dataset = trainer->data.dataset,
                                  .scaler = &trainer->scaler,
                                  .labels = trainer->soft_winners != NULL ? NULL : trainer->labels};

    for (uint64_t i = 0; i < count; i += trainer->minibatches.chunk_rows) {
        uint64_t left = count - i;

        batch.rows = rows + i;
        batch.count = left < trainer->minibatches.chunk_rows ? (uint32_t)left : trainer->minibatches.chunk_rows;
        network_gather_f32(trainer->probe, 0, &batch);
        network_forward_loss_f32(trainer->probe, 0, &batch, loss, NULL);
        network_backward_f32(trainer->probe, 0, batch.count, i == 0);
    }
}

double trainer_full_gradient_norm(struct trainer *trainer)
{
    const struct split *split = trainer->data.split;
    struct network_loss loss = trainer_loss(trainer, trainer->full_normaliser);

    if (!trainer->full_norm_is_known) {
        network_serve_f32(trainer->probe, trainer->network);
        trainer_probe_gradient(trainer, split->train, split->train_count, &loss);
        trainer->full_norm = network_gradient_norm_f32(trainer->probe, trainer->spec.loss.l2);
        trainer->full_norm_is_known = 1;
    }
    return trainer->full_norm;
}

static void finish(struct trainer *trainer, enum stop_reason reason)
{
    if (!trainer->finished) {
        trainer->finished = 1;
        trainer->reason = reason;
    }
}

/* Ends training by a rule of the spec's: for good, however long a spec may become. */
static void end_by_rule(struct trainer *trainer, enum stop_reason rule)
{
    if (!trainer->finished) {
        trainer->state.ended_by = rule;
        finish(trainer, rule);
    }
}

static void check_full_gradient(struct trainer *trainer)
{
    double norm = trainer_full_gradient_norm(trainer);

    if (norm <= trainer->spec.stop.gradient_norm && !trainer->finished) {
        trainer->state.reported_norm = norm;
        end_by_rule(trainer, STOP_GRADIENT_NORM);
    }
}

static double metric_value(const struct trainer *trainer, enum metric metric)
{
    switch (metric) {
    case METRIC_VALIDATION_LOSS:
        return trainer->state.validation_loss;
    case METRIC_VALIDATION_ACCURACY:
        return trainer->state.validation_accuracy;
    case METRIC_TRAIN_LOSS:
        return trainer->state.train_loss;
    case METRIC_TRAIN_ACCURACY:
    case METRIC_COUNT:
        break;
    }
    return trainer->state.train_accuracy;
}

static int metric_is_of_validation(enum metric metric)
{
    return metric == METRIC_VALIDATION_LOSS || metric == METRIC_VALIDATION_ACCURACY;
}

/*
 * Takes note of a new value of the metric that decides on the best model. Improvements must pass min_delta. The parameters
 * of an end's own evaluation are not kept: they are those at hand, and the state before it needs the kept ones.
 */
static void judge(struct trainer *trainer)
{
    struct train_state *state = &trainer->state;
    enum metric metric = trainer->spec.stop.early_metric;
    double value = metric_value(trainer, metric), gain;

    gain = metric == METRIC_VALIDATION_LOSS || metric == METRIC_TRAIN_LOSS ? state->best_value - value
                                                                           : value - state->best_value;
    if (isfinite(value) && (state->best_step == 0 || gain > trainer->spec.stop.min_delta)) {
        state->best_value = value;
        state->best_step = state->step;
        state->worse = 0;
        if (!trainer->end_evaluated) {
            network_serve_f32(evaluator_network(trainer->evaluator), trainer->network);
            network_store_f32(evaluator_network(trainer->evaluator), trainer->best_parameters);
        }
    } else {
        state->worse++;
    }
    if (trainer->spec.stop.early && state->worse >= trainer->spec.stop.patience) {
        end_by_rule(trainer, STOP_EARLY);
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
    trainer->state.validated = 1;
    trainer->state.validation_loss =
        isnan(scores.loss) ? (double)INFINITY : scores.loss; /* NaN would say that it was not measured */
    trainer->state.validation_accuracy = scores.accuracy;
    scores_release(&scores);
    if (metric_is_of_validation(trainer->spec.stop.early_metric)) {
        judge(trainer);
    }
    return STATUS_OK;
}

/* A range test asks how the loss of minibatches falls, and nothing else. */
static int validates(const struct trainer *trainer)
{
    return trainer->spec.kind == TRAIN_ORDINARY && trainer->data.split->validation_count > 0;
}

/* The evaluation that belongs to a last step, unless that step had one. */
static enum status evaluate_end(struct trainer *trainer, struct error *error)
{
    if (trainer->state.validated || trainer->state.step == 0 || !validates(trainer)) {
        return STATUS_OK;
    }
    trainer->before_end = trainer->state;
    trainer->end_evaluated = 1;
    return evaluate_validation(trainer, error);
}

/* The reason to end after the last planned update. */
static enum stop_reason planned_end(const struct trainer *trainer)
{
    if (trainer->cut_reason != STOP_NONE) {
        return trainer->cut_reason;
    }
    if (trainer->spec.kind == TRAIN_LR_RANGE_TEST) {
        return STOP_RANGE_TEST;
    }
    return trainer->plan.total_steps < trainer->spec.epochs * trainer->plan.steps_per_epoch ? STOP_MAX_STEPS : STOP_EPOCHS;
}

static enum status end_where_planned(struct trainer *trainer, struct error *error)
{
    enum status status;

    if (trainer->state.step < trainer->last_step) {
        return STATUS_OK;
    }
    status = evaluate_end(trainer, error);
    if (status == STATUS_OK) {
        finish(trainer, planned_end(trainer));
    }
    return status;
}

static void end_epoch(struct trainer *trainer)
{
    struct train_state *state = &trainer->state;

    state->train_loss = state->epoch_loss / state->epoch_weight;
    state->train_accuracy = (double)state->epoch_correct / (double)state->epoch_samples;
    state->epoch_loss = state->epoch_weight = 0;
    state->epoch_correct = state->epoch_samples = 0;
    if (trainer->spec.kind == TRAIN_ORDINARY && !metric_is_of_validation(trainer->spec.stop.early_metric)) {
        judge(trainer);
    }
}

/* After an update: the end of the epoch, evaluations, stops. What only an end asks for comes last. */
static enum status after_update(struct trainer *trainer, struct error *error)
{
    const struct train_spec *spec = &trainer->spec;
    uint64_t step = trainer->state.step;
    int epoch_ends = step % trainer->plan.steps_per_epoch == 0;
    int due = spec->eval_every_steps > 0 ? step % spec->eval_every_steps == 0 : epoch_ends;
    enum status status = STATUS_OK;

    trainer->state.validated = 0;
    if (epoch_ends) {
        end_epoch(trainer);
    }
    if (due && validates(trainer)) {
        status = evaluate_validation(trainer, error);
    }
    if (status == STATUS_OK && trainer->gradient_check == GRADIENT_CHECK_PROBE && epoch_ends) {
        check_full_gradient(trainer);
    }
    if (spec->kind == TRAIN_LR_RANGE_TEST && range_test_note(&spec->range, &trainer->state)) {
        end_by_rule(trainer, STOP_RANGE_TEST);
    }
    return status == STATUS_OK ? end_where_planned(trainer, error) : status;
}

static double epochs_made(const struct trainer *trainer)
{
    return (double)trainer->state.step / (double)trainer->plan.steps_per_epoch;
}

static void log_point(struct trainer *trainer, struct train_point *point, int *logged)
{
    int epoch_ends = trainer->state.step % trainer->plan.steps_per_epoch == 0, validated = trainer->state.validated != 0;

    *point = train_point_at(trainer->state.step);
    point->epoch = epochs_made(trainer);
    point->batch_loss = trainer->state.batch_loss;
    point->train_loss = epoch_ends ? trainer->state.train_loss : (double)NAN;
    point->train_accuracy = epoch_ends ? trainer->state.train_accuracy : (double)NAN;
    point->validation_loss = validated ? trainer->state.validation_loss : (double)NAN;
    point->validation_accuracy = validated ? trainer->state.validation_accuracy : (double)NAN;
    point->learning_rate = trainer->state.learning_rate;
    point->gradient_norm = trainer->state.gradient_norm;
    point->step_size = trainer->state.step_size;
    point->smoothed_loss = trainer->spec.kind == TRAIN_LR_RANGE_TEST ? trainer->state.range_smoothed : (double)NAN;
    diagnostics_fill_point(trainer, point, epoch_ends || validated);
    /* the row is written, and what it measured is noted, for a run that goes on from here as well */
    trainer->before_end.noise_square = trainer->state.noise_square;
    trainer->before_end.noise_trace = trainer->state.noise_trace;
    trainer->state.logged_step = trainer->before_end.logged_step = trainer->state.step;
    *logged = 1;
}

static enum status make_step(struct trainer *trainer, struct train_point *point, int *logged, struct error *error)
{
    uint64_t next = trainer->state.step + 1, epoch = trainer->plan.steps_per_epoch;
    int due = train_spec_logs(&trainer->spec, epoch, next);
    int measure = due || next % epoch == 0 || next >= trainer->last_step; /* wherever training may end */
    enum stop_reason stop = STOP_NONE;
    enum status status;

    diagnostics_begin_step(trainer);
    trainer->full_norm_is_known = 0;
    status = trainer->convex != NULL ? update_convex(trainer, &stop, error) : update(trainer, measure, &stop, error);
    if (status == STATUS_DIVERGED && trainer->spec.kind == TRAIN_LR_RANGE_TEST) { /* so far the rate can go, no farther */
        trainer->reason = STOP_RANGE_TEST;
        if (error != NULL) {
            *error = (struct error){.status = STATUS_OK};
        }
        return STATUS_OK;
    }
    if (status == STATUS_OK && stop != STOP_NONE) {
        end_by_rule(trainer, stop);
    } else if (status == STATUS_OK) {
        status = after_update(trainer, error);
    }
    if (status == STATUS_OK && (due || trainer->finished) && trainer->state.logged_step != trainer->state.step) {
        log_point(trainer, point, logged);
    }
    return status;
}

enum status trainer_step(struct trainer *trainer, struct train_point *point, int *logged, struct error *error)
{
    enum status status;

    *logged = 0;
    if (trainer->finished) {
        return STATUS_OK;
    }
    pool_clocks_start(trainer->pool);
    status = make_step(trainer, point, logged, error);
    pool_clocks_stop(trainer->pool);
    return status;
}

void trainer_ticks(const struct trainer *trainer, uint64_t ticks[PHASE_COUNT])
{
    pool_ticks(trainer->pool, ticks);
}

void trainer_progress(const struct trainer *trainer, struct train_progress *progress)
{
    const struct train_state *state = &trainer->state;

    *progress = (struct train_progress){.step = state->step,
                                        .total_steps = trainer->plan.total_steps,
                                        .samples_seen = state->samples_seen,
                                        .epoch = epochs_made(trainer),
                                        .gradient_norm = state->reported_norm,
                                        .finished = trainer->finished,
                                        .reason = trainer->reason,
                                        .best_value = state->best_value,
                                        .best_step = state->best_step,
                                        .noise_scale =
                                            state->noise_square > 0 ? state->noise_trace / state->noise_square : (double)NAN,
                                        .best_metric = trainer->spec.stop.early_metric};
}

void trainer_set_threads(struct trainer *trainer, uint32_t threads)
{
    pool_resize(trainer->pool, threads < trainer->max_threads ? threads : trainer->max_threads);
}

enum status trainer_stop_now(struct trainer *trainer, enum stop_reason reason, struct error *error)
{
    enum status status = trainer->finished ? STATUS_OK : evaluate_end(trainer, error);

    if (status == STATUS_OK) {
        finish(trainer, reason);
    }
    return status;
}

void trainer_stop_after_next(struct trainer *trainer, enum stop_reason reason)
{
    uint64_t next = trainer->state.step + 1;

    if (next < trainer->last_step) {
        trainer->last_step = next;
        trainer->cut_reason = reason;
    }
}

enum status trainer_settle(struct trainer *trainer, struct error *error)
{
    if (trainer->state.ended_by != STOP_NONE) {
        finish(trainer, (enum stop_reason)trainer->state.ended_by);
    }
    return end_where_planned(trainer, error);
}
