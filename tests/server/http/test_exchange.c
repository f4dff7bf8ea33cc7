/* Whole requests against a running transport: answers now and later, bodies, uploads, waits, ranges, the end. */
#include "server/http/http.h"

#include "server/clock.h"
#include "tests/server/http/fake_server.h"

#define JSON "Content-Type: application/json\r\n"
#define CSV  "Content-Type: text/csv\r\n"

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

static void an_answer_has_its_request_id_and_media_type(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "GET /v1", "", "");
    assert_int_equal(fake_status(answer), 200);
    assert_has(answer, "X-Request-Id: req_");
    assert_has(answer, "Content-Type: application/json\r\n");
    assert_has(answer, "{\"name\":\"fake\"}");
    assert_lacks(answer, "Cache-Control: no-store");
}

static void an_error_is_a_problem_that_is_not_stored(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "GET /v1/models", "", "");
    assert_int_equal(fake_status(answer), 404);
    assert_has(answer, "Content-Type: application/problem+json");
    assert_has(answer, "Cache-Control: no-store");
    assert_has(answer, "\"code\":\"not_found\"");
    assert_has(answer, "\"request_id\":\"req_");
}

static void an_answer_may_come_later_from_another_thread(void **state)
{
    (void)state;
    assert_has(fake_ask(&fake, "GET /v1/jobs", "", ""), "{\"later\":true}");
}

static void an_answer_without_a_body_has_none(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "DELETE /v1/jobs/job_x", "", "");
    assert_int_equal(fake_status(answer), 204);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void head_is_answered_without_the_body(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "HEAD /v1", "", "");
    assert_int_equal(fake_status(answer), 200);
    assert_has(answer, "Content-Length: 15");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void a_body_is_complete_when_the_handler_runs(void **state)
{
    (void)state;
    assert_has(fake_ask(&fake, "POST /v1/jobs", JSON "Content-Length: 7\r\n", "{\"a\":1}"), "\"size\":7,\"media\":\"json\"");
    assert_has(
        fake_ask(&fake, "POST /v1/jobs", JSON "Transfer-Encoding: chunked\r\n", "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n"),
        "\"size\":7");
    assert_has(fake_ask(&fake, "POST /v1/jobs", JSON "Content-Length: 2\r\nExpect: 100-continue\r\n", "{}"), "\"size\":2");
}

static void a_large_body_arrives_whole(void **state)
{
    (void)state;
    size_t size = 3000000;
    char *body = malloc(size + 1), head[64];
    memset(body, ' ', size);
    body[size] = '\0';
    snprintf(head, sizeof(head), JSON "Content-Length: %zu\r\n", size);
    assert_has(fake_ask(&fake, "POST /v1/jobs", head, body), "\"size\":3000000");
    free(body);
}

static void chunks_beyond_the_limit_are_drained_and_refused(void **state)
{
    (void)state;
    size_t limit = (size_t)route_get(ROUTE_CREATE_JOB)->body.limit, piece = 0x10000;
    static char chunk[8 + 0x10000 + 2];
    memcpy(chunk, "10000\r\n", 7);
    memset(chunk + 7, ' ', piece);
    memcpy(chunk + 7 + piece, "\r\n", 2);
    int fd = fake_connect(&fake), closed;
    static const char head[] = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n";
    fake_send(fd, head, sizeof(head) - 1);
    for (size_t sent = 0; sent < limit + 4 * piece; sent += piece)
        fake_send(fd, chunk, piece + 9);
    fake_send(fd, "0\r\n\r\n", 5);
    const char *answer = fake_receive(fd, 3000, &closed);
    close(fd);
    assert_int_equal(fake_status(answer), 413);
    assert_has(answer, "body_too_large");
    assert_int_equal(fake.handled, 0);
}

static void a_body_that_never_ends_is_cut_off(void **state)
{
    (void)state;
    size_t limit = (size_t)route_get(ROUTE_CREATE_JOB)->body.limit, sent = 0;
    static char chunk[8 + 0x10000 + 2];
    memcpy(chunk, "10000\r\n", 7);
    memset(chunk + 7, ' ', 0x10000);
    memcpy(chunk + 7 + 0x10000, "\r\n", 2);
    int fd = fake_connect(&fake);
    static const char head[] = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n";
    fake_send(fd, head, sizeof(head) - 1);
    /* Far more than the limit, what is drained, and what sockets hold. */
    while (sent < 64 * limit && fake_send(fd, chunk, 0x10009) == 0x10009)
        sent += 0x10000;
    close(fd);
    assert_true(sent < 64 * limit);
}

