/* Streams of a running transport: what is sent and when, and every way in which a stream ends. */
#include "server/http/stream.h"

#include "server/http/internal.h"

#include <sys/stat.h>

#include "tests/server/http/fake_server.h"

#define STREAM "GET /v1/jobs/job_x/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LAST   1000000 /* the version after which the stream is through */
#define PIECE  ((size_t)300000)

static const struct stream_limits quick = {.beat_ms = 150}, patient = {.beat_ms = 60000};

static struct fake fake;
static char piece_bytes[PIECE];

static void give_back(void *context)
{
    (void)context;
    atomic_fetch_add(&fake.released, 1);
}

static void give_back_nothing(void *context)
{
    (void)context;
    atomic_fetch_add(&fake.aborted, 1);
}

/* Numbers up to the version, a line each, one a piece; the end at LAST. */
static void count_up(struct request *request, struct stream_piece *piece)
{
    static const char *const lines[] = {"<1>\n", "<2>\n", "<3>\n", "<4>\n", "<5>\n", "<6>\n", "<7>\n", "<8>\n", "<9>\n"};
    unsigned *sent = request_state(request);
    uint64_t ticket = request_ticket(request, "job_x");
    atomic_fetch_add(&fake.runs, 1);
    unsigned version = atomic_load(&fake.version);
    if (!request_is_allowed(request)) {
        *piece = (struct stream_piece){.bytes = "revoked\n", .size = 8};
    } else if (version == LAST) {
        *piece = (struct stream_piece){.bytes = "end\n", .size = 4};
    } else if (*sent < version) {
        const char *line = lines[(*sent)++ % 9];
        atomic_fetch_add(&fake.begun, 1);
        *piece = (struct stream_piece){.bytes = line, .size = 4, .release = give_back, .ticket = ticket};
        piece->then = *sent < version ? STREAM_GO_ON : STREAM_WAIT;
    } else {
        atomic_fetch_add(&fake.ended, 1);
        *piece = (struct stream_piece){.release = give_back_nothing, .then = STREAM_WAIT, .ticket = ticket};
    }
}

/* More than any buffer holds, without end. */
static void pour(struct request *request, struct stream_piece *piece)
{
    (void)request;
    atomic_fetch_add(&fake.begun, 1);
    *piece = (struct stream_piece){.bytes = piece_bytes, .size = PIECE, .release = give_back, .then = STREAM_GO_ON};
}

static void start(const struct stream_limits *limits, char *const options[])
{
    fake_start(&fake, options);
    fake.http->stream_limits = limits;
    fake.fill = count_up;
}

static int set_up(void **state)
{
    (void)state;
    start(&patient, NULL);
    return 0;
}

static int set_up_quick(void **state)
{
    (void)state;
    start(&quick, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_stop(&fake);
    return 0;
}

static void change(unsigned version)
{
    atomic_store(&fake.version, version);
    waiters_wake(http_waiters(fake.http), "job_x");
}

static int ask(const char *text)
{
    int fd = fake_connect(&fake);
    fake_send(fd, text, strlen(text));
    return fd;
}

/* 1 when so many streams are open within 5 s. */
static int streams_get_to(unsigned wanted)
{
    for (int i = 0; i < 1000 && http_open_streams(fake.http) != wanted; i++)
        pause_ms(5);
    return http_open_streams(fake.http) == wanted;
}

/* Reads until `part` has come; what came so far. */
static const char *read_until(int fd, const char *part)
{
    static char all[ANSWER_MAX];
    size_t size = 0;
    all[0] = '\0';
    while (strstr(all, part) == NULL) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, 5000) == 1 ? recv(fd, all + size, sizeof(all) - 1 - size, 0) : 0;
        if (got <= 0)
            fail_msg("\"%s\" does not come after: %.600s", part, all);
        size += (size_t)got;
        all[size] = '\0';
    }
    return all;
}

static void a_stream_sends_what_there_is_and_then_what_comes(void **state)
{
    (void)state;
    int closed, fd;
    atomic_store(&fake.version, 2);
    fd = ask(STREAM);
    const char *begin = read_until(fd, "<2>\n");
    assert_int_equal(fake_status(begin), 200);
    assert_has(begin, "Content-Type: text/event-stream\r\n");
    assert_has(begin, "Cache-Control: no-store\r\n");
    assert_has(begin, "X-Accel-Buffering: no\r\n");
    assert_has(begin, "<1>\n");
    change(3);
    assert_lacks(read_until(fd, "<3>\n"), "<2>");
    change(LAST);
    assert_has(fake_receive(fd, 3000, &closed), "end\n\r\n0\r\n\r\n");
    assert_true(closed);
    close(fd);
    assert_true(streams_get_to(0));
    assert_int_equal(fake.released, 3);
}

