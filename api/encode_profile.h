/* A job's profile as JSON: GET /v1/jobs/{id}/profile, and a member of its results. */
#ifndef DESCENT_API_ENCODE_PROFILE_H
#define DESCENT_API_ENCODE_PROFILE_H

#include "api/profile.h"

struct json_writer;

/* job: id */
void encode_profile(const struct profile *profile, const char *job, struct json_writer *writer);

#endif
