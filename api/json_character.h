/* One character of a JSON string: what the validator checks and what readers of unescaped text get. */
#ifndef DESCENT_API_JSON_CHARACTER_H
#define DESCENT_API_JSON_CHARACTER_H

#include <stddef.h>

#include "core/base/status.h"

/* length 0: the closing quote. bytes are UTF-8. */
struct json_character {
    char bytes[4];
    size_t length;
};

/*
 * Reads the character at text[*at], behind the opening quote, and moves *at past it. On failure *at is where it went
 * wrong: STATUS_JSON_INVALID (control characters, unknown escapes, no closing quote), STATUS_JSON_BAD_UTF8 (also lone
 * surrogates), STATUS_JSON_NUL_IN_STRING.
 */
MUST_CHECK enum status json_character_read(const char *text, size_t size, size_t *at, struct json_character *character);

#endif
