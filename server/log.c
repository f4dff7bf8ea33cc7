/*
 * Lines are formatted on the caller's stack and written under one lock, so that they come out whole and in order. A
 * pipe whose reader sleeps is asked (poll) before each write: a line no longer than PIPE_BUF then never blocks. A thread
 * of its own for writing was rejected: a crash would lose the last, most wanted lines.
 */
#include "server/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/timestamp.h"
#include "server/clock.h"
#include "server/tokens.h"

#define LINE_MAX_BYTES 2048
#define TAIL_ROOM      128 /* kept by escaped text for what follows it, so that a JSON line is always whole */
#define WAIT_MS        20  /* for a slow reader, before the first line is dropped; later ones do not wait */

static_assert(LINE_MAX_BYTES <= PIPE_BUF, "a line must be written in one piece");

static enum log_format line_format = LOG_FORMAT_TEXT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards standard error and `dropped` */
static uint64_t dropped;

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

/* A line being built; what does not fit is cut off. */
struct line {
    size_t size;
    char text[LINE_MAX_BYTES];
};

static void add(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - 1 - line->size; /* the newline's place is kept */
    va_list values;
    va_start(values, format);
    int size = vsnprintf(line->text + line->size, room, format, values);
    va_end(values);
    if (size > 0)
        line->size += (size_t)size < room ? (size_t)size : room - 1;
}

/* Printable ASCII as it is, anything else as an escape that is right in JSON and harmless on a terminal. */
static void add_escaped(struct line *line, const char *text)
{
    for (; *text != '\0' && line->size < LINE_MAX_BYTES - TAIL_ROOM; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte >= 0x7f) {
            add(line, "\\u%04x", byte);
            continue;
        }
        if (line_format == LOG_FORMAT_JSON && (byte == '"' || byte == '\\'))
            line->text[line->size++] = '\\';
        line->text[line->size++] = *text; /* there is room: TAIL_ROOM */
    }
}

static void begin(struct line *line, enum log_level level, const char *id)
{
    char time_text[TIMESTAMP_TEXT];
    timestamp_format(clock_realtime_ms(), time_text);
    line->size = 0;
    if (line_format == LOG_FORMAT_TEXT) {
        add(line, "%s %-7s ", time_text, level_names[level]);
        if (id != NULL) {
            add_escaped(line, id);
            add(line, " ");
        }
        return;
    }
    add(line, "{\"time\":\"%s\",\"level\":\"%s\"", time_text, level_names[level]);
    if (id != NULL) {
        add(line, ",\"id\":\"");
        add_escaped(line, id);
        add(line, "\"");
    }
}

/* Under the lock. */
static int write_line(const struct line *line)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, dropped > 0 ? 0 : WAIT_MS) != 1 || (ready.revents & POLLOUT) == 0)
        return 0;
    ssize_t written;
    do
        written = write(STDERR_FILENO, line->text, line->size);
    while (written < 0 && errno == EINTR);
    return written == (ssize_t)line->size;
}

static void finish(struct line *line)
{
    if (line_format == LOG_FORMAT_JSON)
        add(line, "}");
    line->text[line->size++] = '\n';
    pthread_mutex_lock(&lock);
    if (dropped > 0) {
        struct line gap;
        begin(&gap, LOG_LEVEL_WARNING, NULL);
        add(&gap, line_format == LOG_FORMAT_JSON ? ",\"message\":\"%llu lines were dropped\"}" : "%llu lines were dropped",
            (unsigned long long)dropped);
        gap.text[gap.size++] = '\n';
        if (write_line(&gap))
            dropped = 0;
    }
    /* While a gap cannot be told, later lines are not written either: the log never hides that it has one. */
    if (dropped > 0 || !write_line(line))
        dropped++;
    pthread_mutex_unlock(&lock);
}

void log_set_format(enum log_format format)
{
    line_format = format;
}

void log_event(enum log_level level, const char *id, const char *format, ...)
{
    char message[LINE_MAX_BYTES];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    tokens_scrub(message);
    struct line line;
    begin(&line, level, id);
    if (line_format == LOG_FORMAT_JSON)
        add(&line, ",\"message\":\"");
    add_escaped(&line, message);
    if (line_format == LOG_FORMAT_JSON)
        add(&line, "\"");
    finish(&line);
}

void log_access(const struct log_access *access)
{
    char path[256];
    snprintf(path, sizeof(path), "%s", access->path);
    tokens_scrub(path);
    struct line line;
    begin(&line, LOG_LEVEL_INFO, access->request_id);
    if (line_format == LOG_FORMAT_JSON) {
        add(&line, ",\"method\":\"");
        add_escaped(&line, access->method);
        add(&line, "\",\"path\":\"");
        add_escaped(&line, path);
        add(&line, "\",\"status\":%u,\"ms\":%.3f,\"bytes\":%llu", access->status, access->ms,
            (unsigned long long)access->bytes);
    } else {
        add_escaped(&line, access->method);
        add(&line, " ");
        add_escaped(&line, path);
        add(&line, " %u %.3f ms %llu bytes", access->status, access->ms, (unsigned long long)access->bytes);
    }
    finish(&line);
}
