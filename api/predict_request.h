/* POST /v1/models/{id}/predict: rows of features, as JSON or as CSV, and what is to be told of them. */
#ifndef DESCENT_API_PREDICT_REQUEST_H
#define DESCENT_API_PREDICT_REQUEST_H

#include <stdint.h>

#include "api/fields.h"
#include "core/base/status.h"

#define PREDICT_MAX_ROWS 4096

struct predict_request {
    float *x; /* [rows][features], owned */
    uint64_t rows;
    int with_label, with_probabilities;
    uint32_t top_k; /* 0: none */
    int calibrated;
};

/*
 * Both: every row must have `features` numbers. Errors go to `problem`; returns STATUS_OK or the problem's status:
 * STATUS_FEATURE_COUNT_MISMATCH, STATUS_TYPE_MISMATCH, STATUS_NUMBER_OUT_OF_RANGE with the row's (and number's) place;
 * STATUS_BATCH_TOO_LARGE (413). Release *request in any case.
 */
MUST_CHECK enum status predict_request_decode(struct predict_request *request, const char *body, size_t size,
                                              uint32_t features, struct problem *problem);
/* Lines of numbers, without a header and without labels. */
MUST_CHECK enum status predict_request_decode_csv(struct predict_request *request, const char *body, size_t size,
                                                  uint32_t features, struct problem *problem);
void predict_request_release(struct predict_request *request);

/* Its fields, for those who describe them. */
extern const struct field predict_request_fields[];
extern const size_t predict_request_field_count;

#endif
