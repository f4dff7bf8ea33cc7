/*
 * POST /v1/cross_entropy: two probability vectors, or one and the logits of the other; or lists of such pairs.
 *
 *     {"u": [0.7, 0.2, 0.1], "v": [0.2, 0.3, 0.5]}      {"u": [[1, 0], [0, 1]], "logits": [[2, 1], [0, 3]]}
 */
#ifndef DESCENT_API_CROSS_ENTROPY_REQUEST_H
#define DESCENT_API_CROSS_ENTROPY_REQUEST_H

#include <stddef.h>

#include "core/eval/cross_entropy.h"

/*
 * How far a vector's sum may be from 1: decimals that sum to 1 on paper are off by a few 1e-16 as doubles; what somebody
 * forgot to normalise is off by far more.
 */
#define CROSS_ENTROPY_TOLERANCE 1e-12

struct cross_entropy_request {
    double *u, *v;    /* [ends[pairs - 1]], pair after pair, owned; v: probabilities, or logits */
    size_t *ends;     /* [pairs]: behind each pair's last entry, owned */
    size_t pairs;     /* at least 1 */
    int is_list;      /* lists of vectors were given: the answer has lists, too */
    int takes_logits; /* v holds logits */
};

/*
 * Errors go to `problem`, all of them, with pointers; returns STATUS_OK or the problem's status. A probability below 0:
 * STATUS_OUT_OF_RANGE at its entry; a sum that is not 1: likewise, at the vector; unequal lengths, v beside logits:
 * STATUS_CONFLICTING_FIELDS. Release *request in any case.
 */
struct problem;
MUST_CHECK enum status cross_entropy_request_decode(struct cross_entropy_request *request, const char *body, size_t size,
                                                    struct problem *problem);
void cross_entropy_request_release(struct cross_entropy_request *request);

/* The figures of pair i. */
struct cross_entropy cross_entropy_request_compute(const struct cross_entropy_request *request, size_t i);

#endif
