/* What the tests of training share: generated data, a spec for it, a run to its end. */
#ifndef DESCENT_TESTS_CORE_TRAIN_TRAINING_H
#define DESCENT_TESTS_CORE_TRAIN_TRAINING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/data/generator.h"
#include "core/train/checkpoint.h"
#include "core/train/trainer.h"

/* ---- a generated data set, split ---- */

struct fixture {
    struct buffer_sink block;
    struct dataset dataset;
    struct split split;
    const struct model *initial_model; /* to begin with; NULL: none */
};

static inline void fixture_init(struct fixture *f, enum generator type, uint32_t n, uint32_t classes, double noise,
                                double validation)
{
    struct generator_spec generator = {.type = type, .n = n, .classes = classes, .noise = noise, .seed = 7};
    struct split_spec split = {.validation = validation, .stratified = 1};

    *f = (struct fixture){0};
    assert_int_equal(generator_write(&generator, buffer_sink(&f->block), NULL), STATUS_OK);
    assert_int_equal(dataset_open(&f->dataset, f->block.data, f->block.size, NULL), STATUS_OK);
    assert_int_equal(split_make(&f->split, &f->dataset, &split, 3, NULL), STATUS_OK);
}

static inline void fixture_release(struct fixture *f)
{
    split_release(&f->split);
    dataset_release(&f->dataset);
    buffer_sink_release(&f->block);
}

static inline struct train_spec spec_of(const struct fixture *f, uint32_t hidden, double dropout)
{
    struct train_spec spec = {
        .initializer = hidden > 0 ? INIT_HE_NORMAL : INIT_ZEROS,
        .preprocessing = PREPROCESS_STANDARDIZE,
        .epochs = 4,
        .batch_size = 32,
        .seed = 11,
        .log_every_steps = 3,
        .stop = {.early_metric = f->split.validation_count > 0 ? METRIC_VALIDATION_LOSS : METRIC_TRAIN_LOSS}};
    uint32_t sizes[2] = {hidden, hidden};

    optimizer_defaults(&spec.optimizer, OPTIMIZER_SGD);
    spec.optimizer.learning_rate = 0.05;
    assert_int_equal(model_spec_perceptron(&spec.model, hidden > 0 ? MODEL_MLP : MODEL_SOFTMAX_REGRESSION,
                                           f->dataset.features, f->dataset.classes, sizes, hidden > 0 ? 2 : 0, LAYER_RELU,
                                           dropout, NULL),
                     STATUS_OK);
    return spec;
}

/* Softmax regression with L2 on the full batch. */
static inline struct train_spec solver_spec_of(const struct fixture *f, enum optimizer_type type, double l2)
{
    struct train_spec spec = spec_of(f, 0, 0);

    optimizer_defaults(&spec.optimizer, type);
    spec.batch_size = f->split.train_count;
    spec.epochs = 400;
    spec.loss.l2 = l2;
    return spec;
}

struct result {
    struct model model;
    uint64_t model_step;
    struct train_progress progress;
    struct train_point points[4096];
    size_t point_count;
    enum status status;
    struct error error;
    struct train_divergence divergence;
    double train_loss, train_objective;
};

static inline struct trainer *new_trainer(const struct fixture *f, const struct train_spec *spec, uint32_t threads)
{
    struct train_data data = {.dataset = &f->dataset, .split = &f->split, .initial_model = f->initial_model};
    struct trainer *trainer;

    assert_int_equal(trainer_new(&trainer, spec, &data, threads, NULL), STATUS_OK);
    return trainer;
}

/* One step into the result; 0 after the last one. */
static inline int step_into(struct result *result, struct trainer *trainer)
{
    struct train_point point;
    int logged;

    result->status = trainer_step(trainer, &point, &logged, &result->error);
    if (result->status == STATUS_OK && logged) {
        assert_true(result->point_count < sizeof result->points / sizeof result->points[0]);
        result->points[result->point_count++] = point;
    }
    trainer_progress(trainer, &result->progress);
    return result->status == STATUS_OK && !result->progress.finished;
}

/* Model and scores of a trainer that has ended, which is freed. */
static inline void conclude(struct result *result, struct trainer *trainer)
{
    if (result->status == STATUS_OK) {
        struct scores scores;
        int present;

        assert_int_equal(trainer_model(trainer, &result->model, &result->model_step, NULL), STATUS_OK);
        result->status = trainer_evaluate(trainer, PART_TRAIN, &scores, &result->train_objective, &present, &result->error);
        assert_true(present);
        result->train_loss = result->status == STATUS_OK ? scores.loss : (double)NAN;
        if (result->status == STATUS_OK) {
            scores_release(&scores);
        }
    }
    result->divergence = *trainer_divergence(trainer);
    trainer_free(trainer);
}