static void an_upload_comes_in_pieces_and_in_order(void **state)
{
    (void)state;
    size_t size = 5000000;
    char *body = malloc(size + 1), head[64];
    memset(body, '1', size);
    body[size] = '\0';
    snprintf(head, sizeof(head), CSV "Content-Length: %zu\r\n", size);
    const char *answer = fake_ask(&fake, "POST /v1/datasets", head, body);
    free(body);
    assert_int_equal(fake_status(answer), 201);
    assert_has(answer, "{\"uploaded\":5000000}");
    assert_int_equal(fake.begun, 1);
    assert_int_equal(fake.ended, 1);
    assert_int_equal(fake.aborted, 0);
}

static void an_empty_upload_reaches_the_handler(void **state)
{
    (void)state;
    assert_has(fake_ask(&fake, "POST /v1/datasets", CSV "Content-Length: 0\r\n", ""), "{\"uploaded\":0}");
    assert_int_equal(fake.ended, 1);
}

static void a_refused_upload_is_read_to_its_end_and_told_why(void **state)
{
    (void)state;
    size_t size = 4000000;
    char *body = malloc(size + 1), head[64];
    memset(body, '1', size);
    body[1000] = '!';
    body[size] = '\0';
    snprintf(head, sizeof(head), CSV "Content-Length: %zu\r\n", size);
    const char *answer = fake_ask(&fake, "POST /v1/datasets", head, body);
    free(body);
    assert_int_equal(fake_status(answer), 422);
    assert_has(answer, "line 3 shouts");
    assert_int_equal(fake.aborted, 1);
    assert_int_equal(fake.ended, 0);
}

static void a_small_refused_upload_is_told_why(void **state)
{
    (void)state;
    const char *answer = fake_ask(&fake, "POST /v1/datasets", CSV "Content-Length: 4\r\n", "a!b\n");
    assert_int_equal(fake_status(answer), 422);
    assert_int_equal(fake.aborted, 1);
}

static void an_upload_whose_client_leaves_is_aborted(void **state)
{
    (void)state;
    size_t size = 400000;
    char *body = malloc(size);
    memset(body, '1', size);
    static const char head[] = "POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\n" CSV "Content-Length: 900000\r\n\r\n";
    int fd = fake_connect(&fake);
    fake_send(fd, head, sizeof(head) - 1);
    fake_send(fd, body, size);
    assert_true(reaches(&fake.begun, 1));
    close(fd);
    free(body);
    assert_true(reaches(&fake.aborted, 1));
    assert_int_equal(fake.ended, 0);
}

