/* What POST /v1/races answers. */
#ifndef DESCENT_API_ENCODE_RACE_H
#define DESCENT_API_ENCODE_RACE_H

#include <stddef.h>

#include "api/views.h"

struct json_writer;

/*
 * {"object":"race","id":…,"jobs":[job objects],"links":{"compare","jobs"}}; jobs [count]. links.jobs, the list of these
 * jobs, is there where the race's id stands in the metadata of all of them.
 */
void encode_race(const char *id, const struct job_view *const *jobs, size_t count, struct json_writer *writer);

#endif
