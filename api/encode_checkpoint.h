/* What clients are told of a job's checkpoints, and remarks on how a job fares. */
#ifndef DESCENT_API_ENCODE_CHECKPOINT_H
#define DESCENT_API_ENCODE_CHECKPOINT_H

#include "api/views.h"

struct json_writer;

/* One checkpoint: the data of its event, and what a list shows of it. Values that are NaN are null. */
struct checkpoint_description {
    uint64_t step, bytes;
    const char *sha256; /* of the file */
    double epoch, train_loss, train_accuracy, validation_loss, validation_accuracy;
    double best_value; /* of the model in it; best_step 0: nothing was evaluated yet, it is the latest */
    uint64_t best_step;
    enum metric best_metric;
};
/* A JSON object, malloc'ed; NULL: no memory. */
char *encode_checkpoint_data(const struct checkpoint_description *checkpoint);

/* A page with all checkpoints: their data, and when they were made. [count] each. */
void encode_checkpoint_list(const char *const *data, const int64_t *created_at, size_t count, struct json_writer *writer);

/* A remark: the data of a log event. */
struct remark {
    const char *code;   /* "checkpoint_failed" */
    const char *reason; /* one word, NULL: none */
    const char *message;
    uint64_t step;
};
/* A JSON object with the level "warning", malloc'ed; NULL: no memory. */
char *encode_remark(const struct remark *remark);

#endif
