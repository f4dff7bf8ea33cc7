#include "server/http/range.h"

#include <string.h>

/* Digits alone, no overflow; *text moves behind them. */
static int parse_digits(const char **text, uint64_t *number)
{
    const char *start = *text;
    *number = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return 0;
        *number = *number * 10 + digit;
    }
    return *text > start;
}

int range_parse(const char *value, uint64_t whole, uint64_t *offset, uint64_t *size)
{
    static const char unit[] = "bytes=";
    uint64_t first, last;
    if (strncmp(value, unit, sizeof(unit) - 1) != 0 || whole == 0)
        return 0;
    const char *at = value + sizeof(unit) - 1;
    if (*at == '-') {
        at++;
        if (!parse_digits(&at, &last) || *at != '\0' || last == 0)
            return 0;
        *size = last < whole ? last : whole;
        *offset = whole - *size;
        return 1;
    }
    if (!parse_digits(&at, &first) || *at++ != '-' || first >= whole)
        return 0;
    last = whole - 1;
    if (*at != '\0' && (!parse_digits(&at, &last) || *at != '\0' || last < first))
        return 0;
    if (last > whole - 1)
        last = whole - 1;
    *offset = first;
    *size = last - first + 1;
    return 1;
}

int range_applies(const char *condition, const char *etag)
{
    return condition == NULL || (etag != NULL && strcmp(condition, etag) == 0);
}
