/* What the fuzzers of requests share: whatever is refused gets a problem document that is JSON. */
#ifndef DESCENT_TESTS_FUZZ_PROBLEM_H
#define DESCENT_TESTS_FUZZ_PROBLEM_H

#include <stdlib.h>

#include "api/json.h"
#include "api/problem.h"

static inline void check_problem(const struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};
    size_t size;
    char *text = problem_encode(problem, "req_fuzz", &size);

    if (text == NULL || json_parse(&document, text, size, NULL, 0, &error) != STATUS_OK) {
        abort();
    }
    json_free(document);
    free(text);
}

#endif
