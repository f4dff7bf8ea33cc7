/*
 * A job's spec as it is stored: JSON text, resolved. The data sets' ids stand in the job's row and are put in place here,
 * because a data set that came inline may turn out to be stored already when the job is.
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

#endif
