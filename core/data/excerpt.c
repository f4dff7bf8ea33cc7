#include "core/data/excerpt.h"

#include <string.h>

#define EXCERPT_BYTES 32

const char *excerpt_of(char *out, const char *text, size_t size)
{
    static const char HEX[] = "0123456789abcdef";
    char *at = out;

    for (size_t i = 0; i < size && i < EXCERPT_BYTES; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
            *at++ = (char)byte;
            continue;
        }
        *at++ = '\\';
        *at++ = 'x';
        *at++ = HEX[byte >> 4];
        *at++ = HEX[byte & 15];
    }
    memcpy(at, size > EXCERPT_BYTES ? "..." : "", size > EXCERPT_BYTES ? 4 : 1);
    return out;
}
