#include "core/data/class_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/data/dataset.h"

static int32_t number(struct class_names *classes, const char *name)
{
    int32_t number = -1;

    assert_int_equal(class_names_number(classes, name, strlen(name), &number, NULL), STATUS_OK);
    return number;
}

static void class_names_keep_their_number_until_they_are_sorted(void **state)
{
    struct class_names classes = {0};
    char name[16];

    (void)state;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "n%d", i * 7919 % 1000);
            assert_int_equal(number(&classes, name), i);
        }
    assert_int_equal(classes.count, 1000);
    class_names_release(&classes);
}

static void class_names_that_begin_alike_are_different(void **state)
{
    struct class_names classes = {0};

    (void)state;
    assert_int_equal(number(&classes, "oak"), 0);
    assert_int_equal(number(&classes, "oaks"), 1);
    assert_int_equal(number(&classes, "oa"), 2);
    assert_int_equal(number(&classes, "oak"), 0);
    class_names_release(&classes);
}

static void assert_sorted(const char *const *names, const char *const *sorted, size_t count)
{
    struct class_names classes = {0};
    int32_t renumbered[16];

    for (size_t i = 0; i < count; i++)
        assert_int_equal(number(&classes, names[i]), i);
    assert_int_equal(class_names_sort(&classes, renumbered, NULL), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(classes.names[i], sorted[i]);
        assert_string_equal(classes.names[renumbered[i]], names[i]);
    }
    class_names_release(&classes);
}

static void class_names_sort_by_value_if_all_are_numbers(void **state)
{
    (void)state;
    assert_sorted((const char *[]){"10", "9", "-1", "1.5", "01", "1"}, (const char *[]){"-1", "01", "1", "1.5", "9", "10"},
                  6);
}

static void class_names_sort_by_bytes_otherwise(void **state)
{
    (void)state;
    assert_sorted((const char *[]){"b", "10", "\xC3\xA4", "9", "B"}, (const char *[]){"10", "9", "B", "b", "\xC3\xA4"}, 5);
    assert_sorted((const char *[]){"nan", "10", "9"}, (const char *[]){"10", "9", "nan"}, 3);
}

static void class_names_refuse_what_is_no_name(void **state)
{
    struct class_names classes = {0};
    char longest[DATASET_CLASS_NAME_MAX + 1];
    int32_t ignored;

    (void)state;
    memset(longest, 'x', sizeof longest);
    assert_int_equal(number(&classes, "a"), 0);
    assert_int_equal(class_names_number(&classes, "", 0, &ignored, NULL), STATUS_LABEL_INVALID);
    assert_int_equal(class_names_number(&classes, "a\0b", 3, &ignored, NULL), STATUS_LABEL_INVALID);
    assert_int_equal(class_names_number(&classes, "\xC0\x80", 2, &ignored, NULL), STATUS_LABEL_INVALID);
    assert_int_equal(class_names_number(&classes, longest, sizeof longest, &ignored, NULL), STATUS_LABEL_INVALID);
    assert_int_equal(class_names_number(&classes, longest, sizeof longest - 1, &ignored, NULL), STATUS_OK);
    class_names_release(&classes);
}

static void class_names_are_limited_in_number(void **state)
{
    struct class_names classes = {0};
    char name[16];
    int32_t ignored;

    (void)state;
    for (int i = 0; i < DATASET_MAX_CLASSES; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(number(&classes, name), i);
    }
    assert_int_equal(class_names_number(&classes, "one more", 8, &ignored, NULL), STATUS_TOO_MANY_CLASSES);
    assert_int_equal(number(&classes, "17"), 17);
    class_names_release(&classes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_names_keep_their_number_until_they_are_sorted),
        cmocka_unit_test(class_names_that_begin_alike_are_different),
        cmocka_unit_test(class_names_sort_by_value_if_all_are_numbers),
        cmocka_unit_test(class_names_sort_by_bytes_otherwise),
        cmocka_unit_test(class_names_refuse_what_is_no_name),
        cmocka_unit_test(class_names_are_limited_in_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
