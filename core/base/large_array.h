/*
 * Memory for what is walked through again and again: in huge pages where the system gives them (transparent huge pages,
 * `madvise` or `always`), so that the processor need not look up where each 4 KiB of it are.
 */
#ifndef DESCENT_CORE_BASE_LARGE_ARRAY_H
#define DESCENT_CORE_BASE_LARGE_ARRAY_H

#include <stddef.h>

/* `bytes` (more than 0) zeros on a boundary of 64 bytes, for free(). NULL: there is no memory. */
void *large_array_new(size_t bytes);

#endif
