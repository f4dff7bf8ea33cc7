/*
 * The fixed parts of a checkpoint's bytes, as they stand in the file (docs/formats.md):
 *
 *     header | state: state_header, struct train_state, weights, slots, solver | model file | SHA-256 of all before
 *
 * Weights and slots are float32 in canonical order (core/nn/model.h), one array after the other. solver: the state of one
 * (core/optim/solver.h), float64; none where update rules train.
 */
#ifndef DESCENT_CORE_TRAIN_CHECKPOINT_FORMAT_H
#define DESCENT_CORE_TRAIN_CHECKPOINT_FORMAT_H

#include <assert.h>
#include <string.h>

#include "core/train/checkpoint.h"
#include "core/train/trainer_internal.h"

#define CHECKPOINT_MAGIC       "DESCENTC"
#define CHECKPOINT_VERSION     1
#define CHECKPOINT_ENDIANNESS  0x01020304u
#define CHECKPOINT_LEAST_STATE 200 /* bytes of struct train_state as it was at first; what came later stands behind */
#define CHECKPOINT_SECTION     ((uint64_t)1 << 40) /* bytes of a section, at most: three of them cannot overflow */

struct checkpoint_header {
    char magic[8];
    uint32_t version, endianness;
    uint64_t size; /* of the file, all included */
    uint64_t state_size, model_size;
    struct checkpoint_owner owner;
    char kernel_tier[128]; /* filled up with NUL */
    double seconds;
    uint64_t solver_values;    /* of the solver's state */
    unsigned char reserved[8]; /* 0 */
};

struct checkpoint_state_header {
    char optimizer[16];  /* its name, cut to 15 bytes, filled up with NUL */
    uint64_t parameters; /* of the model */
    uint32_t slot_count;
    uint32_t state_size; /* of struct train_state */
};

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they stand");
static_assert(sizeof(struct checkpoint_header) == 256 && sizeof(struct checkpoint_state_header) == 32, "no padding");

static inline void checkpoint_put_optimizer(struct checkpoint_state_header *header, enum optimizer_type type)
{
    strncpy(header->optimizer, optimizer_name(type), sizeof header->optimizer - 1);
}

/* What kind of number a field of struct train_state is. */
enum train_state_rule { TRAIN_STATE_COUNT, TRAIN_STATE_FINITE, TRAIN_STATE_ANY };

/* Whether all of `count` float32 (float64) are finite; values need not be aligned. */
int floats_are_finite(const void *values, size_t count);
int doubles_are_finite(const void *values, size_t count);
/* The name of the first field that is not finite and must be; NULL: none. */
const char *train_state_not_finite(const struct train_state *state);

#endif
