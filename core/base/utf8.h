/* Whether bytes are UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef DESCENT_CORE_BASE_UTF8_H
#define DESCENT_CORE_BASE_UTF8_H

#include <stddef.h>

/* Length in bytes, 1 to 4, of the well-formed sequence that text [size] begins with; 0: there is none. NUL is one. */
size_t utf8_sequence(const char *text, size_t size);
/* 1 when all of text [size] is well-formed. */
int utf8_valid(const char *text, size_t size);

#endif
