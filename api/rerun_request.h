/*
 * POST /v1/jobs/{id}/rerun: nothing, a merge patch (RFC 7396) on the job's original request, or {"extend_epochs": n}: the
 * same training with n epochs more.
 */
#ifndef DESCENT_API_RERUN_REQUEST_H
#define DESCENT_API_RERUN_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct job_request;
struct job_view;
struct problem;

/*
 * Checks the body's form. *extend_epochs: as asked for; 0: the body is a patch (or empty: nothing is to change). Errors go
 * to `problem`; extend_epochs beside other members is STATUS_CONFLICTING_FIELDS.
 */
MUST_CHECK enum status rerun_request_decode(uint32_t *extend_epochs, const char *body, size_t size, struct problem *problem);

/*
 * Whether training that went so far can go on for `epochs` more as if that had been planned from the start. `job` has
 * ended; `request` is its resolved spec. STATUS_NOT_EXTENDABLE says why not, STATUS_OUT_OF_RANGE that it becomes too many.
 */
MUST_CHECK enum status rerun_request_check_extension(const struct job_view *job, const struct job_request *request,
                                                     uint32_t epochs, struct error *error);

struct json_value;
/*
 * A null in a patch removes what is there; one for a field that does not exist is an error, at its place below `pointer`: a
 * name that is written wrong would never be noticed. patch: an object.
 */
void rerun_request_check_removals(const struct json_value *patch, const char *pointer, struct problem *problem);

/*
 * A merge patch on the text of a request (job_request.h). Both are checked as any body; what comes out is malloc'ed, the
 * caller's, and still to be decoded. Rows that either brings along are copied, not read.
 */
MUST_CHECK enum status rerun_request_merge(const char *request, size_t request_size, const char *patch, size_t patch_size,
                                           char **merged, size_t *merged_size, struct error *error);

#endif
