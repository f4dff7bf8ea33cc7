#include "api/ascii.h"

#include "tests/api/written.h"

/* The line of labels that have these columns, of 20 of the plot. */
static void put_labels(struct text *out, const char *const *labels, const uint32_t *columns, size_t count)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        ascii_x_label(out, &used, labels[i], columns[i], 20);
    }
}

static void the_last_label_is_moved_to_where_it_has_room(void **state)
{
    static const char *const labels[] = {"0", "500", "1000"};
    static const uint32_t columns[] = {0, 10, 19};
    struct text out = {.data = NULL};

    (void)state;
    put_labels(&out, labels, columns, 3);
    assert_text_written(&out, "          0        500    1000");
}

static void labels_that_would_touch_are_left_out(void **state)
{
    static const char *const labels[] = {"abcde", "fgh", "ijk", ""};
    static const uint32_t columns[] = {4, 8, 9, 19};
    struct text out = {.data = NULL};

    (void)state;
    put_labels(&out, labels, columns, 4);
    assert_text_written(&out, "            abcde ijk");
}

static void a_label_is_as_wide_as_its_characters(void **state)
{
    static const char *const labels[] = {"äöü", "x"};
    static const uint32_t columns[] = {1, 4};
    struct text out = {.data = NULL};

    (void)state;
    put_labels(&out, labels, columns, 2);
    assert_text_written(&out, "          äöü x");
    ascii_row_begin(&out, "µ");
    assert_text_written(&out, "       µ ┤");
}

static void text_is_cut_between_characters(void **state)
{
    struct text out = {.data = NULL};

    (void)state;
    ascii_cut(&out, "ä\x1b\nö\x7fü", 2);
    assert_text_written(&out, "äö");
}

static void the_axis_has_its_ticks_and_its_name_in_the_middle(void **state)
{
    static const char is_tick[] = {1, 0, 0, 1};
    struct text out = {.data = NULL};

    (void)state;
    ascii_x_axis(&out, is_tick, sizeof is_tick);
    ascii_x_name(&out, "ÄÖ", sizeof is_tick);
    assert_text_written(&out, "         └┬──┬\n\n           ÄÖ\n");
    ascii_x_name(&out, "longer", sizeof is_tick);
    assert_text_written(&out, "\n          long\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_label_is_moved_to_where_it_has_room),
        cmocka_unit_test(labels_that_would_touch_are_left_out),
        cmocka_unit_test(a_label_is_as_wide_as_its_characters),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(the_axis_has_its_ticks_and_its_name_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
