/* Events of jobs: 1, 2, 3 ... per job, without gaps, durable before anybody sees them. Written by jobs_change. */
#ifndef DESCENT_SERVER_STORE_EVENTS_H
#define DESCENT_SERVER_STORE_EVENTS_H

#include <stddef.h>

#include "server/store/store.h"

/* An event to be: EVENT_LOG or EVENT_CHECKPOINT; state, metric and done events come by themselves. */
struct event_new {
    enum event_type type;
    const char *data; /* JSON object text */
};

struct event_list {
    struct event_view *items; /* [count], owned */
    size_t count;
    int has_more;
};
/*
 * Events of a job after event `after` (0: from the first; descending: before it, 0: from the last).
 * A metric event's data is its row of the curves. STATUS_NOT_FOUND, STATUS_DELETED.
 */
MUST_CHECK enum status events_list(struct store *store, const char *job, uint64_t after, uint32_t limit, int descending,
                                   struct event_list *list, struct error *error);
void event_list_release(struct event_list *list);

#endif
