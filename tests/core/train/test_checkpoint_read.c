/* Checkpoint files: what was written comes back, and nothing else is taken for a checkpoint. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/kernel_tier.h"
#include "core/train/checkpoint_format.h"
#include "tests/assert_close.h"
#include "tests/core/train/training.h"

#define STEPS 5

/* A small job after STEPS steps, and its checkpoint. */
struct sample {
    struct fixture f;
    struct train_spec spec;
    struct buffer_sink file;
};

static void sample_init_with(struct sample *sample, enum optimizer_type type)
{
    struct result *result = test_calloc(1, sizeof *result);

    *sample = (struct sample){0};
    fixture_init(&sample->f, GENERATOR_BLOBS, 40, 3, 0.5, 0.2);
    if (optimizer_has(type, OPTIMIZER_CONVEX_SOLVER)) {
        sample->spec = solver_spec_of(&sample->f, type, 1e-3);
        sample->spec.optimizer.history = 3;
    } else {
        sample->spec = spec_of(&sample->f, 5, 0);
        optimizer_defaults(&sample->spec.optimizer, type);
        sample->spec.batch_size = 10;
    }
    struct trainer *trainer = new_trainer(&sample->f, &sample->spec, 1);

    while (result->progress.step < STEPS) {
        step_into(result, trainer);
    }
    write_checkpoint(trainer, &sample->file);
    trainer_free(trainer);
    test_free(result);
}

static void sample_init(struct sample *sample)
{
    sample_init_with(sample, OPTIMIZER_ADAM);
}

static void sample_release(struct sample *sample)
{
    buffer_sink_release(&sample->file);
    fixture_release(&sample->f);
}

/* Puts the right hash at the end, so that only the checks behind it can notice. */
static void sign(unsigned char *bytes, size_t size)
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_update(&hash, bytes, size - SHA256_BYTES);
    sha256_final(&hash, bytes + size - SHA256_BYTES);
}

/* In memory of just that size, so that a read past the end is seen, and not aligned. */
static enum status read_exactly(const unsigned char *bytes, size_t size, struct error *error)
{
    unsigned char *exact = malloc(size + 1);
    struct checkpoint checkpoint;
    enum status status;

    assert_non_null(exact);
    memcpy(exact + 1, bytes, size);
    status = checkpoint_read(&checkpoint, exact + 1, size, error);
    free(exact);
    return status;
}

static void assert_corrupt(const unsigned char *bytes, size_t size, const char *message)
{
    struct error error = {0};

    assert_int_equal(read_exactly(bytes, size, &error), STATUS_OBJECT_CORRUPT);
    assert_non_null(strstr(error.message, message));
}

static void what_was_written_comes_back(void **state)
{
    struct sample sample;
    struct checkpoint checkpoint;
    struct model model;

    (void)state;
    sample_init(&sample);
    assert_int_equal(checkpoint_read(&checkpoint, sample.file.data, sample.file.size, NULL), STATUS_OK);
    assert_int_equal(checkpoint.step, STEPS);
    assert_close(checkpoint.seconds, 12.5, 0, 0);
    assert_memory_equal(&checkpoint.owner, &CHECKPOINT_OWNER, sizeof checkpoint.owner);
    assert_string_equal(checkpoint.kernel_tier, kernel_tier());
    assert_int_equal(checkpoint_model(&checkpoint, &model, NULL), STATUS_OK);
    assert_int_equal(model.parameter_count, model_spec_parameter_count(&sample.spec.model));
    model_release(&model);
    sample_release(&sample);
}

static void check_truncations(enum optimizer_type type)
{
    struct sample sample;

    sample_init_with(&sample, type);
    for (size_t size = 0; size < sample.file.size; size++) {
        unsigned char *part = malloc(size + 1);

        assert_non_null(part);
        memcpy(part, sample.file.data, size);
        assert_corrupt(part, size, "checkpoint: ");
        if (size >= SHA256_BYTES) {
            sign(part, size);
            assert_corrupt(part, size, "checkpoint: ");
        }
        if (size >= sizeof(struct checkpoint_header) + SHA256_BYTES) { /* and a length that fits */
            uint64_t length = size;

            memcpy(part + offsetof(struct checkpoint_header, size), &length, sizeof length);
            sign(part, size);
            assert_corrupt(part, size, "checkpoint: ");
        }
        free(part);
    }
    sample_release(&sample);
}

