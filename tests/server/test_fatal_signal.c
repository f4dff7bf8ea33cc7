/* Each signal kills a child, whose standard error is read. */
#include "server/fatal_signal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that dies of `number`: what it wrote, and what it died of. */
static int die(int number, enum log_format format, char *text, size_t room)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        signal(number, SIG_DFL); /* neither cmocka's handler nor a sanitizer's */
        fatal_signal_log(format);
        raise(number);
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got = 1; got > 0; size += (size_t)got) {
        got = read(ends[0], text + size, room - 1 - size);
        if (got < 0)
            break;
    }
    text[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void every_fatal_signal_is_named_and_kills(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *name;
    } rows[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512], wanted[64];
        assert_int_equal(die(rows[i].number, LOG_FORMAT_TEXT, text, sizeof(text)), rows[i].number);
        snprintf(wanted, sizeof(wanted), "Z error   the process ends by %s\n", rows[i].name);
        if (strlen(text) < strlen(wanted) || strcmp(text + strlen(text) - strlen(wanted), wanted) != 0)
            fail_msg("%s: %s", rows[i].name, text);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    }
}

static void a_json_log_stays_json(void **state)
{
    (void)state;
    char text[512];
    assert_int_equal(die(SIGSEGV, LOG_FORMAT_JSON, text, sizeof(text)), SIGSEGV);
    assert_memory_equal(text, "{\"time\":\"2", 10);
    assert_non_null(strstr(text, "Z\",\"level\":\"error\",\"message\":\"the process ends by SIGSEGV\"}\n"));
}

static void keep(int number)
{
    (void)number;
    _exit(7);
}

static void a_handler_that_is_there_already_is_kept(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGFPE, keep);
        fatal_signal_log(LOG_FORMAT_TEXT);
        raise(SIGFPE);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fatal_signal_is_named_and_kills),
        cmocka_unit_test(a_json_log_stays_json),
        cmocka_unit_test(a_handler_that_is_there_already_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
