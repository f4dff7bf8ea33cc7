/* Training that goes on from checkpoints: to the bits that it would have had undisturbed, whatever the job. */
#include "core/train/checkpoint.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"
#include "tests/core/train/training.h"

/* The trainer is gone, and what goes on is one of `threads` threads at the place of its checkpoint. */
static struct trainer *interrupt(const struct fixture *f, const struct train_spec *spec, uint32_t threads,
                                 struct trainer *trainer)
{
    struct buffer_sink file = {0};

    write_checkpoint(trainer, &file);
    trainer_free(trainer);
    trainer = restored(f, spec, threads, &file);
    buffer_sink_release(&file);
    return trainer;
}

static void assert_equal_progress(const struct train_progress *a, const struct train_progress *b)
{
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->total_steps, b->total_steps);
    assert_int_equal(a->samples_seen, b->samples_seen);
    assert_close(a->epoch, b->epoch, 0, 0);
    assert_memory_equal(&a->gradient_norm, &b->gradient_norm, sizeof a->gradient_norm);
    assert_int_equal(a->finished, b->finished);
    assert_int_equal(a->reason, b->reason);
    assert_memory_equal(&a->best_value, &b->best_value, sizeof a->best_value);
    assert_int_equal(a->best_step, b->best_step);
    assert_int_equal(a->best_metric, b->best_metric);
}

static void assert_equal_results(const struct result *a, const struct result *b)
{
    assert_int_equal(a->status, b->status);
    assert_equal_progress(&a->progress, &b->progress);
    assert_int_equal(a->point_count, b->point_count);
    assert_memory_equal(a->points, b->points, b->point_count * sizeof b->points[0]);
    if (b->status == STATUS_OK) {
        assert_string_equal(a->model.digest, b->model.digest);
        assert_int_equal(a->model_step, b->model_step);
        assert_close(a->train_loss, b->train_loss, 0, 0);
        assert_close(a->train_objective, b->train_objective, 0, 0);
    }
}

/* ---- runs that are interrupted ---- */

#define INTERRUPTIONS 20

static const uint32_t TEAMS[] = {1, 2, 4};
#define TEAM_COUNT (sizeof TEAMS / sizeof TEAMS[0])

/* Whether one of the random steps is this one. `key`: another choice. */
static int is_chosen(uint32_t key, uint64_t step, uint64_t total_steps)
{
    for (uint64_t i = 0; i < INTERRUPTIONS; i++) {
        if ((uint64_t)(rng_uniform_f64(99, RNG_GENERATOR, key, i) * (double)total_steps) == step) {
            return 1;
        }
    }
    return 0;
}

/*
 * A run that is interrupted at random steps and at its end, each time to go on in a new trainer with another number of
 * threads, which changes at other random steps, too.
 */
static struct result *run_interrupted(const struct fixture *f, const struct train_spec *spec, size_t team)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct trainer *trainer = new_trainer(f, spec, TEAMS[team]);
    struct train_progress progress;
    uint32_t key = (uint32_t)team;
    int more;

    do {
        trainer_progress(trainer, &progress);
        if (is_chosen(key, progress.step, progress.total_steps)) {
            team = (team + 1) % TEAM_COUNT;
            trainer = interrupt(f, spec, TEAMS[team], trainer);
            trainer_progress(trainer, &result->progress);
            assert_equal_progress(&result->progress, &progress);
        }
        if (is_chosen(key + 100, progress.step, progress.total_steps)) {
            trainer_set_threads(trainer, 1 + (uint32_t)progress.step % TEAMS[team]);
        }
        more = step_into(result, trainer);
    } while (more);
    if (result->status == STATUS_OK) {
        progress = result->progress;
        trainer = interrupt(f, spec, 1, trainer);
        assert_false(step_into(result, trainer)); /* it has ended: no row, no step */
        assert_equal_progress(&result->progress, &progress);
    }
    conclude(result, trainer);
    return result;
}