static void any_truncation_is_noticed_even_with_the_right_hash(void **state)
{
    (void)state;
    check_truncations(OPTIMIZER_ADAM);
    check_truncations(OPTIMIZER_LBFGS);
}

static void check_flips(enum optimizer_type type)
{
    struct sample sample;

    sample_init_with(&sample, type);
    for (size_t i = 0; i < sample.file.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            if (i < 512 || bit == (int)(i % 8)) { /* each of the header and of the state's fields, else one a byte */
                sample.file.data[i] ^= (unsigned char)(1 << bit);
                assert_int_equal(read_exactly(sample.file.data, sample.file.size, NULL), STATUS_OBJECT_CORRUPT);
                sample.file.data[i] ^= (unsigned char)(1 << bit);
            }
        }
    }
    assert_int_equal(read_exactly(sample.file.data, sample.file.size, NULL), STATUS_OK);
    sample_release(&sample);
}

static void any_flipped_bit_is_noticed(void **state)
{
    (void)state;
    check_flips(OPTIMIZER_ADAM);
    check_flips(OPTIMIZER_LBFGS);
}

/* ---- behind the hash ---- */

/* The sample with `size` bytes at `offset` replaced and the right hash. */
static void assert_refused(const struct sample *sample, size_t offset, const void *value, size_t size, const char *message)
{
    unsigned char *bytes = malloc(sample->file.size);

    assert_non_null(bytes);
    memcpy(bytes, sample->file.data, sample->file.size);
    memcpy(bytes + offset, value, size);
    sign(bytes, sample->file.size);
    assert_corrupt(bytes, sample->file.size, message);
    free(bytes);
}

#define HEADER(field)       offsetof(struct checkpoint_header, field)
#define STATE_HEADER(field) (sizeof(struct checkpoint_header) + offsetof(struct checkpoint_state_header, field))
#define STATE(field)                                                                                                        \
    (sizeof(struct checkpoint_header) + sizeof(struct checkpoint_state_header) + offsetof(struct train_state, field))
#define VALUES_BEGIN (STATE(step) + sizeof(struct train_state))

static void each_check_says_what_is_wrong(void **state)
{
    static const uint32_t TWO = 2, SWAPPED = 0x04030201, NINE = 9, SHORT = CHECKPOINT_LEAST_STATE - 8;
    static const uint32_t LONG = sizeof(struct train_state) + 8;
    static const uint64_t LARGE = UINT64_MAX - 100, SIX = STEPS + 1, PLANNED = STOP_EPOCHS;
    static const double NEGATIVE = -1;
    const double nan_value = (double)NAN, infinite = (double)INFINITY;
    const float nan_weight = NAN;
    const struct {
        size_t offset;
        const void *value;
        size_t size;
        const char *message;
    } CHANGES[] = {
        {HEADER(magic), "DESCENTM", 8, "none"},
        {HEADER(version), &TWO, 4, "version 2, this program reads version 1"},
        {HEADER(endianness), &SWAPPED, 4, "another byte order"},
        {HEADER(size), &LARGE, 8, "lengths"},
        {HEADER(state_size), &LARGE, 8, "lengths"},
        {HEADER(model_size), &LARGE, 8, "lengths"},
        {HEADER(solver_values), &SIX, 8, "counts"},
        {HEADER(solver_values), &LARGE, 8, "state has"},
        {HEADER(seconds), &nan_value, 8, "header"},
        {HEADER(seconds), &NEGATIVE, 8, "header"},
        {HEADER(reserved), &TWO, 4, "header"},
        {HEADER(kernel_tier) + 127, &TWO, 1, "header"},
        {STATE_HEADER(optimizer) + 15, &TWO, 1, "name of its optimizer"},
        {STATE_HEADER(optimizer), "sixteen letters!", 16, "name of its optimizer"},
        {STATE_HEADER(parameters), &LARGE, 8, "counts"},
        {STATE_HEADER(slot_count), &NINE, 4, "counts"},
        {STATE_HEADER(state_size), &NINE, 4, "before the weights"},
        {STATE_HEADER(state_size), &SHORT, 4, "before the weights"},
        {STATE_HEADER(state_size), &LONG, 4, "before the weights"},
        {STATE(noise_trace), &infinite, 8, "noise_trace"},
        {STATE(range_mean), &nan_value, 8, "range_mean"},
        {STATE(epoch_loss), &infinite, 8, "epoch_loss"},
        {STATE(epoch_weight), &nan_value, 8, "epoch_weight"},
        {STATE(learning_rate), &nan_value, 8, "learning_rate"},
        {STATE(validated), &SIX, 8, "validated"},
        {STATE(logged_step), &SIX, 8, "logged_step"},
        {STATE(best_step), &SIX, 8, "best_step"},
        {STATE(best_value), &infinite, 8, "best_value"},
        {STATE(epoch_samples), &LARGE, 8, "epoch_samples"},
        {STATE(ended_by), &PLANNED, 8, "ended_by"},
        {VALUES_BEGIN, &nan_weight, 4, "not finite"},
        {VALUES_BEGIN + 100, &nan_weight, 4, "not finite"},
    };
    unsigned char full[128];
    struct sample sample;

    (void)state;
    sample_init(&sample);
    for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
        assert_refused(&sample, CHANGES[i].offset, CHANGES[i].value, CHANGES[i].size, CHANGES[i].message);
    }
    memset(full, 'x', sizeof full);
    assert_refused(&sample, HEADER(kernel_tier), full, sizeof full, "header");
    sample_release(&sample);
}

