/* What an encoder has written, as a string to compare. */
#ifndef DESCENT_TESTS_API_WRITTEN_H
#define DESCENT_TESTS_API_WRITTEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json_writer.h"

/* Makes the writer new again. */
static inline void discard(struct json_writer *writer)
{
    json_writer_release(writer);
    *writer = (struct json_writer){.depth = 0};
}

/* Fails unless the whole JSON text is `want`; makes the writer new again. */
static inline void assert_written(struct json_writer *writer, const char *want)
{
    char *text;
    size_t size;

    assert_int_equal(json_writer_take(writer, &text, &size, NULL), STATUS_OK);
    assert_string_equal(text, want);
    free(text);
    discard(writer);
}

static inline void assert_text_written(struct text *text, const char *want)
{
    char *data;
    size_t size;

    assert_int_equal(text_take(text, &data, &size, NULL), STATUS_OK);
    assert_int_equal(size, strlen(want));
    assert_string_equal(data, want);
    free(data);
}

/* Fails unless `piece` stands in what was written so far. */
static inline void assert_has(const struct json_writer *writer, const char *piece)
{
    if (strstr(writer->text.data, piece) == NULL) {
        print_error("%s\nlacks %s\n", writer->text.data, piece);
        fail();
    }
}

#endif
