/*
 * Checkpoints: everything of a trainer at a step boundary, so that training goes on from there to the same bits.
 *
 * Two halves, because the trainer may only wait for a copy: checkpoint_take copies into memory of its own on the trainer's
 * thread; checkpoint_write turns that copy into a file, on any other thread, while training goes on.
 *
 * The file names what it belongs to (hashes of spec and data set, kernel tier), ends with a SHA-256 of all before it, and
 * holds the model that the job would leave if it were stopped there as an ordinary model file (core/nn/model_file.h).
 * docs/formats.md has its layout byte for byte.
 */
#ifndef DESCENT_CORE_TRAIN_CHECKPOINT_H
#define DESCENT_CORE_TRAIN_CHECKPOINT_H

#include "core/base/sha256.h"
#include "core/data/sink.h"
#include "core/nn/model.h"
#include "core/train/trainer.h"

/* What a checkpoint belongs to. The kernel tier is the process's own (kernel_tier.h). */
struct checkpoint_owner {
    unsigned char spec[SHA256_BYTES];    /* of what the states after each step depend on */
    unsigned char dataset[SHA256_BYTES]; /* of the data set's content */
};

/* A copy of a trainer's state. Its memory is taken once, sized for this trainer, and counted in train_plan.bytes. */
struct checkpoint_copy;
MUST_CHECK enum status checkpoint_copy_new(struct checkpoint_copy **copy, const struct trainer *trainer,
                                           struct error *error);
void checkpoint_copy_free(struct checkpoint_copy *copy);

/*
 * Copies the state of the trainer that the copy was made for, between two steps or after the last one: the trainer's only
 * pause. seconds: of training so far.
 */
void checkpoint_take(struct checkpoint_copy *copy, const struct trainer *trainer, double seconds);

/*
 * Writes the file, on any thread, as often as is wanted; the trainer may be gone. STATUS_DIVERGED: the copy holds a value
 * that is not finite, nothing may be kept of it; nothing was written. Else what the sink says.
 */
MUST_CHECK enum status checkpoint_write(struct checkpoint_copy *copy, const struct checkpoint_owner *owner, struct sink sink,
                                        struct error *error);

/* A file that was checked; borrows its bytes. */
struct checkpoint {
    uint64_t step;
    double seconds;
    struct checkpoint_owner owner;
    char kernel_tier[128];
    const unsigned char *state, *model; /* inside the bytes */
    size_t state_size, model_size;
    size_t solver_values; /* float64 at the state's end */
};
/* Every length, the trailer, every value: STATUS_OBJECT_CORRUPT says what is wrong. Allocates nothing. */
MUST_CHECK enum status checkpoint_read(struct checkpoint *checkpoint, const void *bytes, size_t size, struct error *error);

/*
 * Puts a new trainer (no step made yet) of the same spec and data where the checkpoint stands. Whether that is an end is a
 * question to the trainer's own spec: with more epochs than the checkpoint's, training goes on as one long run, unless a
 * rule (early stopping, the gradient's norm) has ended it.
 * STATUS_CHECKPOINT_CONFIG_MISMATCH: it is one of another network, optimizer or scaling; the trainer is as it was. After
 * any other error it can only be freed.
 */
MUST_CHECK enum status trainer_restore(struct trainer *trainer, const struct checkpoint *checkpoint, struct error *error);

/* The model in the checkpoint: the best so far, or where nothing was evaluated yet the latest. The caller releases it. */
MUST_CHECK enum status checkpoint_model(const struct checkpoint *checkpoint, struct model *model, struct error *error);

#endif