/* As the first program wrote it, and every one in between: a state without its last fields. */
static void a_state_of_an_earlier_program_is_gone_on_from(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample);
    for (uint32_t size = CHECKPOINT_LEAST_STATE; size < sizeof(struct train_state); size += sizeof(uint64_t)) {
        size_t gone = sizeof(struct train_state) - size, place = STATE(step) + size;
        struct buffer_sink old = {.data = malloc(sample.file.size - gone), .size = sample.file.size - gone};
        uint64_t state_size, file_size = old.size;

        assert_non_null(old.data);
        memcpy(old.data, sample.file.data, place);
        memcpy(old.data + place, sample.file.data + place + gone, sample.file.size - place - gone);
        memcpy(&state_size, old.data + HEADER(state_size), sizeof state_size);
        state_size -= gone;
        memcpy(old.data + HEADER(state_size), &state_size, sizeof state_size);
        memcpy(old.data + HEADER(size), &file_size, sizeof file_size);
        memcpy(old.data + STATE_HEADER(state_size), &size, sizeof size);
        sign(old.data, old.size);

        struct trainer *ours = restored(&sample.f, &sample.spec, 1, &sample.file);
        struct trainer *theirs = restored(&sample.f, &sample.spec, 1, &old);

        assert_memory_equal(&theirs->state, &ours->state, sizeof ours->state);
        trainer_free(ours);
        trainer_free(theirs);
        free(old.data);
    }
    sample_release(&sample);
}

/* Any byte set to an extreme, with the right hash: refused, or (where it is data) good for a trainer to go on from. */
static void check_extremes(enum optimizer_type type)
{
    static const unsigned char EXTREMES[] = {0x00, 0x7f, 0x80, 0xff};
    struct sample sample;
    size_t refused = 0, restored = 0;

    sample_init_with(&sample, type);
    for (size_t i = 0; i < sample.file.size - SHA256_BYTES; i++) {
        unsigned char old = sample.file.data[i];

        for (size_t k = 0; k < sizeof EXTREMES; k++) {
            struct checkpoint checkpoint;
            enum status status;

            sample.file.data[i] = EXTREMES[k];
            sign(sample.file.data, sample.file.size);
            status = checkpoint_read(&checkpoint, sample.file.data, sample.file.size, NULL);
            if (status == STATUS_OK) {
                struct trainer *trainer = new_trainer(&sample.f, &sample.spec, 1);
                struct train_point point;
                int logged;

                status = trainer_restore(trainer, &checkpoint, NULL);
                if (status == STATUS_OK) {
                    enum status step = trainer_step(trainer, &point, &logged, NULL);

                    assert_true(step == STATUS_OK || step == STATUS_DIVERGED);
                }
                trainer_free(trainer);
            }
            assert_true(status == STATUS_OK || status == STATUS_OBJECT_CORRUPT ||
                        status == STATUS_CHECKPOINT_CONFIG_MISMATCH);
            refused += status != STATUS_OK;
            restored += status == STATUS_OK;
        }
        sample.file.data[i] = old;
    }
    assert_true(refused > 0 && restored > 0);
    sample_release(&sample);
}

