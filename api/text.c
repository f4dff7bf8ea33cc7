/* A growing text; see text.h. The capacity doubles, so that n bytes cost O(n). */
#include "text.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `more` bytes and a NUL; 0 when there is none. */
static int reserve(struct text *text, size_t more)
{
    size_t capacity = text->capacity == 0 ? 4096 : text->capacity;

    if (text->failed || more > TEXT_MAX_BYTES - text->size) {
        text->failed = 1;
        return 0;
    }
    while (capacity <= text->size + more) {
        capacity *= 2;
    }
    if (capacity != text->capacity) {
        char *data = realloc(text->data, capacity);
        if (data == NULL) {
            text->failed = 1;
            return 0;
        }
        text->data = data;
        text->capacity = capacity;
    }
    return 1;
}

void text_put(struct text *text, const char *bytes, size_t size)
{
    if (reserve(text, size)) {
        memcpy(text->data + text->size, bytes, size);
        text->size += size;
        text->data[text->size] = '\0';
    }
}

void text_string(struct text *text, const char *string)
{
    text_put(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof line) {
        text->failed = 1; /* callers print short pieces; a longer one would be cut silently */
        return;
    }
    text_put(text, line, (size_t)size);
}

/* Writes `value` with so many significant digits, less zeros at the end; whether they read back as the same. */
static int print_number(char digits[32], int precision, double value)
{
    (void)snprintf(digits, 32, "%.*g", precision, value);
    return strtod(digits, NULL) == value;
}

/*
 * Between 15 digits, which may do, and 17, which always do, by the way of 16: computed numbers mostly need 16 or 17, and a
 * try costs half a microsecond. Where 16 do not do, 15 do not either, for they are no nearer. Where 15 do, the 16 end with
 * 0 (which %g drops: they are the 15), 1 or 9, since half a unit in the last place is at most 1.11 of the 16th digit.
 */
static void print_usual_number(char digits[32], double value)
{
    char fewer[32];

    if (!print_number(digits, 16, value)) {
        (void)print_number(digits, 17, value);
        return;
    }
    char last = digits[strcspn(digits, "e") - 1];
    if ((last == '1' || last == '9') && print_number(fewer, 15, value)) {
        memcpy(digits, fewer, sizeof fewer);
    }
}

/* Normal, not a power of two (whose neighbours are not equally far), and written by 15 digits without an exponent. */
static int is_usual(double value)
{
    int exponent;

    return fabs(value) >= DBL_MIN && fabs(value) < 1e15 && fabs(frexp(value, &exponent)) != 0.5;
}

void text_number(struct text *text, double value)
{
    char digits[32];

    if (is_usual(value)) {
        print_usual_number(digits, value);
    } else if (!print_number(digits, 15, value) && !print_number(digits, 16, value)) {
        (void)print_number(digits, 17, value);
    }
    text_string(text, digits);
}

void text_csv_field(struct text *text, const char *field)
{
    if (field[strcspn(field, ",\"\r\n")] == '\0') {
        text_string(text, field);
        return;
    }
    text_put(text, "\"", 1);
    for (; *field != '\0'; field++) {
        text_put(text, "\"\"", *field == '"' ? 2 : 0);
        text_put(text, field, *field != '"');
    }
    text_put(text, "\"", 1);
}

enum status text_take(struct text *text, char **data, size_t *size, struct error *error)
{
    if (!reserve(text, 0)) {
        text_release(text);
        return error_set(error, STATUS_OUT_OF_MEMORY, "the answer does not fit into memory");
    }
    text->data[text->size] = '\0';
    *data = text->data;
    *size = text->size;
    *text = (struct text){.data = NULL};
    return STATUS_OK;
}

void text_release(struct text *text)
{
    free(text->data);
    *text = (struct text){.data = NULL};
}
