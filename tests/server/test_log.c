/* Standard error is a pipe while a line is written, so that what comes out can be read. */
#include "server/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int kept_stderr, pipe_ends[2];
static char text[8192];

static void begin(enum log_format format)
{
    kept_stderr = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipe_ends), 0);
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    dup2(pipe_ends[1], STDERR_FILENO);
    log_set_format(format);
}

/* What stands in the pipe now. */
static const char *written(void)
{
    ssize_t size = read(pipe_ends[0], text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void end(void)
{
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void expect(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, text);
}

static void a_text_line_has_time_level_id_and_message(void **state)
{
    (void)state;
    begin(LOG_FORMAT_TEXT);
    log_warning("job_x", "step %d", 7);
    written();
    end();
    expect("T");
    expect("Z warning job_x step 7\n");
}

static void a_json_line_is_an_object(void **state)
{
    (void)state;
    begin(LOG_FORMAT_JSON);
    log_info(NULL, "say \"hi\" \\ %s", "\n\x1b[31m\xff");
    written();
    end();
    expect("{\"time\":\"");
    expect(",\"level\":\"info\",\"message\":\"say \\\"hi\\\" \\\\ \\u000a\\u001b[31m\\u00ff\"}\n");
}

static void an_access_line_has_its_figures(void **state)
{
    (void)state;
    static const struct log_access access = {"req_x", "GET", "/v1/jobs", 200, 1.5, 312};
    begin(LOG_FORMAT_TEXT);
    log_access(&access);
    written();
    end();
    expect("req_x GET /v1/jobs 200 1.500 ms 312 bytes\n");
    begin(LOG_FORMAT_JSON);
    log_access(&access);
    written();
    end();
    expect("\"id\":\"req_x\",\"method\":\"GET\",\"path\":\"/v1/jobs\",\"status\":200,\"ms\":1.500,\"bytes\":312}\n");
}

static void a_message_cannot_begin_a_line_of_its_own(void **state)
{
    (void)state;
    begin(LOG_FORMAT_TEXT);
    log_info("req_x\nfake", "a\nb\rc");
    written();
    end();
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void tokens_are_never_written(void **state)
{
    (void)state;
    static const struct log_access access = {"req_x", "GET", "/v1/dct_SECRET", 404, 0, 0};
    begin(LOG_FORMAT_TEXT);
    log_info(NULL, "with dct_SECRET inside");
    log_access(&access);
    written();
    end();
    assert_null(strstr(text, "SECRET"));
    expect("dct_******");
}

static void a_long_message_is_cut_and_the_line_stays_whole(void **state)
{
    (void)state;
    char message[6000];
    memset(message, '\n', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    begin(LOG_FORMAT_JSON);
    log_info("req_x", "%s", message);
    written();
    end();
    size_t size = strlen(text);
    assert_in_range(size, 1000, 2048);
    assert_string_equal(text + size - 3, "\"}\n");
}

static void a_reader_that_sleeps_loses_lines_but_is_told_how_many(void **state)
{
    (void)state;
    struct timespec start, stop;
    begin(LOG_FORMAT_TEXT);
    fcntl(pipe_ends[1], F_SETPIPE_SZ, 16384);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 1000; i++)
        log_info(NULL, "line %d of a thousand that nobody reads for now", i);
    clock_gettime(CLOCK_MONOTONIC, &stop);
    while (*written() != '\0')
        continue;
    log_info(NULL, "back again");
    written();
    end();
    expect("lines were dropped\n");
    expect("back again\n");
    assert_true(stop.tv_sec - start.tv_sec < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_time_level_id_and_message),
        cmocka_unit_test(a_json_line_is_an_object),
        cmocka_unit_test(an_access_line_has_its_figures),
        cmocka_unit_test(a_message_cannot_begin_a_line_of_its_own),
        cmocka_unit_test(tokens_are_never_written),
        cmocka_unit_test(a_long_message_is_cut_and_the_line_stays_whole),
        cmocka_unit_test(a_reader_that_sleeps_loses_lines_but_is_told_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