/* However it is interrupted, and whatever the number of threads, a job gives what it gives undisturbed. */
static void check_interrupted(const struct fixture *f, const struct train_spec *spec)
{
    struct result *undisturbed = run(f, spec, 1, 0);

    for (size_t team = 0; team < TEAM_COUNT; team++) {
        struct result *interrupted = run_interrupted(f, spec, team);

        assert_equal_results(interrupted, undisturbed);
        result_free(interrupted);
    }
    for (size_t team = 1; team < TEAM_COUNT; team++) {
        struct result *other = run(f, spec, TEAMS[team], 0);

        assert_equal_results(other, undisturbed);
        result_free(other);
    }
    result_free(undisturbed);
}

/* ---- the bit matrix ---- */

static void check_optimizer(struct optimizer_spec optimizer)
{
    static const uint32_t ROWS[2] = {40, 37};   /* without and with a short last batch */
    static const uint32_t HIDDEN[2] = {130, 6}; /* a layer of more than one tile, and one behind it */

    for (int i = 0; i < 4; i++) {
        int dropout = i & 1, short_batch = i >> 1;
        struct fixture f;

        fixture_init(&f, GENERATOR_SPIRALS, ROWS[short_batch], 3, 0.2, 0);
        struct train_spec spec = spec_of(&f, 1, 0);

        assert_int_equal(model_spec_perceptron(&spec.model, MODEL_MLP, 2, 3, HIDDEN, 2, LAYER_RELU, dropout ? 0.3 : 0, NULL),
                         STATUS_OK);
        spec.optimizer = optimizer;
        spec.batch_size = 5;
        check_interrupted(&f, &spec);
        fixture_release(&f);
    }
}

static void every_optimizer_goes_on_to_the_same_bits(void **state)
{
    struct optimizer_spec optimizers[32];
    size_t count = all_optimizers(optimizers);

    (void)state;
    for (size_t o = 0; o < count; o++) {
        check_optimizer(optimizers[o]);
    }
}

/* Solvers keep float64 of their own. With validation rows and without, ended by epochs and by the tolerance. */
static void every_solver_goes_on_to_the_same_bits(void **state)
{
    static const enum optimizer_type TYPES[] = {OPTIMIZER_LBFGS, OPTIMIZER_NEWTON_CG};

    (void)state;
    for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++) {
        for (int variant = 0; variant < 4; variant++) {
            struct fixture f;

            fixture_init(&f, GENERATOR_BLOBS, 700, 3, 1.5, variant & 1 ? 0.3 : 0);
            struct train_spec spec = solver_spec_of(&f, TYPES[t], 1e-3);

            spec.optimizer.history = 3;
            spec.epochs = variant >> 1 ? 6 : 40;
            spec.stop.early = variant == 3;
            spec.stop.patience = 100;
            check_interrupted(&f, &spec);
            fixture_release(&f);
        }
    }
}

static void a_longer_solver_goes_on_from_a_shorter_one(void **state)
{
    struct fixture f;
    struct buffer_sink file = {0};

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 300, 3, 1.5, 0.2);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_LBFGS, 1e-3);
    struct result *whole = run(&f, &spec, 1, 0), *parts = test_calloc(1, sizeof *parts);

    spec.epochs = 4;
    struct trainer *trainer = new_trainer(&f, &spec, 2);

    while (step_into(parts, trainer)) {
    }
    assert_int_equal(parts->progress.reason, STOP_EPOCHS);
    write_checkpoint(trainer, &file);
    trainer_free(trainer);
    spec.epochs = 400;
    trainer = restored(&f, &spec, 1, &file);
    while (step_into(parts, trainer)) {
    }
    conclude(parts, trainer);
    assert_int_equal(parts->progress.reason, STOP_GRADIENT_NORM);
    assert_int_equal(parts->progress.step, whole->progress.step);
    assert_string_equal(parts->model.digest, whole->model.digest);
    assert_close(parts->train_objective, whole->train_objective, 0, 0);
    buffer_sink_release(&file);
    result_free(whole);
    result_free(parts);
    fixture_release(&f);
}

