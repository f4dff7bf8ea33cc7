/* One row of the table for each kind of first byte; the second byte's range rules out what must not be. */
#include "core/base/utf8.h"

static const struct {
    unsigned char first_low, first_high, length, second_low, second_high;
} SEQUENCES[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

size_t utf8_sequence(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;

    for (size_t i = 0; size > 0 && i < sizeof SEQUENCES / sizeof *SEQUENCES; i++) {
        size_t length = SEQUENCES[i].length;

        if (bytes[0] < SEQUENCES[i].first_low || bytes[0] > SEQUENCES[i].first_high)
            continue;
        if (length > size)
            return 0;
        if (length > 1 && (bytes[1] < SEQUENCES[i].second_low || bytes[1] > SEQUENCES[i].second_high))
            return 0;
        for (size_t k = 2; k < length; k++)
            if ((bytes[k] & 0xC0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

int utf8_valid(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = utf8_sequence(text + at, size - at);

        if (length == 0)
            return 0;
        at += length;
    }
    return 1;
}
