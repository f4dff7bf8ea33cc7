#include "api/json_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

/* The span of a text that is one array. */
static struct json_rows rows_of(const char *text, uint32_t width)
{
    static const char *const WHOLE[] = {""};
    struct json_span span;
    struct error error = {.status = STATUS_OK};

    assert_int_equal(json_validate(text, strlen(text), WHOLE, 1, &span, &error), STATUS_OK);
    assert_non_null(span.text);
    return (struct json_rows){
        .pointer = "/x", .span = span, .width = width, .max_width = 100, .width_error = STATUS_FEATURE_COUNT_MISMATCH};
}

static void rows_come_one_by_one(void **state)
{
    static const float WANTED[3][2] = {{1, -2.5f}, {3e5f, 0.125f}, {0, 7}};
    struct json_rows rows = rows_of(" [ [1,-2.5] ,\n[ 3e5 , 125e-3 ],[0.0,7]]", 0);
    struct error error = {.status = STATUS_OK};
    const float *x;

    (void)state;
    for (int row = 0; row < 3; row++) {
        assert_int_equal(json_rows_next(&rows, &x, &error), STATUS_OK);
        assert_non_null(x);
        for (int i = 0; i < 2; i++) {
            assert_close((double)x[i], (double)WANTED[row][i], 0, 0);
        }
    }
    assert_int_equal(rows.width, 2);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(json_rows_next(&rows, &x, &error), STATUS_OK);
        assert_null(x);
    }
    assert_int_equal(rows.index, 3);
    json_rows_release(&rows);
}

static void an_empty_array_has_no_rows(void **state)
{
    struct json_rows rows = rows_of("[ ]", 3);
    struct error error = {.status = STATUS_OK};
    const float *x;

    (void)state;
    assert_false(json_rows_is_nested(&rows));
    assert_int_equal(json_rows_next(&rows, &x, &error), STATUS_OK);
    assert_null(x);
    json_rows_release(&rows);
}

static void a_wide_row_is_read_whole(void **state)
{
    char text[8 * 90];
    size_t at = 0;
    struct error error = {.status = STATUS_OK};
    const float *x;

    (void)state;
    for (int i = 0; i < 90; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", i == 0 ? "[[" : ",", i);
    }
    (void)snprintf(text + at, sizeof text - at, "]]");
    struct json_rows rows = rows_of(text, 0);
    assert_int_equal(json_rows_next(&rows, &x, &error), STATUS_OK);
    for (int i = 0; i < 90; i++) {
        assert_close((double)x[i], i, 0, 0);
    }
    json_rows_release(&rows);
}

/* Reads all rows; the first error. */
static struct error first_error(const char *text, uint32_t width, uint32_t max_width)
{
    struct json_rows rows = rows_of(text, width);
    struct error error = {.status = STATUS_OK};
    const float *x = NULL;

    rows.max_width = max_width;
    while (json_rows_next(&rows, &x, &error) == STATUS_OK && x != NULL) {
    }
    json_rows_release(&rows);
    return error;
}

static void errors_name_the_row_and_the_number(void **state)
{
    static const struct {
        const char *text;
        uint32_t width;
        enum status status;
        const char *pointer;
    } ROWS[] = {
        {"[[1,2],[1]]", 0, STATUS_FEATURE_COUNT_MISMATCH, "/x/1"},
        {"[[1,2],[1,2,3]]", 0, STATUS_FEATURE_COUNT_MISMATCH, "/x/1"},
        {"[[1,2,3]]", 2, STATUS_FEATURE_COUNT_MISMATCH, "/x/0"},
        {"[[1]]", 2, STATUS_FEATURE_COUNT_MISMATCH, "/x/0"},
        {"[[]]", 0, STATUS_FEATURE_COUNT_MISMATCH, "/x/0"},
        {"[[1,null]]", 0, STATUS_TYPE_MISMATCH, "/x/0/1"},
        {"[[1,2],[true,2]]", 0, STATUS_TYPE_MISMATCH, "/x/1/0"},
        {"[[\"1\"]]", 0, STATUS_TYPE_MISMATCH, "/x/0/0"},
        {"[[[1]]]", 0, STATUS_TYPE_MISMATCH, "/x/0/0"},
        {"[[{}]]", 0, STATUS_TYPE_MISMATCH, "/x/0/0"},
        {"[3]", 0, STATUS_TYPE_MISMATCH, "/x/0"},
        {"[[1],null]", 0, STATUS_TYPE_MISMATCH, "/x/1"},
        {"[[1],{\"a\":[1]}]", 0, STATUS_TYPE_MISMATCH, "/x/1"},
        {"[[1,1e999]]", 0, STATUS_NUMBER_OUT_OF_RANGE, "/x/0/1"},
        {"[[1,-1e39]]", 0, STATUS_NUMBER_OUT_OF_RANGE, "/x/0/1"},
        {"[[1,2,3,4]]", 0, STATUS_TOO_MANY_COLUMNS, "/x/0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct error error = first_error(ROWS[i].text, ROWS[i].width, 3);

        if (error.status != ROWS[i].status || strcmp(error.pointer, ROWS[i].pointer) != 0) {
            fail_msg("%s: %s at %s", ROWS[i].text, status_code(error.status), error.pointer);
        }
    }
}

static void a_wrong_width_tells_both_numbers(void **state)
{
    struct error error = first_error("[[1,2,3,4,5]]", 2, 2);

    (void)state;
    assert_non_null(strstr(error.message, "5 values"));
    assert_non_null(strstr(error.message, "2"));
}

static void labels_are_strings_or_numbers(void **state)
{
    static const char *const WANTED[] = {"oak", "a\"b\n", "1", "1", "1", "-3", "0.1", "0", "\xC3\xA9", ""};
    struct json_rows rows = rows_of("[\"oak\",\"a\\\"b\\n\",1,1.0,10e-1,-3,0.1,-0,\"\\u00e9\",\"\"]", 0);
    struct error error = {.status = STATUS_OK};
    const char *label;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        assert_int_equal(json_rows_next_label(&rows, &label, &size, &error), STATUS_OK);
        assert_string_equal(label, WANTED[i]);
        assert_int_equal(size, strlen(WANTED[i]));
    }
    assert_int_equal(json_rows_next_label(&rows, &label, &size, &error), STATUS_OK);
    assert_null(label);
    json_rows_release(&rows);
}

static void a_label_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } ROWS[] = {
        {"[1,null]", STATUS_TYPE_MISMATCH},
        {"[1,true]", STATUS_TYPE_MISMATCH},
        {"[1,[1]]", STATUS_TYPE_MISMATCH},
        {"[1,1e999]", STATUS_NUMBER_OUT_OF_RANGE},
        {"[1,\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
         "012345678901234567890123456789\"]",
         STATUS_LABEL_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct json_rows rows = rows_of(ROWS[i].text, 0);
        struct error error = {.status = STATUS_OK};
        const char *label;
        size_t size;

        assert_int_equal(json_rows_next_label(&rows, &label, &size, &error), STATUS_OK);
        assert_int_equal(json_rows_next_label(&rows, &label, &size, &error), ROWS[i].status);
        assert_string_equal(error.pointer, "/x/1");
        json_rows_release(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_one_by_one),
        cmocka_unit_test(an_empty_array_has_no_rows),
        cmocka_unit_test(a_wide_row_is_read_whole),
        cmocka_unit_test(errors_name_the_row_and_the_number),
        cmocka_unit_test(a_wrong_width_tells_both_numbers),
        cmocka_unit_test(labels_are_strings_or_numbers),
        cmocka_unit_test(a_label_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
