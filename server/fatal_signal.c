/* All that runs in the handler is safe there: a clock, arithmetic, copies and write; not the log, whose lock may be held. */
#include "server/fatal_signal.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/timestamp.h"

#define LINE_ROOM 160

static const struct {
    int number;
    const char *name;
} fatal[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}};

#define FATAL_COUNT (sizeof(fatal) / sizeof(fatal[0]))

/* What stands before the time, before the name and behind it. */
static const char *const pieces[][3] = {
    [LOG_FORMAT_TEXT] = {"", " error   the process ends by ", "\n"},
    [LOG_FORMAT_JSON] = {"{\"time\":\"", "\",\"level\":\"error\",\"message\":\"the process ends by ", "\"}\n"},
};

static enum log_format line_format;

static void write_line(int number)
{
    struct timespec now;
    char time_text[TIMESTAMP_TEXT], line[LINE_ROOM];
    const char *name = "a signal";
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        if (fatal[i].number == number)
            name = fatal[i].name;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    timestamp_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, time_text);
    const char *const *piece = pieces[line_format];
    const char *const parts[] = {piece[0], time_text, piece[1], name, piece[2]};
    size_t size = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t length = strlen(parts[i]);
        memcpy(line + size, parts[i], length);
        size += length;
    }
    if (write(STDERR_FILENO, line, size) < 0)
        return; /* there is nobody left to tell */
}

/* The handler is reset by now: the signal, raised again, waits until this returns and then does what it always does. */
static void handle(int number)
{
    write_line(number);
    raise(number);
}

void fatal_signal_log(enum log_format format)
{
    struct sigaction old, action = {.sa_handler = handle, .sa_flags = (int)SA_RESETHAND};
    line_format = format;
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        if (sigaction(fatal[i].number, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(fatal[i].number, &action, NULL);
    }
}
