/* The order of one epoch is kept; everything else is arithmetic on it. */
#include "minibatches.h"

#include <stdlib.h>

#define NO_EPOCH UINT64_MAX

enum status minibatches_init(struct minibatches *minibatches, struct error *error)
{
    minibatches->epoch = NO_EPOCH;
    minibatches->order = calloc(minibatches->count, sizeof *minibatches->order);
    if (minibatches->order == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to order %llu rows",
                         (unsigned long long)minibatches->count);
    }
    return STATUS_OK;
}

void minibatches_release(struct minibatches *minibatches)
{
    free(minibatches->order);
    minibatches->order = NULL;
}

uint64_t minibatches_per_epoch(uint64_t rows, uint64_t batch_size)
{
    return batch_size < rows ? (rows + batch_size - 1) / batch_size : 1;
}

/* A full batch keeps the data's order: shuffling it would change nothing but roundings. */
static enum shuffle effective_shuffle(const struct minibatches *minibatches)
{
    int full = minibatches->batch_size >= minibatches->count;

    return full && minibatches->shuffle != SHUFFLE_WITH_REPLACEMENT ? SHUFFLE_NONE : minibatches->shuffle;
}

static void set_epoch(struct minibatches *minibatches, uint64_t epoch)
{
    uint32_t *order = minibatches->order;

    if (minibatches->epoch == epoch) {
        return;
    }
    sampler_order(effective_shuffle(minibatches), minibatches->seed, epoch, (uint32_t)minibatches->count, order);
    for (uint64_t i = 0; i < minibatches->count; i++) {
        order[i] = minibatches->rows[order[i]];
    }
    minibatches->epoch = epoch;
}

struct cursor minibatches_at(struct minibatches *minibatches, uint64_t step)
{
    set_epoch(minibatches, step / minibatches->steps_per_epoch);
    return (struct cursor){.step = step, .begin = step % minibatches->steps_per_epoch * minibatches->batch_size};
}

const uint32_t *minibatches_batch(const struct minibatches *minibatches, const struct cursor *cursor, uint32_t *count)
{
    uint64_t left = minibatches->count - cursor->begin;

    *count = (uint32_t)(left < minibatches->batch_size ? left : minibatches->batch_size);
    return minibatches->order + cursor->begin;
}

const uint32_t *minibatches_chunk(const struct minibatches *minibatches, const struct cursor *cursor, uint32_t *count)
{
    uint32_t rows;
    const uint32_t *batch = minibatches_batch(minibatches, cursor, &rows);
    uint32_t left = rows - cursor->position;

    *count = left < minibatches->chunk_rows ? left : minibatches->chunk_rows;
    return batch + cursor->position;
}

int minibatches_advance(const struct minibatches *minibatches, struct cursor *cursor)
{
    uint32_t rows, chunk;

    minibatches_batch(minibatches, cursor, &rows);
    minibatches_chunk(minibatches, cursor, &chunk);
    cursor->position += chunk;
    if (cursor->position < rows) {
        return 1;
    }
    *cursor = (struct cursor){.step = cursor->step + 1, .begin = cursor->begin + minibatches->batch_size};
    return cursor->begin < minibatches->count && cursor->step < minibatches->total_steps;
}