/* Trains to the end; every `resize_every` steps (0: never) the team changes its size; `stop_at` (0: none) is the last. */
static inline struct result *run_until(const struct fixture *f, const struct train_spec *spec, uint32_t threads,
                                       uint32_t resize_every, uint64_t stop_at)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct trainer *trainer = new_trainer(f, spec, threads);

    do {
        if (resize_every > 0 && result->progress.step % resize_every == 0) {
            trainer_set_threads(trainer, 1 + (uint32_t)(result->progress.step / resize_every) % threads);
        }
        if (result->progress.step + 1 == stop_at) {
            trainer_stop_after_next(trainer, STOP_MAX_SECONDS);
        }
    } while (step_into(result, trainer));
    conclude(result, trainer);
    return result;
}

static inline struct result *run(const struct fixture *f, const struct train_spec *spec, uint32_t threads,
                                 uint32_t resize_every)
{
    return run_until(f, spec, threads, resize_every, 0);
}

static inline void result_free(struct result *result)
{
    model_release(&result->model);
    test_free(result);
}

/* Each update rule in each of its ways; solvers are not for every model (solver_spec_of). */
static inline size_t all_optimizers(struct optimizer_spec *specs)
{
    size_t count = 0;

    for (int type = 0; type < OPTIMIZER_COUNT; type++) {
        if (optimizer_has((enum optimizer_type)type, OPTIMIZER_CONVEX_SOLVER)) {
            continue;
        }
        optimizer_defaults(&specs[count], (enum optimizer_type)type);
        specs[count++].learning_rate = type == OPTIMIZER_SGD ? 0.05 : 0.01;
    }
    specs[count] = specs[OPTIMIZER_SGD];
    specs[count++].momentum = 0.9;
    specs[count] = specs[count - 1];
    specs[count++].nesterov = NESTEROV_LECTURE;
    specs[count] = specs[count - 1];
    specs[count++].nesterov = NESTEROV_LOOKAHEAD;
    specs[count] = specs[OPTIMIZER_ADAGRAD];
    specs[count].lr_decay = 0.01;
    specs[count++].initial_accumulator = 0.1;
    specs[count] = specs[OPTIMIZER_RMSPROP];
    specs[count++].momentum = 0.9;
    specs[count] = specs[OPTIMIZER_RMSPROP];
    specs[count++].centered = 1;
    specs[count] = specs[count - 1];
    specs[count++].momentum = 0.9;
    specs[count] = specs[OPTIMIZER_ADAM];
    specs[count++].amsgrad = 1;
    specs[count] = specs[OPTIMIZER_SCHEDULE_FREE_SGD];
    specs[count++].warmup_steps = 7;
    specs[count] = specs[OPTIMIZER_SCHEDULE_FREE_ADAMW];
    specs[count].weight_decay = 0.1;
    specs[count++].warmup_steps = 7;
    specs[count] = specs[OPTIMIZER_MUON];
    specs[count].weight_decay = 0.1;
    specs[count++].muon_nesterov = 0;
    return count;
}

/* ---- checkpoints ---- */

static const struct checkpoint_owner CHECKPOINT_OWNER = {{1, 2, 3}, {4, 5, 6}};

static inline void write_checkpoint(struct trainer *trainer, struct buffer_sink *file)
{
    struct checkpoint_copy *copy;

    assert_int_equal(checkpoint_copy_new(&copy, trainer, NULL), STATUS_OK);
    checkpoint_take(copy, trainer, 12.5);
    assert_int_equal(checkpoint_write(copy, &CHECKPOINT_OWNER, buffer_sink(file), NULL), STATUS_OK);
    checkpoint_copy_free(copy);
}

/* A new trainer at the place of the checkpoint in `file`. */
static inline struct trainer *restored(const struct fixture *f, const struct train_spec *spec, uint32_t threads,
                                       const struct buffer_sink *file)
{
    struct trainer *trainer = new_trainer(f, spec, threads);
    struct checkpoint checkpoint;

    assert_int_equal(checkpoint_read(&checkpoint, file->data, file->size, NULL), STATUS_OK);
    assert_int_equal(trainer_restore(trainer, &checkpoint, NULL), STATUS_OK);
    return trainer;
}

#endif
