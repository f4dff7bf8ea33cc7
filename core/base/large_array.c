/* See the header. */
#include "core/base/large_array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE 64u
#define HUGE_PAGE  (2u << 20)
#define MANY       (2 * HUGE_PAGE) /* below, what rounding up wastes is more than it is worth */

void *large_array_new(size_t bytes)
{
    const size_t alignment = bytes >= MANY ? HUGE_PAGE : CACHE_LINE;
    void *memory;

    if (bytes > SIZE_MAX - alignment) {
        return NULL;
    }
    bytes = (bytes + alignment - 1) / alignment * alignment;
    memory = aligned_alloc(alignment, bytes);
    if (memory == NULL) {
        return NULL;
    }
    if (alignment == HUGE_PAGE) {
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: small pages do as well, slower */
    }
    return memset(memory, 0, bytes);
}
