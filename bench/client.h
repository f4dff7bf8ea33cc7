/*
 * What the programs that load a server share: connections that are kept, one request at a time on each, and the times to the
 * answers. Whatever goes wrong ends the program.
 */
#ifndef DESCENT_BENCH_CLIENT_H
#define DESCENT_BENCH_CLIENT_H

#include <stddef.h>

#define CLIENT_MOST_CONNECTIONS 1024
#define CLIENT_ANSWER_BYTES     16384
#define CLIENT_REQUEST_BYTES    16384

struct connection {
    int fd;
    int busy;
    size_t used;
    char answer[CLIENT_ANSWER_BYTES]; /* [used], then a NUL */
    double asked;                     /* when, in seconds; the caller's */
    char job[64];                     /* the caller's */
};

/* Times, in ms. Zero-initialise. */
struct times {
    double *ms; /* [count], owned */
    size_t count, room;
};

double now(void);
_Noreturn void give_up(const char *what);

/* A connection to 127.0.0.1, watched by `epoll` with itself as the event's pointer. */
void connection_open(struct connection *connection, int epoll, int port);
/* head: lines after the request line and Host, each with its CR LF; body NULL: none. */
void connection_ask(struct connection *connection, const char *method, const char *path, const char *head, const char *body);
/* Takes what has come: the answer's status once all of it is there, its body in *body until the next request; before, 0. */
int connection_take(struct connection *connection, int epoll, int port, const char **body);

void times_keep(struct times *times, double ms);
/* One line of JSON: answered, refused, per_second, median_ms, p99_ms, and this program's processor_seconds. Frees the times.
 */
void times_report(struct times *times, size_t refused, double seconds);

#endif
