#include "core/data/table_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "tests/assert_close.h"

/* A writer into memory, and the data set in it once it is finished. */
struct table {
    struct buffer_sink block;
    struct table_writer *writer;
    struct dataset dataset;
    struct error error;
};

static void begin(struct table *table, const struct table_spec *spec)
{
    *table = (struct table){0};
    assert_int_equal(table_writer_new(&table->writer, spec, buffer_sink(&table->block), &table->error), STATUS_OK);
}

static enum status add(struct table *table, float a, float b, const char *label)
{
    const float x[] = {a, b};

    return table_writer_row(table->writer, x, label, strlen(label), &table->error);
}

static void finish(struct table *table)
{
    assert_int_equal(table_writer_finish(table->writer, &table->error), STATUS_OK);
    assert_int_equal(dataset_open(&table->dataset, table->block.data, table->block.size, &table->error), STATUS_OK);
}

static void end(struct table *table)
{
    table_writer_free(table->writer);
    dataset_release(&table->dataset);
    buffer_sink_release(&table->block);
}

static void table_writer_gives_the_rows_that_came(void **state)
{
    static const char *const NAMES[] = {"a", ""};
    struct table table;

    (void)state;
    begin(&table, &(struct table_spec){.features = 2, .feature_names = NAMES});
    assert_int_equal(add(&table, 1, 2, "pine"), STATUS_OK);
    assert_int_equal(add(&table, 3, 4, "oak"), STATUS_OK);
    finish(&table);
    assert_int_equal(table.dataset.rows, 2);
    assert_int_equal(table.dataset.classes, 2);
    assert_all_close_f32(table.dataset.x, ((const float[]){1, 2, 3, 4}), 4, 0, 0);
    assert_string_equal(table.dataset.class_names[0], "oak");
    assert_int_equal(table.dataset.labels[0], 1);
    assert_int_equal(table.dataset.labels[1], 0);
    assert_string_equal(table.dataset.feature_names[0], "a");
    end(&table);
}

/* Labels may be cut out of a longer text. */
static void table_writer_takes_labels_by_length(void **state)
{
    struct table table;
    const float x[] = {1, 2};

    (void)state;
    begin(&table, &(struct table_spec){.features = 2});
    assert_int_equal(table_writer_row(table.writer, x, "oak,pine", 3, &table.error), STATUS_OK);
    assert_int_equal(table_writer_row(table.writer, x, "oak,pine" + 4, 4, &table.error), STATUS_OK);
    finish(&table);
    assert_string_equal(table.dataset.class_names[0], "oak");
    assert_string_equal(table.dataset.class_names[1], "pine");
    end(&table);
}

static void table_writer_names_the_row_and_column_of_what_is_not_finite(void **state)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct table table;

        begin(&table, &(struct table_spec){.features = 2});
        assert_int_equal(add(&table, 1, 2, "x"), STATUS_OK);
        assert_int_equal(add(&table, 1, bad[i], "y"), STATUS_NON_FINITE_VALUE);
        assert_int_equal(table.error.line, 2);
        assert_int_equal(table.error.column, 2);
        end(&table);
    }
}

static void table_writer_refuses_labels_that_are_none(void **state)
{
    struct table table;

    (void)state;
    begin(&table, &(struct table_spec){.features = 2});
    assert_int_equal(add(&table, 1, 2, ""), STATUS_LABEL_INVALID);
    assert_int_equal(table.error.line, 1);
    assert_int_equal(table.error.column, 0);
    end(&table);
}

static void table_writer_refuses_tables_without_rows_or_with_one_class(void **state)
{
    struct table table;

    (void)state;
    begin(&table, &(struct table_spec){.features = 2});
    assert_int_equal(table_writer_finish(table.writer, NULL), STATUS_DATASET_EMPTY);
    assert_int_equal(add(&table, 1, 2, "x"), STATUS_OK);
    assert_int_equal(add(&table, 3, 4, "x"), STATUS_OK);
    assert_int_equal(table_writer_finish(table.writer, NULL), STATUS_LABELS_SINGLE_CLASS);
    end(&table);
}