static void no_field_is_trusted(void **state)
{
    (void)state;
    check_extremes(OPTIMIZER_ADAM);
    check_extremes(OPTIMIZER_LBFGS);
    check_extremes(OPTIMIZER_NEWTON_CG);
}

/* Behind the last float32: a solver's state of which a value is not finite, or cannot be. */
static void a_solvers_state_is_checked(void **state)
{
    const double nan_value = (double)NAN, half = 0.5, many = 1e9;
    struct sample sample;

    (void)state;
    sample_init_with(&sample, OPTIMIZER_LBFGS);
    const size_t begin = VALUES_BEGIN + model_spec_parameter_count(&sample.spec.model) * sizeof(float);
    const struct {
        size_t field;
        double value;
    } WRONG[] = {{offsetof(struct solver_scalars, started), half},
                 {offsetof(struct solver_scalars, here.notes[1]), half},
                 {offsetof(struct solver_scalars, here.notes[1]), many},
                 {offsetof(struct solver_scalars, pairs), many}};

    assert_refused(&sample, begin, &nan_value, 8, "solver");
    assert_refused(&sample, begin + offsetof(struct solver_scalars, newest) + 8, &nan_value, 8, "solver");
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct trainer *trainer = new_trainer(&sample.f, &sample.spec, 1);
        struct checkpoint checkpoint;
        struct error error = {0};
        double old;

        memcpy(&old, sample.file.data + begin + WRONG[i].field, sizeof old);
        memcpy(sample.file.data + begin + WRONG[i].field, &WRONG[i].value, sizeof old);
        sign(sample.file.data, sample.file.size);
        assert_int_equal(checkpoint_read(&checkpoint, sample.file.data, sample.file.size, NULL), STATUS_OK);
        assert_int_equal(trainer_restore(trainer, &checkpoint, &error), STATUS_OBJECT_CORRUPT);
        assert_non_null(strstr(error.message, "solver"));
        memcpy(sample.file.data + begin + WRONG[i].field, &old, sizeof old);
        trainer_free(trainer);
    }
    sample_release(&sample);
}

/* ---- another job's ---- */

static void a_checkpoint_of_another_job_is_refused_and_changes_nothing(void **state)
{
    enum { OPTIMIZER, AMSGRAD, WIDTH, ACTIVATION, SCALING, CHANGES };
    struct sample sample;
    struct checkpoint checkpoint;

    (void)state;
    sample_init(&sample);
    assert_int_equal(checkpoint_read(&checkpoint, sample.file.data, sample.file.size, NULL), STATUS_OK);
    for (int change = 0; change < CHANGES; change++) {
        struct train_spec spec = spec_of(&sample.f, change == WIDTH ? 6 : 5, 0);

        spec.optimizer = sample.spec.optimizer;
        spec.optimizer.type = change == OPTIMIZER ? OPTIMIZER_ADAMW : OPTIMIZER_ADAM; /* of as many slots */
        spec.optimizer.amsgrad = change == AMSGRAD;
        spec.model.layers[1].type = change == ACTIVATION ? LAYER_TANH : LAYER_RELU;
        spec.preprocessing = change == SCALING ? PREPROCESS_MINMAX : PREPROCESS_STANDARDIZE;
        struct result *undisturbed = run(&sample.f, &spec, 1, 0), *result = test_calloc(1, sizeof *result);
        struct trainer *trainer = new_trainer(&sample.f, &spec, 1);

        assert_int_equal(trainer_restore(trainer, &checkpoint, &result->error), STATUS_CHECKPOINT_CONFIG_MISMATCH);
        assert_non_null(strstr(result->error.message, "another") != NULL ? strstr(result->error.message, "another")
                                                                         : strstr(result->error.message, "other"));
        while (step_into(result, trainer)) {
        }
        conclude(result, trainer);
        assert_string_equal(result->model.digest, undisturbed->model.digest);
        assert_int_equal(result->point_count, undisturbed->point_count);
        result_free(result);
        result_free(undisturbed);
    }
    sample_release(&sample);
}

