#include "tests/core/data/parsing.h"

#include <stdio.h>

#include "core/data/csv_reader.h"
#include "tests/assert_close.h"

static struct parsed parse(const char *text, const struct parse_options *options)
{
    return parse_every_way(DATA_CSV, options, text, strlen(text));
}

static struct parsed parse_good(const char *text, const struct parse_options *options)
{
    struct parsed parsed = parse(text, options);

    assert_string_equal(parsed.error.message, "");
    assert_int_equal(parsed.status, STATUS_OK);
    return parsed;
}

/* The file is refused in every cut, with this code, line and column. */
static void refuse_bytes(const void *bytes, size_t size, const struct parse_options *options, enum status status,
                         int64_t line, int64_t column)
{
    struct parsed parsed = parse_every_way(DATA_CSV, options, bytes, size);

    assert_string_equal(status_code(parsed.status), status_code(status));
    assert_int_equal(parsed.error.line, line);
    assert_int_equal(parsed.error.column, column);
    parsed_release(&parsed);
}

static void refuse(const char *text, enum status status, int64_t line, int64_t column)
{
    refuse_bytes(text, strlen(text), NULL, status, line, column);
}

static void assert_rows(const struct dataset *dataset, const float *x, const char *const *labels, size_t rows)
{
    assert_int_equal(dataset->rows, rows);
    assert_int_equal(dataset->label_type, LABEL_CLASS);
    for (size_t row = 0; row < rows; row++) {
        float got[16];

        dataset_row(dataset, row, got);
        assert_all_close_f32(got, x + row * dataset->features, dataset->features, 0, 0);
        assert_string_equal(dataset->class_names[dataset->labels[row]], labels[row]);
    }
}

static void csv_reads_a_header_numbers_and_labels(void **state)
{
    struct parsed parsed = parse_good("width,height,kind\n1.5,-2,oak\n+3e2,.25,pine\n-0.5E-1,7.,oak\n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){1.5f, -2, 300, 0.25f, -0.05f, 7}, (const char *[]){"oak", "pine", "oak"},
                3);
    assert_int_equal(parsed.dataset.features, 2);
    assert_int_equal(parsed.dataset.width, 2);
    assert_int_equal(parsed.dataset.is_image, 0);
    assert_int_equal(parsed.dataset.feature_type, FEATURE_F32);
    assert_string_equal(parsed.dataset.feature_names[0], "width");
    assert_string_equal(parsed.dataset.feature_names[1], "height");
    parsed_release(&parsed);
}

static void csv_without_header_has_no_feature_names(void **state)
{
    struct parsed parsed = parse_good("1,2,oak\n3,4,pine\n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){1, 2, 3, 4}, (const char *[]){"oak", "pine"}, 2);
    assert_null(parsed.dataset.feature_names);
    parsed_release(&parsed);
}

static void csv_first_row_of_numbers_twice_is_data_and_no_duplicate_column(void **state)
{
    struct parsed parsed = parse_good("1,1,1\n2,2,2\n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){1, 1, 2, 2}, (const char *[]){"1", "2"}, 2);
    parsed_release(&parsed);
}

static void csv_header_may_have_a_nameless_column(void **state)
{
    struct parsed parsed = parse_good(",a,kind\n0,5,x\n1,6,y\n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){0, 5, 1, 6}, (const char *[]){"x", "y"}, 2);
    assert_string_equal(parsed.dataset.feature_names[0], "");
    parsed_release(&parsed);
}

static void csv_label_asked_for_by_name_makes_the_first_row_a_header(void **state)
{
    struct parsed parsed = parse_good("0,1,kind\n5,6,1\n7,8,2\n", &(struct parse_options){.label = "kind"});

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){5, 6, 7, 8}, (const char *[]){"1", "2"}, 2);
    assert_string_equal(parsed.dataset.feature_names[1], "1");
    parsed_release(&parsed);
}

static void csv_label_column_is_found_by_name_then_by_index(void **state)
{
    struct parsed by_name = parse_good("a,kind,b\n1,x,2\n3,y,4\n", &(struct parse_options){.label = "kind"});
    struct parsed by_index = parse_good("a,kind,b\n1,x,2\n3,y,4\n", &(struct parse_options){.label = "1"});
    struct parsed name_first = parse_good("1,b,c\nx,5,6\ny,7,8\n", &(struct parse_options){.label = "1"});

    (void)state;
    assert_rows(&by_name.dataset, (const float[]){1, 2, 3, 4}, (const char *[]){"x", "y"}, 2);
    assert_int_equal(by_name.block.size, by_index.block.size);
    assert_memory_equal(by_name.block.data, by_index.block.data, by_name.block.size);
    parsed_release(&by_name);
    parsed_release(&by_index);
    assert_rows(&name_first.dataset, (const float[]){5, 6, 7, 8}, (const char *[]){"x", "y"}, 2);
    parsed_release(&name_first);
}

static void csv_quotes_protect_commas_lines_and_quotes(void **state)
{
    struct parsed parsed =
        parse_good("\"a,\"\"1\"\"\",kind\r\n\"1\",\"oak, \"\"red\"\"\"\r\n2,\"two\r\nlines\"\r\n3,\" kept \"\r\n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){1, 2, 3}, (const char *[]){"oak, \"red\"", "two\r\nlines", " kept "}, 3);
    assert_string_equal(parsed.dataset.feature_names[0], "a,\"1\"");
    parsed_release(&parsed);
}

