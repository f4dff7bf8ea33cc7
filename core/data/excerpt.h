/* A user's bytes, short and harmless, for an error's message. */
#ifndef DESCENT_CORE_DATA_EXCERPT_H
#define DESCENT_CORE_DATA_EXCERPT_H

#include <stddef.h>

#define EXCERPT_SIZE 136 /* 32 bytes, each at most \xNN, an ellipsis and a NUL */

/*
 * The first 32 bytes of text [size] in printable ASCII, others as \xNN, with "..." where it goes on. Returns out
 * [EXCERPT_SIZE].
 */
const char *excerpt_of(char *out, const char *text, size_t size);

#endif
