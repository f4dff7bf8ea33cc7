#include "core/data/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#define ROWS 1000

static int32_t labels[ROWS];

/* Class c has so many rows of ROWS, mixed. */
static struct dataset make_dataset(const uint32_t *sizes, uint32_t classes)
{
    uint32_t row = 0;

    for (uint32_t class = 0; class < classes; class ++)
        for (uint32_t i = 0; i < sizes[class]; i++)
            labels[row++ * 7 % ROWS] = (int32_t) class;
    assert_int_equal(row, ROWS);
    return (struct dataset){.rows = ROWS, .features = 1, .label_type = LABEL_CLASS, .classes = classes, .labels = labels};
}

static uint32_t count_class(const uint32_t *rows, uint64_t count, int32_t class)
{
    uint32_t found = 0;

    for (uint64_t i = 0; i < count; i++)
        found += labels[rows[i]] == class;
    return found;
}

/* Ascending, disjoint, complete. */
static void assert_partition(const struct split *split, uint64_t rows)
{
    const uint32_t *parts[] = {split->train, split->validation, split->test};
    const uint64_t counts[] = {split->train_count, split->validation_count, split->test_count};
    unsigned char *seen = calloc(rows, 1);

    assert_non_null(seen);
    assert_int_equal(counts[0] + counts[1] + counts[2], rows);
    for (int p = 0; p < 3; p++)
        for (uint64_t i = 0; i < counts[p]; i++) {
            assert_true(parts[p][i] < rows);
            assert_int_equal(seen[parts[p][i]]++, 0);
            if (i > 0)
                assert_true(parts[p][i - 1] < parts[p][i]);
        }
    free(seen);
}

static void split_is_a_partition_of_the_sizes_asked_for(void **state)
{
    const uint32_t sizes[] = {300, 500, 200};
    struct dataset dataset = make_dataset(sizes, 3);

    (void)state;
    for (int stratified = 0; stratified < 2; stratified++) {
        struct split split;

        assert_int_equal(split_make(&split, &dataset, &(struct split_spec){0.1, 0.25, stratified}, 1, NULL), STATUS_OK);
        assert_int_equal(split.validation_count, 100);
        assert_int_equal(split.test_count, 250);
        assert_partition(&split, ROWS);
        split_release(&split);
    }
}

static void split_stratified_takes_the_same_share_of_every_class(void **state)
{
    const uint32_t sizes[] = {701, 200, 99};
    struct dataset dataset = make_dataset(sizes, 3);
    struct split split;

    (void)state;
    assert_int_equal(split_make(&split, &dataset, &(struct split_spec){0.1, 0.2, 1}, 1, NULL), STATUS_OK);
    assert_partition(&split, ROWS);
    for (int32_t class = 0; class < 3; class ++) {
        double want = sizes[class];

        assert_true(fabs(count_class(split.validation, 100, class) - 0.1 * want) <= 1);
        assert_true(fabs(count_class(split.test, 200, class) - 0.2 * want) <= 1);
    }
    split_release(&split);
}

static void split_copes_with_classes_of_one_row_or_none(void **state)
{
    const uint32_t sizes[] = {1, 0, 1, 997, 1};
    struct dataset dataset = make_dataset(sizes, 5);
    struct split split;

    (void)state;
    assert_int_equal(split_make(&split, &dataset, &(struct split_spec){0.499, 0.499, 1}, 1, NULL), STATUS_OK);
    assert_int_equal(split.train_count, 2);
    assert_partition(&split, ROWS);
    split_release(&split);
}

static void split_depends_on_the_seed_alone(void **state)
{
    const uint32_t sizes[] = {500, 500};
    struct dataset dataset = make_dataset(sizes, 2);
    const struct split_spec spec = {0.2, 0.2, 1};
    struct split a, b, c;

    (void)state;
    assert_int_equal(split_make(&a, &dataset, &spec, 1, NULL), STATUS_OK);
    assert_int_equal(split_make(&b, &dataset, &spec, 1, NULL), STATUS_OK);
    assert_int_equal(split_make(&c, &dataset, &spec, 2, NULL), STATUS_OK);
    assert_memory_equal(a.test, b.test, 200 * sizeof *a.test);
    assert_memory_equal(a.validation, b.validation, 200 * sizeof *a.test);
    assert_memory_not_equal(a.test, c.test, 200 * sizeof *a.test);
    split_release(&a);
    split_release(&b);
    split_release(&c);
}

