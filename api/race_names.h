/* What the entries of a race are called: by their request (race_request.h), or after what they differ in. */
#ifndef DESCENT_API_RACE_NAMES_H
#define DESCENT_API_RACE_NAMES_H

#include "api/race_request.h"

struct json_value;
struct problem;

/* An entry's own name into `name`; "" where it has none. */
void race_name_decode(const struct json_value *entry, const char *pointer, char name[NAME_TEXT], struct problem *problem);

/*
 * Names those that have none, of `list` at the pointer `base`: an optimizer by its type ("adam"), with the learning rate
 * where several have that type ("adam 0.001"); a variant by what it sets ("seed 2"). A name that is taken gets a number
 * behind it. Names that were given twice are errors.
 */
void race_names_complete(struct race_request *request, const struct json_value *list, const char *base,
                         struct problem *problem);

/* "<job> - <entry>", or the entry's alone where there is no job's name or that would be too long. */
void race_job_name(const char *job, const char *entry, char name[NAME_TEXT]);

#endif
