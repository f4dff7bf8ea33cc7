/*
 * A growing text: what tables, charts and other answers that are not JSON are written to.
 *
 * Writing cannot fail halfway: once memory (or the limit) has run out, the rest is dropped and text_take says so.
 */
#ifndef DESCENT_API_TEXT_H
#define DESCENT_API_TEXT_H

#include <stddef.h>

#include "core/base/status.h"

#define TEXT_MAX_BYTES ((size_t)64 << 20)

/* Zero-initialise; free with text_release or give away with text_take. */
struct text {
    char *data; /* owned, always NUL-terminated unless NULL */
    size_t size, capacity;
    int failed;
};

void text_put(struct text *text, const char *bytes, size_t size);
void text_string(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/* In as few digits as give the same double back; NaN and infinities as "nan", "inf", "-inf". */
void text_number(struct text *text, double value);

/* A field of CSV, quoted where RFC 4180 wants it. */
void text_csv_field(struct text *text, const char *field);

/* Gives the text (malloc'ed, NUL-terminated) to the caller. STATUS_OUT_OF_MEMORY: it was cut off, nothing is given. */
MUST_CHECK enum status text_take(struct text *text, char **data, size_t *size, struct error *error);
void text_release(struct text *text);

#endif