static void a_format_in_the_query_beats_the_media_type(void **state)
{
    (void)state;
    assert_int_equal(
        fake_status(fake_ask(&fake, "POST /v1/datasets?format=csv",
                             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n", "1,2\n")),
        201);
}

static void a_wait_ends_when_its_key_is_woken(void **state)
{
    (void)state;
    int fd = fake_connect(&fake), closed;
    static const char ask[] = "GET /v1/jobs/job_a?wait=30 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    fake_send(fd, ask, sizeof(ask) - 1);
    assert_true(reaches(&fake.runs, 1));
    pause_ms(20);
    waiters_wake(http_waiters(fake.http), "job_other");
    assert_string_equal(fake_receive(fd, 100, &closed), "");
    assert_false(closed);
    atomic_store(&fake.version, 7);
    waiters_wake(http_waiters(fake.http), "job_a");
    assert_has(fake_receive(fd, 3000, &closed), "{\"version\":7}");
    close(fd);
    assert_true(reaches(&fake.released, 1));
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    int64_t start = clock_monotonic_ms();
    assert_has(fake_ask(&fake, "GET /v1/jobs/job_a?wait=0.3", "", ""), "{\"version\":0}");
    int64_t took = clock_monotonic_ms() - start;
    assert_in_range(took, 290, 2500);
}

static void many_may_wait_and_none_holds_a_thread(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    int fds[COUNT];
    static const char ask[] = "GET /v1/jobs/job_a?wait=30 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (int i = 0; i < COUNT; i++) {
        fds[i] = fake_connect(&fake);
        fake_send(fds[i], ask, sizeof(ask) - 1);
    }
    assert_true(reaches(&fake.runs, COUNT));
    assert_has(fake_ask(&fake, "GET /v1", "", ""), "fake");
    atomic_store(&fake.version, 1);
    waiters_wake(http_waiters(fake.http), "job_a");
    for (int i = 0; i < COUNT; i++) {
        assert_has(fake_receive(fds[i], 3000, NULL), "{\"version\":1}");
        close(fds[i]);
    }
}

static void the_end_answers_those_who_wait(void **state)
{
    (void)state;
    int fd = fake_connect(&fake);
    static const char ask[] = "GET /v1/jobs/job_a?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    fake_send(fd, ask, sizeof(ask) - 1);
    assert_true(reaches(&fake.runs, 1));
    http_drain(fake.http);
    int closed;
    const char *answer = fake_receive(fd, 3000, &closed);
    close(fd);
    assert_int_equal(fake_status(answer), 200);
    assert_has(answer, "Connection: close");
    assert_true(closed);
}

static void the_end_waits_for_a_handler_and_sends_its_answer(void **state)
{
    (void)state;
    struct error error = {.status = STATUS_OK};
    int fd = fake_connect(&fake);
    static const char ask[] = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" JSON "Content-Length: 2\r\n\r\n{}";
    atomic_store(&fake.gate, 1);
    fake_send(fd, ask, sizeof(ask) - 1);
    assert_true(reaches(&fake.handled, 1));
    assert_int_equal(http_stop(fake.http, 50, &error), STATUS_INTERNAL);
    atomic_store(&fake.gate, 0);
    assert_int_equal(fake_status(fake_receive(fd, 3000, NULL)), 201);
    close(fd);
}

static void health_is_answered_while_all_threads_are_busy(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    int fds[COUNT];
    static const char ask[] =
        "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" JSON "Content-Length: 2\r\nConnection: close\r\n\r\n{}";
    atomic_store(&fake.gate, 1);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = fake_connect(&fake);
        fake_send(fds[i], ask, sizeof(ask) - 1);
    }
    assert_true(reaches(&fake.handled, 4));
    assert_int_equal(fake_status(fake_ask(&fake, "GET /healthz", "", "")), 200);
    atomic_store(&fake.gate, 0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(fake_status(fake_receive(fds[i], 3000, NULL)), 201);
        close(fds[i]);
    }
}

static void what_the_app_has_at_hand_is_answered_without_a_handler(void **state)
{
    (void)state;
    static const char asks[] = "GET /v1/jobs/job_x HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               "GET /v1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               "GET /v1/jobs/job_x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int closed;
    assert_has(fake_ask(&fake, "GET /v1/jobs/job_x", "", ""), "{\"version\":0}");
    assert_int_equal(atomic_load(&fake.handled), 1);
    atomic_store(&fake.at_hand, 1);
    const char *answer = fake_raw(&fake, asks, sizeof(asks) - 1, &closed);
    const char *first = strstr(answer, "{\"at_hand\":true}"), *second = strstr(answer, "{\"name\":\"fake\"}");
    assert_true(first != NULL && second > first && strstr(second, "{\"at_hand\":true}") != NULL);
    assert_has(answer, "X-Request-Id: req_");
    assert_int_equal(atomic_load(&fake.handled), 2);
    assert_has(fake_ask(&fake, "HEAD /v1/jobs/job_x", "", ""), "Content-Length: 16\r\n");
}

static void a_client_that_leaves_while_its_request_is_worked_on_harms_nobody(void **state)
{
    (void)state;
    static const char ask[] = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" JSON "Content-Length: 2\r\n\r\n{}";
    atomic_store(&fake.gate, 1);
    int fd = fake_connect(&fake);
    fake_send(fd, ask, sizeof(ask) - 1);
    assert_true(reaches(&fake.handled, 1));
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    atomic_store(&fake.gate, 0);
    assert_int_equal(fake_status(fake_ask(&fake, "GET /v1", "", "")), 200);
}

