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
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "bench/client.h"

struct load {
    int port, count;
    double seconds, rate;
    const char *method, *path, *body, *key;
    int epoll;
    struct connection *connections; /* [count] */
    struct times times;             /* to each answer */
    size_t asked, refused;
};

static void ask(struct load *load, struct connection *connection)
{
    char key[256] = "";

    load->asked++;
    if (load->body != NULL) {
        snprintf(key, sizeof key, "Idempotency-Key: %s-%zu\r\n", load->key, load->asked);
    }
    connection_ask(connection, load->method, load->path, key, load->body);
    connection->asked = now();
}

static void take(struct load *load, struct connection *connection)
{
    const char *body;
    int status = connection_take(connection, load->epoll, load->port, &body);

    if (status != 0) {
        load->refused += status / 100 != 2;
        times_keep(&load->times, 1e3 * (now() - connection->asked));
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
    struct epoll_event events[CLIENT_MOST_CONNECTIONS];
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
            take(load, events[i].data.ptr);
        }
        elapsed = now() - begin;
    }
    return elapsed;
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

    if (load.epoll < 0 || load.count < 1 || load.count > CLIENT_MOST_CONNECTIONS) {
        give_up("connections");
    }
    load.connections = calloc((size_t)load.count, sizeof *load.connections);
    if (load.connections == NULL) {
        give_up("no memory");
    }
    for (int i = 0; i < load.count; i++) {
        connection_open(&load.connections[i], load.epoll, load.port);
    }
    double seconds = run(&load);
    times_report(&load.times, load.refused, seconds);
    free(load.connections);
    return 0;
}
