#include "api/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json.h"
#include "tests/assert_close.h"

/* The document of a problem, read back. */
static struct json_document *document_of(const struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};
    size_t size;
    char *text = problem_encode(problem, "req_1", &size);

    assert_non_null(text);
    assert_int_equal(strlen(text), size);
    assert_int_equal(json_parse(&document, text, size, NULL, 0, &error), STATUS_OK);
    free(text);
    return document;
}

static void has_text(const struct json_value *object, const char *key, const char *wanted)
{
    assert_non_null(json_get(object, key));
    assert_string_equal(json_to_string(json_get(object, key)), wanted);
}

static void has_number(const struct json_value *object, const char *key, double wanted)
{
    assert_non_null(json_get(object, key));
    assert_close(json_to_number(json_get(object, key)), wanted, 0, 0);
}

static void errors_of_fields_make_one_document(void **state)
{
    struct problem problem;

    (void)state;
    problem_init(&problem);
    problem_add_field(&problem, STATUS_UNKNOWN_FIELD, "/a/b~1c", NULL, "did you mean %s?", "d");
    problem_add_field(&problem, STATUS_OUT_OF_RANGE, "/n", "\"value\":0,\"minimum\":1", "too small");
    assert_int_equal(problem.status, STATUS_VALIDATION_FAILED);
    assert_int_equal(problem_http_status(&problem), 422);

    struct json_document *document = document_of(&problem);
    const struct json_value *root = json_root(document);
    has_text(root, "type", "https://descentd.example/problems/validation_failed");
    has_text(root, "title", status_title(STATUS_VALIDATION_FAILED));
    has_number(root, "status", 422);
    has_text(root, "code", "validation_failed");
    has_text(root, "detail", "2 problems");
    has_text(root, "request_id", "req_1");
    const struct json_value *first = json_first(json_get(root, "errors")), *second = json_next(first);
    has_text(first, "pointer", "/a/b~1c");
    has_text(first, "code", "unknown_field");
    has_text(first, "detail", "did you mean d?");
    has_number(second, "value", 0);
    has_number(second, "minimum", 1);
    json_free(document);
    problem_release(&problem);
}

static void an_error_of_the_whole_request_names_itself_and_its_place(void **state)
{
    struct problem problem;
    struct error error = {.status = STATUS_OK};

    (void)state;
    problem_init(&problem);
    assert_int_equal(error_set_offset(&error, STATUS_JSON_INVALID, 13, "'1' where a value should stand"),
                     STATUS_JSON_INVALID);
    problem_add(&problem, &error);
    assert_int_equal(problem_http_status(&problem), 400);
    struct json_document *document = document_of(&problem);
    has_text(json_root(document), "code", "json_invalid");
    has_number(json_root(document), "offset", 13);
    assert_null(json_get(json_root(document), "pointer"));
    json_free(document);
    problem_release(&problem);
}

static void errors_in_files_stand_in_the_list_with_line_and_column(void **state)
{
    struct problem problem;
    struct error error = {.status = STATUS_OK};

    (void)state;
    problem_init(&problem);
    assert_int_equal(error_set_line(&error, STATUS_CSV_NOT_NUMBER, 4, 2, "\"six\" is no number"), STATUS_CSV_NOT_NUMBER);
    problem_add(&problem, &error);
    struct json_document *document = document_of(&problem);
    const struct json_value *entry = json_first(json_get(json_root(document), "errors"));
    has_text(entry, "code", "csv_not_number");
    has_number(entry, "line", 4);
    has_number(entry, "column", 2);
    assert_null(json_get(entry, "pointer"));
    json_free(document);
    problem_release(&problem);
}

