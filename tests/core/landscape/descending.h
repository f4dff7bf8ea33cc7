/* What tests of descents begin with: a formula, and a task of plain gradient descent on it. */
#ifndef DESCENT_TESTS_CORE_LANDSCAPE_DESCENDING_H
#define DESCENT_TESTS_CORE_LANDSCAPE_DESCENDING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/landscape/descent.h"

#define MOST_STEPS 20000

static inline struct formula *compile(const char *text)
{
    struct error error = {.status = STATUS_OK};
    struct formula *formula = NULL;

    if (formula_compile(&formula, text, strlen(text), &error) != STATUS_OK) {
        print_error("%s: %s\n", text, error.message);
        fail();
    }
    return formula;
}

static inline struct descent_task task_of(const struct formula *formula, double x, double y, uint64_t steps)
{
    struct descent_task task = {.formula = formula, .start = {x, y}, .steps = steps, .gradient_norm = -1, .seed = 1};

    optimizer_defaults(&task.optimizer, OPTIMIZER_SGD);
    schedule_defaults(&task.schedule, SCHEDULE_CONSTANT);
    task.optimizer.learning_rate = 0.01;
    return task;
}

#endif
