/*
 * Media types: the table of those that the contract knows, what a request's Accept asks for, what its Content-Type says.
 *
 * A query's format= names a media type by its word and beats the header, so that a browser's address bar is enough.
 */
#ifndef DESCENT_API_NEGOTIATE_H
#define DESCENT_API_NEGOTIATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum media {
    MEDIA_NONE,
#define MEDIA(NAME, word, type, content_type) MEDIA_##NAME,
#include "api/media.def"
#undef MEDIA
    MEDIA_COUNT
};

const char *media_word(enum media media);         /* "csv": what format= takes; "" for MEDIA_NONE */
const char *media_type(enum media media);         /* "text/csv": for comparing and for documents */
const char *media_content_type(enum media media); /* "text/csv; charset=utf-8": the answer's Content-Type */
/* MEDIA_NONE when `word` is the word of none of the offers. offers [count], or ended by MEDIA_NONE. */
enum media media_by_word(const char *word, const uint8_t *offers, size_t count);

/*
 * The best of the offers for an Accept header (RFC 9110, 12.5.1): by quality, then by the order of the offers.
 * accept NULL or empty: the first offer. STATUS_NOT_ACCEPTABLE names what is offered.
 * offers [count], ended by MEDIA_NONE if shorter.
 */
MUST_CHECK enum status negotiate_accept(const char *accept, const uint8_t *offers, size_t count, enum media *media,
                                        struct error *error);

/*
 * Which of `accepted` [count] a body's Content-Type names. Parameters but charset are ignored; charset must be utf-8 or
 * us-ascii: STATUS_CHARSET_UNSUPPORTED. No header or another type: STATUS_CONTENT_TYPE_UNSUPPORTED.
 */
MUST_CHECK enum status negotiate_content_type(const char *content_type, const uint8_t *accepted, size_t count,
                                              enum media *media, struct error *error);

#endif
