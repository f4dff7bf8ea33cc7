/* The rows that cost a model most, as JSON. */
#ifndef DESCENT_API_ENCODE_HARDEST_H
#define DESCENT_API_ENCODE_HARDEST_H

#include "core/eval/hardest.h"
#include "core/train/trainer.h"

#define HARDEST_TOP 3

struct json_writer;

/* Everything is borrowed. Arrays are in the order of `hardest`. */
struct hardest_view {
    const char *job, *model, *dataset; /* ids; dataset "": a generated one */
    enum split_part part;
    uint64_t samples; /* rows of the part */
    const struct hardest *hardest;
    const uint32_t *rows;       /* [hardest->count] of the data set */
    const uint32_t *truths;     /* [hardest->count] */
    const float *probabilities; /* [hardest->count][classes] */
    const uint32_t *predicted;  /* [hardest->count] */
    const char *const *class_names;
    uint32_t classes;
};
void encode_hardest(const struct hardest_view *view, struct json_writer *writer);

#endif
