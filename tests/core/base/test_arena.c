#include "core/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
    struct arena *arena = arena_new(4096);
    unsigned char *first, *second;

    (void)state;
    assert_non_null(arena);
    first = arena_take(arena, 3, 7);
    second = arena_take(arena, 1, 65);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal((uintptr_t)first % ARENA_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)second % ARENA_ALIGNMENT, 0);
    assert_ptr_equal(second, first + ARENA_ALIGNMENT);
    for (size_t i = 0; i < 65; i++) {
        assert_int_equal(second[i], 0);
    }
    assert_int_equal(arena_used(arena), 64 + 128);
    arena_free(arena);
}

static void an_arena_of_the_planned_size_gives_what_was_planned_and_no_more(void **state)
{
    static const size_t sizes[][2] = {{1, 1}, {64, 1}, {10, 13}, {0, 8}, {1000, 4}};
    size_t bytes = 0;
    struct arena *arena;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_true(arena_plan(&bytes, sizes[i][0], sizes[i][1]));
    }
    arena = arena_new(bytes);
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_non_null(arena_take(arena, sizes[i][0], sizes[i][1]));
    }
    assert_int_equal(arena_used(arena), bytes);
    assert_null(arena_take(arena, 1, 1));
    arena_free(arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct arena *arena = arena_new(1 << 16);
    size_t bytes = 0;

    (void)state;
    assert_non_null(arena);
    assert_null(arena_take(arena, SIZE_MAX / 2, 3));
    assert_null(arena_take(arena, SIZE_MAX, 1));
    assert_null(arena_take(arena, SIZE_MAX - 70, 1));
    assert_non_null(arena_take(arena, 1, 1));
    assert_false(arena_plan(&bytes, SIZE_MAX / 2, 3));
    assert_int_equal(bytes, SIZE_MAX);
    assert_false(arena_plan(&bytes, 1, 1)); /* once over, always over */
    assert_int_equal(bytes, SIZE_MAX);
    arena_free(arena);
    arena_free(NULL);
    assert_null(arena_new(SIZE_MAX));
    assert_null(arena_new(SIZE_MAX / 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
        cmocka_unit_test(an_arena_of_the_planned_size_gives_what_was_planned_and_no_more),
        cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
