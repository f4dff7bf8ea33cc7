/*
 * Problem documents (RFC 9457): what every request that fails is answered with.
 *
 * Two sorts of errors: those of one field of a JSON document, of which there can be many at once, and those of the whole
 * request. The document's own code is that of the first error of the whole request, or validation_failed when there are
 * only fields' errors. core/base/status.def has all codes.
 */
#ifndef DESCENT_API_PROBLEM_H
#define DESCENT_API_PROBLEM_H

#include <stddef.h>

#include "core/base/status.h"

#define PROBLEM_MAX_ERRORS 64 /* more are counted, not told one by one */

/* One field's error. `extra`: further members as JSON text, "\"value\":0,\"minimum\":1", "" if none. */
struct problem_field {
    enum status status;
    int has_pointer;
    char pointer[192];
    char detail[256];
    char extra[256];
};

struct problem {
    enum status status;           /* STATUS_OK: nothing is wrong */
    struct error whole;           /* of the whole request; whole.status STATUS_OK: none */
    char extra[1024];             /* further members of the document as JSON text: "\"allowed_actions\":[]" */
    struct problem_field *fields; /* [field_count], owned */
    size_t field_count;
    size_t field_total; /* with those that were only counted */
};

void problem_init(struct problem *problem);
void problem_release(struct problem *problem);

/* An error as core functions give it: of a field if it has a pointer and is of kind INVALID, else of the whole request. */
void problem_add(struct problem *problem, const struct error *error);
/*
 * A field's error; pointer "" is the document's root, NULL: it is in no document. extra may be NULL; what is too long for
 * its place is cut or left out.
 */
void problem_add_field(struct problem *problem, enum status status, const char *pointer, const char *extra,
                       const char *format, ...) PRINTF_LIKE(5, 6);
/* A member of the document beside the usual ones; json is its value. */
void problem_add_member(struct problem *problem, const char *key, const char *json);

/* The one table from kinds of failure to HTTP statuses. */
int status_http(enum status status);
int problem_http_status(const struct problem *problem);

/* The document (malloc'ed, NUL-terminated), or NULL when there is no memory. request_id NULL: none. */
char *problem_encode(const struct problem *problem, const char *request_id, size_t *size);

#endif
