/* Setting a trainer up: which memory it has, what it begins with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/nn/init.h"
#include "core/train/train_plan.h"
#include "core/train/trainer_internal.h"

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
    enum status status = network_plan_make(&plan, &spec->model, train_spec_network_rows(spec, train_rows), error);

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
                                  .precision = spec->precision,
                                  .pool = trainer->pool};

    status = network_new_f32(&trainer->network, &setup, error);
    if (status == STATUS_OK && train_spec_has_probe(spec, train_rows)) {
        network_plan_drop_dropout(&plan); /* such gradients are taken without dropout, of the function that is served */
        setup.use = NETWORK_ACCUMULATE;
        setup.gives_statistics = 1;
        setup.precision = PRECISION_F32;
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
    const struct train_sizes rows = train_data_sizes(&trainer->data);
    const struct dataset *dataset = trainer->data.dataset;
    enum status status = trainer_plan(&trainer->plan, &trainer->spec, &rows, threads, error);

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
    trainer->labels = trainer->soft_winners != NULL ? trainer->soft_winners : dataset->labels;
    return status == STATUS_OK ? diagnostics_new(&trainer->diagnostics, trainer, error) : status;
}

static void fill_with_nan(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = (double)NAN;
    }
}

struct train_state train_state_initial(void)
{
    struct train_state state = {.best_value = (double)NAN,
                                .reported_norm = (double)NAN,
                                .train_loss = (double)NAN,
                                .train_accuracy = (double)NAN,
                                .validation_loss = (double)NAN,
                                .validation_accuracy = (double)NAN,
                                .range_smoothed = (double)NAN,
                                .range_least = (double)NAN,
                                .range_least_rate = (double)NAN,
                                .range_fall = (double)NAN,
                                .range_fall_rate = (double)NAN};

    fill_with_nan(state.recent_norms, sizeof state.recent_norms / sizeof state.recent_norms[0]);
    fill_with_nan(state.range_recent, sizeof state.range_recent / sizeof state.range_recent[0]);
    return state;
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
    set_initial_parameters(trainer);
    trainer->full_normaliser = trainer_normaliser(trainer, data->split->train, data->split->train_count);
    if (optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER)) {
        status = trainer_convex_new(&trainer->convex, trainer, trainer->full_normaliser, error);
        if (status != STATUS_OK) {
            trainer_free(trainer);
            return status;
        }
    }
    trainer->last_step = trainer->plan.total_steps;
    trainer->state = train_state_initial();
    trainer->divergence.layer = -1;
    memcpy(trainer->divergence.gradient_norms, trainer->state.recent_norms, sizeof trainer->divergence.gradient_norms);
    *out = trainer;
    return STATUS_OK;
}

void trainer_free(struct trainer *trainer)
{
    if (trainer == NULL) {
        return;
    }
    diagnostics_free(trainer->diagnostics);
    trainer_convex_free(trainer->convex);
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
