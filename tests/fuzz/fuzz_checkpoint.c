/*
 * Checkpoints: the bytes as they are, and with the right length and hash, so that the checks behind these are met. What is
 * accepted gives a model or none, and a trainer that it fits goes on from it: the checkpoint that is taken there has the
 * same state, and a step from there ends well or diverges.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/generator.h"
#include "core/train/checkpoint_format.h"

#define REQUIRE(condition)                                                                                                  \
    do {                                                                                                                    \
        if (!(condition))                                                                                                   \
            __builtin_trap();                                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The jobs that the corpus's checkpoints are of: a network's, and a solver's; made once, kept for the process. */
static struct {
    struct buffer_sink block;
    struct dataset dataset;
    struct split split;
    struct train_spec specs[2];
} job;

static void make_job(void)
{
    const struct generator_spec generator = {.type = GENERATOR_BLOBS, .n = 24, .classes = 2, .noise = 0.5, .seed = 7};
    const struct split_spec split = {.validation = 0.25};
    const uint32_t hidden = 3;

    REQUIRE(generator_write(&generator, buffer_sink(&job.block), NULL) == STATUS_OK);
    REQUIRE(dataset_open(&job.dataset, job.block.data, job.block.size, NULL) == STATUS_OK);
    REQUIRE(split_make(&job.split, &job.dataset, &split, 3, NULL) == STATUS_OK);
    for (size_t i = 0; i < sizeof job.specs / sizeof *job.specs; i++) {
        struct train_spec *spec = &job.specs[i];

        *spec = (struct train_spec){.preprocessing = PREPROCESS_STANDARDIZE,
                                    .initializer = i == 0 ? INIT_HE_NORMAL : INIT_ZEROS,
                                    .epochs = 3,
                                    .batch_size = i == 0 ? 5 : job.split.train_count,
                                    .eval_every_steps = 3,
                                    .log_every_steps = 2,
                                    .stop = {.early = 1, .patience = 3, .early_metric = METRIC_VALIDATION_LOSS}};
        optimizer_defaults(&spec->optimizer, i == 0 ? OPTIMIZER_SGD : OPTIMIZER_LBFGS);
        REQUIRE(model_spec_perceptron(&spec->model, i == 0 ? MODEL_MLP : MODEL_SOFTMAX_REGRESSION, 2, 2, &hidden, i == 0,
                                      LAYER_RELU, i == 0 ? 0.2 : 0, NULL) == STATUS_OK);
    }
    job.specs[0].optimizer.learning_rate = 0.1;
    job.specs[0].optimizer.momentum = 0.9;
    job.specs[0].optimizer.nesterov = NESTEROV_LOOKAHEAD;
    job.specs[1].optimizer.history = 3;
    job.specs[1].loss.l2 = 0.01;
}

/* Taken at once, a checkpoint has the state that was restored, behind whose end stands what an earlier program lacked. */
static void require_same_state(const struct trainer *trainer, const struct checkpoint *checkpoint)
{
    struct checkpoint_copy *copy;
    struct buffer_sink file = {0};
    struct checkpoint again;
    enum status status;

    REQUIRE(checkpoint_copy_new(&copy, trainer, NULL) == STATUS_OK);
    checkpoint_take(copy, trainer, checkpoint->seconds);
    status = checkpoint_write(copy, &checkpoint->owner, buffer_sink(&file), NULL);
    REQUIRE(status == STATUS_OK || (status == STATUS_DIVERGED && file.size == 0)); /* the served point may overflow */
    if (status == STATUS_OK) {
        REQUIRE(checkpoint_read(&again, file.data, file.size, NULL) == STATUS_OK);
        const size_t begin = sizeof(struct checkpoint_state_header);
        struct checkpoint_state_header before;

        memcpy(&before, checkpoint->state, begin);
        REQUIRE(again.state_size - checkpoint->state_size == sizeof(struct train_state) - before.state_size);
        REQUIRE(memcmp(again.state, checkpoint->state, offsetof(struct checkpoint_state_header, state_size)) == 0);
        REQUIRE(memcmp(again.state + begin, checkpoint->state + begin, before.state_size) == 0);
        REQUIRE(memcmp(again.state + begin + sizeof(struct train_state), checkpoint->state + begin + before.state_size,
                       checkpoint->state_size - begin - before.state_size) == 0);
        REQUIRE(memcmp(&again.owner, &checkpoint->owner, sizeof again.owner) == 0);
    }
    checkpoint_copy_free(copy);
    buffer_sink_release(&file);
}

static void go_on(const struct checkpoint *checkpoint, const struct train_spec *spec)
{
    const struct train_data data = {.dataset = &job.dataset, .split = &job.split};
    struct trainer *trainer;
    struct train_point point;
    int logged;

    REQUIRE(trainer_new(&trainer, spec, &data, 1, NULL) == STATUS_OK);
    if (trainer_restore(trainer, checkpoint, NULL) == STATUS_OK) {
        require_same_state(trainer, checkpoint);
        enum status status = trainer_step(trainer, &point, &logged, NULL);

        REQUIRE(status == STATUS_OK || status == STATUS_DIVERGED);
    }
    trainer_free(trainer);
}

static void read_one(const void *bytes, size_t size)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    struct model model;

    if (checkpoint_read(&checkpoint, bytes, size, &error) != STATUS_OK) {
        REQUIRE(error.status == STATUS_OBJECT_CORRUPT);
        return;
    }
    if (checkpoint_model(&checkpoint, &model, NULL) == STATUS_OK) {
        model_release(&model);
    }
    for (size_t i = 0; i < sizeof job.specs / sizeof *job.specs; i++) {
        go_on(&checkpoint, &job.specs[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checkpoint_header *header;
    unsigned char *mended;
    struct sha256 hash;

    if (job.dataset.rows == 0) {
        make_job();
    }
    read_one(data, size);
    if (size < sizeof *header + SHA256_BYTES || (mended = malloc(size)) == NULL) {
        return 0;
    }
    memcpy(mended, data, size);
    header = (struct checkpoint_header *)mended;
    header->size = size;
    sha256_init(&hash);
    sha256_update(&hash, mended, size - SHA256_BYTES);
    sha256_final(&hash, mended + size - SHA256_BYTES);
    read_one(mended, size);
    free(mended);
    return 0;
}