/* Of the right network, but with the state of another solver, or of none. */
static void a_solvers_checkpoint_fits_no_other(void **state)
{
    struct optimizer_spec optimizers[4];
    struct fixture f;
    struct trainer *trainers[4];
    struct checkpoint checkpoint;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 60, 3, 1.5, 0);
    struct train_spec spec = solver_spec_of(&f, OPTIMIZER_LBFGS, 1e-3);

    optimizers[0] = optimizers[1] = spec.optimizer;
    optimizers[1].history = 9;
    optimizer_defaults(&optimizers[2], OPTIMIZER_NEWTON_CG);
    optimizer_defaults(&optimizers[3], OPTIMIZER_SGD);
    optimizers[3].learning_rate = 0.1;
    for (size_t a = 0; a < 4; a++) {
        struct buffer_sink file = {0};

        spec.optimizer = optimizers[a];
        trainers[a] = new_trainer(&f, &spec, 1);
        write_checkpoint(trainers[a], &file);
        assert_int_equal(checkpoint_read(&checkpoint, file.data, file.size, NULL), STATUS_OK);
        for (size_t b = 0; b < 4; b++) {
            spec.optimizer = optimizers[b];
            struct trainer *other = new_trainer(&f, &spec, 1);

            assert_int_equal(trainer_restore(other, &checkpoint, NULL),
                             a == b ? STATUS_OK : STATUS_CHECKPOINT_CONFIG_MISMATCH);
            trainer_free(other);
        }
        trainer_free(trainers[a]);
        buffer_sink_release(&file);
    }
    fixture_release(&f);
}

/* ---- other ways to train ---- */

static void rows_of_every_kind_come_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 131, 3, 0.2, 0.2);
    struct train_spec spec = spec_of(&f, 20, 0.1);

    spec.eval_every_steps = 5;
    spec.log_every_steps = 2;
    spec.schedule = (struct schedule_spec){.type = SCHEDULE_COSINE, .final_learning_rate = 1e-3, .warmup_steps = 7};
    spec.epochs = 7;
    check_interrupted(&f, &spec);
    spec.stop.max_steps = 17; /* amid an epoch, and no step of an evaluation */
    check_interrupted(&f, &spec);
    fixture_release(&f);
}

static void clipping_and_large_batches_go_on(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 131, 3, 0.2, 0);
    struct train_spec clipped = spec_of(&f, 20, 0.1);

    clipped.clip_norm = 0.1;
    clipped.loss.l2 = 1e-3;
    check_interrupted(&f, &clipped);
    fixture_release(&f);

    fixture_init(&f, GENERATOR_BLOBS, 9001, 3, 0.5, 0);
    struct train_spec large = spec_of(&f, 0, 0);

    large.batch_size = 4500; /* above 4096 rows: chunk by chunk */
    large.epochs = 12;
    check_interrupted(&f, &large);
    fixture_release(&f);
}

static void the_gradients_norm_ends_training_at_the_same_step(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 100, 2, 0.5, 0);
    struct train_spec spec = spec_of(&f, 0, 0);

    spec.epochs = 1000;
    spec.loss.l2 = 0.1;
    spec.optimizer.learning_rate = 0.5;
    spec.stop.gradient_norm = 1e-2;
    spec.batch_size = 100; /* by the step's own gradient */
    struct result *full = run(&f, &spec, 1, 0);

    assert_int_equal(full->progress.reason, STOP_GRADIENT_NORM);
    result_free(full);
    check_interrupted(&f, &spec);
    spec.batch_size = 30; /* by a pass over the training rows */
    spec.optimizer.learning_rate = 0.02;
    struct result *probed = run(&f, &spec, 1, 0);

    assert_int_equal(probed->progress.reason, STOP_GRADIENT_NORM);
    result_free(probed);
    check_interrupted(&f, &spec);
    fixture_release(&f);
}

