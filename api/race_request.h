/*
 * POST /v1/races: one job's request, and in what the jobs differ: their optimizers, or a merge patch (RFC 7396) for each.
 *
 *     {"job": {"dataset": …, "model": …}, "optimizers": [{"type": "sgd"}, {"name": "fast", "type": "adam"}]}
 *     {"job": {…}, "variants": [{"training": {"seed": 1}}, {"training": {"seed": 2}}]}
 *
 * What comes out is the text of a job's request for each entry, to be decoded as any other (job_request.h). Errors that are
 * found there point into that text; race_request_pointer says where that is in the race's body.
 *
 * Rows that come along with the job are read once, and are named by an id in the jobs' texts; unless variants change them.
 * Then they stand in the texts, which may be as large as the body each: a text is made when it is asked for.
 */
#ifndef DESCENT_API_RACE_REQUEST_H
#define DESCENT_API_RACE_REQUEST_H

#include "api/dataset_ref.h"
#include "api/fields.h"
#include "api/json_piece.h"
#include "api/views.h"

#define RACE_MAX_ENTRIES  64
#define RACE_METADATA_KEY "race"

/* One job to be. */
struct race_entry {
    char name[NAME_TEXT];    /* given, or made from what it differs in; no two are equal */
    struct json_piece given; /* the optimizer or the patch, in the body */
};

/* Rows that came along with the job. ref.type DATASET_REF_NONE: none did. */
struct race_rows {
    struct dataset_ref ref;
    const char *id; /* that the texts name them by; borrowed */
};

struct race_request {
    struct race_entry *entries; /* [count], owned */
    size_t count;
    int by_optimizer;
    struct race_rows dataset, test;
    char job_name[NAME_TEXT]; /* "": the job has none */
    const char *race;         /* race_ids.race, borrowed */
    char *common;             /* [common_size], what all jobs' texts have in common, owned */
    size_t common_size;
};

/* Ids that the caller has made, borrowed until the release: of the race, which stands in the jobs' metadata (NULL: it does
 * not), of rows that come along. */
struct race_ids {
    const char *race, *dataset, *test;
};

struct problem;
/*
 * body [size] is borrowed until the release. Errors go to `problem`; returns STATUS_OK or the problem's status. Names that
 * stand twice, optimizers beside variants: STATUS_CONFLICTING_FIELDS. Release *request in any case.
 *
 * A job's name becomes "<job's name> - <entry's name>", or the entry's alone where that is too long or the job has none. The
 * race's id goes into the metadata under RACE_METADATA_KEY if there is room and the user has no such key.
 */
MUST_CHECK enum status race_request_decode(struct race_request *request, const char *body, size_t size,
                                           const struct race_ids *ids, struct problem *problem);
void race_request_release(struct race_request *request);

/* Entry i's text, [*size]; the caller frees *text. */
MUST_CHECK enum status race_request_text(const struct race_request *request, size_t i, char **text, size_t *size,
                                         struct error *error);

/*
 * Where something of entry i's text stands in the race's body: below /optimizers/i or /variants/i, if that entry brought it,
 * otherwise below /job.
 */
void race_request_pointer(const struct race_request *request, size_t i, const char *pointer, char out[FIELD_POINTER_TEXT]);

/*
 * Adds what is wrong with entry i's text to the race's problem, at its place there. What several entries have in common is
 * told once.
 */
void race_request_add_problem(const struct race_request *request, size_t i, const struct problem *of_entry,
                              struct problem *problem);

#endif
