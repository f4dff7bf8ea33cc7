/* Real loopback connections, with limits of tenths of a second. */
#include "server/http/watchdog.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/server/monitored.h"

static const struct watchdog_limits quick = {
    .head_ms = 400, .grace_ms = 400, .answer_ms = 400, .stream_ms = 700, .idle_ms = 600, .gone_ms = 300, .rate = 10000};

static atomic_int ticks;
static struct watchdog *watchdog;
static int server_end, client_end;
static struct peer *peer;

static void count_tick(void *context, int64_t now)
{
    (void)now;
    atomic_fetch_add((atomic_int *)context, 1);
}

static void connect_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    client_end = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client_end, (struct sockaddr *)&address, sizeof(address)), 0);
    server_end = accept(listener, NULL, NULL);
    assert_true(server_end >= 0);
    close(listener);
}

static int set_up(void **state)
{
    (void)state;
    struct error error = {.status = STATUS_OK};
    connect_pair();
    assert_int_equal(watchdog_new(&quick, count_tick, &ticks, &watchdog, &error), STATUS_OK);
    peer = watchdog_open(watchdog, server_end);
    assert_non_null(peer);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watchdog_close(watchdog, peer);
    watchdog_free(watchdog);
    close(server_end);
    close(client_end);
    return 0;
}

/* Whether the server's side was shut down within `ms`. */
static int is_cut_within(int ms)
{
    struct pollfd end = {.fd = client_end, .events = POLLRDHUP};
    return poll(&end, 1, ms) == 1;
}

static void a_head_that_does_not_come_is_cut(void **state)
{
    (void)state;
    assert_false(is_cut_within(250));
    assert_true(is_cut_within(2000));
}

/* Counted right behind the cut, which the client may see first. */
static void who_was_too_slow_is_counted_once(void **state)
{
    static const char *const series = "descentd_http_slow_clients_total";
    const struct timespec moment = {.tv_nsec = 10000000}, ticks_more = {.tv_nsec = 300000000};
    double before = monitored(series);
    (void)state;
    assert_true(is_cut_within(2000));
    for (int i = 0; i < 1000 && monitored(series) < before + 1; i++)
        nanosleep(&moment, NULL);
    nanosleep(&ticks_more, NULL);
    assert_close(monitored(series), before + 1, 0, 0);
}

static void the_first_heads_time_runs_from_the_accept_on(void **state)
{
    (void)state;
    assert_false(is_cut_within(250));
    watchdog_phase(watchdog, peer, PEER_HEAD);
    assert_true(is_cut_within(350));
}

static void work_has_no_deadline(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_WORK);
    assert_false(is_cut_within(1000));
}

static void a_slow_body_is_cut_and_a_fast_one_is_not(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_BODY);
    for (int i = 0; i < 8; i++) {
        watchdog_received(watchdog, peer, 2000);
        assert_false(is_cut_within(100));
    }
    assert_true(is_cut_within(3000));
}

static void time_at_work_does_not_count_for_the_body(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_BODY);
    watchdog_phase(watchdog, peer, PEER_WORK);
    assert_false(is_cut_within(700));
    watchdog_phase(watchdog, peer, PEER_BODY);
    assert_false(is_cut_within(250));
    assert_true(is_cut_within(2000));
}

static void an_answer_that_nobody_takes_is_cut(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_ANSWER);
    assert_true(is_cut_within(2000));
}

static void an_answer_that_is_taken_goes_on(void **state)
{
    (void)state;
    static char bytes[2000];
    watchdog_phase(watchdog, peer, PEER_ANSWER);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(send(server_end, bytes, sizeof(bytes), MSG_NOSIGNAL), sizeof(bytes));
        assert_int_equal(recv(client_end, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
        assert_false(is_cut_within(100));
    }
}

static void a_stream_may_be_silent(void **state)
{
    (void)state;
    char byte = 'x';
    watchdog_phase(watchdog, peer, PEER_STREAM);
    assert_false(is_cut_within(1500));
    assert_int_equal(send(server_end, &byte, 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(client_end, &byte, 1, 0), 1);
    assert_false(is_cut_within(1500));
}

static void a_stream_that_is_not_taken_is_cut(void **state)
{
    (void)state;
    static char bytes[65536];
    watchdog_phase(watchdog, peer, PEER_STREAM);
    while (send(server_end, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        ;
    assert_false(is_cut_within(500));
    struct timespec two = {.tv_sec = 2};
    nanosleep(&two, NULL);
    while (recv(client_end, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    assert_true(is_cut_within(2000));
}

static void a_stream_whose_client_has_left_is_cut(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_STREAM);
    shutdown(client_end, SHUT_WR);
    assert_true(is_cut_within(2000));
}

static void an_idle_connection_ends_after_its_time(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_IDLE);
    assert_int_equal(watchdog_requests(peer), 1);
    assert_false(is_cut_within(450));
    assert_true(is_cut_within(2000));
}

static void a_client_that_has_left_is_noticed_in_its_body_but_not_at_work(void **state)
{
    (void)state;
    watchdog_phase(watchdog, peer, PEER_WORK);
    shutdown(client_end, SHUT_WR);
    assert_false(is_cut_within(600));
    watchdog_phase(watchdog, peer, PEER_BODY);
    watchdog_received(watchdog, peer, 1000000);
    assert_true(is_cut_within(2000));
}

static void the_clock_ticks(void **state)
{
    (void)state;
    int before = atomic_load(&ticks);
    struct timespec half = {.tv_nsec = 500000000};
    nanosleep(&half, NULL);
    assert_in_range(atomic_load(&ticks) - before, 2, 8);
}

int main(void)
{
#define WATCHED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WATCHED(a_head_that_does_not_come_is_cut),
        WATCHED(who_was_too_slow_is_counted_once),
        WATCHED(the_first_heads_time_runs_from_the_accept_on),
        WATCHED(work_has_no_deadline),
        WATCHED(a_slow_body_is_cut_and_a_fast_one_is_not),
        WATCHED(time_at_work_does_not_count_for_the_body),
        WATCHED(an_answer_that_nobody_takes_is_cut),
        WATCHED(an_answer_that_is_taken_goes_on),
        WATCHED(a_stream_may_be_silent),
        WATCHED(a_stream_that_is_not_taken_is_cut),
        WATCHED(a_stream_whose_client_has_left_is_cut),
        WATCHED(an_idle_connection_ends_after_its_time),
        WATCHED(a_client_that_has_left_is_noticed_in_its_body_but_not_at_work),
        WATCHED(the_clock_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