static void csv_blanks_around_fields_are_dropped(void **state)
{
    struct parsed parsed = parse_good("a , b\t, kind\n 1, 2 ,\t\"x\" \n3 ,\t4,  y z  \n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){1, 2, 3, 4}, (const char *[]){"x", "y z"}, 2);
    assert_string_equal(parsed.dataset.feature_names[1], "b");
    parsed_release(&parsed);
}

static void csv_line_ends_marks_and_blank_lines_do_not_change_the_data(void **state)
{
    static const char *const SAME[] = {
        "a,k\r\n1,x\r\n2,y\r\n",
        "a,k\r1,x\r2,y\r",
        "a,k\n1,x\n2,y",
        "a,k\r\n1,x\r2,y\n",
        "\xEF\xBB\xBF"
        "a,k\n1,x\n2,y\n",
        "\n\na,k\n\n1,x\n2,y\n\n",
        "a,k\n1,x\r\n\r\n2,y\r\n",
        "a,k\n1,x\n2,y\n  \t\n",
    };
    struct parsed plain = parse_good("a,k\n1,x\n2,y\n", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        struct parsed same = parse_good(SAME[i], NULL);

        assert_int_equal(same.block.size, plain.block.size);
        assert_memory_equal(same.block.data, plain.block.data, plain.block.size);
        parsed_release(&same);
    }
    parsed_release(&plain);
}

static void csv_classes_stand_in_natural_order_whatever_comes_first(void **state)
{
    struct parsed numbers = parse_good("1,10\n2,9\n3,-1\n4,1e1\n", NULL);
    struct parsed names = parse_good("1,b\n2,10\n3,9\n4,a\n", NULL);

    (void)state;
    assert_string_equal(numbers.dataset.class_names[0], "-1");
    assert_string_equal(numbers.dataset.class_names[1], "9");
    assert_string_equal(numbers.dataset.class_names[2], "10");
    assert_string_equal(numbers.dataset.class_names[3], "1e1");
    assert_string_equal(names.dataset.class_names[0], "10");
    assert_string_equal(names.dataset.class_names[1], "9");
    assert_string_equal(names.dataset.class_names[2], "a");
    assert_string_equal(names.dataset.class_names[3], "b");
    parsed_release(&numbers);
    parsed_release(&names);
}

static void csv_formulas_are_text(void **state)
{
    struct parsed parsed = parse_good("a,k\n1,=cmd()\n2,@sum\n", NULL);

    (void)state;
    assert_rows(&parsed.dataset, (const float[]){1, 2}, (const char *[]){"=cmd()", "@sum"}, 2);
    parsed_release(&parsed);
}

static void csv_soft_labels_are_kept_as_they_are(void **state)
{
    const struct parse_options by_name = {.label_columns = "dog,cat"}, by_index = {.label_columns = "1,2"};
    struct parsed named = parse_good("x,cat,dog\n1,0.25,0.75\n2,0.333333,0.666667\n", &by_name);
    struct parsed numbered = parse_good("1,0.25,0.75\n2,0,1\n", &by_index);

    (void)state;
    assert_int_equal(named.dataset.label_type, LABEL_SOFT);
    assert_int_equal(named.dataset.features, 1);
    assert_string_equal(named.dataset.class_names[0], "dog");
    assert_string_equal(named.dataset.class_names[1], "cat");
    assert_all_close_f32(named.dataset.soft_labels, ((const float[]){0.75f, 0.25f, 0.666667f, 0.333333f}), 4, 0, 0);
    assert_string_equal(numbered.dataset.class_names[1], "1");
    assert_all_close_f32(numbered.dataset.soft_labels, ((const float[]){0.25f, 0.75f, 0, 1}), 4, 0, 0);
    parsed_release(&named);
    parsed_release(&numbered);
}

static void csv_refuses_soft_labels_that_are_no_probabilities(void **state)
{
    const struct parse_options options = {.label_columns = "a,b"};
    static const char *const BAD[] = {"x,a,b\n1,1,0\n1,0.5,0.6\n", "x,a,b\n1,1,0\n1,-0.5,1.5\n", "x,a,b\n1,1,0\n1,0,0\n"};

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refuse_bytes(BAD[i], strlen(BAD[i]), &options, STATUS_SOFT_LABEL_INVALID, 3, 0);
}

static void csv_names_the_line_of_a_ragged_row(void **state)
{
    (void)state;
    refuse("a,b,k\n1,2,x\n3,y\n", STATUS_CSV_RAGGED_ROW, 3, 0);
    refuse("a,b,k\n1,2,x\n3,4,5,y\n", STATUS_CSV_RAGGED_ROW, 3, 0);
    refuse("a,b,k\r\n1,2,\"x\r\ny\"\r\n\r\n3,y", STATUS_CSV_RAGGED_ROW, 5, 0);
    refuse("a,b,k\n1,2,x\n\"\"\n", STATUS_CSV_RAGGED_ROW, 3, 0);
    refuse("a,b,k\n1,2,x\n3,4,", STATUS_LABEL_INVALID, 3, 3);
}

static void csv_names_line_column_and_text_of_what_is_no_number(void **state)
{
    struct parsed parsed = parse("a,wide,k\n1,2,x\n3,tall\x01\xC3\xA4 \"and very long, longer than that\",y\n", NULL);
    struct parsed quoted = parse("a,wide,k\n1,2,x\n3,\"tall\x01\xC3\xA4 and very long, longer than that\",y\n", NULL);

    (void)state;
    assert_int_equal(parsed.status, STATUS_CSV_RAGGED_ROW);
    assert_int_equal(quoted.status, STATUS_CSV_NOT_NUMBER);
    assert_int_equal(quoted.error.line, 3);
    assert_int_equal(quoted.error.column, 2);
    assert_string_equal(quoted.error.message,
                        "column 2 (wide) has \"tall\\x01\\xc3\\xa4 and very long, longer th...\", which is not a number");
    parsed_release(&parsed);
    parsed_release(&quoted);
}

static void csv_numbers_are_strictly_decimal(void **state)
{
    static const char *const BAD[] = {"0x1p3", "\"1,5\"", "\xEF\xBC\x91", "1.2.3", "1e", "--1", "1 2",
                                      ".",     "-",       "e5",           "",      "?",  "nano"};
    static const char *const NOT_FINITE[] = {"nan", "NaN", "-inf", "+Infinity", "1e400", "-1e39", "3.4028236e38"};

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char text[64];

        snprintf(text, sizeof text, "a,b,k\n1,2,x\n3,%s,y\n", BAD[i]);
        refuse(text, STATUS_CSV_NOT_NUMBER, 3, 2);
    }
    for (size_t i = 0; i < sizeof NOT_FINITE / sizeof *NOT_FINITE; i++) {
        char text[64];

        snprintf(text, sizeof text, "a,b,k\n1,2,x\n3,%s,y\n", NOT_FINITE[i]);
        refuse(text, STATUS_NON_FINITE_VALUE, 3, 2);
    }
}

