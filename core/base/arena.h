/*
 * Memory with one lifetime: one reservation, many 64-byte aligned pieces, freed whole.
 *
 * A plan adds up with arena_plan what arena_take will use, so that an arena of exactly the planned size never runs out.
 * Pages are the kernel's zero pages until they are touched.
 */
#ifndef DESCENT_CORE_BASE_ARENA_H
#define DESCENT_CORE_BASE_ARENA_H

#include <stddef.h>

#include "core/base/status.h"

#define ARENA_ALIGNMENT 64

struct arena;

/* An arena of `bytes` bytes; NULL when there is no such memory. Free with arena_free (NULL is fine). */
struct arena *arena_new(size_t bytes);
void arena_free(struct arena *arena);

/* count * size zeroed bytes, borrowed until arena_free; NULL when they do not fit (count * size may overflow). */
MUST_CHECK void *arena_take(struct arena *arena, size_t count, size_t size);
size_t arena_used(const struct arena *arena);

/* Adds to *bytes what arena_take(count, size) uses; returns 0 where the sum overflows (*bytes is then SIZE_MAX for good). */
int arena_plan(size_t *bytes, size_t count, size_t size);

#endif
