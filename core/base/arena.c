/*
 * Anonymous pages rather than malloc: they come zeroed, and a part that is never touched costs no memory. The head of
 * the mapping keeps the arena itself.
 */
#include "core/base/arena.h"

#include <stdint.h>
#include <sys/mman.h>

struct arena {
    size_t size, used; /* bytes of the mapping, head included */
};

#define HEAD ((sizeof(struct arena) + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT)

/* count * size rounded up to the alignment; *overflow tells where that is no size_t. */
static size_t piece_size(size_t count, size_t size, int *overflow)
{
    size_t bytes;

    *overflow = __builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - (ARENA_ALIGNMENT - 1);
    return *overflow ? 0 : (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

struct arena *arena_new(size_t bytes)
{
    size_t total;
    void *memory;

    if (__builtin_add_overflow(bytes, HEAD, &total)) {
        return NULL;
    }
    memory = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    struct arena *arena = memory;
    arena->size = total;
    arena->used = HEAD;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena != NULL) {
        munmap(arena, arena->size);
    }
}

void *arena_take(struct arena *arena, size_t count, size_t size)
{
    int overflow;
    size_t bytes = piece_size(count, size, &overflow);

    if (overflow || bytes > arena->size - arena->used) {
        return NULL;
    }
    void *piece = (unsigned char *)arena + arena->used;
    arena->used += bytes;
    return piece;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used - HEAD;
}

int arena_plan(size_t *bytes, size_t count, size_t size)
{
    int overflow;
    size_t piece = piece_size(count, size, &overflow);

    if (overflow || __builtin_add_overflow(*bytes, piece, bytes)) {
        *bytes = SIZE_MAX;
        return 0;
    }
    return *bytes != SIZE_MAX;
}
