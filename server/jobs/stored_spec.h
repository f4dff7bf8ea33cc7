/*
 * A job's spec as it is stored, JSON text: resolved, and as it was sent. What can change after the submission stands in the
 * job's row and is put in place here: name, metadata and priority, and the data sets' ids, because a data set that came
 * inline may turn out to be stored already when the job is.
 */
#ifndef DESCENT_SERVER_JOBS_STORED_SPEC_H
#define DESCENT_SERVER_JOBS_STORED_SPEC_H

#include "api/job_request.h"
#include "core/base/sha256.h"

struct json_writer;

/* From job->spec. A spec that cannot be read any more is STATUS_OBJECT_CORRUPT. Release *request in any case. */
MUST_CHECK enum status stored_spec_decode(const struct job_view *job, struct job_request *request, struct error *error);
/*
 * SHA-256 of what the states after each step depend on, the data apart: the resolved spec without what only decides
 * where training ends, how fast it goes, and what it is called. Checkpoints carry it. STATUS_OUT_OF_MEMORY.
 */
MUST_CHECK enum status stored_spec_hash(const struct job_request *request, unsigned char hash[SHA256_BYTES],
                                        struct error *error);
/* What a client gets. */
MUST_CHECK enum status stored_spec_encode(const struct job_view *job, struct json_writer *writer, struct error *error);
/*
 * The request that would make the job again: job->request, or for a job from before those were kept job->spec without its
 * expectations. *text [*size] is malloc'ed, the caller's.
 */
MUST_CHECK enum status stored_request_encode(const struct job_view *job, char **text, size_t *size, struct error *error);

#endif
