/*
 * Besides slowness it looks for clients that have left: the library waits for the next edge of epoll after a read that
 * gave less than was asked, but when the end of the stream came with those bytes there is no further edge, and the
 * connection would stand until its idle time is over.
 */
#include "server/http/watchdog.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "server/clock.h"
#include "server/log.h"
#include "server/monitor.h"

#define TICK_MS     100
#define STACK_BYTES (256 * 1024)

const struct watchdog_limits watchdog_defaults = {.head_ms = 10000,
                                                  .grace_ms = 20000,
                                                  .answer_ms = 60000,
                                                  .stream_ms = 30000,
                                                  .idle_ms = 70000,
                                                  .gone_ms = 1000,
                                                  .rate = 1024};

struct peer {
    struct peer *next, **link;
    int fd;
    int cut; /* shut down already */
    enum peer_phase phase;
    int64_t since;     /* when the phase (BODY: the body, less its pauses; ANSWER: the window) began; STREAM: the last seen
                          when all that was sent had been taken, or some since the look before */
    int64_t paused;    /* WORK: when it began */
    int in_body;       /* WORK interrupts a body */
    int64_t moved;     /* the last change of phase, byte of a body, or look for the end of the stream */
    uint64_t received; /* bytes of this body */
    uint64_t acked;    /* bytes that the client had taken when the window began, or at the last look */
    unsigned requests;
};

struct watchdog {
    const struct watchdog_limits *limits;
    void (*tick)(void *context, int64_t now);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, and every peer */
    pthread_cond_t end;
    int ending;
    struct peer *peers;
};

/* All zero where the socket cannot say. */
static struct tcp_info transfer_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info : (struct tcp_info){0};
}

/* Bytes that the client's side has acknowledged. */
static uint64_t acknowledged(int fd)
{
    return transfer_of(fd).tcpi_bytes_acked;
}

/* A stream has nothing to send for most of the time; looks at most once in gone_ms. */
static int takes_stream(const struct watchdog_limits *limits, struct peer *peer, int64_t now)
{
    if (now - peer->moved < limits->gone_ms)
        return 1;
    struct tcp_info transfer = transfer_of(peer->fd);
    int owes = transfer.tcpi_unacked > 0 || transfer.tcpi_notsent_bytes > 0;
    if (!owes || transfer.tcpi_bytes_acked != peer->acked) {
        peer->since = now;
        peer->acked = transfer.tcpi_bytes_acked;
    }
    return now - peer->since <= limits->stream_ms;
}

/* What the connection does too slowly; NULL if nothing. */
static const char *too_slow(const struct watchdog_limits *limits, struct peer *peer, int64_t now)
{
    int64_t spent = now - peer->since;
    switch (peer->phase) {
    case PEER_HEAD:
        return spent > limits->head_ms ? "sending a request" : NULL;
    case PEER_BODY:
        return spent > limits->grace_ms + (int64_t)(peer->received * 1000 / limits->rate) ? "sending a body" : NULL;
    case PEER_ANSWER: {
        if (spent <= limits->answer_ms)
            return NULL;
        uint64_t acked = acknowledged(peer->fd), wanted = limits->rate * (uint64_t)limits->answer_ms / 1000;
        if (acked - peer->acked < wanted)
            return "taking an answer";
        peer->since = now;
        peer->acked = acked;
        return NULL;
    }
    case PEER_STREAM:
        return takes_stream(limits, peer, now) ? NULL : "following a job";
    case PEER_IDLE:
        return spent > limits->idle_ms ? "asking again" : NULL;
    case PEER_WORK:
        break;
    }
    return NULL;
}

