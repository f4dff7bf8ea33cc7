/*
 * Requests against a server on this machine, over connections that are kept: what a crowd of clients asks, at the price of
 * one thread.
 *
 *     load PORT CONNECTIONS SECONDS RATE METHOD PATH [BODY KEY]
 *
 * RATE: requests a second of all connections together, evenly spread; 0: each connection asks again as soon as it has its
 * answer. BODY is JSON; its requests have the Idempotency-Keys KEY-1, KEY-2 and so on. One line of JSON: requests answered,
 * those whose status was not 2xx, requests/s, median and 99th percentile of the time to the answer, and the seconds of
 * processor time that this program took itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
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

#define MOST_CONNECTIONS 1024
#define ANSWER_BYTES     16384
#define REQUEST_BYTES    16384

struct connection {
    int fd;
    int busy;
    double asked; /* when; in seconds */
    size_t used;
    char answer[ANSWER_BYTES]; /* [used] */
};

struct load {
    int port, count;
    double seconds, rate;
    const char *method, *path, *body, *key;
    int epoll;
    struct connection *connections; /* [count] */
    double *times;                  /* [answered]: ms to each answer */
    size_t asked, answered, refused, room;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_connection(const struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        give_up("no connection");
    }
    connection->busy = 0;
    connection->used = 0;
}

/* A request is far smaller than a socket's buffer, which is empty before it. */
static void ask(struct load *load, struct connection *connection)
{
    char request[REQUEST_BYTES];
    int size = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\n", load->method, load->path);

    load->asked++;
    if (load->body != NULL) {
        size += snprintf(request + size, sizeof request - (size_t)size,
                         "Idempotency-Key: %s-%zu\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                         load->key, load->asked, strlen(load->body), load->body);
    } else {
        size += snprintf(request + size, sizeof request - (size_t)size, "\r\n");
    }
    if (size >= REQUEST_BYTES || send(connection->fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        give_up("a request cannot be sent");
    }
    connection->busy = 1;
    connection->asked = now();
}

static void keep_time(struct load *load, double ms)
{
    if (load->answered == load->room) {
        load->room = load->room > 0 ? 2 * load->room : 4096;
        load->times = realloc(load->times, load->room * sizeof *load->times);
        if (load->times == NULL) {
            give_up("no memory");
        }
    }
    load->times[load->answered++] = ms;
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

static void take_answer(struct load *load, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->used, ANSWER_BYTES - 1 - connection->used, 0);

    if (got <= 0) {
        give_up("an answer does not come, or is too long");
    }
    connection->used += (size_t)got;
    connection->answer[connection->used] = '\0';
    size_t head = complete_head(connection);
    if (head == 0) {
        return;
    }
    connection->answer[head - 1] = '\0';
    load->refused += strncmp(connection->answer, "HTTP/1.1 2", 10) != 0;
    keep_time(load, 1e3 * (now() - connection->asked));
    connection->busy = 0;
    connection->used = 0;
    if (strcasestr(connection->answer, "\r\nconnection: close") != NULL) { /* a server ends long ones, now and then */
        close(connection->fd);
        open_connection(load, connection);
    }
}

/* Lets the connections that have nothing to do ask what is due. */
static void ask_what_is_due(struct load *load, double elapsed)
{
    double due = load->rate > 0 ? elapsed * load->rate : HUGE_VAL;

    for (int i = 0; i < load->count && (double)load->asked < due; i++) {
        if (!load->connections[i].busy) {
            ask(load, &load->connections[i]);
        }
    }
}

static int any_is_busy(const struct load *load)
{
    for (int i = 0; i < load->count; i++) {
        if (load->connections[i].busy) {
            return 1;
        }
    }
    return 0;
}

/* Until the time is over and every request has its answer. The seconds that it took. */
static double run(struct load *load)
{
    struct epoll_event events[MOST_CONNECTIONS];
    double begin = now(), elapsed = 0;

    while (elapsed < load->seconds || any_is_busy(load)) {
        if (elapsed < load->seconds) {
            ask_what_is_due(load, elapsed);
        }
        int ready = epoll_wait(load->epoll, events, load->count, load->rate > 0 ? 1 : 1000);
        if (ready < 0 && errno != EINTR) {
            give_up("epoll");
        }
        for (int i = 0; i < ready; i++) {
            take_answer(load, events[i].data.ptr);
        }
        elapsed = now() - begin;
    }
    return elapsed;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(struct load *load, double elapsed)
{
    struct rusage usage;
    size_t n = load->answered;

    getrusage(RUSAGE_SELF, &usage);
    if (n > 0) {
        qsort(load->times, n, sizeof *load->times, compare);
    }
    printf("{\"answered\":%zu,\"refused\":%zu,\"per_second\":%.1f,\"median_ms\":%.3f,\"p99_ms\":%.3f,\"processor_seconds\":%"
           ".3f}\n",
           n, load->refused, (double)n / elapsed, n > 0 ? load->times[n / 2] : 0, n > 0 ? load->times[n * 99 / 100] : 0,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
}

int main(int argc, char **argv)
{
    if (argc != 7 && argc != 9) {
        fprintf(stderr, "usage: load PORT CONNECTIONS SECONDS RATE METHOD PATH [BODY KEY]\n");
        return 2;
    }
    struct load load = {.port = (int)strtol(argv[1], NULL, 10),
                        .count = (int)strtol(argv[2], NULL, 10),
                        .seconds = strtod(argv[3], NULL),
                        .rate = strtod(argv[4], NULL),
                        .method = argv[5],
                        .path = argv[6],
                        .body = argc == 9 ? argv[7] : NULL,
                        .key = argc == 9 ? argv[8] : NULL,
                        .epoll = epoll_create1(EPOLL_CLOEXEC)};

    if (load.epoll < 0 || load.count < 1 || load.count > MOST_CONNECTIONS) {
        give_up("connections");
    }
    load.connections = calloc((size_t)load.count, sizeof *load.connections);
    if (load.connections == NULL) {
        give_up("no memory");
    }
    for (int i = 0; i < load.count; i++) {
        open_connection(&load, &load.connections[i]);
    }
    report(&load, run(&load));
    free(load.connections);
    free(load.times);
    return 0;
}
