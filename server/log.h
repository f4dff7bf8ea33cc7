/*
 * The log: one line an event on standard error, as text or JSON, with the request's or job's id.
 *
 * Any thread may log. A line is written whole; when nobody reads standard error it is dropped and counted rather than
 * waited for. Control characters are escaped and tokens are blanked, whatever the message holds.
 */
#ifndef DESCENT_SERVER_LOG_H
#define DESCENT_SERVER_LOG_H

#include <stdint.h>

#include "core/base/status.h"
#include "server/config.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Before the first thread starts. Until then the format is text. */
void log_set_format(enum log_format format);

/* `id` is a request's, job's, … id; NULL: none. */
void log_event(enum log_level level, const char *id, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_info(id, ...)    log_event(LOG_LEVEL_INFO, id, __VA_ARGS__)
#define log_warning(id, ...) log_event(LOG_LEVEL_WARNING, id, __VA_ARGS__)
#define log_error(id, ...)   log_event(LOG_LEVEL_ERROR, id, __VA_ARGS__)

/* One request that has been answered. */
struct log_access {
    const char *request_id;
    const char *method, *path; /* the path without its query */
    unsigned status;           /* 0: the client went away before an answer */
    double ms;
    uint64_t bytes; /* of the answer's body */
};
void log_access(const struct log_access *access);

#endif
