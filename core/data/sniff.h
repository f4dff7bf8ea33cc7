/* Files that say of themselves that they are something else. */
#ifndef DESCENT_CORE_DATA_SNIFF_H
#define DESCENT_CORE_DATA_SNIFF_H

#include <stddef.h>

#include "core/data/parser.h"

#define SNIFF_SIZE 16 /* bytes that are enough to know every signature */

/* What a file beginning with bytes [size] is ("a PNG image") when it cannot be of the format; NULL: nothing known. */
const char *sniff_foreign(enum data_format format, const unsigned char *bytes, size_t size);

#endif
