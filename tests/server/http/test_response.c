#include "server/http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void each_kind_of_error_has_its_headers(void **state)
{
    (void)state;
    static const struct {
        enum status status;
        unsigned http;
        const char *name, *value; /* NULL: none */
    } rows[] = {
        {STATUS_AUTH_REQUIRED, 401, "WWW-Authenticate", "Bearer"},
        {STATUS_INVALID_TOKEN, 401, "WWW-Authenticate", "Bearer"},
        {STATUS_AUTH_RATE_LIMITED, 429, "Retry-After", "60"},
        {STATUS_OVERLOADED, 503, "Retry-After", "5"},
        {STATUS_OUT_OF_MEMORY, 503, "Retry-After", "5"},
        {STATUS_NOT_FOUND, 404, NULL, NULL},
        {STATUS_INTERNAL, 500, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct response response;
        struct error error = {.status = STATUS_OK};
        error_set(&error, rows[i].status, "because");
        response_error(&response, &error, "req_x");
        assert_int_equal(response.status, rows[i].http);
        assert_int_equal(response.media, MEDIA_PROBLEM);
        assert_non_null(strstr(response.body, "because"));
        assert_non_null(strstr(response.body, "\"request_id\":\"req_x\""));
        assert_int_equal(response.header_count, rows[i].name != NULL);
        if (rows[i].name != NULL)
            assert_string_equal(response_get_header(&response, rows[i].name), rows[i].value);
        response_release(&response);
    }
}

static void headers_are_found_in_any_case(void **state)
{
    (void)state;
    struct response response;
    response_empty(&response, 204);
    response_header(&response, "ETag", "\"%d\"", 7);
    assert_string_equal(response_get_header(&response, "etag"), "\"7\"");
    assert_null(response_get_header(&response, "Location"));
    response_release(&response);
}

static void a_body_without_memory_marks_the_answer(void **state)
{
    (void)state;
    struct response response;
    response_text(&response, 200, MEDIA_JSON, NULL, 10);
    assert_true(response.failed);
    response_release(&response);
}

static void count(void *context)
{
    ++*(int *)context;
}

static void what_is_borrowed_is_given_back_once(void **state)
{
    (void)state;
    struct response response;
    int released = 0;
    response_borrowed(&response, 200, MEDIA_CSV, "x", 1, count, &released);
    assert_int_equal(released, 0);
    response_release(&response);
    response_release(&response);
    assert_int_equal(released, 1);
}

static void a_file_is_closed(void **state)
{
    (void)state;
    struct response response;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    response_file(&response, MEDIA_SAFETENSORS, ends[1], 5);
    assert_true(response.ranges);
    response_release(&response);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_error_has_its_headers),
        cmocka_unit_test(headers_are_found_in_any_case),
        cmocka_unit_test(a_body_without_memory_marks_the_answer),
        cmocka_unit_test(what_is_borrowed_is_given_back_once),
        cmocka_unit_test(a_file_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
