/*
 * Requests that compute for a while: so that a few of them cannot hold up everybody else, at most half of the executor's
 * threads do such work at a time, and more are refused at once.
 */
#ifndef DESCENT_SERVER_HANDLERS_LONG_WORK_H
#define DESCENT_SERVER_HANDLERS_LONG_WORK_H

#include "core/base/status.h"

struct app;

/* STATUS_OVERLOADED: there is enough of it. After STATUS_OK, and before the answer, comes long_work_end: who has read it
 * finds the thread free again. */
MUST_CHECK enum status long_work_begin(const struct app *app, struct error *error);
void long_work_end(void);

#endif
