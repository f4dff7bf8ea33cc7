/* A job's metadata: up to 16 short strings by name. */
#ifndef DESCENT_API_METADATA_H
#define DESCENT_API_METADATA_H

#define METADATA_MAX_MEMBERS 16
#define METADATA_MAX_KEY     64  /* bytes */
#define METADATA_MAX_VALUE   512 /* bytes */

struct json_value;
struct problem;

/*
 * The object at /metadata (NULL: not given) as JSON text, malloc'ed, into *text; what is wrong with it, or that there is no
 * memory, goes to `problem`. *text is NULL only in the latter case.
 */
void metadata_decode(const struct json_value *value, char **text, struct problem *problem);

#endif