static void a_client_of_http_1_0_is_sent_the_bytes_alone(void **state)
{
    (void)state;
    int closed, fd;
    atomic_store(&fake.version, 2);
    fd = ask("GET /v1/jobs/job_x/events HTTP/1.0\r\n\r\n");
    read_until(fd, "<2>\n");
    change(LAST);
    const char *rest = fake_receive(fd, 3000, &closed);
    assert_string_equal(rest, "end\n");
    assert_true(closed);
    close(fd);
}

static void a_silent_stream_says_that_it_lives(void **state)
{
    (void)state;
    int fd = ask(STREAM);
    read_until(fd, "beat\n");
    read_until(fd, "beat\n");
    change(1);
    read_until(fd, "<1>\n");
    read_until(fd, "beat\n");
    close(fd);
}

static void a_wake_without_news_is_not_told(void **state)
{
    (void)state;
    int fd = ask(STREAM);
    assert_true(reaches(&fake.runs, 1));
    for (unsigned i = 2; i < 10; i++) {
        waiters_wake(http_waiters(fake.http), "job_x");
        assert_true(reaches(&fake.runs, i));
    }
    change(1);
    const char *got = strstr(read_until(fd, "<1>\n"), "\r\n\r\n");
    assert_string_equal(got, "\r\n\r\n4\r\n<1>\n\r\n");
    change(LAST);
    read_until(fd, "end\n");
    close(fd);
    assert_true(streams_get_to(0));
    assert_int_equal(fake.ended, 9);
    assert_int_equal(fake.aborted, 9);
}

static void *change_often(void *argument)
{
    for (unsigned i = 1; i <= *(unsigned *)argument; i++)
        change(i);
    return NULL;
}

static void no_change_is_lost_or_told_twice(void **state)
{
    (void)state;
    enum { CHANGES = 3000, CLIENTS = 4 };
    unsigned changes = CHANGES;
    int fds[CLIENTS];
    pthread_t changer;
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = ask(STREAM);
    pthread_create(&changer, NULL, change_often, &changes);
    pthread_join(changer, NULL);
    assert_true(reaches(&fake.released, CHANGES * CLIENTS));
    change(LAST);
    for (size_t i = 0; i < CLIENTS; i++) {
        unsigned lines = 0;
        for (const char *at = read_until(fds[i], "end\n"); (at = strchr(at, '<')) != NULL; at++)
            assert_int_equal(at[1], "123456789"[lines++ % 9]);
        assert_int_equal(lines, CHANGES);
        close(fds[i]);
    }
}

static void a_large_piece_arrives_whole(void **state)
{
    (void)state;
    size_t size = 0;
    static char bytes[65536];
    memset(piece_bytes, 'x', PIECE);
    fake.fill = pour;
    int fd = ask(STREAM);
    while (size < 10 * PIECE) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++)
            size += bytes[i] == 'x';
    }
    close(fd);
    assert_true(streams_get_to(0));
    assert_int_equal(fake.begun, fake.released);
}

static void a_client_that_has_left_is_noticed_in_the_silence(void **state)
{
    (void)state;
    int fd = ask(STREAM);
    read_until(fd, "beat\n");
    assert_true(streams_get_to(1));
    close(fd);
    assert_true(streams_get_to(0));
}

static void a_client_that_leaves_in_the_middle_of_a_piece_costs_nothing(void **state)
{
    (void)state;
    fake.fill = pour;
    int fd = ask(STREAM);
    assert_true(reaches(&fake.begun, 1) || atomic_load(&fake.begun) > 1);
    pause_ms(50);
    close(fd);
    assert_true(streams_get_to(0));
    assert_int_equal(fake.begun, fake.released);
}

