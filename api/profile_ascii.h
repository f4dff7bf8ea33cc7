/* A job's profile for a terminal: a bar for each phase. */
#ifndef DESCENT_API_PROFILE_ASCII_H
#define DESCENT_API_PROFILE_ASCII_H

#include "api/profile.h"

#define PROFILE_ASCII_MIN_WIDTH 40

struct text;

/* width: columns, PROFILE_ASCII_MIN_WIDTH or more. job: id */
void profile_ascii(const struct profile *profile, const char *job, uint32_t width, struct text *out);

#endif