static void csv_refuses_nul_bytes_and_other_encodings(void **state)
{
    static const char NUL[] = "a,b,k\n1,2,x\n3,4\0,y\n", UTF16[] = "\xFF\xFE"
                                                                   "a\0,\0k\0\n\0001\0,\0x\0";
    static const char IN_QUOTES[] = "a,k\n1,\"x\ny\0z\"\n";

    (void)state;
    refuse_bytes(NUL, sizeof NUL - 1, NULL, STATUS_CSV_NUL_BYTE, 3, 2);
    refuse_bytes(IN_QUOTES, sizeof IN_QUOTES - 1, NULL, STATUS_CSV_NUL_BYTE, 3, 2);
    refuse_bytes(UTF16, sizeof UTF16 - 1, NULL, STATUS_FORMAT_MISMATCH, 0, 0);
    refuse("a,k\n1,x\n2,\xFF\xFE\n", STATUS_LABEL_INVALID, 3, 2);
    refuse("\xC3,k\n1,x\n", STATUS_NAME_INVALID, 1, 1);
    refuse("k,\xC3\n1,x\n", STATUS_LABELS_SINGLE_CLASS, 0, 0); /* the label column's name is not kept */
}

static void csv_refuses_what_another_format_begins_with(void **state)
{
    static const char *const BAD[] = {"\x89PNG\r\n\x1A\n....",
                                      "\x7F"
                                      "ELF\x02\x01\x01",
                                      "<!doctype HTML><p>",
                                      "PK\x03\x04zip",
                                      "\x1F\x8B\x08.......",
                                      "%PDF-1.7"};
    static const char IDX[] = {0, 0, 8, 3, 0, 0, 0, 1};

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refuse(BAD[i], STATUS_FORMAT_MISMATCH, 0, 0);
    refuse_bytes(IDX, sizeof IDX, NULL, STATUS_FORMAT_MISMATCH, 0, 0);
}

