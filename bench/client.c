#include "bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

_Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- connections ---- */

void connection_open(struct connection *connection, int epoll, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        give_up("no connection");
    }
    connection->busy = 0;
    connection->used = 0;
}

/* A request is far smaller than a socket's buffer, which is empty before it. */
void connection_ask(struct connection *connection, const char *method, const char *path, const char *head, const char *body)
{
    char request[CLIENT_REQUEST_BYTES];
    int size = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, path, head);

    if (size > 0 && size < CLIENT_REQUEST_BYTES && body != NULL) {
        size += snprintf(request + size, sizeof request - (size_t)size,
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    } else if (size > 0 && size < CLIENT_REQUEST_BYTES) {
        size += snprintf(request + size, sizeof request - (size_t)size, "\r\n");
    }
    if (size < 0 || size >= CLIENT_REQUEST_BYTES || send(connection->fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        give_up("a request cannot be sent");
    }
    connection->busy = 1;
    connection->used = 0;
}

/* The size of the answer's head, once the whole answer is there; else 0. */
static size_t complete_head(const struct connection *connection)
{
    const char *end = memmem(connection->answer, connection->used, "\r\n\r\n", 4);

    if (end == NULL) {
        return 0;
    }
    const char *length = strcasestr(connection->answer, "\r\ncontent-length:");
    size_t head = (size_t)(end - connection->answer) + 4;
    size_t body = length != NULL && length < end ? strtoul(length + strlen("\r\ncontent-length:"), NULL, 10) : 0;
    return connection->used >= head + body ? head : 0;
}

int connection_take(struct connection *connection, int epoll, int port, const char **body)
{
    size_t room = CLIENT_ANSWER_BYTES - 1 - connection->used;
    ssize_t got = recv(connection->fd, connection->answer + connection->used, room, 0);

    if (got <= 0) {
        give_up("an answer does not come, or is too long");
    }
    connection->used += (size_t)got;
    connection->answer[connection->used] = '\0';
    size_t head = complete_head(connection);
    if (head == 0) {
        return 0;
    }
    connection->answer[head - 1] = '\0';
    *body = connection->answer + head;
    connection->busy = 0;
    if (strcasestr(connection->answer, "\r\nconnection: close") != NULL) { /* a server ends long ones, now and then */
        close(connection->fd);
        connection_open(connection, epoll, port);
    }
    return (int)strtol(connection->answer + strlen("HTTP/1.1 "), NULL, 10);
}

/* ---- times ---- */

void times_keep(struct times *times, double ms)
{
    if (times->count == times->room) {
        times->room = times->room > 0 ? 2 * times->room : 4096;
        times->ms = realloc(times->ms, times->room * sizeof *times->ms);
        if (times->ms == NULL) {
            give_up("no memory");
        }
    }
    times->ms[times->count++] = ms;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void times_report(struct times *times, size_t refused, double seconds)
{
    struct rusage usage;
    size_t n = times->count;

    getrusage(RUSAGE_SELF, &usage);
    if (n > 0) {
        qsort(times->ms, n, sizeof *times->ms, ascending);
    }
    printf("{\"answered\":%zu,\"refused\":%zu,\"per_second\":%.1f,\"median_ms\":%.3f,\"p99_ms\":%.3f,"
           "\"processor_seconds\":%.3f}\n",
           n, refused, (double)n / seconds, n > 0 ? times->ms[n / 2] : 0, n > 0 ? times->ms[n * 99 / 100] : 0,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    free(times->ms);
}