static void early_stopping_finds_the_same_best_model(void **state)
{
    static const enum metric METRICS[] = {METRIC_VALIDATION_LOSS, METRIC_VALIDATION_ACCURACY, METRIC_TRAIN_LOSS};
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0.3);
    for (size_t m = 0; m < sizeof METRICS / sizeof METRICS[0]; m++) {
        struct train_spec spec = spec_of(&f, 20, 0);

        spec.epochs = 60;
        spec.optimizer.learning_rate = 0.5;
        spec.optimizer.momentum = 0.9;
        spec.optimizer.nesterov = NESTEROV_LOOKAHEAD;
        spec.stop.early = 1;
        spec.stop.early_metric = METRICS[m];
        spec.stop.patience = 4;
        struct result *result = run(&f, &spec, 1, 0);

        assert_int_equal(result->progress.reason, STOP_EARLY);
        result_free(result);
        check_interrupted(&f, &spec);
    }
    fixture_release(&f);
}

static void soft_labels_and_weighted_classes_go_on(void **state)
{
    double weights[3] = {1, 0.5, 2};
    float soft[131 * 3];
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_BLOBS, 131, 3, 0.5, 0.2);
    struct train_spec spec = spec_of(&f, 20, 0);

    spec.loss.weighting = CLASS_WEIGHTS_LIST;
    spec.loss.class_weights = weights;
    check_interrupted(&f, &spec);
    spec = spec_of(&f, 20, 0);
    for (size_t i = 0; i < 131; i++) {
        for (int32_t c = 0; c < 3; c++) {
            soft[3 * i + (size_t)c] = f.dataset.labels[i] == c ? 0.8F : 0.1F;
        }
    }
    f.dataset.label_type = LABEL_SOFT;
    f.dataset.soft_labels = soft;
    f.dataset.labels = NULL;
    check_interrupted(&f, &spec);
    fixture_release(&f);
}

/* ---- ends that a checkpoint does not know ---- */

/* `epochs` epochs, then from the checkpoint of that end on under `longer`. */
static struct result *run_extended(const struct fixture *f, const struct train_spec *longer, uint32_t epochs)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct train_spec shorter = *longer;
    struct buffer_sink file = {0};

    shorter.epochs = epochs;
    struct trainer *trainer = new_trainer(f, &shorter, 2);

    while (step_into(result, trainer)) {
    }
    write_checkpoint(trainer, &file);
    trainer_free(trainer);
    trainer = restored(f, longer, 1, &file);
    while (step_into(result, trainer)) {
    }
    conclude(result, trainer);
    buffer_sink_release(&file);
    return result;
}

static void more_epochs_give_one_long_run(void **state)
{
    static const uint64_t EVALUATIONS[] = {0, 3, 1000}; /* at epochs' ends; not at the first end; only at the ends */
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0.3);
    for (size_t i = 0; i < 2 * sizeof EVALUATIONS / sizeof EVALUATIONS[0]; i++) {
        struct train_spec spec = spec_of(&f, 20, 0.1);

        spec.epochs = 40;
        spec.optimizer.learning_rate = 0.5;
        spec.optimizer.momentum = 0.9;
        spec.eval_every_steps = EVALUATIONS[i / 2];
        spec.stop.early = i % 2 == 1;
        spec.stop.patience = 6;
        struct result *whole = run(&f, &spec, 1, 0);

        for (uint32_t epochs = 1; epochs < 8; epochs++) {
            struct result *extended = run_extended(&f, &spec, epochs);

            assert_equal_progress(&extended->progress, &whole->progress);
            assert_string_equal(extended->model.digest, whole->model.digest);
            assert_int_equal(extended->model_step, whole->model_step);
            result_free(extended);
        }
        result_free(whole);
    }
    fixture_release(&f);
}