static void csv_refuses_quotes_that_do_not_end_or_end_early(void **state)
{
    (void)state;
    refuse("a,k\n1,x\n2,\"y\n3,z\n4,x\n", STATUS_CSV_UNTERMINATED_QUOTE, 3, 2);
    refuse("a,k\n1,x\n2,\"y\"z\n", STATUS_CSV_BAD_QUOTE, 3, 2);
    refuse("a,k\n1,x\n2,\"y\" \"z\"\n", STATUS_CSV_BAD_QUOTE, 3, 2);
}

static void csv_field_is_limited_whether_quoted_or_not(void **state)
{
    size_t size = CSV_MAX_FIELD + 64;
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    memset(text, '0', size);
    memcpy(text, "a,k\n1,x\n", 8);
    refuse_bytes(text, size, NULL, STATUS_CSV_FIELD_TOO_LONG, 3, 1);
    text[8] = '"';
    refuse_bytes(text, size, NULL, STATUS_CSV_FIELD_TOO_LONG, 3, 1);
    /* exactly the limit is a number with many zeros */
    text[8] = '0';
    memcpy(text + 8 + CSV_MAX_FIELD, ",y\n", 3);
    struct parsed parsed = parse_every_way(DATA_CSV, NULL, text, 8 + CSV_MAX_FIELD + 3);
    assert_int_equal(parsed.status, STATUS_OK);
    parsed_release(&parsed);
    free(text);
}

static void csv_row_is_limited(void **state)
{
    size_t cell = 60000, cells = CSV_MAX_ROW / cell + 2;
    char *text = malloc(cell * cells);

    (void)state;
    assert_non_null(text);
    memset(text, '1', cell * cells);
    for (size_t i = 1; i <= cells; i++)
        text[i * cell - 1] = i == cells ? '\n' : ',';
    struct parsed parsed = parse_cut(DATA_CSV, NULL, text, cell * cells, 0);
    assert_int_equal(parsed.status, STATUS_CSV_FIELD_TOO_LONG);
    parsed_release(&parsed);
    free(text);
}

static void csv_columns_are_limited(void **state)
{
    size_t size = 2 * (CSV_MAX_COLUMNS + 1);
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < size; i += 2)
        memcpy(text + i, i + 2 == size ? "1\n" : "1,", 2);
    refuse_bytes(text, size, NULL, STATUS_TOO_MANY_COLUMNS, 1, CSV_MAX_COLUMNS + 1);
    struct parsed parsed = parse_every_way(DATA_CSV, NULL, text + 2, size - 2);
    assert_int_equal(parsed.status, STATUS_LABELS_SINGLE_CLASS); /* 16,384 columns are fine */
    parsed_release(&parsed);
    free(text);
}

static void csv_refuses_files_without_rows(void **state)
{
    (void)state;
    refuse("", STATUS_DATASET_EMPTY, 0, 0);
    refuse("\n \r\n\n", STATUS_DATASET_EMPTY, 0, 0);
    refuse("\xEF\xBB\xBF", STATUS_DATASET_EMPTY, 0, 0);
    refuse("a,b,k\n", STATUS_DATASET_EMPTY, 0, 0);
}

