/*
 * Passes of a model over a data set, by one thread of the executor each. One over a large data set takes a while; so that a
 * few of them cannot hold up everybody else, at most half of the executor's threads do it at a time, and more are refused at
 * once.
 */
#ifndef DESCENT_SERVER_HANDLERS_SCORING_H
#define DESCENT_SERVER_HANDLERS_SCORING_H

#include "server/handlers/handlers.h"

/* STATUS_OVERLOADED. After STATUS_OK, and before the answer, comes scoring_end: who has read it finds the thread free again.
 */
MUST_CHECK enum status scoring_begin(const struct app *app, struct error *error);
void scoring_end(void);

#endif
