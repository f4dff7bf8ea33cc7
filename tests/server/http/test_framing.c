/*
 * Requests that no well-behaved client sends, byte by byte. Ours: what the first check answers, with its code. The
 * library's: what it answers or does itself; those rows tell when another version behaves differently.
 */
#include "server/http/first_check.h"

#include "tests/server/http/fake_server.h"

#define HOST "Host: localhost\r\n"
#define JSON "Content-Type: application/json\r\n"
#define GET  "GET /v1 HTTP/1.1\r\n" HOST
#define POST "POST /v1/jobs HTTP/1.1\r\n" HOST JSON

static struct fake fake;

static int set_up(void **state)
{
    (void)state;
    fake_start(&fake, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_stop(&fake);
    return 0;
}

struct row {
    const char *name, *bytes;
    int status;
    const char *code; /* NULL: the library's own answer */
};

static void check_closing_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int closed = 0;
        unsigned handled = atomic_load(&fake.handled);
        const char *answer = fake_raw(&fake, rows[i].bytes, strlen(rows[i].bytes), &closed);
        if (fake_status(answer) != rows[i].status || (rows[i].code != NULL && strstr(answer, rows[i].code) == NULL))
            fail_msg("%s: wanted %d %s, got: %.500s", rows[i].name, rows[i].status, rows[i].code, answer);
        if (!closed)
            fail_msg("%s: the connection stays open", rows[i].name);
        if (atomic_load(&fake.handled) != handled)
            fail_msg("%s: a handler ran", rows[i].name);
    }
}

#define CHECK_CLOSING(rows) check_closing_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void what_can_be_read_two_ways_is_refused_and_the_connection_ends(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"no host", "GET /v1 HTTP/1.1\r\n\r\n", 400, "\"host_required\""},
        {"two hosts", "GET /v1 HTTP/1.1\r\n" HOST HOST "\r\n", 400, "\"host_duplicate\""},
        {"another host", "GET /v1 HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421, "\"misdirected_host\""},
        {"blank in the target", "GET /v1 x HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"control byte in a name", GET "X\001Y: 1\r\n\r\n", 400, "\"bad_header_name\""},
        {"length and chunks", POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET "\r\n", 400,
         "\"ambiguous_framing\""},
        {"two equal lengths", POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "\"ambiguous_framing\""},
        {"two lengths", POST "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}", 400, "\"ambiguous_framing\""},
        {"two encodings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         "\"ambiguous_framing\""},
        {"chunks in 1.0", "POST /v1/jobs HTTP/1.0\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         "\"ambiguous_framing\""},
        {"gzip and chunks", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
         "\"transfer_encoding_unsupported\""},
        {"an encoding unknown", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501,
         "\"transfer_encoding_unsupported\""},
        {"identity", POST "Transfer-Encoding: identity\r\n\r\n", 501, "\"transfer_encoding_unsupported\""},
        {"2^63 bytes", POST "Content-Length: 9223372036854775808\r\n\r\n", 413, "\"body_too_large\""},
        {"2^64 - 1 bytes", POST "Content-Length: 18446744073709551615\r\n\r\n", 413, "\"body_too_large\""},
        {"beyond the limit", POST "Content-Length: 100000000\r\n\r\n", 413, "\"body_too_large\""},
        {"beyond the limit, asking first", POST "Content-Length: 100000000\r\nExpect: 100-continue\r\n\r\n", 413,
         "\"body_too_large\""},
        {"an upload beyond the limit",
         "POST /v1/datasets HTTP/1.1\r\n" HOST "Content-Type: text/csv\r\nContent-Length: 99999999999\r\n\r\n", 413,
         "\"body_too_large\""},
        {"method in small letters", "get /v1 HTTP/1.1\r\n" HOST "\r\n", 501, "\"method_unknown\""},
        {"method of other characters", "G@T /v1 HTTP/1.1\r\n" HOST "\r\n", 501, "\"method_unknown\""},
        {"trace", "TRACE /v1 HTTP/1.1\r\n" HOST "\r\n", 405, "\"method_not_allowed\""},
        {"connect", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 405, "\"method_not_allowed\""},
        {"connect with a path", "CONNECT /v1 HTTP/1.1\r\n" HOST "\r\n", 405, "\"method_not_allowed\""},
        {"star of a GET", "GET * HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"absolute form", "GET http://evil.test/v1 HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"NUL in the path", "GET /v1/jobs%00/x HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"dots escaped", "GET /v1/%2e%2e/x HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"dots", "GET /v1/../x HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"bad escape", "GET /v1/%zz HTTP/1.1\r\n" HOST "\r\n", 400, "\"bad_target\""},
        {"argument twice", "GET /v1/jobs?limit=1&limit=2 HTTP/1.1\r\n" HOST "\r\n", 400, "\"query_duplicate\""},
        {"argument unknown", "GET /v1/jobs?limt=1 HTTP/1.1\r\n" HOST "\r\n", 400, "\"query_unknown\""},
        {"body of a GET", "GET /v1 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 400, "\"body_not_allowed\""},
        {"body of a DELETE", "DELETE /v1/jobs/job_x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 400,
         "\"body_not_allowed\""},
        {"chunked body of a GET", "GET /v1 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400,
         "\"body_not_allowed\""},
        {"no body", POST "\r\n", 400, "\"body_required\""},
        {"body of no bytes", POST "Content-Length: 0\r\n\r\n", 400, "\"body_required\""},
        {"unknown expectation", POST "Content-Length: 2\r\nExpect: foo\r\n\r\n{}", 417, "\"expectation_failed\""},
        {"two expectations", POST "Content-Length: 2\r\nExpect: 100-continue\r\nExpect: foo\r\n\r\n{}", 417,
         "\"expectation_failed\""},
        {"compressed body after all",
         POST "Content-Length: 2\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n{}", 415,
         "\"content_encoding_unsupported\""},
        {"an answer that cannot be, before the body",
         "POST /v1/datasets HTTP/1.1\r\n" HOST "Accept: image/png\r\nContent-Type: text/csv\r\nContent-Length: 9\r\n\r\n",
         406, "\"not_acceptable\""},
        {"compressed body", POST "Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}", 415,
         "\"content_encoding_unsupported\""},
        {"a form", "POST /v1/jobs HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415,
         "\"content_type_unsupported\""},
        {"no media type", "POST /v1/jobs HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 415,
         "\"content_type_unsupported\""},
        {"another character set",
         "POST /v1/jobs HTTP/1.1\r\n" HOST "Content-Type: application/json; charset=latin1\r\nContent-Length: 2\r\n\r\n{}",
         415, "\"charset_unsupported\""},
        {"unknown route", "GET /v1/nothing HTTP/1.1\r\n" HOST "\r\n", 404, "\"route_not_found\""},
    };
    CHECK_CLOSING(rows);
}

