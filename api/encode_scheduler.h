/* GET /v1/scheduler as JSON. */
#ifndef DESCENT_API_ENCODE_SCHEDULER_H
#define DESCENT_API_ENCODE_SCHEDULER_H

#include <stddef.h>

#include "api/views.h"

struct json_writer;

struct running_view {
    char id[ID_TEXT];
    int32_t priority;
    const char *state; /* "training", "waiting" */
    uint32_t threads;
    uint64_t bytes;
    double eta_seconds; /* NaN: not known */
};

struct queued_view {
    char id[ID_TEXT];
    int32_t priority;
    int64_t estimated_start; /* ms since 1970; 0: not known */
};

struct scheduler_state {
    uint32_t threads, busy_threads, queued; /* queued: all of them, however many are listed */
    uint64_t memory_bytes, used_bytes;
    const struct running_view *running; /* [running_count] */
    size_t running_count;
    const struct queued_view *queue; /* [queue_count], the next one first */
    size_t queue_count;
};
void encode_scheduler(const struct scheduler_state *state, struct json_writer *writer);

#endif