/* What a rule has ended stays ended, also where there would be more epochs. */
static void more_epochs_do_not_wake_what_a_rule_has_ended(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0.3);
    struct train_spec spec = spec_of(&f, 20, 0);
    struct result *result = test_calloc(1, sizeof *result);

    spec.epochs = 60;
    spec.optimizer.learning_rate = 0.5;
    spec.stop.early = 1;
    spec.stop.patience = 2;
    struct trainer *trainer = new_trainer(&f, &spec, 1);

    while (step_into(result, trainer)) {
    }
    assert_int_equal(result->progress.reason, STOP_EARLY);
    uint64_t step = result->progress.step;

    spec.epochs = 100;
    trainer = interrupt(&f, &spec, 2, trainer);
    trainer_progress(trainer, &result->progress);
    assert_true(result->progress.finished);
    assert_int_equal(result->progress.reason, STOP_EARLY);
    assert_int_equal(result->progress.step, step);
    conclude(result, trainer);
    assert_int_equal(result->model_step, result->progress.best_step);
    result_free(result);
    fixture_release(&f);
}

/* ---- stops ---- */

/* Stopped at step `last`: while it runs, or at its checkpoint. */
static struct result *run_stopped(const struct fixture *f, const struct train_spec *spec, uint64_t last, int at_checkpoint)
{
    struct result *result = test_calloc(1, sizeof *result);
    struct trainer *trainer = new_trainer(f, spec, 2);

    while (result->progress.step + !at_checkpoint < last) {
        assert_true(step_into(result, trainer));
    }
    trainer = interrupt(f, spec, 4, trainer);
    if (at_checkpoint) {
        assert_int_equal(trainer_stop_now(trainer, STOP_USER, NULL), STATUS_OK);
        trainer_progress(trainer, &result->progress);
    } else {
        trainer_stop_after_next(trainer, STOP_USER);
        assert_false(step_into(result, trainer));
    }
    assert_true(result->progress.finished);
    assert_int_equal(result->progress.reason, STOP_USER);
    assert_int_equal(result->progress.step, last);
    conclude(result, trainer);
    return result;
}

static void a_stop_leaves_the_same_model_running_or_paused(void **state)
{
    struct fixture f;
    size_t older_model = 0;

    (void)state;
    for (int validation = 0; validation < 2; validation++) {
        fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, validation ? 0.3 : 0);
        struct train_spec spec = spec_of(&f, 20, 0);

        spec.epochs = 20;
        spec.optimizer.learning_rate = 0.5;
        for (uint64_t last = 1; last < 25; last++) {
            struct result *running = run_stopped(&f, &spec, last, 0), *paused = run_stopped(&f, &spec, last, 1);

            assert_string_equal(paused->model.digest, running->model.digest);
            assert_int_equal(paused->model_step, running->model_step);
            assert_int_equal(paused->progress.best_step, running->progress.best_step);
            assert_close(paused->train_loss, running->train_loss, 0, 0);
            if (validation) {
                assert_true(running->progress.best_step > 0); /* evaluated, if not before then at the end */
                assert_int_equal(running->model_step, running->progress.best_step);
            } else {
                assert_true(running->progress.best_step <= last && running->progress.best_step % 5 == 0);
            }
            older_model += running->model_step < last;
            result_free(running);
            result_free(paused);
        }
        fixture_release(&f);
    }
    assert_true(older_model > 0); /* else the best was always the last, and the test says little */
}

static void a_stop_before_the_first_step_leaves_the_initial_model(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 60, 3, 0.2, 0.3);
    struct train_spec spec = spec_of(&f, 16, 0);
    struct result *result = test_calloc(1, sizeof *result);
    struct trainer *trainer = interrupt(&f, &spec, 2, new_trainer(&f, &spec, 1));

    assert_int_equal(trainer_stop_now(trainer, STOP_USER, NULL), STATUS_OK);
    assert_false(step_into(result, trainer));
    assert_int_equal(result->progress.step, 0);
    assert_int_equal(result->progress.best_step, 0);
    conclude(result, trainer);
    assert_int_equal(result->status, STATUS_OK);
    assert_int_equal(result->model_step, 0);
    result_free(result);
    fixture_release(&f);
}

/* ---- copies ---- */

