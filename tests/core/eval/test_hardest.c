#include "core/eval/hardest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int in_order(const void *a, const void *b)
{
    const struct hard_row *x = a, *y = b;

    return x->loss != y->loss ? (x->loss < y->loss ? 1 : -1) : (x->place > y->place ? 1 : -1);
}

/* Against sorting all of them; many losses are equal. */
static void the_hardest_rows_are_the_first_of_all_in_order(void **state)
{
    enum { ROWS = 500 };
    static const uint64_t mosts[] = {1, 2, 3, 7, 64, 499, 500, 501, 1000};
    struct hard_row all[ROWS];
    uint32_t random = 12345;

    (void)state;
    for (uint64_t i = 0; i < ROWS; i++) {
        random = random * 1664525 + 1013904223;
        all[i] = (struct hard_row){.place = i, .loss = (random >> 24) / 16.0};
    }
    for (size_t m = 0; m < sizeof(mosts) / sizeof(mosts[0]); m++) {
        uint64_t want = mosts[m] < ROWS ? mosts[m] : ROWS;
        struct hard_row sorted[ROWS];
        struct hardest hardest;

        assert_int_equal(hardest_init(&hardest, mosts[m], NULL), STATUS_OK);
        for (size_t i = 0; i < ROWS; i++) {
            sorted[i] = all[i];
            hardest_add(&hardest, all[i].loss);
        }
        hardest_finish(&hardest);
        qsort(sorted, ROWS, sizeof(*sorted), in_order);
        assert_int_equal(hardest.count, want);
        for (uint64_t i = 0; i < want; i++) {
            assert_int_equal(hardest.rows[i].place, sorted[i].place);
            assert_true(hardest.rows[i].loss == sorted[i].loss);
        }
        hardest_release(&hardest);
    }
}

static void what_is_no_number_comes_first(void **state)
{
    const double losses[] = {1, (double)NAN, 2, (double)INFINITY};
    static const uint64_t places[] = {1, 3, 2};
    struct hardest hardest;

    (void)state;
    assert_int_equal(hardest_init(&hardest, 3, NULL), STATUS_OK);
    for (size_t i = 0; i < 4; i++) {
        hardest_add(&hardest, losses[i]);
    }
    hardest_finish(&hardest);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hardest.rows[i].place, places[i]);
    }
    hardest_release(&hardest);
}

static void of_no_rows_none_is_hard(void **state)
{
    struct hardest hardest;

    (void)state;
    assert_int_equal(hardest_init(&hardest, 5, NULL), STATUS_OK);
    hardest_finish(&hardest);
    assert_int_equal(hardest.count, 0);
    hardest_release(&hardest);
    hardest_release(&hardest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hardest_rows_are_the_first_of_all_in_order),
        cmocka_unit_test(what_is_no_number_comes_first),
        cmocka_unit_test(of_no_rows_none_is_hard),
    };
    return cmocka_run_group_tests_name("hardest", tests, NULL, NULL);
}