static void an_error_with_a_pointer_is_a_fields_if_the_content_is_wrong(void **state)
{
    static const struct {
        enum status status;
        int http, fields;
    } ROWS[] = {{STATUS_SPLIT_EMPTY, 422, 1}, {STATUS_DATASET_NOT_FOUND, 404, 0}, {STATUS_EXPECTATION_NOT_MET, 409, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct problem problem;
        struct error error = {.status = STATUS_OK};

        problem_init(&problem);
        assert_int_equal(error_set_pointer(&error, ROWS[i].status, "/dataset", "no"), ROWS[i].status);
        problem_add(&problem, &error);
        assert_int_equal(problem_http_status(&problem), ROWS[i].http);
        assert_int_equal(problem.field_count, ROWS[i].fields);
        problem_release(&problem);
    }
}

static void the_first_error_of_the_whole_request_decides(void **state)
{
    struct problem problem;
    struct error error = {.status = STATUS_OK}, later = {.status = STATUS_OK}, none = {.status = STATUS_OK};

    (void)state;
    problem_init(&problem);
    problem_add_field(&problem, STATUS_TYPE_MISMATCH, "", NULL, "no object");
    assert_int_equal(error_set(&error, STATUS_NOT_FOUND, "one"), STATUS_NOT_FOUND);
    assert_int_equal(error_set(&later, STATUS_INTERNAL, "two"), STATUS_INTERNAL);
    problem_add(&problem, &none);
    problem_add(&problem, &error);
    problem_add(&problem, &later);
    assert_int_equal(problem.status, STATUS_NOT_FOUND);
    assert_string_equal(problem.whole.message, "one");
    problem_release(&problem);
}

static void more_errors_than_can_be_told_are_counted(void **state)
{
    struct problem problem;

    (void)state;
    problem_init(&problem);
    for (int i = 0; i < 100; i++) {
        problem_add_field(&problem, STATUS_UNKNOWN_FIELD, "/a", NULL, "no");
    }
    struct json_document *document = document_of(&problem);
    has_text(json_root(document), "detail", "100 problems");
    assert_int_equal(json_count(json_get(json_root(document), "errors")), PROBLEM_MAX_ERRORS);
    json_free(document);
    problem_release(&problem);
}

static void further_members_stand_beside_the_usual_ones(void **state)
{
    struct problem problem;
    struct error error = {.status = STATUS_OK};
    char huge[2048];

    (void)state;
    problem_init(&problem);
    assert_int_equal(error_set(&error, STATUS_STATE_CONFLICT, "it has ended"), STATUS_STATE_CONFLICT);
    problem_add(&problem, &error);
    problem_add_member(&problem, "allowed_actions", "[\"delete\"]");
    memset(huge, '1', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    problem_add_member(&problem, "too_long", huge);
    problem_add_member(&problem, "jobs", "[]");
    struct json_document *document = document_of(&problem);
    assert_string_equal(json_to_string(json_first(json_get(json_root(document), "allowed_actions"))), "delete");
    assert_non_null(json_get(json_root(document), "jobs"));
    assert_null(json_get(json_root(document), "too_long"));
    json_free(document);
    problem_release(&problem);
}

/* Texts of users come back in pointers and details: whatever they are, the document stays JSON. */
static void any_bytes_make_a_valid_document(void **state)
{
    struct problem problem;
    char text[600];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        text[i] = (char)(i % 255 + 1);
    }
    text[sizeof text - 1] = '\0';
    problem_init(&problem);
    for (size_t i = 0; i < 256; i++) {
        problem_add_field(&problem, STATUS_UNKNOWN_FIELD, text + i, NULL, "%s", text + i);
    }
    json_free(document_of(&problem));
    problem_release(&problem);
}

static void every_kind_of_failure_has_an_http_status(void **state)
{
    (void)state;
    for (int status = STATUS_OK + 1; status < STATUS_COUNT; status++) {
        assert_in_range(status_http((enum status)status), 400, 599);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_fields_make_one_document),
        cmocka_unit_test(an_error_of_the_whole_request_names_itself_and_its_place),
        cmocka_unit_test(errors_in_files_stand_in_the_list_with_line_and_column),
        cmocka_unit_test(an_error_with_a_pointer_is_a_fields_if_the_content_is_wrong),
        cmocka_unit_test(the_first_error_of_the_whole_request_decides),
        cmocka_unit_test(more_errors_than_can_be_told_are_counted),
        cmocka_unit_test(further_members_stand_beside_the_usual_ones),
        cmocka_unit_test(any_bytes_make_a_valid_document),
        cmocka_unit_test(every_kind_of_failure_has_an_http_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
