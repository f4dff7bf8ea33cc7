/*
 * The server without its transport: store, scheduler, models, and the handlers that stand on them.
 *
 * main.c makes one, gives it to the transport, and takes it down again. Order: app_new (opens the store, takes the
 * lock of the data folder), app_start (recovery, threads), requests, app_drain, the transport stops, app_free.
 */
#ifndef DESCENT_SERVER_APP_H
#define DESCENT_SERVER_APP_H

#include <stdint.h>

#include "core/base/status.h"
#include "server/http/request.h"

struct app;
struct config;
struct waiters;

/*
 * Opens the data folder. Borrows `config` and `waiters` until app_free. Statuses that main turns into exit codes:
 * STATUS_DATA_DIR_LOCKED, STATUS_SCHEMA_TOO_NEW, STATUS_STORAGE_ERROR, STATUS_CONFIG_INVALID.
 */
MUST_CHECK enum status app_new(const struct config *config, struct waiters *waiters, struct app **app, struct error *error);

/* Starts threads and takes up what an earlier run left. */
MUST_CHECK enum status app_start(struct app *app, struct error *error);

/* A complete request, with the app as `context`: dispatches it to the handler of its route. Runs on an executor thread. */
void app_handle(void *context, struct request *request);

/* ... or answers it from memory, if it can; on a polling thread. */
void app_answer_at_once(void *context, struct request *request);

/* Streamed bodies; their context is the app. Process lifetime. */
const struct upload_ops *app_uploads(void);

/*
 * Takes no more work, lets running jobs reach a step boundary; at most `wait_ms`. Readers are still answered. 0: a job is
 * still in the middle of a step.
 */
int app_drain(struct app *app, int64_t wait_ms);

/* After the transport has stopped. NULL is fine. */
void app_free(struct app *app);

#endif
