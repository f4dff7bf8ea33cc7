/*
 * POST /v1/landscapes/{name}/descents and POST /v1/landscapes/descents: optimizers that descend from one start or many, on a
 * named landscape or on a formula of the request's own.
 */
#ifndef DESCENT_API_DESCENT_REQUEST_H
#define DESCENT_API_DESCENT_REQUEST_H

#include <stdint.h>

#include "api/fields.h"
#include "api/views.h"
#include "core/landscape/descent.h"
#include "core/landscape/landscape.h"

#define DESCENT_MAX_OPTIMIZERS 16
#define DESCENT_MAX_STARTS     10000 /* random ones */
#define DESCENT_MAX_LISTED     5000  /* one by one: JSON bodies have no room for more */
#define DESCENT_MAX_STEPS      100000
#define DESCENT_MAX_DESCENTS   20000  /* starts times optimizers */
#define DESCENT_MAX_ROWS       200000 /* of all paths in an answer */
#define DESCENT_AUTO_ROWS      20000  /* that "every": "auto" aims at: two megabytes */
#define DESCENT_MAX_COORDINATE 1e100  /* of starts and boxes */

/* A few seconds of one core. */
#define DESCENT_MAX_OPERATIONS 200000000

struct descent_optimizer {
    struct optimizer_spec spec; /* first: what decodes optimizers knows no more */
    struct schedule_spec schedule;
    char name[NAME_TEXT];
    size_t variant; /* of JOB_TABLE_OPTIMIZER */
};

struct descent_request {
    const struct landscape *landscape; /* borrowed; NULL: own_formula */
    const struct formula *formula;     /* borrowed, the landscape's or own_formula */
    struct formula *own_formula;       /* owned */
    char text[FORMULA_MAX_LENGTH + 1]; /* of the formula */
    double box[2][2];                  /* has_box: as given, or the landscape's */
    int has_box;
    double (*starts)[2]; /* [start_count], owned */
    size_t start_count;
    uint32_t steps;
    struct descent_noise noise;
    uint64_t seed;
    double gradient_norm;
    int has_no_gradient_norm; /* nothing is to end at a small gradient */
    struct descent_optimizer optimizers[DESCENT_MAX_OPTIMIZERS];
    size_t optimizer_count;
    uint32_t every;
    int every_auto;
    int path;
    uint32_t arrows;
};

/*
 * landscape and its formula: NULL where the body has "f". All errors go to `problem`; returns STATUS_OK or the problem's
 * status. What is too much work is refused with the figures. Release *request in any case.
 */
MUST_CHECK enum status descent_request_decode(struct descent_request *request, const struct landscape *landscape,
                                              const struct formula *formula, const char *body, size_t size,
                                              struct problem *problem);
void descent_request_release(struct descent_request *request);

/* One of the request's descents, in the order of the answer: start by start, optimizer by optimizer. */
void descent_request_task(const struct descent_request *request, size_t index, struct descent_task *task);
/* Operations of the formula in all updates together: at most DESCENT_MAX_OPERATIONS. */
uint64_t descent_request_operations(const struct descent_request *request);
/* For descent_result_make: the path's `every`, 0 where paths are not wanted. */
uint64_t descent_request_every(const struct descent_request *request);

/* Its fields, for those who describe them. The first is "f": on a named landscape the others alone count. */
extern const struct field descent_request_fields[];
extern const size_t descent_request_field_count;
extern const size_t descent_request_named_field_count;

/* A further field of each optimizer: "name". Offsets: struct descent_optimizer. */
#define DESCENT_OPTIMIZER_FIELDS 2
extern const struct field descent_optimizer_fields[DESCENT_OPTIMIZER_FIELDS];

#endif
