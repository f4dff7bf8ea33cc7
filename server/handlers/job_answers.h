/*
 * Jobs as GET /v1/jobs/{id} shows them, kept in memory for as long as nothing was committed to the store since.
 *
 * Clients poll: the same job, hundreds of times between two changes of anything. Whoever asks at a moment is told what a
 * look into the store at that moment would tell, never less: an answer is good for one generation of the store, and none is
 * while a commit is under way.
 */
#ifndef DESCENT_SERVER_HANDLERS_JOB_ANSWERS_H
#define DESCENT_SERVER_HANDLERS_JOB_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "api/views.h"
#include "core/base/status.h"

struct job_answers;
struct store;

/* Never changes once it is there. */
struct job_answer {
    char *text; /* the job object [size] */
    size_t size;
    uint64_t version;
    enum job_status status;
};

/* Borrows the store. STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status job_answers_new(struct job_answers **answers, struct store *store, struct error *error);
/* Answers that are still held stay good. NULL is fine. */
void job_answers_free(struct job_answers *answers);

/* The job now, if that is in memory; else NULL. Waits for nothing. Release with job_answer_release. Any thread. */
const struct job_answer *job_answers_find(struct job_answers *answers, const char *job);

/* The job now, from the store where it must be. Release with job_answer_release. STATUS_NOT_FOUND, STATUS_DELETED. */
MUST_CHECK enum status job_answers_get(struct job_answers *answers, const char *job, const struct job_answer **answer,
                                       struct error *error);

/* From any thread; takes the answer, as a response's body is released. NULL is fine. */
void job_answer_release(void *answer);

#endif
