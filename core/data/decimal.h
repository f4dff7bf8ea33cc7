/*
 * Decimal numbers in text, by one strict grammar and in no locale:
 *
 *     [+-] (digits [. [digits]] | . digits) [(e|E) [+-] digits]
 *
 * No blanks, no hexadecimal, no "nan" or "inf", no digits but 0-9.
 */
#ifndef DESCENT_CORE_DATA_DECIMAL_H
#define DESCENT_CORE_DATA_DECIMAL_H

#include <stddef.h>

enum decimal_kind {
    DECIMAL_NONE,       /* not a number */
    DECIMAL_FINITE,     /* a number, and its value is finite */
    DECIMAL_NON_FINITE, /* too large to be represented, or the words nan, inf, infinity in any case, with a sign or not */
};

/*
 * Reads all of text [size]; text[size] must be readable and not continue the number (a NUL, a comma). The value is the
 * nearest double; *value is written for DECIMAL_FINITE only.
 */
enum decimal_kind decimal_f64(const char *text, size_t size, double *value);
/* The same rounded to float32; numbers that round to infinity there are DECIMAL_NON_FINITE. */
enum decimal_kind decimal_f32(const char *text, size_t size, float *value);

#endif
