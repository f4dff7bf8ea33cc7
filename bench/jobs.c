/*
 * Jobs from many clients of a server on this machine, each from its POST to its results.
 *
 *     jobs PORT CONNECTIONS COUNT BODY
 *
 * Each connection posts a job, waits for its end, gets its results, and takes the next one, until COUNT jobs were posted.
 * One line of JSON as bench/load's, where a job is one request; refused: jobs that did not succeed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/client.h"

struct jobs {
    int port, connections, epoll;
    size_t count, posted;
    const char *body;
    struct times times;
    size_t refused;
};

static void post(struct jobs *jobs, struct connection *connection)
{
    jobs->posted++;
    connection->job[0] = '\0';
    connection->asked = now();
    connection_ask(connection, "POST", "/v1/jobs", "", jobs->body);
}

/* Asks for something of the connection's job. */
static void ask(struct connection *connection, const char *what)
{
    char path[128];

    snprintf(path, sizeof path, "/v1/jobs/%s%s", connection->job, what);
    connection_ask(connection, "GET", path, "", NULL);
}

static void finish(struct jobs *jobs, struct connection *connection)
{
    times_keep(&jobs->times, 1e3 * (now() - connection->asked));
    if (jobs->posted < jobs->count) {
        post(jobs, connection);
    }
}

/* The job's next request, by the answer to the last one: posted, waited for, its results. */
static void go_on(struct jobs *jobs, struct connection *connection, int status, const char *body)
{
    if (status == 201 && sscanf(body, "{\"object\":\"job\",\"id\":\"%63[^\"]", connection->job) == 1) {
        ask(connection, "?wait=60&until=terminal");
    } else if (status != 200 || strstr(body, "\"status\":\"failed\"") != NULL) {
        jobs->refused++;
        finish(jobs, connection);
    } else if (strncmp(body, "{\"object\":\"results\"", 19) == 0) {
        finish(jobs, connection);
    } else {
        ask(connection, strstr(body, "\"status\":\"succeeded\"") != NULL ? "/results" : "?wait=60&until=terminal");
    }
}

/* Until every job has ended. The seconds that it took. */
static double run(struct jobs *jobs)
{
    struct connection *connections = calloc((size_t)jobs->connections, sizeof *connections);
    struct epoll_event events[CLIENT_MOST_CONNECTIONS];
    double begin;

    if (connections == NULL) {
        give_up("no memory");
    }
    for (int i = 0; i < jobs->connections; i++) {
        connection_open(&connections[i], jobs->epoll, jobs->port);
    }
    begin = now();
    for (int i = 0; i < jobs->connections && jobs->posted < jobs->count; i++) {
        post(jobs, &connections[i]);
    }
    while (jobs->times.count < jobs->count) {
        int ready = epoll_wait(jobs->epoll, events, jobs->connections, 1000);

        if (ready < 0 && errno != EINTR) {
            give_up("epoll");
        }
        for (int i = 0; i < ready; i++) {
            const char *body;
            int status = connection_take(events[i].data.ptr, jobs->epoll, jobs->port, &body);

            if (status != 0) {
                go_on(jobs, events[i].data.ptr, status, body);
            }
        }
    }
    free(connections);
    return now() - begin;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: jobs PORT CONNECTIONS COUNT BODY\n");
        return 2;
    }
    struct jobs jobs = {.port = (int)strtol(argv[1], NULL, 10),
                        .connections = (int)strtol(argv[2], NULL, 10),
                        .count = strtoul(argv[3], NULL, 10),
                        .body = argv[4],
                        .epoll = epoll_create1(EPOLL_CLOEXEC)};

    if (jobs.epoll < 0 || jobs.connections < 1 || jobs.connections > CLIENT_MOST_CONNECTIONS) {
        give_up("connections");
    }
    double seconds = run(&jobs);
    times_report(&jobs.times, jobs.refused, seconds);
    return 0;
}
