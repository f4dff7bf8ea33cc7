/* The rows that cost most, out of a stream of losses: a look at them tells wrong labels from what the model cannot do. */
#ifndef DESCENT_CORE_EVAL_HARDEST_H
#define DESCENT_CORE_EVAL_HARDEST_H

#include <stdint.h>

#include "core/base/status.h"

struct hard_row {
    uint64_t place; /* in the stream, from 0 */
    double loss;    /* in nats; a NaN counts as infinite */
};

struct hardest {
    struct hard_row *rows; /* [count], in falling order of loss, equals as they came; in no order before hardest_finish */
    uint64_t count, most;
    uint64_t added;
};

/* Of at most `most` rows, at least 1. */
MUST_CHECK enum status hardest_init(struct hardest *hardest, uint64_t most, struct error *error);
void hardest_release(struct hardest *hardest);
void hardest_add(struct hardest *hardest, double loss);
void hardest_finish(struct hardest *hardest);

#endif
