/*
 * What a caller may choose about an optimizer or a schedule: name, type, range, default, help. Requests are decoded,
 * checked and documented from these alone.
 *
 * A hyper-parameter is a member of struct optimizer_spec (or schedule_spec); `offset` says where, `kind` of which C type.
 */
#ifndef DESCENT_CORE_OPTIM_HYPERPARAMETER_H
#define DESCENT_CORE_OPTIM_HYPERPARAMETER_H

#include <stddef.h>

enum hyperparameter_kind {
    HYPER_NUMBER,  /* double */
    HYPER_COUNT32, /* uint32_t */
    HYPER_COUNT64, /* uint64_t */
    HYPER_FLAG,    /* int, 0 or 1 */
    HYPER_CHOICE,  /* an enum: an index into choices */
};

struct hyperparameter {
    const char *name;
    enum hyperparameter_kind kind;
    size_t offset;
    double default_value; /* NaN: it must be given */
    double minimum, maximum;
    int minimum_excluded, maximum_excluded; /* 1: the limit itself is not allowed */
    const char *const *choices;             /* HYPER_CHOICE: [choice_count] */
    size_t choice_count;
    const char *help;
};

/* Whether a value, given as a double, lies in the range. NaN does not. */
int hyperparameter_allows(const struct hyperparameter *parameter, double value);
/* Writes `value`, which must be allowed (and whole for counts), into its member of *spec. */
void hyperparameter_store(const struct hyperparameter *parameter, double value, void *spec);
double hyperparameter_load(const struct hyperparameter *parameter, const void *spec);

#endif
