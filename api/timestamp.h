/*
 * Times as the contract writes them: RFC 3339, UTC, milliseconds ("2026-03-01T09:30:00.125Z").
 *
 * The calendar is our own arithmetic (days from civil, proleptic Gregorian), so that no time zone, locale or hidden
 * state of the C library can change what a client reads.
 */
#ifndef DESCENT_API_TIMESTAMP_H
#define DESCENT_API_TIMESTAMP_H

#include <stdint.h>

#include "core/base/status.h"

#define TIMESTAMP_TEXT 25 /* 24 characters and a NUL */

/* `ms` since 1970 UTC; clamped to the years 0000 to 9999. */
void timestamp_format(int64_t ms, char text[TIMESTAMP_TEXT]);
/*
 * The inverse: exactly "YYYY-MM-DDThh:mm:ss[.fraction]Z"; digits after the third are cut off.
 * STATUS_OUT_OF_RANGE for anything else and for dates that do not exist.
 */
MUST_CHECK enum status timestamp_parse(const char *text, int64_t *ms, struct error *error);

#endif