static void what_is_no_http_is_the_librarys(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"no target", "GET\r\n\r\n", 0, NULL},
        {"version 2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, NULL},
        {"small letters", "GET / http/1.1\r\n" HOST "\r\n", 400, NULL},
        {"version with a tail", "GET / HTTP/1.1x\r\n" HOST "\r\n", 400, NULL},
        {"blank before the colon", POST "Content-Length : 5\r\n\r\n{}", 400, NULL},
        {"no colon", GET "Foo\r\n\r\n", 400, NULL},
        {"length below zero", POST "Content-Length: -5\r\n\r\n", 400, NULL},
        {"length with a sign", POST "Content-Length: +5\r\n\r\n", 400, NULL},
        {"a list of lengths", POST "Content-Length: 5, 5\r\n\r\n", 400, NULL},
        {"length of 2^64", POST "Content-Length: 18446744073709551616\r\n\r\n", 413, NULL},
        {"chunk size no number", POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, NULL},
        {"chunk size with 0x", POST "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400, NULL},
        {"chunk size of 2^68", POST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413, NULL},
    };
    CHECK_CLOSING(rows);
}

static void too_many_or_too_large_headers_are_431_and_414(void **state)
{
    (void)state;
    static char text[200000];
    int closed;
    size_t size = (size_t)snprintf(text, sizeof(text), GET);
    for (int i = 0; i < 70; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "X-%d: 1\r\n", i);
    size += (size_t)snprintf(text + size, sizeof(text) - size, "\r\n");
    const char *answer = fake_raw(&fake, text, size, &closed);
    assert_int_equal(fake_status(answer), 431);
    assert_has(answer, "too_many_headers");
    int length = snprintf(text, sizeof(text), "GET /%0100000d HTTP/1.1\r\n" HOST "\r\n", 1);
    assert_int_equal(fake_status(fake_raw(&fake, text, (size_t)length, &closed)), 414);
    length = snprintf(text, sizeof(text), GET "X: %0100000d\r\n\r\n", 1);
    assert_int_equal(fake_status(fake_raw(&fake, text, (size_t)length, &closed)), 431);
}