static void csv_refuses_columns_that_cannot_be_told_apart_or_are_not_there(void **state)
{
    const struct parse_options missing = {.label = "colour"}, beyond = {.label = "3"},
                               both = {.label = "a", .label_columns = "b"}, twice = {.label_columns = "b,b"},
                               single = {.label_columns = "b"}, all = {.label_columns = "a,b"};

    (void)state;
    refuse("a,b,a\n1,2,x\n", STATUS_CSV_DUPLICATE_COLUMN, 1, 3);
    refuse_bytes("a,b,k\n1,2,x\n", 12, &missing, STATUS_LABEL_COLUMN_MISSING, 1, 0);
    refuse_bytes("a,b,k\n1,2,x\n", 12, &beyond, STATUS_LABEL_COLUMN_MISSING, 1, 0);
    refuse_bytes("a,b,k\n1,2,x\n", 12, &both, STATUS_CONFLICTING_FIELDS, 0, 0);
    refuse_bytes("a,b\n1,2\n", 8, &twice, STATUS_CSV_DUPLICATE_COLUMN, 1, 2);
    refuse_bytes("a,b\n1,2\n", 8, &single, STATUS_LABELS_SINGLE_CLASS, 0, 0);
    refuse_bytes("a,b\n1,2\n", 8, &all, STATUS_CSV_NO_FEATURES, 1, 0);
    refuse("k\nx\ny\n", STATUS_CSV_NO_FEATURES, 1, 0);
    refuse("1;2;x\n3;4;y\n", STATUS_CSV_NO_FEATURES, 1, 0);
}

static void csv_refuses_labels_of_one_class_or_of_too_many(void **state)
{
    size_t capacity = 16 * (DATASET_MAX_CLASSES + 1), size = 0;
    char *text = malloc(capacity);

    (void)state;
    assert_non_null(text);
    refuse("a,k\n1,x\n2,x\n", STATUS_LABELS_SINGLE_CLASS, 0, 0);
    refuse("a,k\n1,x\n2,\n", STATUS_LABEL_INVALID, 3, 2);
    for (int i = 0; i <= DATASET_MAX_CLASSES; i++)
        size += (size_t)snprintf(text + size, capacity - size, "1,%d\n", i);
    refuse_bytes(text, size, NULL, STATUS_TOO_MANY_CLASSES, DATASET_MAX_CLASSES + 1, 2);
    free(text);
}

static void csv_rows_and_cells_are_limited_by_the_options(void **state)
{
    const struct parse_options rows = {.max_rows = 2}, cells = {.max_cells = 5}, enough = {.max_rows = 3, .max_cells = 6};
    const char *text = "1,2,x\n3,4,y\n5,6,x\n";

    (void)state;
    refuse_bytes(text, strlen(text), &rows, STATUS_DATASET_TOO_LARGE, 3, 0);
    refuse_bytes(text, strlen(text), &cells, STATUS_DATASET_TOO_LARGE, 3, 0);
    struct parsed parsed = parse_good(text, &enough);
    parsed_release(&parsed);
}

static void csv_label_length_is_limited(void **state)
{
    char text[DATASET_CLASS_NAME_MAX + 32];

    (void)state;
    snprintf(text, sizeof text, "1,x\n2,%0*d\n", DATASET_CLASS_NAME_MAX + 1, 7);
    refuse(text, STATUS_LABEL_INVALID, 2, 2);
    snprintf(text, sizeof text, "1,x\n2,%0*d\n", DATASET_CLASS_NAME_MAX, 7);
    struct parsed parsed = parse_good(text, NULL);
    parsed_release(&parsed);
}

static void csv_repeats_its_first_error(void **state)
{
    struct buffer_sink block = {0};
    struct dataset_parser *parser;
    struct error first = {0}, second = {0}, third = {0};

    (void)state;
    assert_int_equal(dataset_parser_new(&parser, DATA_CSV, NULL, buffer_sink(&block), &first), STATUS_OK);
    assert_int_equal(dataset_parser_feed(parser, "a,k\n1,x\nbad,y\nworse\n", 20, &first), STATUS_CSV_NOT_NUMBER);
    assert_int_equal(dataset_parser_feed(parser, "1,x\n", 4, &second), STATUS_CSV_NOT_NUMBER);
    assert_int_equal(dataset_parser_finish(parser, &third), STATUS_CSV_NOT_NUMBER);
    assert_string_equal(second.message, first.message);
    assert_int_equal(third.line, 3);
    dataset_parser_free(parser);
    buffer_sink_release(&block);
}