static void head_opens_no_stream(void **state)
{
    (void)state;
    int closed;
    int fd = ask("HEAD /v1/jobs/job_x/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const char *answer = fake_receive(fd, 3000, &closed);
    assert_true(closed);
    assert_int_equal(fake_status(answer), 200);
    assert_has(answer, "Content-Type: text/event-stream\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(http_open_streams(fake.http), 0);
    assert_int_equal(fake.runs, 0);
    close(fd);
}

static void one_stream_too_many_is_told_to_come_later(void **state)
{
    (void)state;
    static char option[] = "--max-streams", two[] = "2";
    char *options[] = {option, two, NULL};
    start(&quick, options);
    int first = ask(STREAM), second = ask(STREAM), closed;
    assert_true(streams_get_to(2));
    const char *answer = fake_raw(&fake, STREAM, sizeof(STREAM) - 1, NULL);
    assert_int_equal(fake_status(answer), 503);
    assert_has(answer, "\"code\":\"too_many_streams\"");
    assert_has(answer, "Retry-After: 5\r\n");
    assert_int_equal(fake_status(fake_ask(&fake, "GET /v1", "", "")), 200);
    close(first);
    assert_true(streams_get_to(1));
    int third = ask(STREAM);
    assert_true(streams_get_to(2));
    change(LAST);
    assert_has(fake_receive(second, 3000, &closed), "end\n");
    assert_has(fake_receive(third, 3000, &closed), "end\n");
    close(second);
    close(third);
    fake_stop(&fake);
}

static void streams_leave_connections_for_others(void **state)
{
    (void)state;
    static char streams[] = "--max-streams", hundred[] = "100", connections[] = "--max-connections", eight[] = "8";
    char *options[] = {streams, hundred, connections, eight, NULL};
    start(&quick, options);
    assert_int_equal(fake.http->max_streams, 6);
    fake_stop(&fake);
}

static void the_end_of_the_server_is_the_end_of_its_streams(void **state)
{
    (void)state;
    enum { CLIENTS = 20 };
    int fds[CLIENTS], closed;
    start(&patient, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = ask(STREAM);
    assert_true(streams_get_to(CLIENTS));
    http_drain(fake.http);
    assert_true(streams_get_to(0));
    for (size_t i = 0; i < CLIENTS; i++) {
        const char *answer = fake_receive(fds[i], 3000, &closed);
        assert_true(closed);
        assert_has(answer, "\r\n\r\n0\r\n\r\n");
        close(fds[i]);
    }
    fake_stop(&fake);
}

static void a_reader_that_never_reads_does_not_hold_up_the_end(void **state)
{
    (void)state;
    start(&patient, NULL);
    fake.fill = pour;
    int fd = ask(STREAM);
    assert_true(streams_get_to(1));
    pause_ms(100);
    fake_stop(&fake);
    close(fd);
    assert_int_equal(fake.begun, fake.released);
}

#define SHA256_OF_SECRET "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

static void write_tokens(const char *path, const char *line)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(line, file);
    fclose(file);
    chmod(path, 0600);
}

static void a_stream_knows_when_its_token_was_withdrawn(void **state)
{
    (void)state;
    static char path[] = "/tmp/descentd-tokens-XXXXXX", option[] = "--token-file";
    char *options[] = {option, path, NULL};
    int closed, fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_tokens(path, "mine:read:" SHA256_OF_SECRET "\n");
    start(&quick, options);
    fd = ask("GET /v1/jobs/job_x/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n");
    assert_has(read_until(fd, "beat\n"), "200 OK");
    write_tokens(path, "other:read:" SHA256_OF_SECRET "\n");
    assert_int_equal(tokens_reload(fake.tokens, NULL), STATUS_OK);
    read_until(fd, "beat\n");
    write_tokens(path, "mine:read:0000000000000000000000000000000000000000000000000000000000000000\n");
    assert_int_equal(tokens_reload(fake.tokens, NULL), STATUS_OK);
    assert_has(fake_receive(fd, 3000, &closed), "revoked\n\r\n0\r\n\r\n");
    assert_true(closed);
    close(fd);
    fake_stop(&fake);
    unlink(path);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define QUICK(test)  cmocka_unit_test_setup_teardown(test, set_up_quick, tear_down)
    const struct CMUnitTest tests[] = {
        SERVED(a_stream_sends_what_there_is_and_then_what_comes),
        SERVED(a_client_of_http_1_0_is_sent_the_bytes_alone),
        QUICK(a_silent_stream_says_that_it_lives),
        SERVED(a_wake_without_news_is_not_told),
        SERVED(no_change_is_lost_or_told_twice),
        SERVED(a_large_piece_arrives_whole),
        QUICK(a_client_that_has_left_is_noticed_in_the_silence),
        SERVED(a_client_that_leaves_in_the_middle_of_a_piece_costs_nothing),
        SERVED(head_opens_no_stream),
        cmocka_unit_test(one_stream_too_many_is_told_to_come_later),
        cmocka_unit_test(streams_leave_connections_for_others),
        cmocka_unit_test(the_end_of_the_server_is_the_end_of_its_streams),
        cmocka_unit_test(a_reader_that_never_reads_does_not_hold_up_the_end),
        cmocka_unit_test(a_stream_knows_when_its_token_was_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