static void leniences_that_harm_nobody_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
    } rows[] = {
        {"version 1.2", "GET /v1 HTTP/1.2\r\n" HOST "Connection: close\r\n\r\n"},
        {"version 1.0 without a host", "GET /v1 HTTP/1.0\r\n\r\n"},
        {"upgrade", GET "Upgrade: h2c\r\nConnection: close\r\n\r\n"},
        {"empty header name", GET ": v\r\nConnection: close\r\n\r\n"},
        {"IPv6 host", "GET /v1 HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n"},
        {"host in capitals", "GET /v1 HTTP/1.1\r\nHost: LOCALHOST:1\r\nConnection: close\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int closed;
        const char *answer = fake_raw(&fake, rows[i].bytes, strlen(rows[i].bytes), &closed);
        if (fake_status(answer) != 200)
            fail_msg("%s: %.300s", rows[i].name, answer);
    }
}

static void a_smuggled_request_is_never_run(void **state)
{
    (void)state;
    static const char bytes[] = POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                                     "DELETE /v1/jobs/job_x HTTP/1.1\r\n" HOST "\r\n";
    int closed;
    unsigned handled = atomic_load(&fake.handled);
    const char *answer = fake_raw(&fake, bytes, sizeof(bytes) - 1, &closed);
    assert_int_equal(fake_status(answer), 400);
    assert_null(strstr(answer + 1, "HTTP/1.1 "));
    assert_int_equal(atomic_load(&fake.handled), handled);
}

static void a_refusal_comes_before_the_body(void **state)
{
    (void)state;
    static const char head[] = POST "Content-Length: 100000000\r\nExpect: 100-continue\r\n\r\n";
    int closed;
    const char *answer = fake_raw(&fake, head, sizeof(head) - 1, &closed);
    assert_lacks(answer, "100 Continue");
    assert_int_equal(fake_status(answer), 413);
}

static void options_tells_what_is_allowed(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "OPTIONS /v1/jobs", "", "");
    assert_int_equal(fake_status(answer), 204);
    assert_has(answer, "Allow: GET, HEAD, POST, OPTIONS");
    assert_lacks(answer, "Access-Control");
    answer = fake_ask(&fake, "OPTIONS *", "", "");
    assert_int_equal(fake_status(answer), 204);
    assert_has(answer, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    assert_int_equal(fake_status(fake_ask(&fake, "OPTIONS /v1/jobs", "Origin: https://evil.test\r\n", "")), 403);
}

static void a_method_that_is_not_allowed_says_which_are(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "PUT /v1/jobs", "", "");
    assert_int_equal(fake_status(answer), 405);
    assert_has(answer, "Allow: GET, HEAD, POST, OPTIONS");
}

static void a_half_closed_connection_ends_soon(void **state)
{
    (void)state;
    int fd = fake_connect(&fake), closed;
    static const char bytes[] = POST "Content-Length: 100\r\n\r\n{";
    fake_send(fd, bytes, sizeof(bytes) - 1);
    shutdown(fd, SHUT_WR);
    const char *answer = fake_receive(fd, 4000, &closed);
    close(fd);
    assert_string_equal(answer, "");
    assert_true(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_read_two_ways_is_refused_and_the_connection_ends),
        cmocka_unit_test(what_is_no_http_is_the_librarys),
        cmocka_unit_test(too_many_or_too_large_headers_are_431_and_414),
        cmocka_unit_test(leniences_that_harm_nobody_are_kept),
        cmocka_unit_test(a_smuggled_request_is_never_run),
        cmocka_unit_test(a_refusal_comes_before_the_body),
        cmocka_unit_test(options_tells_what_is_allowed),
        cmocka_unit_test(a_method_that_is_not_allowed_says_which_are),
        cmocka_unit_test(a_half_closed_connection_ends_soon),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