static void split_of_everything_is_training(void **state)
{
    const uint32_t sizes[] = {500, 500};
    struct dataset dataset = make_dataset(sizes, 2);
    struct split split;

    (void)state;
    assert_int_equal(split_make(&split, &dataset, &(struct split_spec){0, 0, 1}, 1, NULL), STATUS_OK);
    assert_int_equal(split.train_count, ROWS);
    assert_int_equal(split.train[999], 999);
    assert_partition(&split, ROWS);
    split_release(&split);
}

static void split_rounds_sizes_to_the_nearest(void **state)
{
    static const int32_t LABELS[10] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    const struct dataset dataset = {.rows = 10, .features = 1, .label_type = LABEL_CLASS, .classes = 2, .labels = LABELS};
    struct split split;

    (void)state;
    assert_int_equal(split_make(&split, &dataset, &(struct split_spec){0.24, 0.25, 1}, 1, NULL), STATUS_OK);
    assert_int_equal(split.validation_count, 2);
    assert_int_equal(split.test_count, 3);
    split_release(&split);
}

static void split_uses_the_most_probable_class_of_soft_labels(void **state)
{
    float soft[40][2];
    const struct dataset dataset = {
        .rows = 40, .features = 1, .label_type = LABEL_SOFT, .classes = 2, .soft_labels = soft[0]};
    struct split split;
    int first = 0;

    (void)state;
    for (int row = 0; row < 40; row++) {
        soft[row][0] = row % 4 == 0 ? 0.9f : 0.1f;
        soft[row][1] = 1 - soft[row][0];
    }
    assert_int_equal(split_make(&split, &dataset, &(struct split_spec){0, 0.5, 1}, 1, NULL), STATUS_OK);
    for (int i = 0; i < 20; i++)
        first += split.test[i] % 4 == 0;
    assert_int_equal(first, 5);
    split_release(&split);
}

static void split_refuses_parts_without_rows_and_wrong_fractions(void **state)
{
    const uint32_t sizes[] = {500, 500};
    const struct dataset dataset = make_dataset(sizes, 2);
    static const struct {
        double validation, test;
        enum status status;
    } BAD[] = {
        {0.0001, 0.1, STATUS_SPLIT_EMPTY}, {0.1, 0.0001, STATUS_SPLIT_EMPTY}, {0.5, 0.4999, STATUS_SPLIT_EMPTY},
        {0.5, 0.5, STATUS_OUT_OF_RANGE},   {-0.1, 0, STATUS_OUT_OF_RANGE},    {0, -0.1, STATUS_OUT_OF_RANGE},
        {NAN, 0, STATUS_OUT_OF_RANGE},     {0, NAN, STATUS_OUT_OF_RANGE},     {INFINITY, 0, STATUS_OUT_OF_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct split split;

        assert_int_equal(split_make(&split, &dataset, &(struct split_spec){BAD[i].validation, BAD[i].test, 1}, 1, NULL),
                         BAD[i].status);
        assert_null(split.train);
    }
}

static void split_gives_the_rows_of_each_part(void **state)
{
    uint32_t rows[6] = {0};
    const struct split split = {
        .train = rows, .train_count = 3, .validation = rows + 3, .validation_count = 2, .test = rows + 5, .test_count = 1};
    const char *const names[PART_COUNT] = {"train", "validation", "test"};
    uint64_t first = 0;

    (void)state;
    for (int part = 0; part < PART_COUNT; part++) {
        struct split_rows found = split_rows_of(&split, (enum split_part)part);

        assert_ptr_equal(found.rows, rows + first);
        assert_int_equal(found.count, 3 - part);
        assert_string_equal(split_part_name((enum split_part)part), names[part]);
        first += found.count;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_is_a_partition_of_the_sizes_asked_for),
        cmocka_unit_test(split_stratified_takes_the_same_share_of_every_class),
        cmocka_unit_test(split_copes_with_classes_of_one_row_or_none),
        cmocka_unit_test(split_depends_on_the_seed_alone),
        cmocka_unit_test(split_of_everything_is_training),
        cmocka_unit_test(split_rounds_sizes_to_the_nearest),
        cmocka_unit_test(split_uses_the_most_probable_class_of_soft_labels),
        cmocka_unit_test(split_gives_the_rows_of_each_part),
        cmocka_unit_test(split_refuses_parts_without_rows_and_wrong_fractions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