/* ---- writing ---- */

/* A sink that fails at its write number `left`. */
static enum status write_some(void *context, const void *bytes, size_t size, struct error *error)
{
    size_t *left = context;

    (void)bytes;
    (void)size;
    return (*left)-- > 0 ? STATUS_OK : error_set(error, STATUS_INSUFFICIENT_STORAGE, "no room");
}

static void what_the_sink_says_is_what_the_writer_says(void **state)
{
    struct sample sample;
    struct checkpoint_copy *copy;
    struct error error = {0};
    enum status status = STATUS_INSUFFICIENT_STORAGE;
    size_t writes = 0;

    (void)state;
    sample_init(&sample);
    struct trainer *trainer = new_trainer(&sample.f, &sample.spec, 1);

    assert_int_equal(checkpoint_copy_new(&copy, trainer, NULL), STATUS_OK);
    checkpoint_take(copy, trainer, 0);
    while (status != STATUS_OK) {
        size_t left = writes;

        assert_int_equal(status, STATUS_INSUFFICIENT_STORAGE);
        status = checkpoint_write(copy, &CHECKPOINT_OWNER, (struct sink){write_some, &left}, &error);
        writes++;
    }
    assert_true(writes > 6); /* header, state, fields, three arrays ... */
    checkpoint_copy_free(copy);
    trainer_free(trainer);
    sample_release(&sample);
}

/* ---- docs/formats.md ---- */

static void the_documentation_has_every_field_at_its_place(void **state)
{
    static char text[1 << 16];
    FILE *file = fopen("docs/formats.md", "r");
    char row[256];

    (void)state;
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
#define ROW(name, type, meaning)                                                                                            \
    snprintf(row, sizeof row, "\n| %zu | %s | `%s` | %s |\n", STATE(name), type, #name, meaning);                           \
    if (strstr(text, row) == NULL) {                                                                                        \
        fail_msg("docs/formats.md lacks the row%s", row);                                                                   \
    }
#define COUNT(name, meaning)         ROW(name, "u64", meaning)
#define VALUE(name, rule, meaning)   ROW(name, "f64", meaning)
#define VALUES(name, count, meaning) ROW(name, "f64 x " #count, meaning)
#include "core/train/train_state.def"
#undef COUNT
#undef VALUE
#undef VALUES
    assert_int_equal(VALUES_BEGIN, STATE(range_fall_rate) + 8);
    assert_int_equal(STATE(step) + CHECKPOINT_LEAST_STATE, STATE(ended_by) + 8);
    assert_int_equal(STATE(step), 288);
    assert_int_equal(HEADER(seconds), 232);
    assert_int_equal(HEADER(solver_values), 240);
    assert_int_equal(STATE_HEADER(slot_count), 280);
}

/* A schedule-free rule's name is longer than its room. */
static void every_optimizer_can_be_told_by_what_a_file_keeps_of_its_name(void **state)
{
    struct checkpoint_state_header headers[OPTIMIZER_COUNT] = {0};

    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        checkpoint_put_optimizer(&headers[type], type);
        assert_true(strlen(headers[type].optimizer) < sizeof headers[type].optimizer);
        for (enum optimizer_type other = 0; other < type; other++) {
            assert_string_not_equal(headers[type].optimizer, headers[other].optimizer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(any_truncation_is_noticed_even_with_the_right_hash),
        cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(each_check_says_what_is_wrong),
        cmocka_unit_test(a_state_of_an_earlier_program_is_gone_on_from),
        cmocka_unit_test(no_field_is_trusted),
        cmocka_unit_test(a_solvers_state_is_checked),
        cmocka_unit_test(a_checkpoint_of_another_job_is_refused_and_changes_nothing),
        cmocka_unit_test(what_the_sink_says_is_what_the_writer_says),
        cmocka_unit_test(the_documentation_has_every_field_at_its_place),
        cmocka_unit_test(every_optimizer_can_be_told_by_what_a_file_keeps_of_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
