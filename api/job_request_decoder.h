/* What the files that decode POST /v1/jobs share. For them alone. */
#ifndef DESCENT_API_JOB_REQUEST_DECODER_H
#define DESCENT_API_JOB_REQUEST_DECODER_H

#include "api/job_request.h"
#include "api/job_request_tables.h"
#include "api/json.h"

struct decoder {
    struct job_request *request;
    struct problem *problem;
    const struct json_document *document;
    const struct json_value *root;
};

/* The row of that name; NULL: there is none. */
const struct field *job_decode_find(const struct field_table *table, const char *name);

/*
 * The table that an object's "type" chooses; `otherwise` is taken without one, job_table_variants(id) if it is required.
 * Returns the variant, or job_table_variants(id) after an error.
 */
size_t job_decode_type(const struct json_value *object, enum job_table id, size_t otherwise, const char *pointer,
                       struct field_table *table, struct problem *problem);

/* The model, and how its weights start (value NULL: not given; after the model). */
void job_decode_model(struct decoder *d, const struct json_value *value);
void job_decode_init(struct decoder *d, const struct json_value *value);

#endif