/* The client has said that nothing more comes, and all that came was read long ago; looks at most once in gone_ms. */
static int has_left(const struct watchdog_limits *limits, struct peer *peer, int64_t now)
{
    if (peer->phase == PEER_WORK || peer->phase == PEER_ANSWER || now - peer->moved < limits->gone_ms)
        return 0;
    peer->moved = now;
    struct pollfd end = {.fd = peer->fd, .events = POLLRDHUP};
    return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Under the lock: shuts slow ones down; returns what the last of them did, and how many there were. */
static const char *cut_slow(struct watchdog *watchdog, int64_t now, unsigned *count)
{
    const char *last = NULL;
    for (struct peer *peer = watchdog->peers; peer != NULL; peer = peer->next) {
        const char *deed = peer->cut ? NULL : too_slow(watchdog->limits, peer, now);
        if (deed == NULL && (peer->cut || !has_left(watchdog->limits, peer, now)))
            continue;
        peer->cut = 1;
        shutdown(peer->fd, SHUT_RDWR);
        if (deed != NULL) {
            last = deed;
            ++*count;
        }
    }
    return last;
}

static void *watch(void *argument)
{
    struct watchdog *watchdog = argument;
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->ending) {
        struct timespec until = clock_at_ms(clock_monotonic_ms() + TICK_MS);
        pthread_cond_timedwait(&watchdog->end, &watchdog->lock, &until);
        int64_t now = clock_monotonic_ms();
        unsigned count = 0;
        const char *deed = cut_slow(watchdog, now, &count);
        pthread_mutex_unlock(&watchdog->lock);
        if (deed != NULL) {
            monitor_add(MONITOR_SLOW_CLIENTS, count);
            log_info(NULL, "clients cut off because they were too slow: %u, the last one in %s", count, deed);
        }
        watchdog->tick(watchdog->context, now);
        pthread_mutex_lock(&watchdog->lock);
    }
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

enum status watchdog_new(const struct watchdog_limits *limits, void (*tick)(void *context, int64_t now), void *context,
                         struct watchdog **watchdog, struct error *error)
{
    struct watchdog *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the watchdog");
    made->limits = limits;
    made->tick = tick;
    made->context = context;
    pthread_mutex_init(&made->lock, NULL);
    clock_condition_init(&made->end);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int failed = pthread_create(&made->thread, &attributes, watch, made);
    pthread_attr_destroy(&attributes);
    if (failed) {
        pthread_cond_destroy(&made->end);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return error_set(error, STATUS_SYSTEM_ERROR, "the system gives no more threads");
    }
    pthread_setname_np(made->thread, "watchdog");
    *watchdog = made;
    return STATUS_OK;
}

void watchdog_free(struct watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->ending = 1;
    pthread_cond_signal(&watchdog->end);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    pthread_cond_destroy(&watchdog->end);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}

struct peer *watchdog_open(struct watchdog *watchdog, int fd)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return NULL;
    peer->fd = fd;
    peer->phase = PEER_HEAD;
    peer->since = peer->moved = clock_monotonic_ms();
    pthread_mutex_lock(&watchdog->lock);
    peer->next = watchdog->peers;
    peer->link = &watchdog->peers;
    if (peer->next != NULL)
        peer->next->link = &peer->next;
    watchdog->peers = peer;
    pthread_mutex_unlock(&watchdog->lock);
    return peer;
}

void watchdog_close(struct watchdog *watchdog, struct peer *peer)
{
    pthread_mutex_lock(&watchdog->lock);
    *peer->link = peer->next;
    if (peer->next != NULL)
        peer->next->link = peer->link;
    pthread_mutex_unlock(&watchdog->lock);
    free(peer);
}

void watchdog_phase(struct watchdog *watchdog, struct peer *peer, enum peer_phase phase)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&watchdog->lock);
    switch (phase) {
    case PEER_HEAD:
        /* The first head's time runs from the accept on. */
        if (peer->phase != PEER_HEAD)
            peer->since = now;
        break;
    case PEER_BODY:
        if (peer->in_body) {
            peer->since += now - peer->paused;
        } else {
            peer->since = now;
            peer->received = 0;
        }
        break;
    case PEER_WORK:
        peer->paused = now;
        break;
    case PEER_ANSWER:
    case PEER_STREAM:
        peer->since = now;
        peer->acked = acknowledged(peer->fd);
        break;
    case PEER_IDLE:
        peer->since = now;
        peer->requests++;
        break;
    }
    peer->in_body = phase == PEER_BODY || (phase == PEER_WORK && peer->in_body);
    peer->phase = phase;
    peer->moved = now;
    pthread_mutex_unlock(&watchdog->lock);
}

void watchdog_received(struct watchdog *watchdog, struct peer *peer, uint64_t size)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&watchdog->lock);
    peer->received += size;
    peer->moved = now;
    pthread_mutex_unlock(&watchdog->lock);
}

unsigned watchdog_requests(const struct peer *peer)
{
    /* Counted only by the polling thread that asks. */
    return peer->requests;
}
