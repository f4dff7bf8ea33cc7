/* What GET /metrics would show of one series. */
#ifndef DESCENT_TESTS_SERVER_MONITORED_H
#define DESCENT_TESTS_SERVER_MONITORED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/monitor.h"

/* The value of the sample that begins with `series` and a blank; -1: there is none. */
static inline double monitored(const char *series)
{
    struct text text = {.data = NULL};
    size_t size = strlen(series);
    double value = -1;

    monitor_write(&text);
    assert_false(text.failed);
    for (const char *line = text.data; line != NULL && value < 0; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, series, size) == 0 && line[size] == ' ') {
            value = strtod(line + size, NULL);
        }
    }
    text_release(&text);
    return value;
}

#endif
