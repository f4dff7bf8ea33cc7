/*
 * Nearly all numbers in files have few digits: up to 2^53 and a power of ten up to 10^22 are exact doubles, so one
 * multiplication or division gives the correctly rounded value (Clinger 1990, "How to read floating point numbers
 * accurately"). The rest goes to strtod, which is correctly rounded too, and slower.
 */
#include "core/data/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/data/narrow.h"

#define EXACT_INTEGER  (UINT64_C(1) << 53)
#define EXACT_POWER    22
#define EXPONENT_LIMIT 100000 /* far outside of what a double can hold; larger exponents count as this */

static const double POWERS_OF_TEN[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number cut into its parts: (-1)^negative * digits * 10^power, exact unless `inexact` (more than 19 digits). */
struct parts {
    uint64_t digits;
    int64_t power;
    int negative, inexact;
};

/* Takes a run of digits; returns its end. Each digit after the point lowers the power. */
static const char *take_digits(const char *at, const char *end, int after_point, struct parts *parts)
{
    for (; at < end && is_digit(*at); at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (parts->digits > (UINT64_MAX - 9) / 10) {
            parts->inexact = 1;
            continue;
        }
        parts->digits = parts->digits * 10 + digit;
        parts->power -= after_point;
    }
    return at;
}

/* Takes "e+12"; NULL when no digit follows the e. */
static const char *take_exponent(const char *at, const char *end, struct parts *parts)
{
    int64_t exponent = 0;
    int negative = 0;

    at++;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    for (; at < end && is_digit(*at); at++)
        exponent = exponent < EXPONENT_LIMIT ? exponent * 10 + (*at - '0') : exponent;
    parts->power += negative ? -exponent : exponent;
    return at;
}

static int take_number(const char *text, size_t size, struct parts *parts)
{
    const char *at = text, *end = text + size, *start;
    size_t digits;

    *parts = (struct parts){0};
    if (at < end && (*at == '+' || *at == '-'))
        parts->negative = *at++ == '-';
    start = at;
    at = take_digits(at, end, 0, parts);
    digits = (size_t)(at - start);
    if (at < end && *at == '.') {
        start = ++at;
        at = take_digits(at, end, 1, parts);
        digits += (size_t)(at - start);
    }
    if (digits == 0)
        return 0;
    if (at < end && (*at == 'e' || *at == 'E') && !(at = take_exponent(at, end, parts)))
        return 0;
    return at == end;
}

static int is_non_finite_word(const char *text, size_t size)
{
    static const char *const WORDS[] = {"nan", "inf", "infinity"};

    if (size > 0 && (*text == '+' || *text == '-')) {
        text++;
        size--;
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t k = 0;

        while (k < size && WORDS[i][k] != '\0' && (text[k] | 0x20) == WORDS[i][k])
            k++;
        if (k == size && WORDS[i][k] == '\0')
            return 1;
    }
    return 0;
}

enum decimal_kind decimal_f64(const char *text, size_t size, double *value)
{
    struct parts parts;
    double magnitude;

    if (!take_number(text, size, &parts))
        return is_non_finite_word(text, size) ? DECIMAL_NON_FINITE : DECIMAL_NONE;
    if (!parts.inexact && parts.digits <= EXACT_INTEGER && parts.power >= -EXACT_POWER && parts.power <= EXACT_POWER) {
        magnitude = (double)parts.digits;
        magnitude = parts.power < 0 ? magnitude / POWERS_OF_TEN[-parts.power] : magnitude * POWERS_OF_TEN[parts.power];
        *value = parts.negative ? -magnitude : magnitude;
        return DECIMAL_FINITE;
    }
    char *end;
    double parsed = strtod(text, &end);

    assert(end == text + size);
    if (!isfinite(parsed))
        return DECIMAL_NON_FINITE;
    *value = parsed;
    return DECIMAL_FINITE;
}

enum decimal_kind decimal_f32(const char *text, size_t size, float *value)
{
    double wide;
    enum decimal_kind kind = decimal_f64(text, size, &wide);

    if (kind != DECIMAL_FINITE)
        return kind;
    return narrow_f32(wide, value) ? DECIMAL_FINITE : DECIMAL_NON_FINITE;
}
