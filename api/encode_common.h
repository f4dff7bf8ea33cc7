/* What the encoders of several objects share: pages of lists, times, values that may be missing. */
#ifndef DESCENT_API_ENCODE_COMMON_H
#define DESCENT_API_ENCODE_COMMON_H

#include <stdint.h>

#include "core/train/train_spec.h"

struct json_writer;

/* Opens a page {"object":"list","data":[ ; the items follow, one JSON value each. */
void encode_list_begin(struct json_writer *writer);
/* Closes it: ],"first_id","last_id","has_more"}. The ids are those of the first and last item, NULL on an empty page. */
void encode_list_end(struct json_writer *writer, const char *first_id, const char *last_id, int has_more);

/* A time in ms since 1970 as RFC 3339; 0: null. */
void encode_time(struct json_writer *writer, const char *key, int64_t ms);
/* "" and NULL: null. */
void encode_optional(struct json_writer *writer, const char *key, const char *value);
/* A seed: a number as far as JSON's numbers are exact (2^53 - 1), above that a decimal string. */
void encode_seed(struct json_writer *writer, const char *key, uint64_t seed);
/* {"parameters_sha256","step"}, or null for "". */
void encode_digest(struct json_writer *writer, const char *key, const char *digest, uint64_t step);
/* The member "best": {"metric","value","step"}, or null for step 0. */
void encode_best(struct json_writer *writer, enum metric metric, double value, uint64_t step);
/* The member `key` with the address `collection`/`id``rest`, e.g. "/v1/jobs/job_…/events". */
void encode_link(struct json_writer *writer, const char *key, const char *collection, const char *id, const char *rest);

#endif
