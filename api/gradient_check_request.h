/* POST /v1/models/{id}/gradient_check: on which rows, how much of the gradient, with which step. */
#ifndef DESCENT_API_GRADIENT_CHECK_REQUEST_H
#define DESCENT_API_GRADIENT_CHECK_REQUEST_H

#include "api/dataset_ref.h"
#include "api/fields.h"

#define GRADIENT_CHECK_MAX_ROWS 256

struct gradient_check_request {
    struct dataset_ref dataset; /* NONE: that of the job which made the model */
    uint32_t rows;
    uint32_t parameters; /* of each layer; 0: as many as are worth their time */
    double h;            /* the step of coordinate x is h * max(1, |x|) */
};

/* Errors go to `problem`, all of them; returns STATUS_OK or the problem's status. An empty body is an empty object. */
MUST_CHECK enum status gradient_check_request_decode(struct gradient_check_request *request, const char *body, size_t size,
                                                     struct problem *problem);
void gradient_check_request_release(struct gradient_check_request *request);

/* Its fields, for those who describe them. */
extern const struct field gradient_check_request_fields[];
extern const size_t gradient_check_request_field_count;

#endif