/* Taking, writing meanwhile and writing later: nothing of it moves training, and each writes the state that was taken. */
static void a_copy_is_apart_from_its_trainer(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0.3);
    struct train_spec spec = spec_of(&f, 20, 0.1);
    struct result *undisturbed = run(&f, &spec, 1, 0), *result = test_calloc(1, sizeof *result);
    struct trainer *trainer = new_trainer(&f, &spec, 2);
    struct buffer_sink at_once = {0}, later = {0}, gone = {0};
    struct checkpoint_copy *copy;

    assert_int_equal(checkpoint_copy_new(&copy, trainer, NULL), STATUS_OK);
    while (step_into(result, trainer)) {
        checkpoint_take(copy, trainer, 1.5);
        at_once.size = 0;
        assert_int_equal(checkpoint_write(copy, &CHECKPOINT_OWNER, buffer_sink(&at_once), NULL), STATUS_OK);
    }
    assert_int_equal(checkpoint_write(copy, &CHECKPOINT_OWNER, buffer_sink(&later), NULL), STATUS_OK);
    conclude(result, trainer);
    assert_equal_results(result, undisturbed);
    assert_int_equal(checkpoint_write(copy, &CHECKPOINT_OWNER, buffer_sink(&gone), NULL), STATUS_OK);
    assert_int_equal(later.size, at_once.size);
    assert_memory_equal(later.data, at_once.data, at_once.size);
    assert_int_equal(gone.size, at_once.size);
    assert_memory_equal(gone.data, at_once.data, at_once.size);
    checkpoint_copy_free(copy);
    buffer_sink_release(&at_once);
    buffer_sink_release(&later);
    buffer_sink_release(&gone);
    result_free(result);
    result_free(undisturbed);
    fixture_release(&f);
}

/* A writer's thread: each copy that it is handed becomes a file. */
struct writer {
    struct checkpoint_copy *copy;
    struct buffer_sink file;
    enum status status;
};

static void *write_copy(void *context)
{
    struct writer *writer = context;

    writer->file.size = 0;
    writer->status = checkpoint_write(writer->copy, &CHECKPOINT_OWNER, buffer_sink(&writer->file), NULL);
    return NULL;
}

static void training_goes_on_while_another_thread_writes(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0.3);
    struct train_spec spec = spec_of(&f, 20, 0.1);
    struct result *undisturbed = run(&f, &spec, 1, 0), *result = test_calloc(1, sizeof *result);
    struct trainer *trainer = new_trainer(&f, &spec, 2);
    struct writer writer = {.file = {0}};
    int more = 1;

    assert_int_equal(checkpoint_copy_new(&writer.copy, trainer, NULL), STATUS_OK);
    while (more) {
        pthread_t thread;

        checkpoint_take(writer.copy, trainer, 1.5);
        assert_int_equal(pthread_create(&thread, NULL, write_copy, &writer), 0);
        for (int i = 0; i < 4 && more; i++) {
            more = step_into(result, trainer);
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(writer.status, STATUS_OK);
    }
    conclude(result, trainer);
    assert_equal_results(result, undisturbed);
    checkpoint_copy_free(writer.copy);
    buffer_sink_release(&writer.file);
    result_free(result);
    result_free(undisturbed);
    fixture_release(&f);
}

/* Restored and taken again at once, the file has the same bytes, whatever the number of threads. */
static void a_checkpoint_of_a_restored_trainer_is_the_same_file(void **state)
{
    struct optimizer_spec optimizers[32];
    size_t count = all_optimizers(optimizers);
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0.3);
    for (size_t o = 0; o < count; o++) {
        struct train_spec spec = spec_of(&f, 130, 0.1);
        struct buffer_sink first = {0}, second = {0};
        struct result *result = test_calloc(1, sizeof *result);

        spec.optimizer = optimizers[o];
        struct trainer *trainer = new_trainer(&f, &spec, 4);

        for (size_t i = 0; i < o; i++) {
            step_into(result, trainer);
        }
        write_checkpoint(trainer, &first);
        trainer_free(trainer);
        trainer = restored(&f, &spec, 1, &first);
        write_checkpoint(trainer, &second);
        assert_int_equal(second.size, first.size);
        assert_memory_equal(second.data, first.data, first.size);
        trainer_free(trainer);
        buffer_sink_release(&first);
        buffer_sink_release(&second);
        result_free(result);
    }
    fixture_release(&f);
}

