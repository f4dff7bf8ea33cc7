/*
 * A job on its way into the store, wherever its request comes from: POST /v1/jobs, or a rerun of another job.
 *
 * The executor thread does the work up to the store; the answer is sent when the job is durable, by the store's writer
 * thread, so that many submissions share one commit and no thread waits for it.
 */
#ifndef DESCENT_SERVER_HANDLERS_SUBMISSION_H
#define DESCENT_SERVER_HANDLERS_SUBMISSION_H

#include "server/handlers/handlers.h"

struct problem;
struct submission;

/*
 * Takes up a request, under its Idempotency-Key if it has one; with validate_only nothing is made, so the key does not
 * count. NULL: the request has been answered. What comes out of here is ended by one of the other two.
 */
struct submission *submission_new(struct app *app, struct request *request);
/* Answers with what is wrong. */
void submission_refuse(struct submission *submission, const struct problem *problem);
/*
 * Checks text [size], as the body of POST /v1/jobs, makes the job and answers. extended_from: NULL, or the id of the job
 * whose training this one goes on with. The text is borrowed for the call.
 */
void submission_submit(struct submission *submission, const char *text, size_t size, const char *extended_from);

#endif
