/* PATCH /v1/jobs/{id}: a merge patch (RFC 7396) of what a job is called, labelled and ranked by. */
#ifndef DESCENT_API_JOB_PATCH_H
#define DESCENT_API_JOB_PATCH_H

#include "api/fields.h"
#include "api/views.h"

extern const struct field job_patch_fields[];
extern const size_t job_patch_field_count;

/* What the job is to have afterwards, all of it. */
struct job_patch {
    int name_given, metadata_given, priority_given; /* by the patch */
    char name[NAME_TEXT];
    char *metadata; /* JSON object text, owned */
    int32_t priority;
};

/*
 * Applies the patch to what `job` has (its name, metadata and priority). All errors go to `problem`; unknown members are
 * errors even where null would remove what is not there. Release *patch in any case.
 */
MUST_CHECK enum status job_patch_decode(struct job_patch *patch, const struct job_view *job, const char *body, size_t size,
                                        struct problem *problem);
void job_patch_release(struct job_patch *patch);

#endif
