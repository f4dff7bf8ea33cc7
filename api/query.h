/*
 * The query part of a request's target: decoded and checked against the parameters that its route takes.
 *
 * Strict on purpose: a parameter that is misspelt, given twice or out of range is refused with the nearest known name
 * rather than ignored. All errors are reported at once. "+" is a plus sign, not a space; %XX must be well-formed, must
 * not be a control byte, and the result must be UTF-8.
 */
#ifndef DESCENT_API_QUERY_H
#define DESCENT_API_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#define QUERY_TEXT_MAX     4096 /* bytes of a query, raw or decoded */
#define QUERY_METADATA_MAX 8    /* metadata.<key>=<value> filters in one request */

enum query_type {
    QUERY_BOOLEAN,
    QUERY_INTEGER,
    QUERY_CLAMPED,
    QUERY_NUMBER,
    QUERY_SECONDS,
    QUERY_CHOICE,
    QUERY_LIST,
    QUERY_TEXT,
    QUERY_PREFIX,
};

/* A row of query.def by its name; the same words may name parameters of several routes. */
enum query_id {
    PARAMETER_NONE,
#define PARAMETER(NAME, name, type, minimum, maximum, standard, choices, help) PARAMETER_##NAME,
#include "api/query.def"
#undef PARAMETER
    PARAMETER_COUNT
};

/* A row of query.def. */
struct query_parameter {
    const char *name;
    enum query_type type;
    double minimum, maximum;
    const char *standard; /* the default's text, "": none, "!": the parameter must be given */
    const char *choices;  /* "a|b|c" */
    const char *help;
};
const struct query_parameter *query_parameter(enum query_id id);
int query_is_required(const struct query_parameter *parameter);
/* The index-th choice of a list "a|b|c", NULL past the end; *size is its length. */
const char *query_choice(const char *choices, size_t index, size_t *size);

struct query_value {
    int given;        /* stands in the request; otherwise the values below are the default's, or 0 and "" */
    int64_t integer;  /* BOOLEAN, INTEGER, CLAMPED; CHOICE: the place in the list; LIST: a bit set */
    double number;    /* NUMBER, SECONDS and all integers */
    const char *text; /* the decoded text, in struct query */
};

struct query_label {
    const char *key, *value;
};

/* A decoded query: plain memory, nothing to release. Texts point into it: do not copy it. */
struct query {
    struct query_value value[PARAMETER_COUNT];
    struct query_label metadata[QUERY_METADATA_MAX];
    uint32_t metadata_count;
    size_t used;
    char text[2 * QUERY_TEXT_MAX];
};

struct problem;
struct route;

/*
 * Decodes `text` [size] (what follows the '?', may be empty) for `route`. Every error goes to `problem`; returns
 * STATUS_OK or the problem's status: STATUS_BAD_TARGET, STATUS_QUERY_DUPLICATE, STATUS_QUERY_UNKNOWN,
 * STATUS_QUERY_INVALID, STATUS_TOKEN_IN_QUERY (all 400).
 */
MUST_CHECK enum status query_decode(struct query *query, const struct route *route, const char *text, size_t size,
                                    struct problem *problem);

/*
 * An error of one parameter that only its route can find: the first one gives the document its code, all of them stand in
 * its errors[], each with its "parameter".
 */
void query_refuse(struct problem *problem, enum status status, const char *name, const char *format, ...) PRINTF_LIKE(4, 5);

/* Whether a raw query has a parameter that is named like a token. */
int query_has_token(const char *text, size_t size);

int query_given(const struct query *query, enum query_id id);
int64_t query_integer(const struct query *query, enum query_id id);
double query_number(const struct query *query, enum query_id id);
/* NULL when it was not given and has no default. */
const char *query_text(const struct query *query, enum query_id id);

/*
 * The same target with another place to go on from, as a Link header's value: `<path?…&after=last_id>; rel="next"`.
 * Every other parameter of `raw` [raw_size] stays as it was sent. Returns the length; 0 when it does not fit.
 */
size_t query_next_link(char *out, size_t capacity, const char *path, size_t path_size, const char *raw, size_t raw_size,
                       const char *last_id);

#endif
