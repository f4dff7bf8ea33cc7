/* A growing text; see text.h. The capacity doubles, so that n bytes cost O(n). */
#include "text.h"

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

void text_number(struct text *text, double value)
{
    char digits[32];

    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) {
            break;
        }
    }
    text_string(text, digits);
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