/* The model in a checkpoint is the one that a stop leaves where it was taken. */
static void the_model_inside_is_the_best_so_far_or_else_the_latest(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 150, 3, 0.6, 0);
    struct train_spec spec = spec_of(&f, 20, 0);

    spec.optimizer.momentum = 0.9;
    spec.optimizer.nesterov = NESTEROV_LECTURE;
    for (uint64_t last = 1; last < 12; last++) {
        struct trainer *trainer = new_trainer(&f, &spec, 2);
        struct result *result = test_calloc(1, sizeof *result);
        struct buffer_sink file = {0};
        struct checkpoint checkpoint;
        struct model model;

        while (result->progress.step < last) {
            step_into(result, trainer);
        }
        write_checkpoint(trainer, &file);
        assert_int_equal(trainer_stop_now(trainer, STOP_USER, NULL), STATUS_OK);
        conclude(result, trainer);
        assert_int_equal(checkpoint_read(&checkpoint, file.data, file.size, NULL), STATUS_OK);
        assert_int_equal(checkpoint_model(&checkpoint, &model, NULL), STATUS_OK);
        assert_string_equal(model.digest, result->model.digest);
        assert_string_equal(model.class_names[2], result->model.class_names[2]);
        model_release(&model);
        buffer_sink_release(&file);
        result_free(result);
    }
    fixture_release(&f);
}

static void a_state_that_is_not_finite_is_not_written(void **state)
{
    struct fixture f;
    struct buffer_sink file = {0};
    struct checkpoint_copy *copy;

    (void)state;
    fixture_init(&f, GENERATOR_SPIRALS, 331, 3, 0.2, 0);
    struct train_spec spec = spec_of(&f, 64, 0);
    struct result *result = test_calloc(1, sizeof *result);

    spec.optimizer.learning_rate = 1e20;
    for (int clipped = 0; clipped < 2; clipped++) {
        spec.clip_norm = clipped ? 1e30 : 0;
        struct trainer *trainer = new_trainer(&f, &spec, 2);

        assert_int_equal(checkpoint_copy_new(&copy, trainer, NULL), STATUS_OK);
        while (step_into(result, trainer)) {
        }
        assert_int_equal(result->status, STATUS_DIVERGED);
        checkpoint_take(copy, trainer, 1);
        assert_int_equal(checkpoint_write(copy, &CHECKPOINT_OWNER, buffer_sink(&file), &result->error), STATUS_DIVERGED);
        assert_int_equal(file.size, 0);
        checkpoint_copy_free(copy);
        trainer_free(trainer);
    }
    result_free(result);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_goes_on_to_the_same_bits),
        cmocka_unit_test(every_solver_goes_on_to_the_same_bits),
        cmocka_unit_test(a_longer_solver_goes_on_from_a_shorter_one),
        cmocka_unit_test(a_solvers_checkpoint_fits_no_other),
        cmocka_unit_test(rows_of_every_kind_come_once),
        cmocka_unit_test(clipping_and_large_batches_go_on),
        cmocka_unit_test(the_gradients_norm_ends_training_at_the_same_step),
        cmocka_unit_test(early_stopping_finds_the_same_best_model),
        cmocka_unit_test(soft_labels_and_weighted_classes_go_on),
        cmocka_unit_test(more_epochs_give_one_long_run),
        cmocka_unit_test(more_epochs_do_not_wake_what_a_rule_has_ended),
        cmocka_unit_test(a_stop_leaves_the_same_model_running_or_paused),
        cmocka_unit_test(a_stop_before_the_first_step_leaves_the_initial_model),
        cmocka_unit_test(a_copy_is_apart_from_its_trainer),
        cmocka_unit_test(training_goes_on_while_another_thread_writes),
        cmocka_unit_test(a_checkpoint_of_a_restored_trainer_is_the_same_file),
        cmocka_unit_test(the_model_inside_is_the_best_so_far_or_else_the_latest),
        cmocka_unit_test(a_state_that_is_not_finite_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