static struct parsed parse_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 20, size;
    char *text = malloc(capacity);

    assert_non_null(file);
    assert_non_null(text);
    size = fread(text, 1, capacity, file);
    assert_true(size < capacity);
    assert_int_equal(fclose(file), 0);
    struct parsed parsed = parse_every_way(DATA_CSV, NULL, text, size);
    assert_int_equal(parsed.status, STATUS_OK);
    free(text);
    return parsed;
}

/* Figures that scikit-learn gives for its own copies. */
static void csv_reads_iris_and_digits(void **state)
{
    struct parsed iris = parse_file("tests/data/iris.csv"), digits = parse_file("tests/data/digits.csv");
    static const uint64_t DIGITS[] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
    struct feature_stats stats[64];
    uint64_t counts[10];

    (void)state;
    assert_int_equal(iris.dataset.rows, 150);
    assert_string_equal(iris.dataset.feature_names[3], "petal_width");
    assert_string_equal(iris.dataset.class_names[1], "versicolor");
    dataset_class_counts(&iris.dataset, counts);
    for (int class = 0; class < 3; class ++)
        assert_int_equal(counts[class], 50);
    assert_int_equal(dataset_stats(&iris.dataset, NULL, 0, stats, NULL), STATUS_OK);
    assert_close(stats[0].mean, 5.843333333333334, 1e-7, 0);
    assert_close(stats[2].deviation, 1.7594040657753032, 1e-7, 0);
    assert_int_equal(digits.dataset.rows, 1797);
    assert_int_equal(digits.dataset.features, 64);
    dataset_class_counts(&digits.dataset, counts);
    for (int class = 0; class < 10; class ++)
        assert_int_equal(counts[class], DIGITS[class]);
    assert_int_equal(dataset_stats(&digits.dataset, NULL, 0, stats, NULL), STATUS_OK);
    assert_close(feature_stats_overall(stats, 64).mean, 4.884164579855314, 1e-12, 0);
    parsed_release(&iris);
    parsed_release(&digits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_reads_a_header_numbers_and_labels),
        cmocka_unit_test(csv_without_header_has_no_feature_names),
        cmocka_unit_test(csv_first_row_of_numbers_twice_is_data_and_no_duplicate_column),
        cmocka_unit_test(csv_header_may_have_a_nameless_column),
        cmocka_unit_test(csv_label_asked_for_by_name_makes_the_first_row_a_header),
        cmocka_unit_test(csv_label_column_is_found_by_name_then_by_index),
        cmocka_unit_test(csv_quotes_protect_commas_lines_and_quotes),
        cmocka_unit_test(csv_blanks_around_fields_are_dropped),
        cmocka_unit_test(csv_line_ends_marks_and_blank_lines_do_not_change_the_data),
        cmocka_unit_test(csv_classes_stand_in_natural_order_whatever_comes_first),
        cmocka_unit_test(csv_formulas_are_text),
        cmocka_unit_test(csv_soft_labels_are_kept_as_they_are),
        cmocka_unit_test(csv_refuses_soft_labels_that_are_no_probabilities),
        cmocka_unit_test(csv_names_the_line_of_a_ragged_row),
        cmocka_unit_test(csv_names_line_column_and_text_of_what_is_no_number),
        cmocka_unit_test(csv_numbers_are_strictly_decimal),
        cmocka_unit_test(csv_refuses_nul_bytes_and_other_encodings),
        cmocka_unit_test(csv_refuses_what_another_format_begins_with),
        cmocka_unit_test(csv_refuses_quotes_that_do_not_end_or_end_early),
        cmocka_unit_test(csv_field_is_limited_whether_quoted_or_not),
        cmocka_unit_test(csv_row_is_limited),
        cmocka_unit_test(csv_columns_are_limited),
        cmocka_unit_test(csv_refuses_files_without_rows),
        cmocka_unit_test(csv_refuses_columns_that_cannot_be_told_apart_or_are_not_there),
        cmocka_unit_test(csv_refuses_labels_of_one_class_or_of_too_many),
        cmocka_unit_test(csv_rows_and_cells_are_limited_by_the_options),
        cmocka_unit_test(csv_label_length_is_limited),
        cmocka_unit_test(csv_repeats_its_first_error),
        cmocka_unit_test(csv_reads_iris_and_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
