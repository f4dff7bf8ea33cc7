/*
 * The minibatches of an epoch: which rows make the update with this number, and in which pieces they are computed.
 * Nothing here depends on the number of threads.
 */
#ifndef DESCENT_CORE_TRAIN_MINIBATCHES_H
#define DESCENT_CORE_TRAIN_MINIBATCHES_H

#include "core/data/sampler.h"
#include "core/data/split.h"

struct minibatches {
    const uint32_t *rows; /* the training rows, [count], borrowed */
    uint64_t count, batch_size;
    uint32_t chunk_rows;
    uint64_t steps_per_epoch, total_steps;
    enum shuffle shuffle;
    uint64_t seed;
    uint32_t *order; /* [count] rows of the data set in the order of `epoch`, owned */
    uint64_t epoch;
};

/* A minibatch, or one chunk of it, at its place in the epoch. */
struct cursor {
    uint64_t step;     /* of the update, 0-based */
    uint64_t begin;    /* of the minibatch, in the epoch's order */
    uint32_t position; /* of the chunk, in the minibatch */
};

/* The caller has set everything above `order`. Free with minibatches_release. */
MUST_CHECK enum status minibatches_init(struct minibatches *minibatches, struct error *error);
void minibatches_release(struct minibatches *minibatches);

/* Steps of one epoch. */
uint64_t minibatches_per_epoch(uint64_t rows, uint64_t batch_size);

/* The first chunk of update `step`; makes the order that of its epoch. */
struct cursor minibatches_at(struct minibatches *minibatches, uint64_t step);
/* Moves to the next chunk of the same epoch; 0 when there is none. */
int minibatches_advance(const struct minibatches *minibatches, struct cursor *cursor);

/* Rows of the whole minibatch, and of the chunk: [count] rows of the data set, valid until the epoch changes. */
const uint32_t *minibatches_batch(const struct minibatches *minibatches, const struct cursor *cursor, uint32_t *count);
const uint32_t *minibatches_chunk(const struct minibatches *minibatches, const struct cursor *cursor, uint32_t *count);

#endif
