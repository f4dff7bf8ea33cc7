/* POST /v1/models/{id}/evaluate: which data set to score on. */
#ifndef DESCENT_API_EVALUATE_REQUEST_H
#define DESCENT_API_EVALUATE_REQUEST_H

#include "api/fields.h"
#include "api/views.h"

struct evaluate_request {
    char dataset[ID_TEXT];
};

/* Errors go to `problem`, all of them; returns STATUS_OK or the problem's status. Whether it exists is not looked at. */
MUST_CHECK enum status evaluate_request_decode(struct evaluate_request *request, const char *body, size_t size,
                                               struct problem *problem);

/* Its fields, for those who describe them. */
extern const struct field evaluate_request_fields[];
extern const size_t evaluate_request_field_count;

#endif
