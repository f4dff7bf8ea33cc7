/*
 * What has to be done now and then, on a thread of its own that may block: jobs that were paused for want of room on the
 * disk go on when there is some again; finished jobs go when they are older, or more, than the operator wants to keep.
 */
#ifndef DESCENT_SERVER_HOUSEKEEPING_H
#define DESCENT_SERVER_HOUSEKEEPING_H

#include "server/store/retention.h"
#include "server/store/store.h"

struct housekeeping;
struct scheduler;

/* Borrows store and scheduler. STATUS_SYSTEM_ERROR, STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status housekeeping_new(struct housekeeping **housekeeping, struct store *store, struct scheduler *scheduler,
                                        const struct retention *limits, struct error *error);
/* NULL is fine. */
void housekeeping_free(struct housekeeping *housekeeping);

#endif
