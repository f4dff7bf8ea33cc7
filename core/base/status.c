/*
 * The table of status codes, and filling in a struct error.
 *
 * Codes are the names of status.def in lower case. They are lower-cased once, at first use, rather than written twice.
 */
#include "core/base/status.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define CODE_TEXT 48

static const struct {
    enum status_kind kind;
    const char *name;
    const char *title;
} table[STATUS_COUNT] = {
    [STATUS_OK] = {KIND_NONE, "OK", "No error"},
#define STATUS(name, kind, title) [STATUS_##name] = {KIND_##kind, #name, title},
#include "core/base/status.def"
#undef STATUS
};

#define STATUS(name, kind, title) static_assert(sizeof(#name) <= CODE_TEXT, "the code " #name " is too long");
#include "core/base/status.def"
#undef STATUS

static char codes[STATUS_COUNT][CODE_TEXT];
static pthread_once_t codes_once = PTHREAD_ONCE_INIT;

static void make_codes(void)
{
    for (int s = 0; s < STATUS_COUNT; s++) {
        for (size_t i = 0; table[s].name[i] != '\0'; i++) {
            char letter = table[s].name[i];
            codes[s][i] = letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
        }
    }
}

const char *status_code(enum status status)
{
    assert((unsigned)status < STATUS_COUNT);
    pthread_once(&codes_once, make_codes);
    return codes[status];
}

const char *status_title(enum status status)
{
    assert((unsigned)status < STATUS_COUNT);
    return table[status].title;
}

enum status_kind status_kind(enum status status)
{
    assert((unsigned)status < STATUS_COUNT);
    return table[status].kind;
}

/* Empty, if this error is to be filled; NULL if there is none or it already tells of an earlier failure. */
static struct error *error_begin(struct error *error, enum status status)
{
    assert(status != STATUS_OK);
    if (error == NULL || error->status != STATUS_OK) {
        return NULL;
    }
    *error = (struct error){.status = status};
    return error;
}

/* A message longer than its place is cut, but never inside a UTF-8 character. */
static void set_text(char *text, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
static void set_text(char *text, size_t size, const char *format, va_list arguments)
{
    int length = vsnprintf(text, size, format, arguments);

    if (length < 0) {
        text[0] = '\0';
    } else if ((size_t)length >= size) {
        size_t end = size - 1;
        while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80) {
            end--;
        }
        if (end > 0 && (unsigned char)text[end - 1] >= 0xC0) {
            end--;
        }
        text[end] = '\0';
    }
}

#define SET_MESSAGE(error, format)                                                                                          \
    do {                                                                                                                    \
        va_list arguments;                                                                                                  \
        va_start(arguments, format);                                                                                        \
        set_text((error)->message, sizeof((error)->message), format, arguments);                                            \
        va_end(arguments);                                                                                                  \
    } while (0)

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
    struct error *fresh = error_begin(error, status);

    if (fresh != NULL) {
        SET_MESSAGE(fresh, format);
    }
    return status;
}

enum status error_set_pointer(struct error *error, enum status status, const char *pointer, const char *format, ...)
{
    struct error *fresh = error_begin(error, status);

    if (fresh != NULL) {
        SET_MESSAGE(fresh, format);
        snprintf(fresh->pointer, sizeof(fresh->pointer), "%s", pointer);
    }
    return status;
}

enum status error_set_line(struct error *error, enum status status, int64_t line, int64_t column, const char *format, ...)
{
    struct error *fresh = error_begin(error, status);

    if (fresh != NULL) {
        SET_MESSAGE(fresh, format);
        fresh->line = line;
        fresh->column = column;
    }
    return status;
}

enum status error_set_offset(struct error *error, enum status status, int64_t offset, const char *format, ...)
{
    struct error *fresh = error_begin(error, status);

    if (fresh != NULL) {
        SET_MESSAGE(fresh, format);
        fresh->offset = offset;
        fresh->has_offset = 1;
    }
    return status;
}
