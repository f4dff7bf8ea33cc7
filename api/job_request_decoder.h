/* What the files that decode POST /v1/jobs share, and those of other requests that have parts of it. */
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

/* The text of a request; the rows of its data sets stay text. */
MUST_CHECK enum status job_document_parse(struct json_document **document, const char *body, size_t size,
                                          struct error *error);

/* The row of that name; NULL: there is none. */
const struct field *job_decode_find(const struct field_table *table, const char *name);

/* A member that is a string of at most `room` - 1 bytes; returns 1 when there is one. */
int job_decode_text(struct decoder *d, const struct json_value *object, const char *key, const char *base, char *text,
                    size_t room);

/*
 * The table that an object's "type" chooses; `otherwise` is taken without one, job_table_variants(id) if it is required.
 * Returns the variant, or job_table_variants(id) after an error.
 */
size_t job_decode_type(const struct json_value *object, enum job_table id, size_t otherwise, const char *pointer,
                       struct field_table *table, struct problem *problem);

/*
 * An optimizer with all its defaults into *optimizer; returns its variant, OPTIMIZER_FORM_COUNT where its type is wrong.
 * extra [extra_count]: further fields that the object may have, of a struct whose first member *optimizer is.
 */
size_t job_decode_optimizer(const struct json_value *value, const char *pointer, const struct field *extra,
                            size_t extra_count, struct optimizer_spec *optimizer, struct problem *problem);
/* value NULL: not given, hence constant. */
void job_decode_schedule(const struct json_value *value, const char *pointer, struct schedule_spec *schedule,
                         struct problem *problem);

void job_decode_model(struct decoder *d, const struct json_value *value);
/* How the weights start (value NULL: not given); after the model. */
void job_decode_init(struct decoder *d, const struct json_value *value);

/* After the model and all else: conflicts with an optimizer that is a solver, and its default of epochs. */
void job_check_convex(struct decoder *d);
/* A solver's batch, once the rows are known. */
void job_resolve_convex_batch(struct job_request *request, uint64_t rows, struct problem *problem);

/* What the model that the weights come from says to the data and the layers; with request->init.model. */
void job_resolve_initial_model(struct job_request *request, const struct dataset *dataset, struct problem *problem);

#endif
