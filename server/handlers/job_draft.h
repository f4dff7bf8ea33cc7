/*
 * One job on its way from a request's text into the store: decoded, met with its data, resolved, planned, checked against
 * this server, made ready. POST /v1/jobs and reruns have one (submission.c), a race as many as it has entries (races.c).
 */
#ifndef DESCENT_SERVER_HANDLERS_JOB_DRAFT_H
#define DESCENT_SERVER_HANDLERS_JOB_DRAFT_H

#include "api/job_request.h"
#include "server/jobs/job_data.h"
#include "server/store/jobs.h"

struct app;
struct problem;

/* A data set that came inline, on its way into the store. */
struct inline_dataset {
    struct datasets_insert insert;
    struct dataset_view view;
    struct object object;
};
/* Describes and writes the block; `id` becomes the data set's, unless the same content turns out to be there. */
MUST_CHECK enum status inline_dataset_make(struct inline_dataset *out, struct store *store, const struct dataset *opened,
                                           const struct buffer_sink *block, const char *id, struct error *error);
void inline_dataset_release(struct inline_dataset *dataset);

/* Zero-initialise; must stay in place. */
struct job_draft {
    struct job_request decoded;
    struct job_data data;
    struct train_plan plan;
    struct job_view job;
    struct inline_dataset dataset, test; /* that came with this text */
    struct jobs_insert insert;           /* once it is ready; without key */
};

/*
 * Everything that can be wrong with the text itself. known: data sets that are about to be stored (job_data.h), NULL: none.
 * Errors go to `problem`, with pointers into the text.
 */
MUST_CHECK enum status job_draft_check(struct job_draft *draft, struct app *app, const char *text, size_t size,
                                       const struct known_dataset *known, struct problem *problem);
/* After a successful check: fills in draft->insert, writes what came inline. Blocks for the disk. */
MUST_CHECK enum status job_draft_make(struct job_draft *draft, struct app *app, const char *text, size_t size,
                                      struct error *error);
/* Gives back what the insert does not need: the data and the rows of the request. */
void job_draft_release_data(struct job_draft *draft);
void job_draft_release(struct job_draft *draft);

#endif