static void table_writer_refuses_specifications_out_of_range(void **state)
{
    static const char *const SAME[] = {"a", "a"}, *const NO_UTF8[] = {"\xFF"};
    static const struct {
        struct table_spec spec;
        enum status status;
    } BAD[] = {
        {{.features = 0}, STATUS_DATASET_TOO_LARGE},
        {{.features = DATASET_MAX_FEATURES + 1}, STATUS_DATASET_TOO_LARGE},
        {{.features = 1, .soft_classes = 1}, STATUS_LABELS_SINGLE_CLASS},
        {{.features = 1, .soft_classes = DATASET_MAX_CLASSES + 1}, STATUS_TOO_MANY_CLASSES},
        {{.features = 1, .soft_classes = 2, .soft_class_names = SAME}, STATUS_LABEL_INVALID},
        {{.features = 1, .feature_names = NO_UTF8}, STATUS_NAME_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct buffer_sink block = {0};
        struct table_writer *writer;

        assert_int_equal(table_writer_new(&writer, &BAD[i].spec, buffer_sink(&block), NULL), BAD[i].status);
        assert_null(writer);
    }
}

static void table_writer_keeps_soft_rows_and_their_class_order(void **state)
{
    static const char *const NAMES[] = {"z", "a"};
    const float x[] = {1, 2}, soft[] = {0.25f, 0.75f}, nearly[] = {0.333333f, 0.666666f}, off[] = {0.33333f, 0.66666f},
                negative[] = {-0.5f, 1.5f}, nan[] = {NAN, 1};
    struct table table;

    (void)state;
    begin(&table, &(struct table_spec){.features = 2, .soft_classes = 2, .soft_class_names = NAMES});
    assert_int_equal(table_writer_soft_row(table.writer, x, soft, &table.error), STATUS_OK);
    assert_int_equal(table_writer_soft_row(table.writer, x, nearly, &table.error), STATUS_OK);
    assert_int_equal(table_writer_soft_row(table.writer, x, off, NULL), STATUS_SOFT_LABEL_INVALID);
    assert_int_equal(table_writer_soft_row(table.writer, x, negative, NULL), STATUS_SOFT_LABEL_INVALID);
    assert_int_equal(table_writer_soft_row(table.writer, x, nan, NULL), STATUS_SOFT_LABEL_INVALID);
    finish(&table);
    assert_int_equal(table.dataset.label_type, LABEL_SOFT);
    assert_int_equal(table.dataset.rows, 2);
    assert_string_equal(table.dataset.class_names[0], "z");
    assert_all_close_f32(table.dataset.soft_labels, ((const float[]){0.25f, 0.75f, 0.333333f, 0.666666f}), 4, 0, 0);
    assert_int_equal(dataset_label(&table.dataset, 0), 1);
    end(&table);
}

static void table_writer_gives_the_same_bytes_whatever_class_comes_first(void **state)
{
    struct table one, two;

    (void)state;
    begin(&one, &(struct table_spec){.features = 2});
    begin(&two, &(struct table_spec){.features = 2});
    assert_int_equal(add(&one, 0, 0, "b") | add(&one, 0, 0, "a"), STATUS_OK);
    assert_int_equal(add(&two, 0, 0, "a") | add(&two, 0, 0, "b"), STATUS_OK);
    finish(&one);
    finish(&two);
    /* only the labels differ, as the rows do; names and numbering are the same */
    assert_int_equal(one.dataset.labels[0], 1);
    assert_int_equal(two.dataset.labels[0], 0);
    assert_string_equal(one.dataset.class_names[0], two.dataset.class_names[0]);
    end(&one);
    end(&two);
}

static enum status failing_write(void *context, const void *bytes, size_t size, struct error *error)
{
    (void)context;
    (void)bytes;
    (void)size;
    return error_set(error, STATUS_INSUFFICIENT_STORAGE, "no room");
}

static void table_writer_hands_on_what_its_sink_reports(void **state)
{
    struct table_writer *writer;
    struct error error = {0};
    float x[65536] = {0};

    (void)state;
    assert_int_equal(
        table_writer_new(&writer, &(struct table_spec){.features = 65536}, (struct sink){.write = failing_write}, &error),
        STATUS_OK);
    assert_int_equal(table_writer_row(writer, x, "x", 1, &error), STATUS_INSUFFICIENT_STORAGE);
    assert_string_equal(error.message, "no room");
    table_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_writer_gives_the_rows_that_came),
        cmocka_unit_test(table_writer_takes_labels_by_length),
        cmocka_unit_test(table_writer_names_the_row_and_column_of_what_is_not_finite),
        cmocka_unit_test(table_writer_refuses_labels_that_are_none),
        cmocka_unit_test(table_writer_refuses_tables_without_rows_or_with_one_class),
        cmocka_unit_test(table_writer_refuses_specifications_out_of_range),
        cmocka_unit_test(table_writer_keeps_soft_rows_and_their_class_order),
        cmocka_unit_test(table_writer_gives_the_same_bytes_whatever_class_comes_first),
        cmocka_unit_test(table_writer_hands_on_what_its_sink_reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
