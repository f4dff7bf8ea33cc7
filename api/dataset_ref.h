/*
 * Which data a request means: a stored data set by its id, rows that come along, or a generator.
 *
 *     "ds_0123456789abcdefghij"      {"x": [[1, 2], ...], "y": ["a", ...]}      {"generator": "spirals", "n": 1000}
 */
#ifndef DESCENT_API_DATASET_REF_H
#define DESCENT_API_DATASET_REF_H

#include "api/problem.h"
#include "api/views.h"
#include "core/data/generator.h"
#include "core/data/sink.h"

struct json_span;
struct json_value;
struct json_writer;

enum dataset_ref_type { DATASET_REF_NONE, DATASET_REF_ID, DATASET_REF_INLINE, DATASET_REF_GENERATOR };

struct dataset_ref {
    enum dataset_ref_type type;
    char id[ID_TEXT];                /* ID */
    struct generator_spec generator; /* GENERATOR */
    struct buffer_sink block;        /* INLINE: the canonical block, built while decoding; owned */
};

/*
 * Reads `value`, which stands at `pointer`. x and y: the bulk arrays pointer/x and pointer/y, NULL where there is none.
 * Errors go to `problem`; an id that cannot be one is dataset_not_found, told only if nothing else is wrong.
 */
void dataset_ref_decode(struct dataset_ref *ref, const struct json_value *value, const struct json_span *x,
                        const struct json_span *y, const char *pointer, struct problem *problem);
void dataset_ref_release(struct dataset_ref *ref);

/* The reference as a member; inline rows are written from their block. NONE writes nothing. */
void dataset_ref_encode(const struct dataset_ref *ref, const char *key, struct json_writer *writer);

#endif
