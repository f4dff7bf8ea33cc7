/* What a test of a decoder asks of the problem that it got. */
#ifndef DESCENT_TESTS_API_REFUSAL_H
#define DESCENT_TESTS_API_REFUSAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/problem.h"

/* The error of a field with this code at this pointer, or NULL. */
static inline const struct problem_field *refusal_find(const struct problem *problem, enum status status,
                                                       const char *pointer)
{
    for (size_t i = 0; i < problem->field_count; i++) {
        if (problem->fields[i].status == status && strcmp(problem->fields[i].pointer, pointer) == 0) {
            return &problem->fields[i];
        }
    }
    return NULL;
}

/* Whether that is all that is wrong; prints what is, if not. */
static inline int refusal_is_only(const struct problem *problem, enum status status, const char *pointer)
{
    if (problem->field_total == 1 && problem->whole.status == STATUS_OK && refusal_find(problem, status, pointer) != NULL) {
        return 1;
    }
    print_error("wanted %s at \"%s\"; whole: %s\n", status_code(status), pointer, status_code(problem->whole.status));
    for (size_t i = 0; i < problem->field_count; i++) {
        print_error("    %s at \"%s\": %s\n", status_code(problem->fields[i].status), problem->fields[i].pointer,
                    problem->fields[i].detail);
    }
    return 0;
}

#endif