static void clients_that_leave_at_any_moment_harm_nobody(void **state)
{
    (void)state;
    static const char asks[] = "GET /v1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               "GET /v1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 3000; i++) {
        int fd = fake_connect(&fake);
        fake_send(fd, asks, sizeof(asks) - 1);
        struct timespec moment = {.tv_nsec = i % 100 * 3000};
        nanosleep(&moment, NULL);
        if (i % 2 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    assert_int_equal(fake_status(fake_ask(&fake, "GET /v1", "", "")), 200);
}

static void every_upload_ends_or_is_aborted_whenever_its_client_leaves(void **state)
{
    (void)state;
    size_t size = 300000;
    char *body = malloc(size);
    memset(body, '1', size);
    static const char head[] = "POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\n" CSV "Content-Length: 300000\r\n\r\n";
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 300; i++) {
        int fd = fake_connect(&fake);
        fake_send(fd, head, sizeof(head) - 1);
        fake_send(fd, body, i % 3 == 0 ? size : size - 1);
        struct timespec moment = {.tv_nsec = i % 100 * 10000};
        nanosleep(&moment, NULL);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    free(body);
    for (int i = 0; i < 1000 && fake.ended + fake.aborted < fake.begun; i++)
        pause_ms(5);
    assert_int_equal(fake.ended + fake.aborted, fake.begun);
    assert_true(fake.begun > 0);
}

static void a_file_is_sent_whole_or_in_part(void **state)
{
    (void)state;
    static const char get[] = "GET /v1/models/mdl_x/export";
    static const struct {
        const char *headers;
        int status;
        const char *has, *body;
    } rows[] = {
        {"", 200, "Accept-Ranges: bytes", "\r\n\r\n0123456789"},
        {"Range: bytes=2-5\r\n", 206, "Content-Range: bytes 2-5/10", "\r\n\r\n2345"},
        {"Range: bytes=7-\r\n", 206, "Content-Range: bytes 7-9/10", "\r\n\r\n789"},
        {"Range: bytes=-3\r\n", 206, "Content-Range: bytes 7-9/10", "\r\n\r\n789"},
        {"Range: bytes=10-\r\n", 416, "Content-Range: bytes */10", "range_invalid"},
        {"Range: bytes=0-1,4-5\r\n", 416, "Content-Range: bytes */10", "range_invalid"},
        {"Range: lines=1-2\r\n", 416, "Content-Range: bytes */10", "range_invalid"},
        {"Range: bytes=2-5\r\nIf-Range: \"tag\"\r\n", 206, "Content-Range: bytes 2-5/10", "\r\n\r\n2345"},
        {"Range: bytes=2-5\r\nIf-Range: \"old\"\r\n", 200, "ETag: \"tag\"", "\r\n\r\n0123456789"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer = fake_ask(&fake, get, rows[i].headers, "");
        assert_int_equal(fake_status(answer), rows[i].status);
        assert_has(answer, rows[i].has);
        assert_has(answer, rows[i].body);
    }
}

static void requests_on_one_connection_are_answered_in_order(void **state)
{
    (void)state;
    static const char asks[] = "GET /v1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int closed;
    const char *answer = fake_raw(&fake, asks, sizeof(asks) - 1, &closed);
    const char *first = strstr(answer, "{\"name\":\"fake\"}"), *second = strstr(answer, "{\"later\":true}");
    const char *third = strstr(answer, "{\"status\":\"ok\"}");
    assert_true(first != NULL && second > first && third > second);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SERVED(an_answer_has_its_request_id_and_media_type),
        SERVED(an_error_is_a_problem_that_is_not_stored),
        SERVED(an_answer_may_come_later_from_another_thread),
        SERVED(an_answer_without_a_body_has_none),
        SERVED(head_is_answered_without_the_body),
        SERVED(a_body_is_complete_when_the_handler_runs),
        SERVED(a_large_body_arrives_whole),
        SERVED(chunks_beyond_the_limit_are_drained_and_refused),
        SERVED(a_body_that_never_ends_is_cut_off),
        SERVED(an_upload_comes_in_pieces_and_in_order),
        SERVED(an_empty_upload_reaches_the_handler),
        SERVED(a_refused_upload_is_read_to_its_end_and_told_why),
        SERVED(a_small_refused_upload_is_told_why),
        SERVED(an_upload_whose_client_leaves_is_aborted),
        SERVED(a_format_in_the_query_beats_the_media_type),
        SERVED(a_wait_ends_when_its_key_is_woken),
        SERVED(a_wait_ends_at_its_deadline),
        SERVED(many_may_wait_and_none_holds_a_thread),
        SERVED(the_end_answers_those_who_wait),
        SERVED(the_end_waits_for_a_handler_and_sends_its_answer),
        SERVED(health_is_answered_while_all_threads_are_busy),
        SERVED(what_the_app_has_at_hand_is_answered_without_a_handler),
        SERVED(a_client_that_leaves_while_its_request_is_worked_on_harms_nobody),
        SERVED(clients_that_leave_at_any_moment_harm_nobody),
        SERVED(every_upload_ends_or_is_aborted_whenever_its_client_leaves),
        SERVED(a_file_is_sent_whole_or_in_part),
        SERVED(requests_on_one_connection_are_answered_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
