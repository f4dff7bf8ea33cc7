/* All that runs in the handler is safe there: a clock, arithmetic, copies and write; not the log, whose lock may be held. */
#include "server/fatal_signal.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "api/timestamp.h"
#include "core/base/thread_tag.h"
#include "server/clock.h"

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

static atomic_int mark_fd = -1;

/* Appends what fits. */
static size_t append(char *line, size_t size, size_t room, const char *text)
{
    while (size < room && *text != '\0')
        line[size++] = *text++;
    return size;
}

static void write_mark(const char *job, int64_t ms)
{
    char digits[21], *digit = digits + sizeof(digits), line[LINE_ROOM];
    size_t size = 0;
    *--digit = '\0';
    do {
        *--digit = (char)('0' + ms % 10);
        ms /= 10;
    } while (ms > 0);
    size = append(line, size, sizeof(line), digit);
    size = append(line, size, sizeof(line), " ");
    size = append(line, size, sizeof(line), job);
    size = append(line, size, sizeof(line), "\n");
    if (pwrite(mark_fd, line, size, 0) < 0 || fdatasync(mark_fd) != 0)
        return; /* no evidence then */
}

static void write_line(int number, int64_t ms)
{
    char time_text[TIMESTAMP_TEXT], line[LINE_ROOM];
    const char *name = "a signal";
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        if (fatal[i].number == number)
            name = fatal[i].name;
    }
    timestamp_format(ms, time_text);
    const char *const *piece = pieces[line_format];
    const char *const parts[] = {piece[0], time_text, piece[1], name, piece[2]};
    size_t size = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        size = append(line, size, sizeof(line), parts[i]);
    if (write(STDERR_FILENO, line, size) < 0)
        return; /* there is nobody left to tell */
}

/* The handler is reset by now: the signal, raised again, waits until this returns and then does what it always does. */
static void handle(int number)
{
    int64_t ms = clock_realtime_ms();
    write_line(number, ms);
    if (thread_tag != NULL && mark_fd >= 0)
        write_mark(thread_tag, ms);
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

void fatal_signal_mark(int fd)
{
    mark_fd = fd;
}
